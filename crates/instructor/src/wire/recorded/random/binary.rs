//! Binary streams of messages that no server would write.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::corpus::{self, Dialect};
use super::{cut, edited, edits, in_pieces, json_of, outcome};
use crate::fake::message;
use crate::provider::Profile;
use crate::wire::read_response;

const EVENTS: [&str; 7] = [
    "messageStart",
    "contentBlockStart",
    "contentBlockDelta",
    "contentBlockStop",
    "messageStop",
    "metadata",
    "throttlingException",
];

const WORDS: [&str; 20] = [
    "cacheReadInputTokens",
    "citationsContent",
    "content",
    "input",
    "inputTokens",
    "message",
    "name",
    "outputTokens",
    "reasoningContent",
    "reasoningText",
    "redactedContent",
    "server_tool_use",
    "signature",
    "status",
    "stopReason",
    "text",
    "toolResult",
    "toolUse",
    "toolUseId",
    "type",
];

fn event() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop::sample::select(&["event", "exception", "error"][..]);
    let names = prop::sample::select(&EVENTS[..]);
    (kind, names, 0..3_u8, json_of(&WORDS), any::<bool>()).prop_map(|(kind, name, at, said, bare)| {
        let payload = match bare {
            true => said.to_string(),
            false => json!({"contentBlockIndex": at, "start": said, "delta": said, "stopReason": said, "usage": said})
                .to_string(),
        };
        let name_header = format!(":{}", if kind == "error" { "error-code" } else { kind })
            + if kind == "error" { "" } else { "-type" };
        message(&[(":message-type", kind), (&name_header, name)], payload.as_bytes())
    })
}

#[test]
fn recorded_streams_are_the_same_byte_by_byte() {
    let mut streams = [0, 0];
    for exchange in corpus::all().iter().filter(|e| e.record["streaming"] == true) {
        let at = match exchange.dialect {
            Dialect::Bedrock => 0,
            Dialect::Cohere => 1,
            _ => continue,
        };
        let (profile, body) = (exchange.profile(), exchange.body());
        let bytes: Vec<&[u8]> = body.chunks(1).collect();
        let whole = outcome(&read_response(&body, &profile));
        assert_eq!(outcome(&in_pieces(&profile, &bytes)), whole, "{}", exchange.name);
        streams[at] += 1;
    }
    assert!(corpus::all().is_empty() || streams == [11, 4], "{streams:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_messages_are_read_or_refused_in_any_split(
        events in vec(event(), 0..8),
        edits in prop::option::of(edits()),
        cuts in vec(any::<usize>(), 0..8),
    ) {
        let profile = Profile::named("bedrock").unwrap();
        let body = edits.map_or(events.concat(), |edits| edited(events.concat(), edits));
        let whole = outcome(&in_pieces(&profile, &[&body]));
        prop_assert_eq!(outcome(&in_pieces(&profile, &cut(&body, cuts))), whole.clone());
        if body.first() == Some(&0) {
            prop_assert_eq!(outcome(&read_response(&body, &profile)), whole);
        }
    }

    #[test]
    fn any_answer_is_read_or_refused(content in vec(json_of(&WORDS), 0..4), rest in json_of(&WORDS)) {
        let profile = Profile::named("bedrock").unwrap();
        let body: Value = json!({"output": {"message": {"content": content}}, "stopReason": rest, "usage": rest});
        _ = read_response(body.to_string().as_bytes(), &profile);
    }
}
