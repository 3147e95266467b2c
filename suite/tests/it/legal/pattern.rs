//! What of regular expressions a provider refuses.

use super::table::Patterns;

/// A repetition that a grammar has to write out.
const BIG: u32 = 100;

/// What a pattern has that the provider does not take.
pub(super) fn refused(source: &str, patterns: Patterns) -> Option<&'static str> {
    match patterns {
        Patterns::Any => None,
        Patterns::Ahead => look_around(source).then_some("look-around"),
        Patterns::Regular => irregular(source),
        Patterns::Whole => {
            (!source.starts_with('^') || !source.ends_with('$')).then_some("no `^` before and `$` after all of it")
        }
    }
}

fn look_around(source: &str) -> bool {
    ["(?=", "(?!", "(?<=", "(?<!"].iter().any(|start| source.contains(start))
}

fn irregular(source: &str) -> Option<&'static str> {
    if look_around(source) {
        return Some("look-around");
    }
    let mut rest = source.chars();
    while let Some(next) = rest.next() {
        match next {
            '\\' => match rest.next() {
                Some('1'..='9' | 'k') => return Some("a back-reference"),
                Some('b' | 'B') => return Some("a word boundary"),
                _ => {}
            },
            '{' => {
                let inside = rest.as_str().split('}').next().unwrap_or_default();
                let mut counts = inside.split(',').filter_map(|count| count.trim().parse::<u32>().ok());
                if counts.any(|count| count > BIG) {
                    return Some("a big repetition");
                }
            }
            _ => {}
        }
    }
    None
}
