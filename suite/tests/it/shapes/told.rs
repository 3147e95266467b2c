//! A wrong answer: the re-ask names places as the model saw them, the error names them as the user's type has them.

use super::*;

#[instructor::model]
struct Odd {
    #[serde(rename = "@type")]
    at: String,
    #[serde(rename = "a b")]
    inner: BTreeMap<String, u8>,
}

#[instructor::model]
struct Flat {
    id: u8,
    #[serde(flatten)]
    rest: BTreeMap<String, u8>,
}

/// Alternatives that only what is in their maps tells apart: they go out with a tag.
#[instructor::model]
#[serde(untagged)]
enum Alike {
    Counts { counts: BTreeMap<String, u8> },
    Names { counts: BTreeMap<String, Vec<String>> },
}

#[instructor::model]
struct Holder {
    alike: Alike,
}

#[instructor::model]
struct Nested {
    rows: Vec<BTreeMap<String, (u8, Vec<u8>)>>,
}

#[instructor::model]
#[serde(untagged)]
#[schemars(inline)]
enum Mixed {
    Number(u8),
    List(Vec<u8>),
    Map(BTreeMap<String, u8>),
}

/// More unions than Anthropic takes: the last are an object with a list for each alternative.
#[instructor::model]
struct Many {
    u1: Mixed,
    u2: Mixed,
    u3: Mixed,
    u4: Mixed,
    u5: Mixed,
    u6: Mixed,
    u7: Mixed,
    u8: Mixed,
    u9: Mixed,
    u10: Mixed,
    u11: Mixed,
    u12: Mixed,
    u13: Mixed,
    u14: Mixed,
    u15: Mixed,
    u16: Mixed,
    u17: Mixed,
}

/// Asks twice and is answered with the same: what the user is told, and what the model was.
fn rejected<T: ResponseModel + Debug>(provider: &Provider, answer: &str) -> (Vec<String>, Vec<String>, String) {
    let script = Script::new().when(|_| true, Reply::text(answer));
    let client = script.client(provider.spec);
    let request = client.request("x").mode(Mode::Schema).max_retries(1);
    let error = match script.block_on(request.create::<T>()) {
        Ok(value) => return (vec![], vec![], format!("accepted as {value:?}")),
        Err(error) => error,
    };
    let own: Vec<String> = error.issues().as_slice().iter().map(|issue| issue.path().to_string()).collect();
    for attempt in error.report().attempts() {
        let paths: Vec<&str> = attempt.issues.as_slice().iter().map(|issue| issue.path().as_str()).collect();
        assert_eq!(paths, own, "the report is about the same places");
    }
    let body = script.sent()[1].json();
    let mut words = String::new();
    collect(body["messages"].as_array().unwrap().last().unwrap(), &mut words);
    let told = words.lines().filter_map(|line| Some(line.strip_prefix("- ")?.split_once(": ")?.0.to_owned())).collect();
    (own, told, words)
}

fn collect(value: &Value, words: &mut String) {
    match value {
        Value::String(text) => {
            words.push_str(text);
            words.push('\n');
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, words)),
        Value::Object(map) => map.values().for_each(|value| collect(value, words)),
        _ => {}
    }
}

/// What happens with a type in one line.
type Rejects = fn(&Provider, &str) -> (Vec<String>, Vec<String>, String);

struct Row {
    rejects: Rejects,
    provider: &'static Provider,
    answer: &'static str,
    /// The paths of the user's type.
    own: &'static [&'static str],
    /// The paths that the model is told.
    told: &'static [&'static str],
    /// What else it is told.
    words: &'static str,
}

macro_rules! rows {
    ($($type:ty, $provider:ident, $answer:literal: [$($own:literal),*] told [$($told:literal),*] $($words:literal)?;)*) => {
        &[$(Row {
            rejects: rejected::<$type>,
            provider: $provider,
            answer: $answer,
            own: &[$($own),*],
            told: &[$($told),*],
            words: concat!("" $(, $words)?),
        }),*]
    };
}

