//! What the targets share: a value that can be compared, built once by this project and once by `serde_json`.

use std::fmt;

use instructor_json::{Candidate, Document, Kind, Level, Node, Options, Reading, RepairKind, State};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A JSON value: numbers by their text, keys in order, duplicates kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

/// The tree of a node.
pub fn tree(node: Node<'_>) -> Tree {
    match node.kind() {
        Kind::Null => Tree::Null,
        Kind::Bool => Tree::Bool(node.as_bool().unwrap()),
        Kind::Number => Tree::Number(node.as_number().unwrap().to_owned()),
        Kind::String => Tree::Text(node.as_str().unwrap().into_owned()),
        Kind::Array => Tree::List(node.items().map(tree).collect()),
        Kind::Object => Tree::Map(node.entries().map(|(k, v)| (k.as_str().unwrap().into_owned(), tree(v))).collect()),
    }
}

/// The tree of a text by `serde_json`, and how deep it nests; `None` where the text is no JSON.
///
/// Differences that are decided: a lone surrogate is no string (`serde_json` says so when it decodes one, not when it
/// skips one), and there is no limit of depth or of a number's size here, since numbers stay text.
pub fn reference(text: &str) -> Option<(Tree, usize)> {
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let depth = depth(text);
    if depth > 512 {
        return Some((Tree::Null, depth));
    }
    Some((build(serde_json::from_str::<&RawValue>(text).ok()?.get())?, depth))
}

fn build(raw: &str) -> Option<Tree> {
    Some(match raw.as_bytes().first()? {
        b'n' => Tree::Null,
        b't' => Tree::Bool(true),
        b'f' => Tree::Bool(false),
        b'"' => Tree::Text(serde_json::from_str(raw).ok()?),
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(raw).ok()?;
            Tree::List(items.into_iter().map(|item| build(item.get())).collect::<Option<_>>()?)
        }
        b'{' => {
            let Entries(entries) = serde_json::from_str(raw).ok()?;
            Tree::Map(entries.into_iter().map(|(k, v)| Some((k, build(v.get())?))).collect::<Option<_>>()?)
        }
        _ => Tree::Number(raw.to_owned()),
    })
}

struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Entries<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    all.push(entry);
                }
                Ok(Entries(all))
            }
        }
        from.deserialize_map(All)
    }
}

/// How deep valid JSON nests.
fn depth(json: &str) -> usize {
    let (mut now, mut most, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                now += 1;
                most = most.max(now);
            }
            b']' | b'}' if !quoted => now -= 1,
            _ => {}
        }
    }
    most
}

/// [`Level::Salvage`] with every kind named.
pub fn salvage() -> Options {
    RepairKind::ALL.iter().fold(Options::new().with_level(Level::Salvage), |options, &kind| options.salvage(kind))
}

/// One option set a level.
pub fn levels() -> [Options; 4] {
    [Options::new().with_level(Level::Strict), Options::new(), Options::new().with_level(Level::Lenient), salvage()]
}

/// What was read, in a form that shows every difference.
pub fn summary(reading: &Result<Reading<'_>, instructor_json::Error>) -> String {
    match reading {
        Err(error) => format!("{error}"),
        Ok(reading) => {
            let one = |c: &Candidate<'_>| {
                let ledger: Vec<String> =
                    c.repairs.iter().map(|r| format!("{}@{:?}{:?}", r.kind(), r.span(), r.path(&c.document))).collect();
                let mut spans = Vec::new();
                each(c.document.root(), &mut |node| spans.push(node.source_span()));
                format!("{:?} {:?} {:?} cut {} {ledger:?} {spans:?}\n", c.found, c.span, tree(c.document.root()), c.truncated)
            };
            let chosen: String = reading.candidates.iter().map(one).collect();
            let passed: String = reading.passed_over.iter().map(one).collect();
            format!("{chosen}-\n{passed}{} {:?} {}", reading.sequence, reading.reasoning, reading.unclosed_fence)
        }
    }
}

/// Every value and key, parents first.
pub fn each<'d>(node: Node<'d>, visit: &mut impl FnMut(Node<'d>)) {
    visit(node);
    for item in node.items() {
        each(item, visit);
    }
    for (key, value) in node.entries() {
        visit(key);
        each(value, visit);
    }
}

/// Whether a view that is seen later only adds to an earlier one: the last string, array or object of each level may
/// grow while it is open, what is done stays as it is.
pub fn grows(earlier: &Shown, later: &Shown) -> bool {
    match (earlier, later) {
        (Shown::Text(a, done), Shown::Text(b, _)) => if *done { a == b } else { b.starts_with(a.as_str()) },
        (Shown::List(a, done), Shown::List(b, _)) => {
            (if *done { a.len() == b.len() } else { a.len() <= b.len() }) && a.iter().zip(b).all(|(a, b)| grows(a, b))
        }
        (Shown::Map(a, done), Shown::Map(b, _)) => {
            (if *done { a.len() == b.len() } else { a.len() <= b.len() })
                && a.iter().zip(b).all(|((k, a), (l, b))| k == l && grows(a, b))
        }
        _ => earlier == later,
    }
}

/// A value as a view shows it, with whether each part is said to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    Scalar(String),
    Text(String, bool),
    List(Vec<Shown>, bool),
    Map(Vec<(String, Shown)>, bool),
}

/// What a view shows.
pub fn shown(node: Node<'_>) -> Shown {
    let done = node.state() == State::Done;
    match node.kind() {
        Kind::String => Shown::Text(node.as_str().unwrap().into_owned(), done),
        Kind::Array => Shown::List(node.items().map(shown).collect(), done),
        Kind::Object => {
            Shown::Map(node.entries().map(|(k, v)| (k.as_str().unwrap().into_owned(), shown(v))).collect(), done)
        }
        _ => Shown::Scalar(node.source().to_owned()),
    }
}

/// A parsed document holds together: spans nest and are slices, and what stands in them says the value.
pub fn check_document(document: &Document<'_>) {
    let text = document.text();
    let root = document.root().span();
    each(document.root(), &mut |node| {
        let span = node.span();
        assert!(text.get(span.clone()).is_some(), "span {span:?} of {text:?}");
        assert!(root.start <= span.start && span.end <= root.end, "span {span:?} outside of the root of {text:?}");
        assert_eq!(node.state(), State::Done, "an open node in {text:?}");
    });
    let (said, _) = reference(document.root().source())
        .unwrap_or_else(|| panic!("not JSON: {:?}", document.root().source()));
    assert_eq!(said, tree(document.root()), "the text of the value says another one");
}

/// A generator of cuts: the same for the same input.
pub struct Cuts(u64);

impl Cuts {
    pub fn new(data: &[u8]) -> Self {
        Self(data.iter().fold(0xcbf2_9ce4_8422_2325, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3)) | 1)
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % n.max(1)
    }
}
