//! The web service of the example, over real HTTP.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use instructor::Patch;
use instructor::testing::{Reply, Script};
use serde_json::{Value, json};

#[path = "../examples/service.rs"]
#[expect(dead_code, reason = "the program around the server is not run")]
mod example;

struct Service {
    runtime: tokio::runtime::Runtime,
    url: String,
    http: reqwest::Client,
}

impl Service {
    fn over(script: &Script) -> Self {
        let client = script.builder("openai/gpt-5-mini").max_retries(1).build().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, example::app(client)).await });
        Self { runtime, url, http: reqwest::Client::new() }
    }

    fn post(&self, path: &str, text: &str) -> (u16, Option<String>, String) {
        self.runtime.block_on(async {
            let response = self.http.post(format!("{}{path}", self.url)).body(String::from(text)).send().await.unwrap();
            let wait = response.headers().get("retry-after").map(|wait| wait.to_str().unwrap().into());
            (response.status().as_u16(), wait, response.text().await.unwrap())
        })
    }
}

fn ada() -> Value {
    json!({ "name": "Ada", "email": "ada@example.org", "topics": ["engines"] })
}

#[test]
fn a_body_becomes_a_validated_value() {
    let mut wrong = ada();
    wrong["email"] = json!("nowhere");
    let script = Script::new().reply(Reply::value(wrong)).reply(Reply::value(ada()));
    let (status, _, body) = Service::over(&script).post("/contacts", "Ada, ada@example.org: engines");
    assert_eq!(status, 200, "{body}");
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), ada());
    assert_eq!(script.sent().len(), 2, "the first answer was asked for again");
}

#[test]
fn each_failure_has_the_status_that_tells_what_to_do() {
    let wrong = || Reply::value(json!({ "name": "Ada", "email": "nowhere", "topics": [] }));
    let cases = [
        (Script::new().reply(wrong()).reply(wrong()), 422, "email"),
        (
            Script::new().when(|_| true, Reply::status(429).header("retry-after", "700")),
            503,
            "no answer from the model",
        ),
        (Script::new().reply(Reply::status(401)), 500, "no answer from the model"),
    ];
    for (script, wanted, told) in cases {
        let (status, wait, body) = Service::over(&script).post("/contacts", "a text that is private");
        assert_eq!(status, wanted, "{body}");
        assert!(body.contains(told), "{body}");
        assert!(!body.contains("private"), "{body}");
        assert_eq!(wait.as_deref(), (wanted == 503).then_some("700"));
    }
    // What is no text is refused before a model is asked.
    let script = Script::new();
    let service = Service::over(&script);
    let bytes = service.http.post(format!("{}/contacts", service.url)).body(vec![0xff, 0xfe]).send();
    assert_eq!(service.runtime.block_on(bytes).unwrap().status().as_u16(), 400);
    assert!(script.sent().is_empty());
}

#[test]
fn the_stream_makes_the_same_value_and_tells_how_it_ended() {
    let script = Script::new().reply(Reply::value(ada()).chunks(3)).reply(Reply::status(401));
    let service = Service::over(&script);
    let (status, _, events) = service.post("/contacts/stream", "Ada");
    assert_eq!(status, 200);
    let mut document = Value::Null;
    for data in events.lines().filter_map(|line| line.strip_prefix("data: ")) {
        serde_json::from_str::<Patch>(data).unwrap().apply(&mut document).unwrap();
    }
    assert_eq!(document, ada());
    assert!(events.ends_with("event: done\ndata:\n\n"), "{events}");
    let (_, _, failed) = service.post("/contacts/stream", "Ada");
    assert_eq!(failed, "event: failed\ndata: 500\n\n");
}

#[test]
fn the_document_has_the_schema_of_the_type() {
    let service = Service::over(&Script::new());
    let document: Value = service.runtime.block_on(async {
        let response = service.http.get(format!("{}/openapi.json", service.url)).send().await.unwrap();
        serde_json::from_str(&response.text().await.unwrap()).unwrap()
    });
    let schema = &document["paths"]["/contacts"]["post"]["responses"]["200"]["content"]["application/json"]["schema"];
    assert_eq!(schema["properties"]["email"]["format"], "email");
    // It is a schema that takes what the service gives.
    assert!(jsonschema::validator_for(schema).unwrap().is_valid(&ada()));
    for path in document["paths"].as_object().unwrap().keys() {
        assert_ne!(service.post(path, "").0, 404, "{path}");
    }
}
