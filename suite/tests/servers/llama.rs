//! llama.cpp's server, alone.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use instructor::{Client, ClientBuilder, ErrorKind, Mode, Profile, ResponseModel};
use serde::Serialize;
use serde_json::json;

use crate::ask::{Way, run, same_streamed, until_valid, whatever};
use crate::model;
use crate::models::{Action, Drawing, Order, Project};
use crate::process::Server;

pub(crate) const KEY: &str = "sk-tiny-0123456789";

static LLAMA: LazyLock<Server> = LazyLock::new(|| {
    let model = std::env::temp_dir().join(format!("instructor-tiny-{}.gguf", std::process::id()));
    model::write(&model).unwrap();
    let path = model.to_str().unwrap();
    // More than one thread makes so small a model slower.
    let arguments = [
        "--model",
        path,
        "--ctx-size",
        "32768",
        "--parallel",
        "2",
        "--threads",
        "1",
        "--threads-batch",
        "1",
        "--poll",
        "0",
        "--jinja",
        "--api-key",
        KEY,
    ];
    let server = Server::start(&installed("llama-server"), &arguments, &[], "/health");
    _ = std::fs::remove_file(model);
    server
});

/// Where `.ci/servers` has put a program.
pub(crate) fn installed(program: &str) -> PathBuf {
    let folder = std::env::var_os("INSTRUCTOR_SERVERS").unwrap_or_else(|| panic!("run this with: bash .ci/servers"));
    Path::new(&folder).join(program)
}

pub(crate) fn url() -> &'static str {
    &LLAMA.url
}

fn builder() -> ClientBuilder {
    of(Client::builder().provider("llamacpp/tiny").base_url(format!("{}/v1", url())))
}

/// A client for another protocol of the same server.
fn speaking(profile: Profile) -> ClientBuilder {
    of(Client::builder().profile(profile).model("tiny"))
}

fn of(builder: ClientBuilder) -> ClientBuilder {
    builder.api_key(KEY).max_tokens(800)
}

/// The kinds of failure that an answer of random text can be.
const UNREADABLE: &[ErrorKind] = &[ErrorKind::Malformed, ErrorKind::SchemaMismatch, ErrorKind::Truncated];

#[test]
#[ignore = "needs servers: bash .ci/servers"]
fn native_schemas_are_kept_to() {
    for mode in [Mode::Auto, Mode::Schema] {
        let asked = || builder().mode(mode);
        let completion = until_valid::<Order>(&Way::ALL, asked, &[ErrorKind::Truncated]);
        assert_eq!(completion.report.attempts()[0].mode, Mode::Schema);
        until_valid::<Drawing>(&Way::ALL, asked, &[ErrorKind::Truncated]);
        until_valid::<Project>(&Way::ALL, asked, &[ErrorKind::Truncated]);
    }
}

#[test]
#[ignore = "needs servers: bash .ci/servers"]
fn tools_are_called() {
    let asked = || builder().mode(Mode::Tools);
    let completion = until_valid::<Order>(&Way::ALL, asked, UNREADABLE);
    assert!(completion.response.tool_calls().next().is_some());
    until_valid::<Drawing>(&Way::ALL, asked, UNREADABLE);
    until_valid::<Project>(&Way::ALL, asked, UNREADABLE);
}

#[test]
#[ignore = "needs servers: bash .ci/servers"]
fn several_tools_are_called() {
    until_valid::<Vec<Action>>(&Way::ALL, || builder().mode(Mode::ParallelTools), UNREADABLE);
}

/// The server itself can hold the model to the schema that the prompt alone tells it, which is what a model does that
/// understands the prompt.
#[test]
#[ignore = "needs servers: bash .ci/servers"]
fn prompted_json_is_read() {
    fn check<T: ResponseModel + Serialize>() {
        let schema = T::contract().schema().clone();
        let object = json!({ "type": "json_object", "schema": schema });
        until_valid::<T>(&Way::ALL, || builder().mode(Mode::Json).extra("response_format", object.clone()), UNREADABLE);
        until_valid::<T>(&Way::ALL, || builder().mode(Mode::MdJson).extra("json_schema", schema.clone()), UNREADABLE);
    }
    check::<Order>();
    check::<Drawing>();
    check::<Project>();
}

