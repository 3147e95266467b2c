//! Rust text as the rules see it: comments, literals and tests replaced by blanks of the same length, so that every
//! offset (and with it every line number) stays true. A full parser would be a dependency and would know no more.

/// One file without comments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct View {
    /// With string and character literals.
    pub(super) code: String,
    /// Without them.
    pub(super) bare: String,
}

/// One Rust file.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// Tests included.
    pub(super) all: View,
    /// Without what is only there under `cfg(test)`.
    pub(super) shipped: View,
}

impl Source {
    pub(super) fn new(text: &str) -> Self {
        let all = strip(text);
        let mut shipped = all.clone();
        for (start, end) in test_items(&all.bare) {
            shipped.code = blanked(&shipped.code, start, end);
            shipped.bare = blanked(&shipped.bare, start, end);
        }
        Self { all, shipped }
    }

    /// For a file that is a test as a whole.
    pub(super) fn blank_shipped(&mut self) {
        self.shipped.code = blank(&self.shipped.code);
        self.shipped.bare = blank(&self.shipped.bare);
    }

    /// The names of `#[cfg(test)] mod name;`.
    pub(super) fn test_modules(&self) -> Vec<&str> {
        let bare = self.all.bare.as_str();
        let items = test_items(bare).into_iter().filter_map(|(start, end)| bare.get(start..end));
        items
            .filter_map(|item| {
                let tokens = tokens(item);
                let at = tokens.iter().position(|token| token.text == "mod")?;
                let name = tokens.get(at + 1)?;
                (tokens.get(at + 2)?.text == ";").then_some(name.text)
            })
            .collect()
    }
}

/// Blanks of the same length, line breaks kept.
fn blank(text: &str) -> String {
    text.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect()
}

fn blanked(text: &str, start: usize, end: usize) -> String {
    match (text.get(..start), text.get(start..end), text.get(end..)) {
        (Some(before), Some(inside), Some(after)) => format!("{before}{}{after}", blank(inside)),
        _ => text.to_owned(),
    }
}

fn strip(text: &str) -> View {
    let mut view = View { code: String::with_capacity(text.len()), bare: String::with_capacity(text.len()) };
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (length, kind) = piece(rest, first);
        // A length that is no boundary cannot come up; the rest of the text is then taken as one piece.
        let (head, tail) = rest.split_at_checked(length).unwrap_or((rest, ""));
        match kind {
            Kind::Code => {
                view.code.push_str(head);
                view.bare.push_str(head);
            }
            Kind::Literal => {
                view.code.push_str(head);
                view.bare.push_str(&blank(head));
            }
            Kind::Comment => {
                let blanks = blank(head);
                view.code.push_str(&blanks);
                view.bare.push_str(&blanks);
            }
        }
        rest = tail;
    }
    view
}

enum Kind {
    Code,
    Literal,
    Comment,
}

/// How long the piece at the start of the text is, and what it is.
fn piece(text: &str, first: char) -> (usize, Kind) {
    if first.is_whitespace() {
        (first.len_utf8(), Kind::Code)
    } else if text.starts_with("//") {
        (text.find('\n').unwrap_or(text.len()), Kind::Comment)
    } else if text.starts_with("/*") {
        (block_comment(text), Kind::Comment)
    } else if let Some(length) = string(text).or_else(|| character(text)) {
        (length, Kind::Literal)
    } else if is_word(first) {
        (text.find(|c| !is_word(c)).unwrap_or(text.len()), Kind::Code)
    } else {
        (first.len_utf8(), Kind::Code)
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Block comments nest.
fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of the string literal that the text starts with: plain, byte, C and raw ones.
fn string(text: &str) -> Option<usize> {
    let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|prefix| {
        let after = text.strip_prefix(prefix);
        after.is_some_and(|after| after.starts_with('"') || prefix.ends_with('r') && after.starts_with('#'))
    })?;
    let body = text.strip_prefix(prefix)?;
    if prefix.ends_with('r') {
        let hashes = body.bytes().take_while(|&byte| byte == b'#').count();
        // `r#name` is a raw identifier.
        let inside = body.get(hashes..)?.strip_prefix('"')?;
        let close = format!("\"{}", "#".repeat(hashes));
        let end = inside.find(&close).map_or(inside.len(), |at| at + close.len());
        Some(prefix.len() + hashes + 1 + end)
    } else {
        Some(prefix.len() + 1 + quoted(body.strip_prefix('"')?, '"'))
    }
}

/// The length of the character or byte literal that the text starts with. A quote that starts a lifetime is none.
fn character(text: &str) -> Option<usize> {
    let body = text.strip_prefix('b').unwrap_or(text);
    let inside = body.strip_prefix('\'')?;
    let start = text.len() - inside.len();
    let mut chars = inside.chars();
    let first = chars.next()?;
    let closed = first == '\\' || chars.next() == Some('\'');
    closed.then(|| start + quoted(inside, '\''))
}

/// How far the closing quote reaches.
fn quoted(inside: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == quote {
            return at + c.len_utf8();
        }
    }
    inside.len()
}

/// A word, `::`, or one other character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

