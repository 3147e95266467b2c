//! Properties of the reader, and the project's own cases.

#![expect(clippy::indexing_slicing, reason = "a test may panic")]

mod noise;

use instructor_json::{
    Document, ErrorKind, Event, Found, Kind, Level, Node, Options, Parser, Reading, RepairKind, RootHint, State, read,
    read_counted,
};
use proptest::prelude::*;
use serde_json::Value;

use self::noise::{levels, noise, salvage};

/// Every level with every root.
fn rooted() -> impl Iterator<Item = Options> {
    levels().into_iter().flat_map(|options| {
        [RootHint::Any, RootHint::Object, RootHint::Array].into_iter().map(move |root| options.with_root(root))
    })
}

fn value(node: Node<'_>) -> Value {
    match node.kind() {
        Kind::Array => node.items().map(value).collect(),
        Kind::Object => Value::Object(
            node.entries().map(|(k, v)| (k.as_str().unwrap_or_default().into_owned(), value(v))).collect(),
        ),
        Kind::String => Value::String(node.as_str().unwrap_or_default().into_owned()),
        _ => serde_json::from_str(node.source()).unwrap_or(Value::Null),
    }
}

/// What must not depend on how the text was split.
fn summary(reading: &Result<Reading<'_>, instructor_json::Error>) -> String {
    match reading {
        Err(error) => format!("{error}"),
        Ok(reading) => {
            let mut out = String::new();
            for c in reading.candidates.iter().chain(&reading.passed_over) {
                let ledger: Vec<String> =
                    c.repairs.iter().map(|r| format!("{}@{:?}{:?}", r.kind(), r.span(), r.path(&c.document))).collect();
                let spans: Vec<_> = c.document.root().items().map(|n| n.source_span()).collect();
                out += &format!(
                    "{:?} {:?} {} {} {spans:?} {}\n",
                    c.found,
                    c.span,
                    c.document.root().source(),
                    c.truncated,
                    ledger.join(",")
                );
            }
            out + &format!("{} {:?} {}", reading.sequence, reading.reasoning, reading.unclosed_fence)
        }
    }
}

/// Events with neighbouring text joined.
fn joined(events: Vec<Event>) -> Vec<Event> {
    let mut out: Vec<Event> = Vec::new();
    for event in events {
        if event == Event::Cleared {
            out.clear();
            continue;
        }
        if event == Event::Withdrawn {
            // Short-lived: whether it was told of at all depends on the split.
            while out.pop().is_some_and(|event| !matches!(event, Event::Candidate(_))) {}
            continue;
        }
        if let (Some(Event::Text { node: a, span: before }), Event::Text { node: b, span }) = (out.last_mut(), &event)
            && *a == *b
            && before.end == span.start
        {
            before.end = span.end;
            continue;
        }
        out.push(event);
    }
    out
}

/// The summary and the events.
fn pushed(text: &str, cuts: &[usize], options: Options) -> (String, Vec<Event>, u64) {
    let mut parser = Parser::new(options).with_events();
    let mut events = Vec::new();
    let mut from = 0;
    for &cut in cuts.iter().chain([&text.len()]) {
        let cut = cut.clamp(from, text.len());
        let _ = parser.push(&text.as_bytes()[from..cut]);
        events.extend(parser.events());
        from = cut;
    }
    parser.end();
    events.extend(parser.events());
    let steps = parser.steps();
    let reading = parser.finish();
    (summary(&reading), joined(events), steps)
}

/// Whether `later` only adds to `earlier`.
fn extends(earlier: &Value, later: &Value) -> bool {
    match (earlier, later) {
        (Value::String(a), Value::String(b)) => b.starts_with(a.as_str()),
        (Value::Array(a), Value::Array(b)) => a.len() <= b.len() && a.iter().zip(b).all(|(a, b)| extends(a, b)),
        (Value::Object(a), Value::Object(b)) => a.iter().all(|(k, v)| b.get(k).is_some_and(|w| extends(v, w))),
        _ => earlier == later,
    }
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Value::from),
        "[ -~é😀\\n\"\\\\{}\\[\\],:']{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec(("[ -~é\"]{0,6}", inner), 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn check_split(text: &str, cuts: &[usize]) -> Result<(), TestCaseError> {
    for options in levels() {
        let (whole, events, _) = pushed(text, &[], options);
        let (split, split_events, _) = pushed(text, cuts, options);
        prop_assert_eq!(&whole, &split, "{:?} {:?}", options.level(), text);
        prop_assert_eq!(events, split_events, "{:?} {:?}", options.level(), text);
        let every: Vec<usize> = (0..text.len()).collect();
        let (bytes, byte_events, _) = pushed(text, &every, options);
        prop_assert_eq!(&whole, &bytes, "{:?} {:?}", options.level(), text);
        prop_assert_eq!(pushed(text, &[], options).1, byte_events, "{:?} {:?}", options.level(), text);
    }
    Ok(())
}