const ROWS: &[Row] = rows! {
    Counts, OPENAI, r#"{"counts":[{"key":"a","value":1},{"key":"b","value":"many"}]}"#:
        ["$.counts.b"] told ["$.counts[1].value"] "got \"many\"";
    Counts, ANTHROPIC, r#"{"counts":[{"key":"a b","value":{}},{"key":"b","value":[]}]}"#:
        ["$.counts[\"a b\"]", "$.counts.b"] told ["$.counts[0].value", "$.counts[1].value"];
    Counts, OPENAI, r#"{"counts":[{"key":"a","value":1},{"key":"b","value":101}]}"#:
        ["$.counts.b"] told ["$.counts[1].value"] "at most 100";
    Counts, OPENAI, r#"{"counts":[{"key":"a","value":1},{"key":"a","value":2}]}"#:
        ["$.counts.a"] told ["$.counts[0].value"] "each key once";
    Counts, OPENAI, r#"{"counts":[{"key":"a","value":"1"},{"key":"a","value":2}]}"#:
        ["$.counts.a"] told ["$.counts[0].value"] "each key once";
    Counts, OPENAI, r#"{"counts":[{"key":"a","value":1},{"value":2}]}"#:
        ["$.counts"] told ["$.counts"] "got the item {\"value\":2}, wanted an entry with \"key\" and \"value\"";
    Counts, OPENAI, r#"{"counts":[{"key":"a","value":"1"},{"key":"b"}]}"#: ["$.counts"] told ["$.counts"] "an entry";
    Counts, OPENAI, r#"{"counts":["a"]}"#: ["$.counts"] told ["$.counts"] "an entry";
    Counts, OPENAI, r#"{"counts":7}"#: ["$.counts"] told ["$.counts"];
    Counts, ANTHROPIC, "{}": ["$.counts"] told ["$.counts"];
    Reading, OPENAI, r#"{"zero":{"item_0":1,"item_1":"x"},"labelled":{"item_0":"l","item_1":1,"item_2":null}}"#:
        ["$.zero[1]"] told ["$.zero.item_1"];
    Reading, ANTHROPIC, r#"{"zero":{"item_0":1,"item_1":2},"labelled":{"item_0":"l","item_1":{},"item_2":7}}"#:
        ["$.labelled[1]", "$.labelled[2]"] told ["$.labelled.item_1", "$.labelled.item_2"];
    Reading, OPENAI, r#"{"zero":{"item_1":2},"labelled":{"item_0":"l","item_1":1,"item_2":null}}"#:
        ["$.zero", "$.zero[0]"] told ["$.zero", "$.zero.item_0"] "item_0";
    Reading, OPENAI, r#"{"zero":[1,"x"],"labelled":["l",1,null]}"#: ["$.zero[1]"] told ["$.zero[1]"];
    Pair, OPENAI, r#"{"value":{"item_0":-1,"item_1":null}}"#: ["$[0]"] told ["$.value.item_0"];
    Pair, ANTHROPIC, r#"{"item_0":-1,"item_1":null}"#: ["$[0]"] told ["$.item_0"];
    Patch, OPENAI, r#"{"name":["n"],"count":["x"]}"#: ["$.count"] told ["$.count[0]"];
    Patch, ANTHROPIC, r#"{"count":"x"}"#: ["$.count"] told ["$.count"];
    Odd, ANTHROPIC, r#"{"_type":{},"a_b":[{"key":"k","value":-1}]}"#:
        ["$[\"@type\"]", "$[\"a b\"].k"] told ["$._type", "$.a_b[0].value"];
    Odd, OPENAI, r#"{"@type":{},"a b":[{"key":"k","value":-1}]}"#:
        ["$[\"@type\"]", "$[\"a b\"].k"] told ["$[\"@type\"]", "$[\"a b\"][0].value"];
    Flat, OPENAI, r#"{"id":1,"additional_properties":[{"key":"k","value":-1}]}"#:
        ["$.k"] told ["$.additional_properties[0].value"];
    Flat, OPENAI, r#"{"id":1,"k":-1}"#: ["$.k"] told ["$.k"];
    Holder, OPENAI, r#"{"alike":{"variant":"Alike","value":{"counts":[]}}}"#: ["$.alike.counts", "$.alike"] told ["$.alike.counts", "$.alike"] "got \"Alike\", wanted one of \"object\", \"object_2\"";
    Nested, OPENAI, r#"{"rows":[[],[{"key":"k","value":{"item_0":1,"item_1":[2,-3]}}]]}"#:
        ["$.rows[1].k[1][1]"] told ["$.rows[1][0].value.item_1[1]"];
    Vec<u8>, OPENAI, r#"{"value":[1,{}]}"#: ["$[1]"] told ["$.value[1]"];
    u8, ANTHROPIC, r#"{"value":-1}"#: ["$"] told ["$.value"];
    HashMap<String, u8>, OPENAI, r#"{"value":[{"key":"k","value":-1}]}"#: ["$.k"] told ["$.value[0].value"];
    Event, OPENAI, r#"{"value":{"kind":"moved","to":{"item_0":1,"item_1":{}},"note":null}}"#:
        ["$.to[1]"] told ["$.value.to.item_1"];
    Event, ANTHROPIC, r#"{"value":{"kind":"tagged","tags":[{"key":"k","value":{}}]}}"#:
        ["$.tags.k"] told ["$.value.tags[0].value"];
    Holder, OPENAI, r#"{"alike":{"variant":"object","value":{"counts":[{"key":"k","value":-1}]}}}"#:
        ["$.alike.counts.k"] told ["$.alike.value.counts[0].value"];
    Tree, ANTHROPIC,
        r#"{"name":"a","children":[{"name":"b","children":[{"name":"c","children":["{\"name\":{},\"children\":[]}"]}]}]}"#:
        ["$.children[0].children[0].children[0].name"] told ["$.children[0].children[0].children[0]"]
        "at $.name in this JSON text";
    Tree, OPENAI, r#"{"name":"a","weight":null,"children":[{"name":"b","weight":999,"children":[]}]}"#:
        ["$.children[0].weight"] told ["$.children[0].weight"];
};