impl Token<'_> {
    pub(super) fn is_name(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// The tokens of a text without literals.
pub(super) fn tokens(bare: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = bare.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(first) = rest.chars().next() else { break };
        let length = if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        if let Some(text) = rest.get(..length).filter(|_| !first.is_whitespace()) {
            tokens.push(Token { text, at });
        }
        at += length;
    }
    tokens
}

/// The text of the token at an index, or nothing at all.
pub(super) fn text<'a>(tokens: &[Token<'a>], index: usize) -> &'a str {
    tokens.get(index).map_or("", |token| token.text)
}

/// Whether the tokens from an index on are these.
pub(super) fn follow(tokens: &[Token<'_>], index: usize, wanted: &[&str]) -> bool {
    wanted.iter().enumerate().all(|(offset, wanted)| text(tokens, index + offset) == *wanted)
}

/// The index after the bracket that closes the one at `open`.
pub(super) fn closed(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return index + 1;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}

/// The byte ranges of what is only compiled for tests.
fn test_items(bare: &str) -> Vec<(usize, usize)> {
    let tokens = tokens(bare);
    let is_test = |at: usize| {
        follow(&tokens, at, &["cfg", "(", "test", ")"]) || follow(&tokens, at, &["cfg", "(", "all", "(", "test"])
    };
    let mut ranges = Vec::new();
    let mut index = 0;
    while let Some(token) = tokens.get(index) {
        if follow(&tokens, index, &["#", "!", "["]) && is_test(index + 3) {
            return vec![(0, bare.len())];
        }
        if follow(&tokens, index, &["#", "["]) && is_test(index + 2) {
            let next = item_end(&tokens, closed(&tokens, index + 1));
            let end = next.checked_sub(1).and_then(|last| tokens.get(last));
            ranges.push((token.at, end.map_or(bare.len(), |token| token.at + token.text.len())));
            index = next;
        } else {
            index += 1;
        }
    }
    ranges
}

/// The index after the item, field, variant or statement that starts at `index`.
fn item_end(tokens: &[Token<'_>], mut index: usize) -> usize {
    while follow(tokens, index, &["#", "["]) {
        index = closed(tokens, index + 1);
    }
    let mut head = index;
    if text(tokens, head) == "pub" {
        head += 1;
        if text(tokens, head) == "(" {
            head = closed(tokens, head);
        }
    }
    const ITEMS: &[&str] = &[
        "async",
        "const",
        "enum",
        "extern",
        "fn",
        "impl",
        "let",
        "macro_rules",
        "mod",
        "static",
        "struct",
        "trait",
        "type",
        "unsafe",
        "use",
    ];
    // A comma ends a field or a variant, but stands inside the generics and bounds of an item.
    let is_item = ITEMS.contains(&text(tokens, head));
    while let Some(token) = tokens.get(index) {
        match token.text {
            ";" => return index + 1,
            "," if !is_item => return index + 1,
            "{" if is_item && text(tokens, head) != "let" && text(tokens, head) != "use" => {
                return closed(tokens, index);
            }
            "(" | "[" | "{" => index = closed(tokens, index),
            ")" | "]" | "}" => return index,
            _ => index += 1,
        }
    }
    index
}

/// A path as written, a group of a `use` spread out to its leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path<'a> {
    pub(super) segments: Vec<&'a str>,
    /// The name that it is imported under, when that is another.
    pub(super) alias: Option<&'a str>,
    pub(super) at: usize,
}

/// All paths in a text without literals; a lone name is a path of one.
pub(super) fn paths(bare: &str) -> Vec<Path<'_>> {
    let tokens = tokens(bare);
    let mut found = Vec::new();
    let mut index = 0;
    while let Some(token) = tokens.get(index) {
        index = if token.is_name() { path(&tokens, index, &[], &mut found) } else { index + 1 };
    }
    found
}

fn path<'a>(tokens: &[Token<'a>], mut index: usize, before: &[&'a str], found: &mut Vec<Path<'a>>) -> usize {
    let mut segments = before.to_vec();
    let at = tokens.get(index).map_or(0, |token| token.at);
    loop {
        segments.push(text(tokens, index));
        index += 1;
        if text(tokens, index) != "::" {
            break;
        }
        let next = tokens.get(index + 1);
        if next.is_some_and(Token::is_name) {
            index += 1;
        } else if next.is_some_and(|next| next.text == "{") {
            return group(tokens, index + 2, &segments, found);
        } else {
            break;
        }
    }
    let mut alias = None;
    if text(tokens, index) == "as" {
        alias = tokens.get(index + 1).filter(|token| token.is_name()).map(|token| token.text);
        index += 1 + usize::from(alias.is_some());
    }
    found.push(Path { segments, alias, at });
    index
}

