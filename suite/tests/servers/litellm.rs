//! LiteLLM's proxy, with llama.cpp's server behind it: asked in two protocols, answered in others.

use std::path::PathBuf;
use std::sync::LazyLock;

use instructor::{Client, ClientBuilder, ErrorKind, Mode, Profile, ResponseModel};
use serde::Serialize;
use serde_json::{Value, json};

use crate::ask::{Way, run, until_valid};
use crate::llama::{self, installed};
use crate::models::{Action, Drawing, Order, Project};
use crate::process::Server;

const KEY: &str = "sk-proxy-0123456789";

static PROXY: LazyLock<Server> = LazyLock::new(|| {
    let config = std::env::temp_dir().join(format!("instructor-litellm-{}.json", std::process::id()));
    // JSON is YAML.
    std::fs::write(&config, routes().to_string()).unwrap();
    let program: PathBuf = installed("litellm/bin/litellm");
    let arguments = ["--config", config.to_str().unwrap(), "--telemetry", "False"];
    // Else it fetches prices when it starts.
    Server::start(&program, &arguments, &[("LITELLM_LOCAL_MODEL_COST_MAP", "True")], "/health/liveliness")
});

/// One model by two protocols, and one that nobody answers for.
fn routes() -> Value {
    let route = |name: &str, model: &str, base: String| json!({ "model_name": name, "litellm_params": { "model": model, "api_base": base, "api_key": llama::KEY } });
    json!({
        "model_list": [
            route("chat", "openai/tiny", format!("{}/v1", llama::url())),
            route("messages", "anthropic/tiny", String::from(llama::url())),
            route("dead", "openai/tiny", String::from("http://127.0.0.1:1/v1")),
        ],
        "litellm_settings": { "telemetry": false, "drop_params": true },
        "router_settings": { "num_retries": 0 },
        "general_settings": { "master_key": KEY },
    })
}

fn builder(model: &str) -> ClientBuilder {
    let builder = Client::builder().provider(&format!("litellm/{model}")).base_url(&PROXY.url);
    builder.api_key(KEY).max_tokens(800)
}

const ERRORS: &[ErrorKind] = &[ErrorKind::Malformed, ErrorKind::SchemaMismatch, ErrorKind::Truncated];

#[test]
#[ignore = "needs servers: bash .ci/servers"]
fn all_modes_go_through() {
    fn check<T: ResponseModel + Serialize>() {
        let schema = T::contract().schema().clone();
        let object = json!({ "type": "json_object", "schema": schema });
        until_valid::<T>(&Way::TWO, || builder("chat"), ERRORS);
        for mode in [Mode::Schema, Mode::Tools, Mode::ThinkThenShape] {
            until_valid::<T>(&Way::TWO, || builder("chat").mode(mode), ERRORS);
        }
        until_valid::<T>(
            &Way::TWO,
            || builder("chat").mode(Mode::Json).extra("response_format", object.clone()),
            ERRORS,
        );
        until_valid::<T>(&Way::TWO, || builder("chat").mode(Mode::MdJson).extra("json_schema", schema.clone()), ERRORS);
    }
    check::<Order>();
    check::<Drawing>();
    check::<Project>();
    until_valid::<Vec<Action>>(&Way::TWO, || builder("chat").mode(Mode::ParallelTools), ERRORS);
}

#[test]
#[ignore = "needs servers: bash .ci/servers"]
fn calls_go_through_another_protocol() {
    let profile = Profile::anthropic_compatible("gateway", &PROXY.url);
    let direct = || Client::builder().profile(profile.clone()).model("messages").api_key(KEY).max_tokens(800);
    let routes: [&dyn Fn() -> ClientBuilder; 2] = [&|| builder("messages"), &direct];
    for asked in routes {
        until_valid::<Order>(&Way::TWO, || asked().mode(Mode::Tools), ERRORS);
        until_valid::<Drawing>(&Way::TWO, || asked().mode(Mode::Tools), ERRORS);
    }
}

#[test]
#[ignore = "needs servers: bash .ci/servers"]
fn refusals_of_the_proxy_are_told_apart() {
    let cases: [(ClientBuilder, ErrorKind, u16, &str); 3] = [
        (builder("chat").api_key("sk-wrong-0123456789"), ErrorKind::Auth, 400, "no_db_connection"),
        (builder("nobody"), ErrorKind::BadRequest, 400, "model"),
        (builder("dead").max_retries(0), ErrorKind::Overloaded, 500, "Connection"),
    ];
    for (builder, kind, status, says) in cases {
        let client = builder.build().unwrap();
        let error = run(async { client.create::<Order>("x").await.unwrap_err() });
        assert_eq!((error.kind(), error.status()), (kind, Some(status)), "{error:#}");
        assert!(error.to_string().contains(says), "{error:#}");
        assert_eq!(error.report().attempts().len(), 1, "{error:#}");
        assert!(!format!("{error:#} {error:?}").contains("sk-wrong"));
    }
}
