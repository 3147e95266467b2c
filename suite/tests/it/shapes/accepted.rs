//! Answers that are not quite in the form that was shown, or in the type's own: accepted, and the report says what was
//! done.

use instructor::Level;

use super::*;

/// The value that comes of an answer, as JSON, and the repairs; or what is wrong with it.
type Accepted = Result<(Value, Vec<String>), String>;

fn accepted<T: ResponseModel + Serialize + Debug>(provider: &Provider, answer: &str, level: Level) -> Accepted {
    let script = Script::new().reply(Reply::text(answer));
    let client = script.client(provider.spec);
    let request = client.request("x").mode(Mode::Schema).level(level).max_retries(0);
    match script.block_on(request.create_with_completion::<T>()) {
        Ok((value, completion)) => {
            let repairs = &completion.report.attempts()[0].repairs;
            let repairs = repairs.iter().map(|repair| format!("{} {}", repair.path, repair.kind)).collect();
            Ok((serde_json::to_value(value).unwrap(), repairs))
        }
        Err(error) => Err(error.issues().to_string()),
    }
}

struct Row {
    level: Level,
    accepts: fn(&Provider, &str, Level) -> Accepted,
    provider: &'static Provider,
    answer: &'static str,
    value: &'static str,
    repairs: &'static [&'static str],
}

macro_rules! rows {
    ($($type:ty, $provider:ident $level:ident, $answer:literal: $value:literal [$($repair:literal),*];)*) => {
        &[$(Row {
            level: Level::$level,
            accepts: accepted::<$type>,
            provider: $provider,
            answer: $answer,
            value: $value,
            repairs: &[$($repair),*],
        }),*]
    };
}

