//! What a scanner has let go of is not missed.

mod noise;

use instructor_json::{Event, Options, Scanner};
use proptest::prelude::*;

use self::noise::{levels, noise};

/// The events, with what the nodes say that they name, and why a text is refused.
fn followed(text: &str, piece: usize, options: Options, forget: bool) -> (Vec<String>, Option<String>) {
    let mut parser = Scanner::new(options);
    let mut told = Vec::new();
    let mut number = 0;
    let mut take = |parser: &mut Scanner| {
        for event in parser.events().collect::<Vec<_>>() {
            if let Event::Candidate(candidate) = event {
                number = candidate;
            }
            let says = parser.told(number).and_then(|told| match &event {
                Event::Key { node } | Event::Scalar { node, .. } => Some(told.document.node(*node).source()),
                Event::Text { span, .. } => told.document.slice(span.clone()),
                _ => None,
            });
            told.push(format!("{event:?} {says:?}"));
        }
    };
    let mut error = None;
    for end in (0..=text.len()).step_by(piece).filter(|end| text.is_char_boundary(*end)) {
        error = error.or(parser.read(&text[..end]).err());
        take(&mut parser);
        if forget {
            parser.forget(u32::MAX);
        }
    }
    parser.end(text);
    take(&mut parser);
    (told, error.map(|error| error.to_string()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_forgotten_is_not_missed(begin in 0..4_usize, text in noise(), more in noise(), piece in 1..40_usize) {
        let begin = [
            format!("{{\"list\": [{}", "{\"a\": [1, true]}, ".repeat(40)),
            format!("[{}", "[\"a\", {}], ".repeat(90)),
            format!("{{\"a\": {{\"text\": \"{}", "no end of it, \\\"quoted\\\" ".repeat(70)),
            format!("[\"{}", "é\\n".repeat(500)),
        ][begin].clone();
        let text = begin + &text + "}]}" + &more;
        for options in levels() {
            let all = followed(&text, piece, options, false);
            let rest = followed(&text, piece, options, true);
            let first = all.0.iter().zip(&rest.0).position(|(a, b)| a != b).unwrap_or(all.0.len().min(rest.0.len()));
            let from = (&all.0[first..], &rest.0[first..]);
            prop_assert_eq!(from.0, from.1, "{:?} {:?}", options.level(), text);
            prop_assert_eq!(all.1, rest.1, "{:?} {:?}", options.level(), text);
        }
    }
}
