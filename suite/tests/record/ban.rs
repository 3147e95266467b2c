use std::process::Command;

use instructor::testing::{Reply, Script, ban_network};
use instructor::{Client, ErrorKind, FetchMedia, Media, MediaKind, Message, Reqwest, Ureq, blocking};

use crate::block_on;

/// Where nothing listens, so that a ban that fails is seen as a failed connection.
fn builder() -> instructor::ClientBuilder {
    Client::builder().provider("openai/gpt-5-mini").api_key("sk-0123456789").base_url("http://127.0.0.1:9/v1")
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn real_transports_send_nothing_while_the_ban_holds() {
    let ban = ban_network();
    let said = |error: instructor::Error| {
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert_eq!(error.report().attempts().len(), 1);
        assert!(!error.to_string().contains("sk-0123456789"));
        error.to_string()
    };
    let error = said(runtime().block_on(builder().build().unwrap().create::<String>("?")).unwrap_err());
    assert!(error.contains("ban_network()") && error.contains("127.0.0.1:9") && error.contains("Script"), "{error}");
    said(blocking::Client::build(builder()).unwrap().create::<String>("?").unwrap_err());
    let given = builder().transport(Reqwest::with_client(reqwest::Client::new())).build().unwrap();
    said(runtime().block_on(given.create::<String>("?")).unwrap_err());

    // Media that would be fetched too.
    let picture = || Message::user("?").with(Media::from_url(MediaKind::Image, "https://example.com/a.png"));
    let fetching = || Client::builder().provider("ollama/m").fetch_media(FetchMedia::new());
    let error = runtime().block_on(fetching().build().unwrap().create::<String>([picture()])).unwrap_err();
    assert!(error.to_string().contains("ban_network()"), "{error}");
    let error = blocking::Client::build(fetching()).unwrap().create::<String>([picture()]).unwrap_err();
    assert!(error.to_string().contains("ban_network()"), "{error}");

    // Not what stands in for the network.
    let script = Script::new().reply(Reply::value("yes")).reply(Reply::value("yes"));
    assert_eq!(block_on(script.client("openai/m").create::<String>("?")).unwrap(), "yes");
    let server = script.serve().unwrap();
    let client = blocking::Client::build_with(builder().base_url(server.url()), Ureq::default()).unwrap();
    assert_eq!(client.create::<String>("?").unwrap(), "yes");

    // Nor a host that is allowed.
    let ban = ban.allow("127.0.0.1:9");
    let ask = || blocking::Client::build(builder().max_retries(0)).unwrap().create::<String>("?").unwrap_err();
    assert_eq!(ask().kind(), ErrorKind::Transport);
    drop(ban);
    assert_eq!(ask().kind(), ErrorKind::Transport);
}

/// Set for the process that another test starts.
const CHILD: &str = "INSTRUCTOR_SUITE_BANNED";

#[test]
fn the_environment_bans_too() {
    if std::env::var(CHILD).is_ok() {
        let error = blocking::Client::build(builder()).unwrap().create::<String>("?").unwrap_err();
        assert!(error.to_string().contains("INSTRUCTOR_NETWORK=off"), "{error}");
        return;
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    let child =
        child.args(["--exact", "ban::the_environment_bans_too"]).env(CHILD, "1").env("INSTRUCTOR_NETWORK", "off");
    let out = child.output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
    assert!(String::from_utf8_lossy(&out.stdout).contains("1 passed"));
}