const ROWS: &[Row] = rows! {
    Counts, OPENAI Syntax, "```json\n{\"counts\":[{\"key\":\"a\",\"value\":1}]}\n```": r#"{"counts":{"a":1}}"# [];
    Counts, OPENAI Syntax, "Here you are: {\"counts\":[{\"key\":\"a\",\"value\":1}]} Good?": r#"{"counts":{"a":1}}"# [];
    Counts, OPENAI Syntax, r#"{"counts":[{"key":"a","value":"1"}]}"#: r#"{"counts":{"a":1}}"# ["$.counts.a StringToNumber"];
    Counts, ANTHROPIC Lenient, r#"{"Counts":[{"key":"a","value":1}]}"#: r#"{"counts":{"a":1}}"# ["$ KeyFuzzy"];
    Counts, OPENAI Lenient, r#"{"Counts":[{"Key":"a","Value":"1"}]}"#: r#"{"counts":{"a":1}}"# ["$ KeyFuzzy", "$.counts[0] KeyFuzzy", "$.counts[0] KeyFuzzy", "$.counts[0].value StringToNumber"];
    Counts, OPENAI Lenient, r#"{"counts":[{"Key":"a","Value":1}]}"#: r#"{"counts":{"a":1}}"# ["$.counts[0] KeyFuzzy", "$.counts[0] KeyFuzzy"];
    Counts, OPENAI Syntax, r#"{"counts":{"a":1}}"#: r#"{"counts":{"a":1}}"# [];
    Counts, OPENAI Syntax, r#"{"counts":{"a":"1"}}"#: r#"{"counts":{"a":1}}"# ["$.counts.a StringToNumber"];
    Counts, OPENAI Syntax, r#"{"counts":[{"a":1},{"b":2}]}"#: r#"{"counts":{"a":1,"b":2}}"# [];
    Counts, OPENAI Syntax, r#"{"counts":{"key":"a","value":1}}"#: r#"{"counts":{"a":1}}"# ["$.counts SingleToList"];
    Counts, OPENAI Syntax, r#"{"counts":[{"key":"a","value":1},]"#: r#"{"counts":{"a":1}}"# ["$.counts[0].value TrailingComma", "$.counts[0].value MissingCloser"];
    Reading, OPENAI Syntax, r#"{"zero":[1,2],"labelled":["l",1,null]}"#: r#"{"zero":[1,2],"labelled":["l",1.0,null]}"# [];
    Reading, ANTHROPIC Lenient, r#"{"zero":{"Item_0":1,"item_1":"2"},"labelled":{"item_0":"l","item_1":"1.5","item_2":true}}"#:
        r#"{"zero":[1,2],"labelled":["l",1.5,true]}"# ["$.zero KeyFuzzy", "$.zero.item_1 StringToNumber", "$.labelled.item_1 StringToNumber"];
    Reading, OPENAI Syntax, r#"{"zero":{"item_1":2,"item_0":1},"labelled":{"item_2":null,"item_1":1,"item_0":"l"}}"#:
        r#"{"zero":[1,2],"labelled":["l",1.0,null]}"# [];
    Pair, OPENAI Syntax, r#"{"item_0":1,"item_1":null}"#: "[1,null]" [];
    Pair, OPENAI Syntax, r#"[1,null]"#: "[1,null]" [];
    Pair, ANTHROPIC Syntax, r#"{"value":[1,"x"]}"#: r#"[1,"x"]"# [];
    Patch, OPENAI Syntax, r#"{"name":"n","count":null}"#: r#"{"name":"n","count":null}"# [];
    Patch, OPENAI Syntax, r#"{"name":["n"],"count":["5"]}"#: r#"{"name":"n","count":5}"# ["$.count StringToNumber"];
    Patch, OPENAI Syntax, r#"{"count":[7]}"#: r#"{"count":7}"# [];
    Patch, OPENAI Syntax, "{}": "{}" [];
    Anything, OPENAI Syntax, r#"{"name":"n","any":{"a":1}}"#: r#"{"name":"n","any":{"a":1}}"# [];
    Anything, OPENAI Syntax, r#"{"name":"n","any":"not JSON"}"#: r#"{"name":"n","any":"not JSON"}"# [];
    Anything, OPENAI Lenient, r#"{"Name":"n","any":"[1]"}"#: r#"{"name":"n","any":[1]}"# ["$ KeyFuzzy"];
    Event, OPENAI Syntax, r#"{"kind":"ended"}"#: r#"{"kind":"ended"}"# [];
    Event, OPENAI Syntax, r#"{"value":{"kind":"Ended"}}"#: r#"{"kind":"ended"}"# ["$.kind EnumCase"];
    Event, OPENAI Syntax, r#"{"kind":"moved","to":[1,2]}"#: r#"{"kind":"moved","to":[1,2],"note":null}"# [];
    Event, OPENAI Syntax, r#"{"value":{"kind":"moved","to":{"item_0":"1","item_1":2},"note":null}}"#:
        r#"{"kind":"moved","to":[1,2],"note":null}"# ["$.to[0] StringToNumber"];
    Event, ANTHROPIC Syntax, r#"{"value":{"kind":"tagged","tags":{"a":"b"}}}"#: r#"{"kind":"tagged","tags":{"a":"b"}}"# [];
    Tree, ANTHROPIC Syntax, r#"{"name":"a","children":[{"name":"b","children":[{"name":"c","children":[{"name":"d","children":[]}]}]}]}"#:
        r#"{"name":"a","weight":null,"children":[{"name":"b","weight":null,"children":[{"name":"c","weight":null,"children":[{"name":"d","weight":null,"children":[]}]}]}]}"# [];
    Tree, OPENAI Syntax, r#"{"name":"a","weight":"7","children":{"name":"b","weight":null,"children":[]}}"#:
        r#"{"name":"a","weight":7,"children":[{"name":"b","weight":null,"children":[]}]}"# ["$.weight StringToNumber", "$.children SingleToList"];
    HashMap<String, u8>, OPENAI Syntax, r#"{"a":1,"b":"2"}"#: r#"{"a":1,"b":2}"# ["$.b StringToNumber"];
    HashMap<String, u8>, ANTHROPIC Syntax, r#"[{"key":"a","value":1}]"#: r#"{"a":1}"# [];
};

#[test]
fn answers_in_another_form_are_read() {
    let mut wrong = Vec::new();
    for row in ROWS {
        let found = (row.accepts)(row.provider, row.answer, row.level);
        let wanted =
            (serde_json::from_str::<Value>(row.value).unwrap(), row.repairs.iter().map(ToString::to_string).collect());
        if found != Ok(wanted) {
            wrong.push(format!("{} {}: {found:?}", row.provider.id(), row.answer));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
