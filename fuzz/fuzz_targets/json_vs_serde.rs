//! The strict parser takes what `serde_json` takes, as the same value, and the tolerant reader leaves it alone.
//!
//! Decided differences: more than 128 levels are `TooDeep`; a lone surrogate is refused (as `serde_json` refuses it in a
//! `String`); a number may have any size, since it stays text.

#![no_main]

use instructor_fuzz::{Cuts, check_document, levels, reference, tree};
use instructor_json::{Document, ErrorKind, Found, Limits, Parser, read};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|text: &str| {
    let parsed = Document::parse(text);
    let document = match (reference(text), parsed) {
        (None, Err(error)) => {
            assert!(error.offset() <= text.len(), "offset {} of {text:?}", error.offset());
            let full = serde_json::from_str::<Value>(text);
            assert!(full.is_err(), "serde_json takes {text:?}");
            return;
        }
        (Some((_, depth)), Err(error)) => {
            assert!(depth > Limits::DEFAULT.depth, "{error} for the valid {text:?}");
            assert_eq!(error.kind(), ErrorKind::TooDeep, "{text:?}");
            return;
        }
        (None, Ok(_)) => panic!("serde_json does not take {text:?}"),
        (Some((said, depth)), Ok(document)) => {
            assert!(depth <= Limits::DEFAULT.depth, "{depth} levels");
            assert_eq!(said, tree(document.root()), "{text:?}");
            document
        }
    };
    check_document(&document);
    assert_eq!(document.root().source(), text.trim_matches([' ', '\n', '\r', '\t']));

    // As a `Value`: of duplicates the last.
    match serde_json::from_str::<Value>(text) {
        Ok(value) => same(&value, document.root()),
        Err(error) => {
            let why = error.to_string();
            assert!(why.contains("out of range") || why.contains("recursion limit"), "{why}: {text:?}");
        }
    }

    // A prefix is valid or cut, never broken. Each byte belongs to the value that `locate` says.
    let mut cuts = Cuts::new(text.as_bytes());
    for _ in 0..4 {
        let cut = cuts.below(text.len() + 1);
        if let Some(prefix) = text.get(..cut)
            && let Err(error) = Document::parse(prefix)
        {
            assert!(error.is_truncated(), "{error}: {prefix:?} of {text:?}");
        }
        let (path, node) = document.root().locate(cut);
        assert!(path.is_empty() || node.span().end > cut, "{cut} in {text:?}");
    }

    for options in levels() {
        let reading = read(text, &options).unwrap_or_else(|e| panic!("{:?} {e}: {text:?}", options.level()));
        assert_eq!(reading.candidates.len(), 1, "{text:?}");
        assert!(reading.passed_over.is_empty() && reading.reasoning.is_empty() && !reading.sequence, "{text:?}");
        let only = &reading.candidates[0];
        assert!(only.repairs.is_empty() && !only.truncated && only.found == Found::Whole, "{only:?}: {text:?}");
        assert!(only.document.is_borrowed(), "{text:?}");
        assert_eq!(only.document.root().source(), document.root().source());

        let mut parser = Parser::new(options);
        parser.push(text.as_bytes()).unwrap_or_else(|e| panic!("pushed at {:?}: {e}: {text:?}", options.level()));
        let pushed = parser.finish().unwrap_or_else(|e| panic!("pushed at {:?}: {e}: {text:?}", options.level()));
        assert_eq!(pushed.candidates.len(), 1, "pushed at {:?}: {text:?}", options.level());
        let only = &pushed.candidates[0];
        assert!(only.repairs.is_empty() && !only.truncated, "pushed: {:?}: {text:?}", only.repairs);
        assert_eq!(tree(only.document.root()), tree(document.root()), "pushed: {text:?}");
    }
});

/// Equal as `serde_json` sees it; its numbers have lost their text.
fn same(value: &Value, node: instructor_json::Node<'_>) {
    match value {
        Value::Null => assert!(node.is_null()),
        Value::Bool(b) => assert_eq!(node.as_bool(), Some(*b)),
        Value::Number(n) => {
            if let Some(n) = n.as_u64() {
                assert_eq!(node.as_u64(), Some(n));
            } else if let Some(n) = n.as_i64() {
                assert_eq!(node.as_i64(), Some(n));
            } else {
                // `serde_json` may be one unit off in the last place; the standard library is not.
                let (a, b) = (n.as_f64().unwrap(), node.as_f64().unwrap());
                assert!((a - b).abs() <= a.abs() * 4.0 * f64::EPSILON || a.to_bits().abs_diff(b.to_bits()) <= 4, "{a} {b}");
            }
        }
        Value::String(s) => assert!(node.is_str(s)),
        Value::Array(items) => {
            assert_eq!(items.len(), node.len());
            items.iter().zip(node.items()).for_each(|(item, node)| same(item, node));
        }
        Value::Object(map) => {
            let twins = node.len() - map.len();
            assert_eq!(node.get("\u{1}\u{2}none").is_some(), map.contains_key("\u{1}\u{2}none"));
            for (key, item) in map {
                same(item, node.get(key).unwrap());
            }
            if twins == 0 {
                assert!(map.keys().zip(node.entries()).all(|(k, (n, _))| n.is_str(k)));
            }
        }
    }
}