#[test]
#[ignore = "needs servers: bash .ci/servers"]
fn answers_that_are_none_are_told() {
    for mode in [Mode::Json, Mode::MdJson] {
        let asked = || builder().mode(mode).max_retries(1).max_tokens(60);
        whatever::<Order>(asked, UNREADABLE);
        whatever::<Drawing>(asked, UNREADABLE);
        whatever::<Project>(asked, UNREADABLE);
    }
}

#[test]
#[ignore = "needs servers: bash .ci/servers"]
fn a_thought_becomes_a_value() {
    let asked = || builder().mode(Mode::ThinkThenShape);
    let completion = until_valid::<Order>(&Way::ALL, asked, UNREADABLE);
    assert!(completion.draft.is_some_and(|draft| !draft.text().is_empty()));
    assert_eq!(completion.report.attempts().last().unwrap().mode, Mode::Schema);
    until_valid::<Drawing>(&Way::ALL, asked, UNREADABLE);
    until_valid::<Project>(&Way::ALL, asked, UNREADABLE);
}

/// Its other protocols do not hold the model to a schema, but they have tools.
#[test]
#[ignore = "needs servers: bash .ci/servers"]
fn other_protocols_call_tools() {
    // A tool that is named is not called for that here; that some tool has to be called is heeded.
    let profiles = [
        (Profile::openai_responses_compatible("local", format!("{}/v1", url())), json!("required")),
        (Profile::anthropic_compatible("local", url()), json!({ "type": "any" })),
    ];
    for (profile, some) in profiles {
        let asked = || speaking(profile.clone()).mode(Mode::Tools).extra("tool_choice", some.clone());
        until_valid::<Order>(&Way::ALL, asked, UNREADABLE);
        until_valid::<Drawing>(&Way::ALL, asked, UNREADABLE);
        until_valid::<Project>(&Way::ALL, asked, UNREADABLE);
        until_valid::<Vec<Action>>(&Way::ALL, || speaking(profile.clone()).mode(Mode::ParallelTools), UNREADABLE);
        for mode in [Mode::Schema, Mode::MdJson] {
            whatever::<Order>(|| speaking(profile.clone()).mode(mode).max_retries(1).max_tokens(60), UNREADABLE);
        }
    }
}

#[test]
#[ignore = "needs servers: bash .ci/servers"]
fn a_stream_says_what_the_whole_body_says() {
    let profiles = [
        Profile::named("llamacpp").unwrap().with_base_url(format!("{}/v1", url())),
        Profile::openai_responses_compatible("local", format!("{}/v1", url())),
        Profile::anthropic_compatible("local", url()),
    ];
    for profile in profiles {
        for mode in [Mode::Schema, Mode::Tools, Mode::MdJson] {
            // Not all of its protocols take a seed. Some answers are cut, nearly all of the second kind.
            let (temperature, seeds) = if profile.protocol() == "openai_chat" { (1.0, 4) } else { (0.0, 1) };
            let asked = || speaking(profile.clone()).mode(mode).temperature(temperature);
            same_streamed::<Order>(&profile, 200, seeds, asked);
            same_streamed::<Drawing>(&profile, 20, seeds, asked);
        }
    }
}

#[test]
#[ignore = "needs servers: bash .ci/servers"]
fn refusals_of_the_server_are_told_apart() {
    let long = "far too long ".repeat(5000);
    let lost = json!({ "type": "object", "properties": { "a": { "$ref": "#/$defs/Lost" } } });
    let lost = json!({ "type": "json_schema", "json_schema": { "name": "lost", "schema": lost } });
    let cases: [(ClientBuilder, &str, ErrorKind, u16, &str); 3] = [
        (builder().api_key("sk-wrong-0123456789"), "x", ErrorKind::Auth, 401, "Invalid API Key"),
        (builder(), &long, ErrorKind::BadRequest, 400, "context size"),
        (builder().extra("response_format", lost).mode(Mode::Json), "x", ErrorKind::SchemaRefused, 400, "$ref"),
    ];
    for (builder, text, kind, status, says) in cases {
        let client = builder.build().unwrap();
        let error = run(async { client.create::<Order>(text).await.unwrap_err() });
        assert_eq!((error.kind(), error.status()), (kind, Some(status)), "{error:#}");
        assert!(error.to_string().contains(says), "{error:#}");
        assert_eq!(error.report().attempts().len(), 1, "{error:#}");
        assert!(!format!("{error:#} {error:?}").contains("sk-wrong"));
    }
}