#[test]
fn places_are_told_as_the_model_saw_them() {
    let mut wrong = Vec::new();
    for row in ROWS {
        let (own, told, words) = (row.rejects)(row.provider, row.answer);
        if (&own[..], &told[..]) != (&row.own.map_owned()[..], &row.told.map_owned()[..]) || !words.contains(row.words)
        {
            wrong.push(format!("{} {}: {own:?} told {told:?}: {words}", row.provider.id(), row.answer));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Unions beyond what Anthropic takes: a list for each alternative, of which one has an item.
#[test]
fn places_in_lists_of_alternatives() {
    let lists = |field: &Value| field["required"] == json!(["integer", "array", "object"]);
    let schema = ANTHROPIC.schema::<Many>();
    let fields = schema["properties"].as_object().unwrap();
    let listed: Vec<&String> = fields.iter().filter(|(_, field)| lists(field)).map(|(name, _)| name).collect();
    assert_eq!(listed, ["u17"]);
    let tagged = json!({ "variant": "integer", "value": 1 });
    let cases = [
        (json!({ "integer": [], "array": [[1, -2]], "object": [] }), "$.u17[1]", "$.u17.array[0][1]"),
        (
            json!({ "integer": [], "array": [], "object": [[{ "key": "k", "value": -2 }]] }),
            "$.u17.k",
            "$.u17.object[0][0].value",
        ),
        (json!({ "integer": [1], "array": [[2]], "object": [] }), "$.u17", "$.u17"),
        (json!({ "integer": [], "array": [], "object": [] }), "$.u17", "$.u17"),
    ];
    for (last, own, told) in cases {
        let names = (1..17).map(|n| (format!("u{n}"), tagged.clone()));
        let answer = Value::Object(names.chain([(String::from("u17"), last.clone())]).collect());
        let rejected = rejected::<Many>(ANTHROPIC, &answer.to_string());
        assert!(
            rejected.0.contains(&String::from(own)) && rejected.1.contains(&String::from(told)),
            "{last}: {rejected:?}"
        );
    }
}

trait Owned {
    fn map_owned(&self) -> Vec<String>;
}

impl Owned for [&str] {
    fn map_owned(&self) -> Vec<String> {
        self.iter().map(|text| String::from(*text)).collect()
    }
}
