//! Names compared as people write them.

use std::borrow::Cow;

/// Letters and digits only, in lower case: `in progress`, `IN_PROGRESS` and `**InProgress**` are the same.
pub(super) fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Without the quotes, stars and full stops that models put around a word.
pub(super) fn bare(text: &str) -> &str {
    text.trim().trim_matches(|c: char| c.is_whitespace() || "\"'`*_.,:;!()[]".contains(c))
}

/// How often a name stands in a text as a whole word; case counts if `exact`.
pub(super) fn occurrences(text: &str, name: &str, exact: bool) -> usize {
    let fold = |s: &str| if exact { String::from(s) } else { s.to_lowercase() };
    let (text, name) = (fold(text), fold(name));
    if name.is_empty() {
        return 0;
    }
    text.match_indices(name.as_str())
        .filter(|(at, _)| {
            let before = text.get(..*at).and_then(|s| s.chars().next_back());
            let after = text.get(at + name.len()..).and_then(|s| s.chars().next());
            let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-');
            !inside(before) && !inside(after)
        })
        .count()
}

/// Whether a text denies something, so that a word in it may mean its opposite.
pub(super) fn denies(text: &str) -> bool {
    const NO: &[&str] = &[
        "not", "no", "never", "neither", "nor", "isn't", "isnt", "cannot", "can't", "won't", "don't", "doesn't",
        "without", "except",
    ];
    let text: Cow<'_, str> = text.to_lowercase().replace('’', "'").into();
    NO.iter().any(|word| occurrences(&text, word, true) > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_only() {
        assert_eq!(occurrences("The answer is RED.", "RED", true), 1);
        assert_eq!(occurrences("scored unpaid", "red", false), 0);
        assert_eq!(occurrences("paid, unpaid, PAID", "paid", false), 2);
        assert_eq!(occurrences("BLUE-ISH", "BLUE", true), 0);
        assert!(denies("It is not RED") && denies("Isn’t it?") && !denies("a knot"));
    }

    #[test]
    fn letters_are_what_counts() {
        assert_eq!(letters("**Light-Blue**"), letters("LIGHT_BLUE"));
        assert_eq!(bare(" \"**TWO**\". "), "TWO");
    }
}
