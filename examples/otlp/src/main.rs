//! Spans of requests, to any collector that takes OTLP over HTTP.
//!
//! ```sh
//! docker run --rm -p 16686:16686 -p 4318:4318 jaegertracing/jaeger   # or any other collector
//! cargo run                                                          # to OTEL_EXPORTER_OTLP_ENDPOINT, or http://localhost:4318
//! ```
//!
//! Without a key the model's answers come from a script, of which the first is wrong, so that there is a re-ask to see.

use std::error::Error;

use instructor::testing::{Reply, Script};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::json;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

#[instructor::model]
#[derive(Debug)]
struct Person {
    name: String,
    #[schemars(range(max = 120))]
    age: u16,
}

fn main() -> Result<(), Box<dyn Error>> {
    let exporter = SpanExporter::builder().with_http().with_protocol(Protocol::HttpJson).build()?;
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(Resource::builder().with_service_name("extractor").build())
        .build();
    let spans = tracing_opentelemetry::layer().with_tracer(provider.tracer("extractor"));
    tracing_subscriber::registry().with(spans).init();

    // let client = instructor::from_provider("openai/gpt-5-mini")?;
    let script = Script::new()
        .reply(Reply::value(json!({ "name": "Ada Lovelace", "age": 360 })))
        .reply(Reply::value(json!({ "name": "Ada Lovelace", "age": 36 })));
    let client = script.client("openai/gpt-5-mini");
    let person: Person = script.block_on(client.create("Ada Lovelace, 36, writes programs."))?;
    println!("{person:?}");

    // What is still in the exporter's queue is sent now.
    provider.shutdown()?;
    Ok(())
}
