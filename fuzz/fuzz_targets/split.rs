//! However a text is split, the push parser finds the same, and nothing that it shows is taken back.
//!
//! The first byte chooses the level and the root hint; the rest is pushed, whether it is UTF-8 or not.

#![no_main]

use instructor_fuzz::{Cuts, Shown, grows, levels, shown, summary};
use instructor_json::{ErrorKind, Event, Options, Parser, RootHint, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&control, bytes)) = data.split_first() else { return };
    let root = [RootHint::Any, RootHint::Object, RootHint::Array][usize::from(control >> 2) % 3];
    let options = levels()[usize::from(control & 3)].with_root(root);
    let whole = pushed(bytes, &[], options);
    if let Ok(text) = std::str::from_utf8(bytes) {
        // A text that is refused is refused by both; the strict parser may name another of its faults.
        let reading = read(text, &options);
        let cut = reading.as_ref().err().map(instructor_json::Error::is_truncated);
        assert_eq!(cut, whole.refused, "{:?}: read, then pushed: {text:?}", options.level());
        if cut.is_none() {
            assert_eq!(summary(&reading), whole.summary, "{:?}: read, then pushed: {text:?}", options.level());
        }
    }
    let mut cuts = Cuts::new(data);
    let mut some: Vec<usize> = (0..1 + cuts.below(5)).map(|_| cuts.below(bytes.len() + 1)).collect();
    some.sort_unstable();
    let every: Vec<usize> = (0..bytes.len()).collect();
    for cuts in [&some, &every] {
        if bytes.len() > 1024 && cuts.len() > 1024 {
            continue;
        }
        let split = pushed(bytes, cuts, options);
        let what = || format!("{:?} {:?} split at {cuts:?}", options.level(), String::from_utf8_lossy(bytes));
        if whole.invalid || split.invalid {
            // The part before the broken bytes may be refused first, if it came alone.
            continue;
        }
        assert_eq!(whole.summary, split.summary, "{}", what());
        assert_eq!(whole.events, split.events, "{}", what());
    }
});

struct Pushed {
    summary: String,
    events: Vec<Event>,
    /// The text is refused, and whether for its end.
    refused: Option<bool>,
    invalid: bool,
}

fn pushed(bytes: &[u8], cuts: &[usize], options: Options) -> Pushed {
    let mut parser = Parser::new(options).with_events();
    let mut events = Vec::new();
    let mut from = 0;
    let mut seen: Option<(usize, Shown)> = None;
    for &cut in cuts.iter().chain([&bytes.len()]) {
        let pushed = parser.push(&bytes[from..cut]);
        events.extend(parser.events());
        from = cut;
        if let Some(view) = parser.view() {
            let (start, now) = (view.source_span().start, shown(view));
            if let Some((before, seen)) = &seen
                && *before == start
            {
                assert!(grows(seen, &now), "{:?} {seen:?} then {now:?}: {:?}", options.level(), parser.text());
            }
            seen = Some((start, now));
        }
        if pushed.is_err() {
            break;
        }
    }
    parser.end();
    events.extend(parser.events());
    let reading = parser.finish();
    if let (Ok(reading), Some((start, seen))) = (&reading, &seen) {
        let all = || reading.candidates.iter().chain(&reading.passed_over);
        if let Some(last) = all().find(|c| c.document.root().source_span().start == *start) {
            let last = shown(last.document.root());
            assert!(grows(seen, &last), "{:?} {seen:?} in the end {last:?}: {:?}", options.level(), String::from_utf8_lossy(bytes));
        }
    }
    let invalid = matches!(&reading, Err(error) if error.kind() == ErrorKind::InvalidUtf8);
    let events = if reading.is_ok() { joined(events) } else { Vec::new() };
    let refused = reading.as_ref().err().map(instructor_json::Error::is_truncated);
    Pushed { summary: summary(&reading), events, refused, invalid }
}

/// Events with neighbouring text joined, without what was withdrawn: whether that was told of depends on the split.
fn joined(events: Vec<Event>) -> Vec<Event> {
    let mut out: Vec<Event> = Vec::new();
    for event in events {
        if event == Event::Cleared {
            out.clear();
            continue;
        }
        if event == Event::Withdrawn {
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