/// The one call borrows what is valid; the parser writes it anew. The values and ledgers are the same.
fn check_agreement(text: &str) -> Result<(), TestCaseError> {
    for options in rooted() {
        let mut parser = Parser::new(options);
        let _ = parser.push(text.as_bytes());
        let tell = |reading: Result<Reading<'_>, instructor_json::Error>| {
            reading.map_or_else(
                |error| error.to_string(),
                |reading| {
                    let told: Vec<_> = reading
                        .candidates
                        .iter()
                        .map(|c| (value(c.document.root()), c.found, c.span.clone(), c.truncated, c.repairs.len()))
                        .collect();
                    format!("{told:?} {}", reading.sequence)
                },
            )
        };
        let (read, pushed) = (tell(read(text, &options)), tell(parser.finish()));
        prop_assert_eq!(read, pushed, "{:?} {:?}", options.level(), text);
    }
    Ok(())
}

/// Every document that comes of a text is valid JSON, and its nodes say what its text says.
fn check_written(text: &str) -> Result<(), TestCaseError> {
    for options in levels() {
        if let Ok(reading) = read(text, &options) {
            for c in &reading.candidates {
                let node = c.document.root();
                let parsed: Value = serde_json::from_str(node.source()).map_err(|e| {
                    TestCaseError::fail(format!("{e}: {:?} from {text:?} {:?}", node.source(), options.level()))
                })?;
                prop_assert_eq!(parsed, value(node), "{:?}", text);
                let paths: Vec<_> = c.repairs.iter().map(|r| r.path(&c.document)).collect();
                prop_assert_eq!(c.document.paths(&c.repairs), paths, "{:?}", text);
                for r in &c.repairs {
                    prop_assert!(text.get(r.span()).is_some(), "{:?} {:?}", text, r);
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_reads_the_same(text in noise(), cuts in proptest::collection::vec(0..64_usize, 0..4)) {
        let mut cuts = cuts;
        cuts.sort_unstable();
        check_split(&text, &cuts)?;
    }

    #[test]
    fn one_call_and_pushes_agree(text in noise()) {
        check_agreement(&text)?;
    }

    #[test]
    fn valid_json_is_identity(value in json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        let wrapped = format!("Here:\n```json\n{text}\n```\n");
        for options in levels() {
            let reading = read(&text, &options).unwrap();
            prop_assert_eq!(reading.candidates.len(), 1);
            prop_assert_eq!(reading.candidates[0].document.root().source(), text.as_str());
            let mut parser = Parser::new(options);
            for byte in text.as_bytes() {
                parser.push(&[*byte]).unwrap();
            }
            let pushed = parser.finish().unwrap();
            prop_assert!(pushed.candidates[0].repairs.is_empty(), "{:?}", pushed.candidates[0].repairs);
            let again: Value = serde_json::from_str(pushed.candidates[0].document.root().source()).unwrap();
            prop_assert_eq!(&again, &serde_json::from_str::<Value>(&text).unwrap());
            if value.is_object() || value.is_array() {
                let fenced = read(&wrapped, &options).unwrap();
                prop_assert_eq!(fenced.candidates[0].document.root().source(), text.as_str());
                prop_assert!(fenced.candidates[0].repairs.is_empty());
            }
        }
    }

    #[test]
    fn what_is_written_is_json(text in noise()) {
        check_written(&text)?;
    }

    #[test]
    fn nothing_shown_is_contradicted(value_in in json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value_in) } else { serde_json::to_string(&value_in) }.unwrap();
        let last: Value = serde_json::from_str(&text).unwrap();
        for options in levels() {
            let mut parser = Parser::new(options);
            for byte in text.as_bytes() {
                parser.push(&[*byte]).unwrap();
                if let Some(node) = parser.view() {
                    let seen = value(node);
                    prop_assert!(extends(&seen, &last), "{} then {}", seen, last);
                }
            }
        }
    }

    #[test]
    fn noise_is_not_contradicted(tail in noise()) {
        let text = format!("{{\"k\": {tail}");
        for options in levels() {
            let mut seen = Vec::new();
            let mut parser = Parser::new(options);
            for byte in text.as_bytes() {
                if parser.push(&[*byte]).is_err() {
                    break;
                }
                seen.extend(parser.view().map(value));
            }
            if let Ok(reading) = parser.finish() {
                let last = value(reading.candidates[0].document.root());
                if reading.candidates[0].span.start > 0 || has_twins(reading.candidates[0].document.root()) {
                    continue;
                }
                for seen in seen {
                    prop_assert!(extends(&seen, &last), "{:?} {:?}: {} then {}", options.level(), text, seen, last);
                }
            }
        }
    }

    #[test]
    fn views_only_grow(text in noise()) {
        check_views(&text)?;
    }

    #[test]
    fn work_is_linear(text in noise(), times in 1..40_usize) {
        let text = text.repeat(times);
        for options in levels() {
            let (_, steps) = read_counted(&text, &options);
            prop_assert!(steps <= 4096 * (text.len() as u64 + 1), "{} steps for {} bytes", steps, text.len());
        }
    }
}

/// A value as a view shows it: every node with its place, what it says if it is done, and whether it is.
fn shown(node: Node<'_>, out: &mut Vec<(usize, Kind, String, bool)>) {
    let done = node.state() == State::Done;
    let text = match node.kind() {
        Kind::String => node.as_str().unwrap_or_default().into_owned(),
        Kind::Array | Kind::Object => String::new(),
        _ => node.source().to_owned(),
    };
    out.push((node.span().start, node.kind(), text, done));
    for (key, member) in node.entries() {
        shown(key, out);
        shown(member, out);
    }
    for item in node.items() {
        shown(item, out);
    }
}

/// Byte by byte, a view only grows: what is done stays, and what is refused changes nothing.
fn check_views(text: &str) -> Result<(), TestCaseError> {
    for options in rooted() {
        let mut parser = Parser::new(options);
        let mut seen: Vec<(usize, Kind, String, bool)> = Vec::new();
        let mut start = None;
        for byte in text.as_bytes() {
            let refused = parser.push(&[*byte]).is_err();
            let mut now = Vec::new();
            let view = parser.view();
            if let Some(view) = view {
                shown(view, &mut now);
            }
            let begins = view.map(|view| view.source_span().start);
            if begins == start {
                let what = || format!("{options:?} {:?}: {seen:?} then {now:?}", parser.text());
                prop_assert!(!refused || seen == now, "refused {}", what());
                prop_assert!(seen.len() <= now.len(), "{}", what());
                for (a, b) in seen.iter().zip(&now) {
                    let same = (a.0, a.1) == (b.0, b.1) && b.2.starts_with(&a.2) && (!a.3 || a == b);
                    prop_assert!(same, "{}", what());
                }
            }
            (seen, start) = (now, begins);
            if refused {
                break;
            }
        }
        // Nor does the value that comes of it contradict what was shown last.
        let Ok(reading) = parser.finish() else { continue };
        let all = reading.candidates.iter().chain(&reading.passed_over);
        let mut kept = all.filter(|c| Some(c.document.root().source_span().start) == start);
        if let Some(kept) = kept.next() {
            let mut last = Vec::new();
            shown(kept.document.root(), &mut last);
            let grown = seen.len() <= last.len()
                && seen
                    .iter()
                    .zip(&last)
                    .all(|(a, b)| (a.0, a.1) == (b.0, b.1) && b.2.starts_with(&a.2) && (!a.3 || a == b));
            prop_assert!(grown, "{options:?} {text:?}: {seen:?} in the end {last:?}");
        }
    }
    Ok(())
}

/// What fuzzing found: once a difference between the one call and the pushes, or a view that took something back.
#[test]
fn found_by_fuzzing() {
    for text in [
        "9\u{85}",
        "9\u{a0} ",
        "{\"\":0 1",
        "{\"\":false\0",
        "{a:/**/1\nb:2 <",
        "{a:00\"\":5,d:5\"\":0x1\"\":1,g:2,3",
        "{\"g\":2,345}",
        "{\"b\":2 x",
        "[2 <",
        "[true x",
        "{a:true</",
        "l{}\"a\": {\"b",
        "{\"a\":1}\"b\":2}",
        "{,)\"d\":,",
        "\"b\": \"\"})",
        "{7",
        "[{\"a\":1}",
        "8{\"\":```{\"\":1}",
        "[\"a\":1",
        "{\"a\", \"b\"}",
        "[1,{null,1",
        "{\"k\": {0,`",
        "[1,\",{\"a\": 1}",
        "{\"k\":\"x\n\"a\":1",
        "\"a\"+\"b\"",
        "[nullable(1)]",
        "{\"\":'None\\\n}",
        "{\"k\": \"x\\\n}",
        "{\"a\": \"x, h: \"y\"}",
        "{\"g\": \"x, h: 1, \"b\": 2}",
        "\"\":};\"\":};{?{",
        "\"\\\"\\\":};\\\"\\\":};{?{\"",
        "{d\"\"\"                                             }                   ",
        "\"\":,\"\"4)\"r\":</ed\"",
        "\"b\":\u{724}12\u{7}\0ink<\0]5..\"a\"",
        "){\"a\" =( 1; \"b\" = 2%}){\"a\" =( 1; \"b\" = 2%}",
        // White space after a number goes on for longer than a decision looks ahead.
        &format!("1{}", " \r".repeat(300)),
        &format!("{}7 ,{}", " ".repeat(600), "\n".repeat(500)),
    ] {
        check_agreement(text).unwrap();
        check_split(text, &[text.len() / 2]).unwrap();
        check_written(text).unwrap();
        check_views(text).unwrap();
    }
}

/// Bytes that end inside a character: as much as a cut value has, and an error after a whole one.
#[test]
fn half_a_character() {
    for (bytes, whole) in [(&b"{\"a\": \"x\xE2\x82"[..], None), (b"{\"a\": 1}\xE2\x82", Some(ErrorKind::InvalidUtf8))] {
        let mut parser = Parser::new(Options::new());
        parser.push(bytes).unwrap();
        match whole {
            Some(kind) => assert_eq!(parser.finish().unwrap_err().kind(), kind),
            None => {
                let reading = parser.finish().unwrap();
                assert!(reading.is_truncated());
                assert_eq!(reading.candidates[0].document.root().source(), "{\"a\":\"x\"}");
            }
        }
    }
}

/// A number is one, however long.
#[test]
fn long_numbers() {
    for len in [511, 512, 513, 1100] {
        for text in ["1".repeat(len), format!("0.{} \n", "1".repeat(len)), format!("[{}]", "1".repeat(len))] {
            check_agreement(&text).unwrap();
            assert!(read(&text, &Options::new()).is_ok());
        }
    }
}

/// At the strict level, a text is cut if and only if it begins what is JSON.
#[test]
fn strictly_cut() {
    for (text, cut) in [("{7", false), ("[{\"a\":1}", true), ("[1, 2", true), ("[01", false), ("[\"a", true)] {
        let options = Options::new().with_level(Level::Strict);
        assert_eq!(read(text, &options).unwrap_err().is_truncated(), cut, "{text}");
    }
    let named = read("{a: 1}", &Options::new().with_level(Level::Strict)).unwrap_err();
    assert_eq!(named.needs().map(instructor_json::Repair::kind), Some(RepairKind::UnquotedKey));
}

/// A text is not searched to its end for each of its strings, nor does each of its values hold room for all.
#[test]
fn many_strings_and_values() {
    for (head, piece) in
        [("[", "'a',"), ("", "'"), ("{", "“"), ("{", "'a':1,"), ("", "[]"), ("", "{\"a\":1}\n"), ("[", "1 ")]
    {
        let text = format!("{head}{}", piece.repeat(1 << 11));
        let (reading, _) = read_counted(&text, &salvage());
        if let Ok(reading) = reading {
            for c in &reading.candidates {
                assert_eq!(c.document.paths(&c.repairs).len(), c.repairs.len());
            }
        }
    }
}

/// Whether an object in it has the same key twice: the last counts, and the first was shown.
fn has_twins(node: Node<'_>) -> bool {
    let keys: Vec<_> = node.entries().map(|(k, _)| k.as_str().unwrap_or_default().into_owned()).collect();
    let mut unique = keys.clone();
    unique.sort();
    unique.dedup();
    unique.len() < keys.len() || node.entries().any(|(_, v)| has_twins(v)) || node.items().any(has_twins)
}

/// The project's own cases: the value, the ledger and whether it was cut, at the level of each.
#[test]
fn cases() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/cases.jsonl")).unwrap();
    let mut wrong = Vec::new();
    for row in text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let input = row["input"].as_str().unwrap();
        let options = match row["level"].as_str() {
            Some("syntax") => Options::new(),
            Some("lenient") => Options::new().with_level(Level::Lenient),
            _ => salvage(),
        };
        let got = read(input, &options);
        let problem = match &got {
            Err(error) if row["refused"] != true => Some(error.to_string()),
            Err(_) => None,
            Ok(reading) if row["refused"] == true => Some(summary(&Ok(reading.clone()))),
            Ok(reading) => {
                let values: Vec<Value> = reading.candidates.iter().map(|c| value(c.document.root())).collect();
                let found = match values.as_slice() {
                    [one] => one.clone(),
                    _ if reading.sequence => Value::Array(values),
                    _ => Value::String("several".to_owned()),
                };
                let ledger: Vec<Value> =
                    reading.candidates.iter().flat_map(|c| &c.repairs).map(|r| r.kind().name().into()).collect();
                let same = found == row["expected"]
                    && reading.is_truncated() == (row["truncated"] == true)
                    && row.get("repairs").is_none_or(|wanted| *wanted == Value::Array(ledger.clone()));
                (!same).then(|| format!("{found} {ledger:?} truncated {}", reading.is_truncated()))
            }
        };
        if let Some(problem) = problem {
            wrong.push(format!(
                "{} {input:?}\n  want {} {}\n  got  {problem}",
                row["kind"], row["expected"], row["repairs"]
            ));
        }
        check_split(input, &[input.len() / 2]).unwrap();
        check_agreement(input).unwrap();
        for (to, _) in input.char_indices() {
            check_written(&input[..to]).unwrap();
            check_written(&input[to..]).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// What is told of a value that is there is what was told of it when it came.
#[test]
fn events_of_what_is_there() {
    let text = r#"{"a": ["x\n\u00e9", "", 1, null, {"b": {}}], "c\"": true}"#;
    for options in levels() {
        let (_, live, _) = pushed(text, &[3, 9, 20], options);
        let document = Document::parse(text).unwrap();
        let mut parser = Parser::new(options).with_events();
        parser.push(text.as_bytes()).unwrap();
        parser.end();
        let told = parser.told(0).unwrap();
        assert_eq!((told.found, told.truncated), (Found::Whole, false));
        assert_eq!(told.document.root().events(), live[1..]);
        let pieces = document.root().events().into_iter().filter_map(|event| match event {
            Event::Text { node, span } => Some((node, instructor_json::unescape(&text[span]).into_owned())),
            _ => None,
        });
        for (node, piece) in pieces {
            assert_eq!(document.node(node).as_str().as_deref(), Some(&*piece));
            assert_eq!(document.node(node).index(), node);
        }
    }
}

/// What was read before reasoning ends is withdrawn, also where it was whole.
#[test]
fn reasoning_is_withdrawn() {
    let mut parser = Parser::new(Options::new()).with_events();
    parser.push(b"{\"a\": 1}\n[2]\n").unwrap();
    assert_eq!(parser.events().filter(|event| matches!(event, Event::Candidate(_))).count(), 2);
    assert!(parser.told(1).is_some());
    parser.push(b"</think>\n").unwrap();
    assert_eq!(parser.events().next_back(), Some(Event::Cleared));
    assert!(parser.told(0).is_none());
    parser.push(b"{\"a\": 3}").unwrap();
    assert_eq!(parser.events().next(), Some(Event::Candidate(0)));
}
