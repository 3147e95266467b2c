//! A form that fills up while the model writes: an axum server with a page, and the partials of an answer as events.
//!
//! ```console
//! $ cargo run -p suite --example live_form     # then open http://127.0.0.1:3000
//! ```
//!
//! With a key in the environment it asks that provider, without one a script.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a small program may end with a panic")]

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use instructor::Client;
use instructor::testing::{Reply, Script};
use tokio::sync::mpsc;

/// A contact, as it stands in the text.
#[instructor::model(partial)]
struct Contact {
    name: String,
    email: Option<String>,
    /// What it is about, in one sentence.
    about: String,
    topics: Vec<String>,
}

#[derive(serde::Deserialize)]
struct Asked {
    text: String,
}

/// The page, and the events that fill it.
pub(crate) fn app(client: Client) -> Router {
    let page = || async { Html(include_str!("live_form.html")) };
    Router::new().route("/", get(page)).route("/contact", get(contact)).with_state(client)
}

async fn contact(State(client): State<Client>, Query(Asked { text }): Query<Asked>) -> impl IntoResponse {
    let (sender, receiver) = mpsc::channel(16);
    // The request borrows its client, so both live in a task. When the browser goes away, sending fails, the task ends,
    // and with it the connection to the provider.
    tokio::spawn(async move {
        let Ok(stream) = client.request(text).create_partial::<Contact>().await else { return };
        let mut patches = stream.patches();
        while let Some(patch) = patches.next().await {
            let event =
                patch.map_or_else(|error| format!("event: failed\ndata: {error}\n\n"), |patch| patch.to_event());
            if sender.send(Bytes::from(event)).await.is_err() {
                return;
            }
        }
        drop(sender.send(Bytes::from_static(b"event: done\ndata:\n\n")).await);
    });
    ([(CONTENT_TYPE, "text/event-stream")], Body::from_stream(Events(receiver)))
}

struct Events(mpsc::Receiver<Bytes>);

impl futures_core::Stream for Events {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|event| event.map(Ok))
    }
}

/// A client that answers from a script.
fn scripted() -> Client {
    let contact = serde_json::json!({ "name": "Ada Lovelace", "email": "ada@example.org",
        "about": "She wants to know whether the engine can compose music.", "topics": ["music", "engines"] });
    Script::new().when(|_| true, Reply::value(contact).chunks(2)).client("openai/gpt-5-mini")
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let client = Client::from_env().unwrap_or_else(|_| scripted());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await.unwrap();
    println!("http://{}", listener.local_addr().unwrap());
    axum::serve(listener, app(client)).await.unwrap();
}
