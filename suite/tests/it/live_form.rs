//! The server of the example: what it sends over real HTTP makes the value.

use instructor::Patch;
use instructor::testing::{Reply, Script};
use serde_json::{Value, json};

#[path = "../../examples/live_form.rs"]
#[expect(dead_code, reason = "the program around the server is not run")]
mod example;

#[test]
fn the_events_of_the_server_make_the_value() {
    let contact = json!({ "name": "Ada", "email": null, "about": "Engines, \"mostly\"", "topics": ["a", "b"] });
    let script = Script::new().reply(Reply::value(contact.clone()).chunks(3)).reply(Reply::status(401));
    let client = script.client("anthropic/claude-haiku-4-5");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (page, events, failed) = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, example::app(client)).await });
        let get = |path: &str| {
            let url = format!("{url}{path}");
            async move { reqwest::get(url).await.unwrap().text().await.unwrap() }
        };
        (get("/").await, get("/contact?text=Ada").await, get("/contact?text=Ada").await)
    });
    assert!(page.contains("EventSource"), "{page}");
    let mut document = Value::Null;
    let mut patches = 0;
    for data in events.lines().filter_map(|line| line.strip_prefix("data: ")) {
        serde_json::from_str::<Patch>(data).unwrap().apply(&mut document).unwrap();
        patches += 1;
    }
    assert_eq!(document, contact);
    assert!(patches > 5, "{events}");
    assert!(events.trim_end().ends_with("event: done\ndata:"), "{events}");
    assert!(failed.starts_with("event: failed\ndata: "), "{failed}");
}
