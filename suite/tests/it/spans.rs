//! Spans as a subscriber sees them: their names and fields, what they are inside of, and that none is another task's.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, Once};
use std::task::{Context as TaskContext, Poll, Waker};

use instructor::testing::{Reply, Script};
use instructor::{Media, Message, Mode, TransportErrorKind};
use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Span, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context as LayerContext, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

const SPEC: &str = "openai/gpt-5-mini";

thread_local! {
    /// The span in which the validator of `User` was called last.
    static VALIDATED: RefCell<Vec<Option<u64>>> = const { RefCell::new(Vec::new()) };
}

#[expect(clippy::unnecessary_wraps, reason = "as a validator is written")]
fn in_span(_: &User) -> Result<(), String> {
    VALIDATED.with_borrow_mut(|seen| seen.push(Span::current().id().map(|id| id.into_u64())));
    Ok(())
}

#[instructor::model(partial)]
#[response(validate = in_span)]
struct User {
    name: String,
    #[schemars(range(max = 150))]
    age: u16,
}

#[derive(Clone, Debug, Default)]
struct Seen {
    id: u64,
    parent: Option<u64>,
    fields: BTreeMap<&'static str, Value>,
    events: Vec<BTreeMap<&'static str, Value>>,
    closed: bool,
}

impl Seen {
    fn name(&self) -> &str {
        self.fields["otel.name"].as_str().unwrap()
    }

    /// The values of fields that are there.
    fn told(&self, fields: &[&str]) -> Vec<Value> {
        fields.iter().map(|field| self.fields.get(field).cloned().unwrap_or_default()).collect()
    }

    fn events(&self) -> Vec<&str> {
        self.events.iter().map(|event| event["message"].as_str().unwrap()).collect()
    }
}

