//! A typed, validated value from a language model.
//!
//! With a provider key in the environment or Ollama on localhost, this goes live.
//! With none, a server inside this example answers from a script, over real HTTP in OpenAI's protocol.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use instructor::testing::{Reply, Script, Server};
use instructor::{Client, Profile};
use serde_json::json;

/// A person mentioned in the text.
#[instructor::model]
struct Person {
    /// Full name.
    name: String,
    /// Age in years.
    #[schemars(range(max = 120))]
    age: u16,
    /// What they do for a living, if the text says so.
    occupation: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _server) = match Client::from_env() {
        Ok(client) => (client, None),
        Err(_) => match local_ollama() {
            Some(model) => (instructor::from_provider(&format!("ollama/{model}"))?, None),
            None => scripted()?,
        },
    };
    println!("Asking {} ({}) ...", client.profile().id(), client.model().unwrap_or("no model"));

    let text = "Ada Lovelace, 36, writes programs for machines that do not exist yet.";
    match client.create_with_completion::<Person>(text).await {
        Ok((person, completion)) => println!("{person:#?}\n\nWhat it took:\n{}", completion.report),
        Err(error) => println!("{error:#}"),
    }
    Ok(())
}

/// A stand-in for a provider: its first answer breaks the model's constraints, its second is right.
fn scripted() -> Result<(Client, Option<Server>), Box<dyn Error>> {
    println!("No provider key is set: a scripted server on this machine answers instead of a model.");
    println!("Everything else is real: HTTP, decoding, validation, re-ask, the typed value, the report.\n");
    let server = Script::new()
        .reply(Reply::value(json!({ "name": "Ada Lovelace", "age": 360, "occupation": "programmer" })))
        .reply(Reply::value(json!({ "name": "Ada Lovelace", "age": 36, "occupation": "programmer" })))
        .serve()?;
    let profile = Profile::openai_compatible("scripted", format!("{}/v1", server.url()));
    let client = Client::builder().profile(profile).model("a-script").build()?;
    Ok((client, Some(server)))
}

/// The first model of an Ollama on this machine, if one runs.
fn local_ollama() -> Option<String> {
    let mut stream = TcpStream::connect_timeout(&([127, 0, 0, 1], 11434).into(), Duration::from_millis(200)).ok()?;
    stream.write_all(b"GET /api/tags HTTP/1.0\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let tags: serde_json::Value = serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()?;
    Some(String::from(tags.pointer("/models/0/name")?.as_str()?))
}
