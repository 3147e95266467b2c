//! A web service over a model: typed values out of request bodies, the same as a stream, errors as HTTP knows them, and an
//! OpenAPI document from the same types.
//!
//! ```console
//! $ cargo run -p suite --example service
//! $ curl -d 'Ada Lovelace, ada@example.org, asks about engines' http://127.0.0.1:3000/contacts
//! $ curl -Nd 'Ada Lovelace, ada@example.org, asks about engines' http://127.0.0.1:3000/contacts/stream
//! $ curl http://127.0.0.1:3000/openapi.json
//! ```
//!
//! With a key in the environment it asks that provider, without one a script.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a small program prints, and may panic"
)]

use axum::extract::{FromRef, FromRequest, Request, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, body};
use instructor::testing::{Reply, Script};
use instructor::{Client, Error, ErrorKind, ResponseModel};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// A contact, as it stands in the text.
#[instructor::model(partial)]
struct Contact {
    name: String,
    #[schemars(email)]
    email: Option<String>,
    /// What it is about.
    topics: Vec<String>,
}

/// A value that a model makes of the body of the request: an extractor like `Json`, for any response model.
struct Extracted<T>(T);

impl<S: Send + Sync, T: ResponseModel> FromRequest<S> for Extracted<T>
where
    Client: FromRef<S>,
{
    type Rejection = Failed;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failed> {
        let client = Client::from_ref(state);
        let text =
            String::from_request(request, state).await.map_err(|refused| Failed::Body(refused.into_response()))?;
        // Who hangs up drops this future, and with it the connection to the provider.
        Ok(Self(client.create(text).await?))
    }
}

/// Why there is no value.
enum Failed {
    /// The body could not be read.
    Body(Response),
    /// The model gave none.
    Model(Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Model(error)
    }
}

/// What the caller can do about it: wait, send another text, or nothing at all.
fn status(error: &Error) -> StatusCode {
    match error.kind() {
        ErrorKind::RateLimited | ErrorKind::Overloaded | ErrorKind::Transport => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::Budget => StatusCode::GATEWAY_TIMEOUT,
        ErrorKind::Malformed | ErrorKind::SchemaMismatch | ErrorKind::Rejected | ErrorKind::Runaway => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        ErrorKind::Refused | ErrorKind::Filtered | ErrorKind::Truncated => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let error = match self {
            Self::Body(response) => return response,
            Self::Model(error) => error,
        };
        eprintln!("{error:#}"); // all attempts, for those who run the service; it shows no text and no key
        let status = status(&error);
        let what = if status.is_client_error() { error.to_string() } else { String::from("no answer from the model") };
        let issues: Vec<_> = error
            .issues()
            .as_slice()
            .iter()
            .map(|issue| json!({ "at": issue.path().to_string(), "wanted": issue.wanted() }))
            .collect();
        let mut response = (status, Json(json!({ "error": what, "issues": issues }))).into_response();
        if let Some(wait) = error.retry_after() {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        response
    }
}

async fn contact(Extracted(contact): Extracted<Contact>) -> Json<Contact> {
    Json(contact)
}

/// The value while it grows, as JSON patches in an event stream; the last event is `done` or `failed`.
async fn stream(State(client): State<Client>, text: String) -> impl IntoResponse {
    let (sender, events) = mpsc::channel::<Result<String, std::convert::Infallible>>(16);
    tokio::spawn(async move {
        let failed = |error: Error| format!("event: failed\ndata: {}\n\n", status(&error).as_u16());
        let last = match client.request(text).create_partial::<Contact>().await {
            Err(error) => failed(error),
            Ok(stream) => {
                let mut patches = stream.patches();
                loop {
                    match patches.next().await {
                        Some(Ok(patch)) if sender.send(Ok(patch.to_event())).await.is_err() => return,
                        Some(Ok(_)) => {}
                        Some(Err(error)) => break failed(error),
                        None => break String::from("event: done\ndata:\n\n"),
                    }
                }
            }
        };
        drop(sender.send(Ok(last)).await);
    });
    let events = futures_util::stream::unfold(events, async |mut events| Some((events.recv().await?, events)));
    ([(CONTENT_TYPE, "text/event-stream")], body::Body::from_stream(events))
}

/// What there is to call, with the schemas of the response models themselves.
async fn openapi() -> Json<Value> {
    let schema = Contact::contract().schema().clone();
    let asked = json!({ "required": true, "content": { "text/plain": { "schema": { "type": "string" } } } });
    let answer = json!({ "description": "The contact", "content": { "application/json": { "schema": schema } } });
    let events = json!({ "description": "JSON patches", "content": { "text/event-stream": { "schema": { "type": "string" } } } });
    let refused = json!({ "description": "No contact could be made of the text" });
    let busy = json!({ "description": "Come again after `Retry-After` seconds" });
    Json(json!({
        "openapi": "3.1.0",
        "info": { "title": "Contacts", "version": "1" },
        "paths": {
            "/contacts": { "post": {
                "operationId": "contact", "requestBody": asked, "responses": { "200": answer, "422": refused, "503": busy },
            } },
            "/contacts/stream": { "post": { "operationId": "stream", "requestBody": asked, "responses": { "200": events } } },
        },
    }))
}

pub(crate) fn app(client: Client) -> Router {
    Router::new()
        .route("/contacts", post(contact))
        .route("/contacts/stream", post(stream))
        .route("/openapi.json", get(openapi))
        .with_state(client)
}

/// A client that answers from a script.
fn scripted() -> Client {
    let contact = json!({ "name": "Ada Lovelace", "email": "ada@example.org", "topics": ["engines"] });
    Script::new().when(|_| true, Reply::value(contact).chunks(2)).client("openai/gpt-5-mini")
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let client = Client::from_env().unwrap_or_else(|_| scripted());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await.unwrap();
    println!("http://{}", listener.local_addr().unwrap());
    axum::serve(listener, app(client)).await.unwrap();
}