impl Visit for Seen {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.insert(field.name(), json!(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), json!(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.fields.insert(field.name(), json!(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.fields.insert(field.name(), json!(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.fields.insert(field.name(), json!(value));
    }
}

/// Keeps all spans of one thread, in the order in which they began.
#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<Seen>>>);

impl Capture {
    /// What is seen of what is done.
    fn during<T>(work: impl FnOnce() -> T) -> (Vec<Seen>, T) {
        let capture = Self::default();
        let subscriber = tracing_subscriber::registry().with(capture.clone());
        // A place that tests beside this one pass while nobody listens may keep that nobody wants it: so somebody always does.
        static LISTENS: Once = Once::new();
        LISTENS.call_once(|| drop(tracing::subscriber::set_global_default(tracing_subscriber::registry())));
        let made = tracing::subscriber::with_default(subscriber, work);
        let seen = capture.0.lock().unwrap().clone();
        (seen, made)
    }

    fn at(&self, id: &Id, change: impl FnOnce(&mut Seen)) {
        let mut spans = self.0.lock().unwrap();
        // An id is given again once its span is closed.
        if let Some(span) = spans.iter_mut().rev().find(|span| span.id == id.into_u64()) {
            change(span);
        }
    }
}

impl<S: Subscriber + for<'l> LookupSpan<'l>> Layer<S> for Capture {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: LayerContext<'_, S>) {
        let parent = context.span(id).unwrap().parent().map(|parent| parent.id().into_u64());
        let mut seen = Seen { id: id.into_u64(), parent, ..Seen::default() };
        attributes.record(&mut seen);
        self.0.lock().unwrap().push(seen);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: LayerContext<'_, S>) {
        self.at(id, |seen| values.record(seen));
    }

    fn on_event(&self, event: &Event<'_>, context: LayerContext<'_, S>) {
        let Some(span) = context.event_span(event) else { return };
        let mut fields = Seen::default();
        event.record(&mut fields);
        self.at(&span.id(), |seen| seen.events.push(fields.fields));
    }

    fn on_close(&self, id: Id, _: LayerContext<'_, S>) {
        self.at(&id, |seen| seen.closed = true);
    }
}

fn right() -> Reply {
    Reply::value(json!({ "name": "Ada", "age": 36 }))
}

fn wrong() -> Reply {
    Reply::value(json!({ "name": "Ada", "age": 360 }))
}

fn script(replies: impl IntoIterator<Item = Reply>) -> Script {
    replies.into_iter().fold(Script::new(), Script::reply)
}

#[test]
fn a_request_is_a_span_and_each_call_one_below_it() {
    let (seen, ()) = Capture::during(|| {
        let script = script([right()]);
        let client = script.client(SPEC);
        let request = client.request("Ada is 36").temperature(0.5).max_tokens(99).extra("seed", 7);
        script.block_on(request.create::<User>()).unwrap();
    });
    let [request, call] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!((request.name(), request.parent), ("extract User", None));
    assert_eq!(
        request.told(&["otel.kind", "instructor.response_model", "instructor.attempts", "error.type"]),
        [json!("internal"), json!("User"), json!(1), Value::Null,]
    );
    assert_eq!((call.name(), call.parent), ("chat gpt-5-mini", Some(request.id)));
    let expected = [
        ("otel.kind", json!("client")),
        ("gen_ai.operation.name", json!("chat")),
        ("gen_ai.provider.name", json!("openai")),
        ("gen_ai.request.model", json!("gpt-5-mini")),
        ("gen_ai.request.temperature", json!(0.5)),
        ("gen_ai.request.max_tokens", json!(99)),
        ("gen_ai.request.seed", json!(7)),
        ("gen_ai.output.type", json!("json")),
        ("gen_ai.response.id", json!("chatcmpl-1")),
        ("gen_ai.response.model", json!("gpt-5-mini")),
        ("gen_ai.response.finish_reasons", json!("[\"stop\"]")),
        ("server.address", json!("api.openai.com")),
        ("server.port", json!(443)),
        ("http.response.status_code", json!(200)),
        ("instructor.attempt", json!(1)),
        ("instructor.mode", json!("schema")),
    ];
    for (field, value) in expected {
        assert_eq!(call.fields.get(field), Some(&value), "{field}");
    }
    for counted in ["gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"] {
        assert!(call.fields[counted].as_i64() > Some(0), "{counted}");
    }
    for absent in ["gen_ai.request.stream", "error.type", "otel.status_code"] {
        assert_eq!(call.fields.get(absent), None, "{absent}");
    }
    assert!(request.closed && call.closed);
}

/// No text of prompt or answer is shown unless it is asked for.
#[test]
fn what_is_said_is_shown_to_who_asks_alone() {
    let ask = |content: bool| {
        let (seen, ()) = Capture::during(|| {
            let script = script([Reply::value(json!({ "name": "Ada the answered", "age": 360 })), right()]);
            let client = script.client("anthropic/claude-haiku-4-5");
            let png = Media::image(b"\x89PNG\r\n\x1a\n".as_slice());
            let messages = [Message::system("Be exact."), Message::user("Who is asked?").with(png)];
            script.block_on(client.request(messages).trace_content(content).create::<User>()).unwrap();
        });
        seen
    };
    let all = format!("{:?}", ask(false));
    for text in ["Be exact", "Who is asked", "Ada the answered", "360"] {
        assert!(!all.contains(text), "{text} in {all}");
    }

    let seen = ask(true);
    let [_, first, second] = &seen[..] else { panic!("{seen:?}") };
    let messages =
        |seen: &Seen, field: &str| serde_json::from_str::<Value>(seen.fields[field].as_str().unwrap()).unwrap();
    let said = json!([
        { "role": "system", "parts": [{ "type": "text", "content": "Be exact." }] },
        { "role": "user", "parts": [
            { "type": "text", "content": "Who is asked?" },
            { "type": "bytes", "modality": "image", "mime_type": "image/png", "size": 8 },
        ] },
    ]);
    assert_eq!(messages(first, "gen_ai.input.messages"), said);
    let answered = messages(first, "gen_ai.output.messages");
    assert_eq!(answered[0]["finish_reason"], "tool_call");
    assert_eq!(answered[0]["parts"][0]["arguments"]["age"], 360);
    // A re-ask shows the turns that come after.
    let asked_again = messages(second, "gen_ai.input.messages");
    assert_eq!(asked_again.as_array().unwrap().len(), 4);
    assert_eq!(asked_again[3]["parts"][0]["type"], "tool_call_response");
}

#[test]
fn what_fails_is_an_error_of_its_call_and_an_event_of_the_request() {
    let (seen, ()) = Capture::during(|| {
        let limited = Reply::json(json!({ "error": { "message": "no" } })).with_status(429).header("retry-after", "2");
        let fenced = Reply::text("```json\n{\"name\": \"Ada\", age: 36}\n```");
        let script = script([limited, wrong(), Reply::fault(TransportErrorKind::Closed), fenced]);
        script.block_on(script.client(SPEC).request("Ada").mode(Mode::MdJson).create::<User>()).unwrap();
    });
    let [request, limited, wrong, closed, repaired] = &seen[..] else { panic!("{seen:?}") };
    let fields = ["error.type", "otel.status_code", "http.response.status_code"];
    assert_eq!(limited.told(&fields), [json!("rate_limited"), json!("ERROR"), json!(429)]);
    assert_eq!(wrong.told(&fields), [json!("schema_mismatch"), json!("ERROR"), json!(200)]);
    assert_eq!(closed.told(&fields), [json!("transport"), json!("ERROR"), Value::Null]);
    assert_eq!(repaired.told(&fields), [Value::Null, Value::Null, json!(200)]);
    // The value came in the end.
    assert_eq!(request.told(&fields[..2]), [Value::Null, Value::Null]);
    assert_eq!(request.events(), ["attempt failed", "resend", "attempt failed", "re-ask", "attempt failed", "resend",]);
    assert_eq!(request.events[1]["wait_ms"], 2000);
    assert_eq!(repaired.events(), ["repaired"]);

    let (seen, ()) = Capture::during(|| {
        let script = script([Reply::status(401)]);
        script.block_on(script.client(SPEC).create::<User>("Ada")).unwrap_err();
    });
    assert_eq!(seen[0].told(&fields[..2]), [json!("auth"), json!("ERROR")]);
    assert_eq!(seen[1].told(&fields[..2]), [json!("auth"), json!("ERROR")]);
}

#[test]
fn providers_and_operations_have_the_names_of_the_conventions() {
    for (spec, provider, operation) in [
        ("openai_responses/gpt-5-mini", "openai", "chat"),
        ("gemini/gemini-2.5-flash", "gcp.gemini", "generate_content"),
        ("bedrock/amazon.nova-lite-v1:0", "aws.bedrock", "chat"),
        ("mistral/m", "mistral_ai", "chat"),
        ("groq/m", "groq", "chat"),
    ] {
        let (seen, ()) = Capture::during(|| {
            let script = script([right()]);
            script.block_on(script.client(spec).create::<User>("Ada")).unwrap();
        });
        assert_eq!(seen[1].told(&["gen_ai.provider.name", "gen_ai.operation.name"]), [provider, operation], "{spec}");
    }
}

#[test]
fn streams_have_the_same_spans_and_close_them_when_they_are_dropped() {
    let (seen, ()) = Capture::during(|| {
        let script = script([wrong().chunks(3), right().chunks(3), right().chunks(2)]);
        let client = script.client(SPEC);
        script.block_on(async {
            let mut partials = client.request("Ada").create_partial::<User>().await.unwrap();
            while partials.next().await.is_some() {
                assert!(Span::current().is_none(), "the span is left between two looks");
            }
            partials.finish().await.unwrap();
            let mut partials = client.request("Ada").create_partial::<User>().await.unwrap();
            assert!(partials.next().await.is_some());
        });
    });
    let names: Vec<&str> = seen.iter().map(Seen::name).collect();
    assert_eq!(names, ["extract User", "chat gpt-5-mini", "chat gpt-5-mini", "extract User", "chat gpt-5-mini",]);
    assert!(seen.iter().all(|span| span.closed));
    assert_eq!(seen[1].told(&["gen_ai.request.stream", "error.type"]), [json!(true), json!("schema_mismatch")]);
    assert_eq!(seen[2].told(&["gen_ai.request.stream", "error.type"]), [json!(true), Value::Null]);
    assert_eq!(seen[3].told(&["error.type", "instructor.attempts"]), [json!("cancelled"), json!(1)]);
    assert_eq!(seen[4].told(&["error.type"]), [json!("cancelled")]);
}

/// What a provider does not stream is not told as if it did.
#[test]
fn an_answer_that_comes_whole_is_none_that_streams() {
    for (mode, streams) in [(Mode::Tools, json!(true)), (Mode::Json, Value::Null)] {
        let (seen, ()) = Capture::during(|| {
            let script = script([right()]);
            let client = script.client("groq/m");
            script.block_on(async {
                let partials = client.request("Ada").mode(mode).create_partial::<User>().await.unwrap();
                partials.finish().await.unwrap();
            });
        });
        assert_eq!(seen[1].told(&["gen_ai.request.stream"]), [streams], "{mode}");
    }
}

/// Two requests of two tasks that take turns on one thread: each is below its task's span, its validators run in the span
/// of its call, and between two polls nobody's span is the current one.
#[test]
fn no_span_is_another_tasks() {
    /// Not at once: each request has to be polled again and again.
    async fn later() {
        let mut left = 3;
        std::future::poll_fn(|_| {
            left -= 1;
            if left == 0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
    struct Slow(Script);
    impl instructor::Transport for Slow {
        fn send(
            &self,
            request: ::http::Request<bytes::Bytes>,
            timeout: Option<std::time::Duration>,
        ) -> instructor::BoxFuture<'_, Result<::http::Response<instructor::Body>, instructor::TransportError>> {
            Box::pin(async move {
                // A client of the user's makes spans of its own.
                let span = tracing::info_span!("http", otel.name = "POST");
                later().await;
                drop(span);
                instructor::Transport::send(&self.0, request, timeout).await
            })
        }

        fn sleep(&self, wait: std::time::Duration) -> instructor::BoxFuture<'_, ()> {
            instructor::Transport::sleep(&self.0, wait)
        }

        fn now(&self) -> instructor::Now {
            instructor::Transport::now(&self.0)
        }
    }

    VALIDATED.take();
    let (seen, ()) = Capture::during(|| {
        use tracing::Instrument;
        let script = script([wrong(), wrong(), right(), right()]);
        let client = script.builder(SPEC).transport(Slow(script.clone())).build().unwrap();
        let task = |name| {
            let span = tracing::info_span!("task", otel.name = name);
            client.create::<User>("Ada").instrument(span)
        };
        let (mut one, mut two) = (pin!(task("one")), pin!(task("two")));
        let mut context = TaskContext::from_waker(Waker::noop());
        let mut done = [false; 2];
        for _ in 0..20 {
            done[0] = done[0] || one.as_mut().poll(&mut context).is_ready();
            assert!(Span::current().is_none());
            done[1] = done[1] || two.as_mut().poll(&mut context).is_ready();
            assert!(Span::current().is_none());
        }
        assert_eq!(done, [true; 2]);
    });
    for name in ["one", "two"] {
        let task = seen.iter().find(|span| span.name() == name).unwrap();
        let below = |parent: u64| seen.iter().filter(|span| span.parent == Some(parent)).collect::<Vec<_>>();
        let [request] = below(task.id)[..] else { panic!("{seen:?}") };
        assert_eq!(request.name(), "extract User");
        let calls = below(request.id);
        assert_eq!(calls.len(), 2);
        for call in calls {
            assert_eq!(below(call.id).iter().map(|span| span.name()).collect::<Vec<_>>(), ["POST"]);
        }
    }
    let calls: Vec<Option<u64>> =
        seen.iter().filter(|span| span.name().starts_with("chat")).map(|span| Some(span.id)).collect();
    let validated = VALIDATED.take();
    assert_eq!(validated.len(), 4);
    assert!(validated.iter().all(|span| calls.contains(span)), "{validated:?} of {calls:?}");
}

#[test]
fn blocking_requests_have_the_same_spans() {
    let (seen, ()) = Capture::during(|| {
        let script = script([wrong(), right()]);
        let span = tracing::info_span!("caller", otel.name = "caller");
        span.in_scope(|| script.blocking_client(SPEC).create::<User>("Ada").unwrap());
        assert!(Span::current().is_none());
    });
    let names: Vec<&str> = seen.iter().map(Seen::name).collect();
    assert_eq!(names, ["caller", "extract User", "chat gpt-5-mini", "chat gpt-5-mini"]);
    assert_eq!(seen[1].parent, Some(seen[0].id));
}
