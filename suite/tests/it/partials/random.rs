//! Random values and texts: what shows of them at every byte, however they are split.

use std::collections::BTreeMap;

use instructor::{Field, Level, Partial, PartialReader, PartialValue, ResponseModel};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Adjacent, External, Internal, Tree, Untagged, extends, grows, plain, states, turned};

#[instructor::model(partial)]
struct Rich {
    text: String,
    trees: Vec<Tree>,
    events: Vec<Internal>,
    map: BTreeMap<String, External>,
    pair: (String, Option<u8>),
    either: Option<Untagged>,
    any: Value,
    last: Option<Adjacent>,
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-c\"\\\\{}\\[\\],: \né\u{1F600}]{0,9}"]
}

fn tree() -> impl Strategy<Value = Value> {
    let leaf = (text(), proptest::option::of(0..9_u8))
        .prop_map(|(name, weight)| json!({ "name": name, "weight": weight, "children": [] }));
    leaf.prop_recursive(4, 8, 3, |inner| {
        (text(), proptest::collection::vec(inner.clone(), 0..3), inner)
            .prop_map(|(name, children, best)| json!({ "name": name, "weight": 1, "children": children, "best": best }))
    })
}

fn event() -> impl Strategy<Value = Value> {
    prop_oneof![
        (0..99_u32).prop_map(|at| json!({ "kind": "started", "at": at })),
        (text(), 0..9).prop_map(|(note, x)| json!({ "kind": "moved", "to": [x, 1], "note": note })),
        (text(), text()).prop_map(|(key, value)| json!({ "kind": "tagged", "tags": { key: value } })),
        (text()).prop_map(|text| json!({ "kind": "inner", "type": "A", "text": text })),
        tree().prop_map(|mut tree| {
            tree["kind"] = json!("nested");
            tree
        }),
    ]
}

fn rich() -> impl Strategy<Value = Value> {
    let list = |item| proptest::collection::vec(item, 0..3);
    let external = prop_oneof![
        Just(json!("nothing")),
        text().prop_map(|first| json!({ "named": { "first": first, "2nd": "Red" } })),
        text().prop_map(|two| json!({ "two": [2, two] })),
    ];
    let either = prop_oneof![Just(json!(null)), Just(json!(7)), text().prop_map(|x| json!(x)), tree()];
    let last = prop_oneof![Just(json!(null)), text().prop_map(|text| json!({ "t": "Named", "c": { "text": text } }))];
    (text(), list(tree().boxed()), list(event().boxed()), text(), external, either, last).prop_map(
        |(text, trees, events, key, external, either, last)| {
            json!({ "text": text, "trees": trees, "events": events, "map": { key: external }, "pair": [text, 1],
                "either": either, "any": { "events": events }, "last": last })
        },
    )
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        text().prop_map(Value::from)
    ];
    leaf.prop_recursive(5, 32, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map(text(), inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// The complete values of a partial, with their paths.
fn done(value: &Field<PartialValue>, path: &str, all: &mut BTreeMap<String, Value>) {
    if value.is_done() {
        all.insert(path.into(), serde_json::to_value(value).unwrap());
    }
    match value.get() {
        Some(PartialValue::Array(list)) => {
            list.iter().enumerate().for_each(|(index, item)| done(item, &format!("{path}[{index}]"), all));
        }
        Some(PartialValue::Object(map)) => {
            map.iter().for_each(|(key, item)| done(item, &format!("{path}.{key:?}"), all));
        }
        _ => {}
    }
}

fn noise() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        "\"",
        "'",
        ",",
        ":",
        "\n",
        " ",
        "\"name\": ",
        "\"weight\": ",
        "\"children\": [",
        "\"kind\": ",
        "\"started\"",
        "\"at\": 12, ",
        "{\"name\": \"a\"}",
        "x",
        "1",
        "tru",
        "true",
        "null",
        "\\",
        "\\n",
        "```json\n",
        "```\n",
        "<think>",
        "</think>",
        "Sure: ",
        "//",
        "\"best\": {",
        "\"nested\", ",
        "name: ",
        "é",
    ];
    proptest::collection::vec(proptest::sample::select(PIECES), 0..24).prop_map(|pieces| pieces.concat())
}

#[test]
fn what_stood_before_the_end_of_reasoning_is_gone_however_it_is_split() {
    let text =
        "tru\"weight\": {\"name\": \"a\"}{\"name\": \"a\"}}\"name\": {[\"weight\": {\"name\": \"a\"}</think>\"name\": ";
    for cut in 0..16 {
        same_in_pieces::<Tree>(text, &[cut], Level::Syntax).unwrap();
        same_in_pieces::<Tree>(text, &[cut], Level::Lenient).unwrap();
    }
}

/// What shows at each cut is what shows there when every character comes by itself, also where the text is refused.
fn same_in_pieces<T: ResponseModel + Partial>(text: &str, cuts: &[usize], level: Level) -> Result<(), TestCaseError> {
    let mut each = PartialReader::<T>::at_level(level);
    let mut pieces = PartialReader::<T>::at_level(level);
    let mut from = 0;
    for (at, c) in text.char_indices() {
        let to = at + c.len_utf8();
        let read = each.push(&text[at..to]).is_ok();
        if to < text.len() && !cuts.contains(&(to % 16)) {
            continue;
        }
        prop_assert_eq!(pieces.push(&text[from..to]).is_ok(), read, "{:?} up to {}", text, to);
        from = to;
        let (shown, state) = (format!("{:?}", pieces.value()), format!("{:?}", each.value()));
        prop_assert_eq!(shown, state, "{:?} up to {}", text, to);
    }
    Ok(())
}

proptest! {
    // In every dialect, and in many pieces each.
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_last_partial_is_the_value(value in rich()) {
        grows::<Rich>([value]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_members_does_not_matter(value in rich()) {
        let text = turned(&value).to_string();
        let states = states(PartialReader::<Rich>::new(), &text);
        for pair in states.windows(2) {
            prop_assert!(extends(&pair[0], &pair[1]), "{}\n{}\n{}", text, pair[0], pair[1]);
        }
        prop_assert_eq!(plain(states.last().unwrap()), plain(&value));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_done_never_changes(value in json()) {
        let text = format!("{{\"root\": {value}}}");
        let mut reader = PartialReader::<Value>::new();
        let mut before = BTreeMap::new();
        for (at, c) in text.char_indices() {
            reader.push(&text[at..at + c.len_utf8()]).unwrap();
            let mut now = BTreeMap::new();
            done(reader.value(), "$", &mut now);
            for (path, value) in before {
                prop_assert_eq!(now.get(&path), Some(&value), "{} of {}", path, text);
            }
            before = now;
        }
        reader.end();
        prop_assert_eq!(serde_json::to_value(reader.value()).unwrap(), json!({ "root": value }));
    }

    #[test]
    fn however_it_is_split(text in noise(), cuts in proptest::collection::vec(0..16_usize, 1..6)) {
        for level in [Level::Syntax, Level::Lenient] {
            same_in_pieces::<Tree>(&text, &cuts, level)?;
            same_in_pieces::<Vec<Internal>>(&text, &cuts, level)?;
            same_in_pieces::<Value>(&text, &cuts, level)?;
        }
    }
}
