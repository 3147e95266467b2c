//! The `pattern` keyword: ECMAScript's notation, rewritten where the regex crate writes it differently.

use regex_lite::Regex;

/// A compiled pattern and its text as the schema has it.
#[derive(Clone, Debug)]
pub(in crate::schema) struct Pattern {
    regex: Regex,
    text: Box<str>,
}

/// White space as ECMAScript has it: the regex crate's `\s` is ASCII only.
const SPACE: &str = r"\t\n\x0B\x0C\r \u{A0}\u{FEFF}\u{1680}\u{2000}-\u{200A}\u{2028}\u{2029}\u{202F}\u{205F}\u{3000}";

impl Pattern {
    /// Or why there is none: look-around, back references and Unicode classes are not available.
    pub(in crate::schema) fn new(text: &str) -> Result<Self, String> {
        match Regex::new(&rewrite(text)) {
            Ok(regex) => Ok(Self { regex, text: text.into() }),
            Err(error) => Err(error.to_string()),
        }
    }

    pub(in crate::schema) fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    pub(in crate::schema) fn text(&self) -> &str {
        &self.text
    }
}

pub(in crate::schema) fn rewrite(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    // The position in the class, counted from 1 after its bracket; 0 outside of one.
    let mut class = 0_u32;
    while let Some(c) = chars.next() {
        class += u32::from(class > 0);
        match c {
            '\\' => match chars.next() {
                Some('s') if class > 0 => out.push_str(SPACE),
                Some('s') => out.extend(["[", SPACE, "]"]),
                Some('S') if class == 0 => out.extend(["[^", SPACE, "]"]),
                Some('b') if class > 0 => out.push_str(r"\x08"),
                Some('0') => out.push_str(r"\x00"),
                Some('c') => match chars.next() {
                    Some(letter @ ('a'..='z' | 'A'..='Z')) => {
                        out.push_str(&format!(r"\x{:02X}", letter as u32 % 32));
                    }
                    other => {
                        out.push_str(r"\c");
                        out.extend(other);
                    }
                },
                // The regex crate keeps escapes of these for itself; alone they mean themselves.
                Some(plain @ ('<' | '>')) => out.push(plain),
                Some(plain) if !plain.is_ascii() => out.push(plain),
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
            '[' if class == 0 => {
                out.push('[');
                class = 1;
                if chars.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                // An empty class is closed at once in ECMAScript: nothing, or with `^` everything.
                if chars.next_if_eq(&']').is_some() {
                    class = 0;
                    let negated = out.ends_with('^');
                    out.truncate(out.len() - if negated { 2 } else { 1 });
                    out.push_str(if negated { r"[\x00-\u{10FFFF}]" } else { r"[^\x00-\u{10FFFF}]" });
                }
            }
            ']' if class > 0 => {
                out.push(']');
                class = 0;
            }
            // At the start it is itself; after that, a second one ends a range.
            '-' if class == 2 => out.push_str(r"\-"),
            '-' if class > 0 && chars.next_if_eq(&'-').is_some() => out.push_str(r"-\-"),
            '[' | '&' | '~' if class > 0 => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    out
}
