//! The `rename_all` rules, with the same results as serde's: an issue has to name the key that the answer has.

/// One rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

impl Case {
    /// The rule of this name. `None` for another, about which serde complains.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "lowercase" => Self::Lower,
            "UPPERCASE" => Self::Upper,
            "PascalCase" => Self::Pascal,
            "camelCase" => Self::Camel,
            "snake_case" => Self::Snake,
            "SCREAMING_SNAKE_CASE" => Self::ScreamingSnake,
            "kebab-case" => Self::Kebab,
            "SCREAMING-KEBAB-CASE" => Self::ScreamingKebab,
            _ => return None,
        })
    }

    /// A variant, whose Rust name is in PascalCase.
    pub(crate) fn of_variant(self, name: &str) -> String {
        match self {
            Self::Pascal => String::from(name),
            Self::Lower => name.to_ascii_lowercase(),
            Self::Upper => name.to_ascii_uppercase(),
            Self::Camel => lower_first(name),
            Self::Snake => split_words(name),
            Self::ScreamingSnake => split_words(name).to_ascii_uppercase(),
            Self::Kebab => split_words(name).replace('_', "-"),
            Self::ScreamingKebab => split_words(name).to_ascii_uppercase().replace('_', "-"),
        }
    }

    /// A field, whose Rust name is in snake_case.
    pub(crate) fn of_field(self, name: &str) -> String {
        match self {
            Self::Lower | Self::Snake => String::from(name),
            Self::Upper | Self::ScreamingSnake => name.to_ascii_uppercase(),
            Self::Pascal => join_words(name),
            Self::Camel => lower_first(&join_words(name)),
            Self::Kebab => name.replace('_', "-"),
            Self::ScreamingKebab => name.to_ascii_uppercase().replace('_', "-"),
        }
    }
}

fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(chars).collect()
}

/// `VeryTasty` to `very_tasty`. As in serde, every capital starts a word: `HTTPCode` is `h_t_t_p_code`.
fn split_words(name: &str) -> String {
    let mut snake = String::new();
    for (at, ch) in name.char_indices() {
        if at > 0 && ch.is_uppercase() {
            snake.push('_');
        }
        snake.push(ch.to_ascii_lowercase());
    }
    snake
}

/// `very_tasty` to `VeryTasty`.
fn join_words(name: &str) -> String {
    let mut pascal = String::new();
    let mut starts = true;
    for ch in name.chars() {
        if ch == '_' {
            starts = true;
        } else if starts {
            pascal.push(ch.to_ascii_uppercase());
            starts = false;
        } else {
            pascal.push(ch);
        }
    }
    pascal
}

#[cfg(test)]
mod tests {
    use super::Case;

    const RULES: [&str; 8] = [
        "lowercase",
        "UPPERCASE",
        "PascalCase",
        "camelCase",
        "snake_case",
        "SCREAMING_SNAKE_CASE",
        "kebab-case",
        "SCREAMING-KEBAB-CASE",
    ];

    fn all(apply: impl Fn(Case) -> String) -> [String; 8] {
        RULES.map(|name| apply(Case::from_name(name).unwrap()))
    }

    #[test]
    fn variants() {
        for (name, expected) in [
            ("Outcome", ["outcome", "OUTCOME", "Outcome", "outcome", "outcome", "OUTCOME", "outcome", "OUTCOME"]),
            (
                "VeryTasty",
                [
                    "verytasty",
                    "VERYTASTY",
                    "VeryTasty",
                    "veryTasty",
                    "very_tasty",
                    "VERY_TASTY",
                    "very-tasty",
                    "VERY-TASTY",
                ],
            ),
            ("A", ["a", "A", "A", "a", "a", "A", "a", "A"]),
            ("Z42", ["z42", "Z42", "Z42", "z42", "z42", "Z42", "z42", "Z42"]),
            (
                "HTTPCode",
                [
                    "httpcode",
                    "HTTPCODE",
                    "HTTPCode",
                    "hTTPCode",
                    "h_t_t_p_code",
                    "H_T_T_P_CODE",
                    "h-t-t-p-code",
                    "H-T-T-P-CODE",
                ],
            ),
        ] {
            assert_eq!(all(|case| case.of_variant(name)), expected);
        }
    }

    #[test]
    fn fields() {
        for (name, expected) in [
            ("outcome", ["outcome", "OUTCOME", "Outcome", "outcome", "outcome", "OUTCOME", "outcome", "OUTCOME"]),
            (
                "very_tasty",
                [
                    "very_tasty",
                    "VERY_TASTY",
                    "VeryTasty",
                    "veryTasty",
                    "very_tasty",
                    "VERY_TASTY",
                    "very-tasty",
                    "VERY-TASTY",
                ],
            ),
            ("a", ["a", "A", "A", "a", "a", "A", "a", "A"]),
            ("z42", ["z42", "Z42", "Z42", "z42", "z42", "Z42", "z42", "Z42"]),
            (
                "_leading__two",
                [
                    "_leading__two",
                    "_LEADING__TWO",
                    "LeadingTwo",
                    "leadingTwo",
                    "_leading__two",
                    "_LEADING__TWO",
                    "-leading--two",
                    "-LEADING--TWO",
                ],
            ),
        ] {
            assert_eq!(all(|case| case.of_field(name)), expected);
        }
    }

    #[test]
    fn names_beyond_ascii_keep_their_letters() {
        assert_eq!(Case::Camel.of_variant("Öffnung"), "Öffnung");
        assert_eq!(Case::Camel.of_field("öffnung_zeit"), "öffnungZeit");
        assert_eq!(Case::Camel.of_field("__"), "");
    }

    #[test]
    fn unknown_rule() {
        assert_eq!(Case::from_name("Train-Case"), None);
    }
}