fn group<'a>(tokens: &[Token<'a>], mut index: usize, before: &[&'a str], found: &mut Vec<Path<'a>>) -> usize {
    while let Some(token) = tokens.get(index) {
        if token.text == "}" {
            return index + 1;
        }
        if token.is_name() {
            index = path(tokens, index, before, found);
        } else {
            if token.text == "*" {
                found.push(Path { segments: before.to_vec(), alias: None, at: token.at });
            }
            index += 1;
        }
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare(text: &str) -> String {
        let view = strip(text);
        assert_eq!(view.code.len(), text.len());
        assert_eq!(view.bare.len(), text.len());
        view.bare.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn code(text: &str) -> String {
        strip(text).code.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn shipped(text: &str) -> String {
        Source::new(text).shipped.bare.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_go_and_nest() {
        assert_eq!(bare("a // b\nc /* d /* e */ f */ g\n/// h\n//! i\n/** j */ k"), "a c g k");
        assert_eq!(bare("a /* never closed /* b */"), "a");
        assert_eq!(bare("a / b"), "a / b");
    }

    #[test]
    fn strings_go_from_bare_and_stay_in_code() {
        assert_eq!(bare(r#"f("a // b", 1)"#), "f( , 1)");
        assert_eq!(code(r#"f("a // b") // c"#), r#"f("a // b")"#);
        assert_eq!(bare(r#"f("a \" b" c)"#), "f( c)");
        assert_eq!(bare(r#"f(b"a", c"b", d)"#), "f( , , d)");
    }

    #[test]
    fn raw_strings_end_at_their_own_hashes() {
        assert_eq!(bare(r####"x(r"a\" y) z"####), "x( y) z");
        assert_eq!(bare(r####"x(r##"a "# b"## y)"####), "x( y)");
        assert_eq!(bare(r####"x(br#"a " b"#, cr"c" y)"####), "x( , y)");
        assert_eq!(bare("r#type r"), "r#type r");
    }

    #[test]
    fn a_word_that_ends_like_a_prefix_is_no_prefix() {
        assert_eq!(bare(r#"bar"x" y"#), "bar y");
    }

    #[test]
    fn characters_and_lifetimes_are_told_apart() {
        assert_eq!(bare(r"f('a', '\'', '\\', '\u{1F600}', '€', b'x', b'\n') g"), "f( , , , , , , ) g");
        assert_eq!(bare("f(&'a str, <'b, 'c>, 'static) g"), "f(&'a str, <'b, 'c>, 'static) g");
        assert_eq!(bare(r#"f('"') /* x */ g"#), "f( ) g");
        assert_eq!(bare("'outer: loop { break 'outer; }"), "'outer: loop { break 'outer; }");
    }

    #[test]
    fn lines_stay_where_they_are() {
        let view = strip("a\n/* b\nc */\n\"d\ne\"\nf");
        assert_eq!(view.bare.lines().count(), 6);
        assert_eq!(view.bare.lines().last(), Some("f"));
    }

    #[test]
    fn tests_are_not_shipped() {
        assert_eq!(shipped("fn a() {} #[cfg(test)] mod tests { fn b() { if x {} } } fn c() {}"), "fn a() {} fn c() {}");
        assert_eq!(shipped("#[cfg(test)]\n#[expect(x)]\nmod tests;\nfn c() {}"), "fn c() {}");
        assert_eq!(shipped("#[cfg(test)] use a::{b, c}; d"), "d");
        assert_eq!(shipped("#[cfg(all(test, unix))] fn a<T, U>(x: [u8; 2]) -> T where U: V, W: V { x } d"), "d");
        assert_eq!(shipped("struct A { #[cfg(test)] pub(crate) b: Vec<u8>, c: u8 }"), "struct A { c: u8 }");
        assert_eq!(shipped("enum A { B, #[cfg(test)] C }"), "enum A { B, }");
        assert_eq!(shipped("#![cfg(test)] fn a() {}"), "");
        assert_eq!(
            shipped("#[cfg(any(test, feature = \"testing\"))] fn a() {}"),
            "#[cfg(any(test, feature = ))] fn a() {}"
        );
    }

    #[test]
    fn a_cfg_test_in_a_string_or_comment_is_nothing() {
        assert_eq!(shipped("f(\"#[cfg(test)]\"); // #[cfg(test)]\nmod a { b }"), "f( ); mod a { b }");
    }

    #[test]
    fn declared_test_modules_are_named() {
        let source =
            Source::new("#[cfg(test)] mod a; #[cfg(test)] mod b { mod c; } mod d; #[cfg(test)] pub(crate) mod e;");
        assert_eq!(source.test_modules(), ["a", "e"]);
    }

    #[test]
    fn paths_are_spread_out() {
        let found = |text| {
            let all = paths(text).into_iter().map(|path| path.segments.join("::"));
            all.filter(|path| path.contains("::")).collect::<Vec<_>>()
        };
        assert_eq!(
            found("use std::{env, io::{self, Read as R}, fs::*}; x"),
            ["std::env", "std::io::self", "std::io::Read", "std::fs"]
        );
        assert_eq!(found("let x = crate::a::b::<T>(c) + ::std::d;"), ["crate::a::b", "std::d"]);
        assert_eq!(found("crate ::\n a"), ["crate::a"]);
    }

    #[test]
    fn an_import_keeps_its_new_name() {
        let found = paths("pub use a::B as C;");
        assert!(found.iter().any(|path| path.segments == ["a", "B"] && path.alias == Some("C")));
    }
}
