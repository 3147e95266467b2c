//! Texts: words that go with a name, the formats, and what a pattern finds.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind};
use serde_json::{Map, Value};

use super::super::check::pattern::{Pattern, rewrite};
use super::random::Random;

const WORDS: &[&str] = &[
    "amber", "anchor", "apple", "autumn", "basket", "beacon", "bridge", "candle", "canyon", "cedar", "circle",
    "clover", "copper", "coral", "cotton", "desert", "ember", "engine", "falcon", "forest", "garden", "glass",
    "harbor", "hazel", "island", "ivory", "jacket", "kettle", "ladder", "lantern", "lemon", "linen", "maple", "marble",
    "meadow", "mirror", "needle", "ocean", "olive", "orchid", "paper", "pebble", "pepper", "pillow", "planet",
    "prairie", "quartz", "river", "saddle", "shadow", "silver", "spruce", "stone", "summer", "thread", "timber",
    "valley", "velvet", "violet", "willow", "window", "winter", "yellow", "zephyr",
];

const FIRST: &[&str] = &[
    "Ada", "Alan", "Amina", "Chen", "Edsger", "Emmy", "Grace", "Hedy", "Ivan", "Kofi", "Lena", "Marie", "Noor", "Omar",
    "Rosa", "Yuki",
];
const LAST: &[&str] = &[
    "Abe", "Bauer", "Costa", "Diaz", "Evans", "Fischer", "Garcia", "Hansen", "Ito", "Kim", "Lopez", "Moreau", "Novak",
    "Okoye", "Rossi", "Singh",
];
const CITIES: &[&str] = &[
    "Accra", "Bergen", "Cusco", "Dakar", "Delft", "Hanoi", "Kyoto", "Lima", "Lyon", "Perth", "Quito", "Riga", "Siena",
    "Turin",
];
const COUNTRIES: &[&str] =
    &["Brazil", "Chile", "Egypt", "Finland", "Ghana", "India", "Italy", "Japan", "Kenya", "Peru", "Spain"];

/// What a text of a name is like, by how the name ends; the first that fits.
#[derive(Clone, Copy)]
enum Like {
    One(&'static [&'static str]),
    Person,
    Title,
    Sentence,
    Code,
    Of(&'static str),
}

const LIKE: &[(&str, Like)] = &[
    ("email", Like::Of("email")),
    ("mail", Like::Of("email")),
    ("url", Like::Of("uri")),
    ("link", Like::Of("uri")),
    ("website", Like::Of("uri")),
    ("date", Like::Of("date")),
    ("birthday", Like::Of("date")),
    ("time", Like::Of("date-time")),
    ("createdat", Like::Of("date-time")),
    ("updatedat", Like::Of("date-time")),
    ("phone", Like::Of("phone")),
    ("city", Like::One(CITIES)),
    ("town", Like::One(CITIES)),
    ("country", Like::One(COUNTRIES)),
    ("firstname", Like::One(FIRST)),
    ("lastname", Like::One(LAST)),
    ("surname", Like::One(LAST)),
    ("author", Like::Person),
    ("name", Like::Person),
    ("person", Like::Person),
    ("currency", Like::One(&["CHF", "EUR", "INR", "JPY", "USD"])),
    ("language", Like::One(&["de", "en", "es", "fr", "hi", "ja"])),
    ("color", Like::One(&["black", "blue", "green", "red", "white"])),
    ("title", Like::Title),
    ("subject", Like::Title),
    ("headline", Like::Title),
    ("id", Like::Code),
    ("code", Like::Code),
    ("sku", Like::Code),
    ("key", Like::Code),
    ("description", Like::Sentence),
    ("summary", Like::Sentence),
    ("text", Like::Sentence),
    ("content", Like::Sentence),
    ("message", Like::Sentence),
    ("comment", Like::Sentence),
    ("reason", Like::Sentence),
    ("reasoning", Like::Sentence),
    ("explanation", Like::Sentence),
    ("thoughts", Like::Sentence),
    ("chainofthought", Like::Sentence),
    ("question", Like::Sentence),
    ("answer", Like::Sentence),
];

/// One word.
pub(crate) fn word(random: &mut Random) -> &'static str {
    random.pick(WORDS).copied().unwrap_or("word")
}

/// A sentence of no meaning.
pub(crate) fn sentence(random: &mut Random) -> String {
    let count = 5 + random.below(8);
    let mut text = capital(word(random));
    for _ in 1..count {
        text.push(' ');
        text.push_str(word(random));
    }
    text.push('.');
    text
}

/// A string with these constraints.
pub(super) fn text(words: &Map<String, Value>, name: &str, random: &mut Random) -> String {
    let count = |key: &str| words.get(key).and_then(Value::as_f64).map(|n| n.max(0.0) as usize);
    let (least, most) = (count("minLength").unwrap_or(0), count("maxLength").unwrap_or(usize::MAX));
    let format = words.get("format").and_then(Value::as_str);
    if let Some(pattern) = words.get("pattern").and_then(Value::as_str) {
        return found_by(pattern, format, (least, most), random);
    }
    if let Some(text) = format.and_then(|format| formatted(format, random)) {
        return text;
    }
    let like = LIKE.iter().find(|(end, _)| name.ends_with(end)).map(|(_, like)| *like);
    let text = match like {
        Some(Like::One(of)) => random.pick(of).copied().map(String::from).unwrap_or_default(),
        Some(Like::Person) => {
            let (first, last) = (random.pick(FIRST).copied(), random.pick(LAST).copied());
            format!("{} {}", first.unwrap_or_default(), last.unwrap_or_default())
        }
        Some(Like::Title) => format!("{} {}", capital(word(random)), word(random)),
        Some(Like::Sentence) => sentence(random),
        Some(Like::Code) => format!("{}-{}", word(random), random.below(900) + 100),
        Some(Like::Of(format)) => formatted(format, random).unwrap_or_default(),
        None if random.chance(0.3) => format!("{} {}", word(random), word(random)),
        None => String::from(word(random)),
    };
    fitted(text, least, most, random)
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// A text that is long enough, and no longer than it may be.
fn fitted(mut text: String, least: usize, most: usize, random: &mut Random) -> String {
    while text.chars().count() < least {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word(random));
    }
    if text.chars().count() > most {
        text = text.chars().take(most).collect();
        // A space at the end would be cut by who reads it.
        if text.ends_with(' ') {
            text.pop();
            text.push('s');
        }
    }
    text
}

/// A text of a format, if it is known.
fn formatted(format: &str, random: &mut Random) -> Option<String> {
    let day = |random: &mut Random| {
        let (year, month, day) = (2000 + random.below(30), 1 + random.below(12), 1 + random.below(28));
        format!("{year}-{month:02}-{day:02}")
    };
    let clock =
        |random: &mut Random| format!("{:02}:{:02}:{:02}", random.below(24), random.below(60), random.below(60));
    Some(match format {
        "date" => day(random),
        "time" => format!("{}Z", clock(random)),
        "partial-time" => clock(random),
        "date-time" => format!("{}T{}Z", day(random), clock(random)),
        "partial-date-time" | "local-date-time" => format!("{}T{}", day(random), clock(random)),
        "zoned-date-time" => format!("{}T{}+00:00[UTC]", day(random), clock(random)),
        "duration" => format!("P{}DT{}H", 1 + random.below(9), 1 + random.below(23)),
        "email" | "idn-email" => format!("{}.{}@example.com", word(random), word(random)),
        "hostname" | "idn-hostname" => format!("{}.example.com", word(random)),
        "uri" | "url" | "iri" | "uri-reference" | "iri-reference" => {
            format!("https://example.com/{}/{}", word(random), word(random))
        }
        "uri-template" => format!("https://example.com/{{{}}}", word(random)),
        "ipv4" | "ip" => format!("192.0.2.{}", random.below(255)),
        "ipv6" => format!("2001:db8::{:x}", random.below(0xffff)),
        "uuid" => {
            let hex = format!("{:016x}{:016x}", random.next(), random.next());
            let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
            format!("{}-{}-4{}-a{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
        }
        "json-pointer" => format!("/{}/{}", word(random), random.below(10)),
        "relative-json-pointer" => format!("{}/{}", random.below(3), word(random)),
        "regex" => format!("^{}$", word(random)),
        "phone" => format!("+1 555 01{:02}", random.below(100)),
        _ => return None,
    })
}

/// How often a text is made of a pattern until it has the right length.
const TRIES: usize = 48;

/// A text in which a pattern finds something, of a length and format if there is one.
fn found_by(pattern: &str, format: Option<&str>, (least, most): (usize, usize), random: &mut Random) -> String {
    let Ok(finds) = Pattern::new(pattern) else { return String::from(word(random)) };
    let parsed = ParserBuilder::new().utf8(true).build().parse(&rewrite(pattern));
    let mut text = String::new();
    for attempt in 0..TRIES {
        // A pattern may leave most of a format open.
        text = match (&parsed, format.and_then(|format| formatted(format, random))) {
            (_, Some(formatted)) if attempt % 2 == 0 => formatted,
            (Ok(hir), _) => {
                let mut text = String::new();
                // What is too short is tried with more, what is too long with fewer.
                let more = [2, 0, 6, 1, 20, 60].get(attempt % 6).copied().unwrap_or(2);
                written(hir, more.min(most), random, &mut text);
                text
            }
            (Err(_), _) => String::from(word(random)),
        };
        let length = text.chars().count();
        if length < least {
            let fill: String = std::iter::repeat_n('a', least - length).collect();
            let longer = [format!("{text}{fill}"), format!("{fill}{text}")];
            text = longer.into_iter().find(|text| finds.matches(text)).unwrap_or(text);
        }
        let length = text.chars().count();
        if (least..=most).contains(&length) && finds.matches(&text) {
            break;
        }
    }
    text
}

/// Writes what an expression finds; what repeats, at most so often more than it has to.
fn written(hir: &Hir, more: usize, random: &mut Random, out: &mut String) {
    // Repeats inside repeats would make a text of any length.
    if out.len() > 4096 {
        return;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(class) => out.extend(one_of(class, random)),
        HirKind::Repetition(repetition) => {
            let least = repetition.min as usize;
            let most =
                repetition.max.map_or(least.saturating_add(more), |max| (max as usize).min(least.saturating_add(more)));
            let count = random.between(least as i128, most as i128);
            for _ in 0..count {
                written(&repetition.sub, more, random, out);
            }
        }
        HirKind::Capture(capture) => written(&capture.sub, more, random, out),
        HirKind::Concat(parts) => parts.iter().for_each(|part| written(part, more, random, out)),
        HirKind::Alternation(parts) => {
            if let Some(part) = random.pick(parts) {
                written(part, more, random, out);
            }
        }
    }
}

/// A character of a class: a letter or digit if it has one, one that is seen if it has that.
fn one_of(class: &Class, random: &mut Random) -> Option<char> {
    let class = match class {
        Class::Unicode(class) => class.clone(),
        Class::Bytes(class) => class.to_unicode_class()?,
    };
    let ranges =
        |of: &[(char, char)]| ClassUnicode::new(of.iter().map(|(from, to)| ClassUnicodeRange::new(*from, *to)));
    let nice = [ranges(&[('a', 'z'), ('0', '9'), ('A', 'Z')]), ranges(&[('!', '~')]), ranges(&[(' ', '~')])];
    let within = nice.into_iter().map(|nice| {
        let mut common = class.clone();
        common.intersect(&nice);
        common
    });
    let class = within.into_iter().find(|common| !common.ranges().is_empty()).unwrap_or(class);
    let range = random.pick(class.ranges())?;
    let (from, to) = (u32::from(range.start()), u32::from(range.end()));
    char::from_u32(from + random.below((to - from + 1) as usize) as u32).or(Some(range.start()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::check::format::Format;
    use super::*;

    #[test]
    fn formats_are_those_that_are_checked() {
        let names = ["date-time", "date", "time", "uuid", "ipv4", "ipv6", "email", "uri"];
        for name in names {
            let format = Format::named(name).unwrap();
            for seed in 0..200 {
                let text = formatted(name, &mut Random::new(seed)).unwrap();
                assert!(format.holds(&text), "{name}: {text}");
            }
        }
    }

    #[test]
    fn patterns_find_what_is_made_of_them() {
        let patterns = [
            "^[a-z]{3,5}-[0-9]+$",
            "x",
            r"^\d{3}-\w+\s?$",
            "^(foo|bar|baz){2}$",
            r"^[^\s@]+@[^\s@]+\.[a-z]{2,}$",
            "^.*$",
            r"^#([A-Fa-f0-9]{6}|[A-Fa-f0-9]{3})$",
            "^[äöü]+$",
            r"^-?[0-9]+(\.[0-9]+)?([eE][0-9]+)?$",
            r"^(0|[1-9]\d*)\.(0|[1-9]\d*)$",
            "^$",
        ];
        for pattern in patterns {
            let finds = Pattern::new(pattern).unwrap();
            for seed in 0..100 {
                let text = found_by(pattern, None, (0, usize::MAX), &mut Random::new(seed));
                assert!(finds.matches(&text), "{pattern}: {text:?}");
            }
        }
        for (pattern, least, most) in [("^[a-z]+$", 30, 40), ("^a*$", 3, 3), ("b", 12, 14), (r"^(\w+ )*\w+$", 50, 80)] {
            for seed in 0..50 {
                let text = found_by(pattern, None, (least, most), &mut Random::new(seed));
                let fits =
                    Pattern::new(pattern).unwrap().matches(&text) && (least..=most).contains(&text.chars().count());
                assert!(fits, "{pattern}: {text:?}");
            }
        }
    }

    #[test]
    fn lengths_hold_whatever_the_name() {
        for (name, _) in LIKE.iter().chain(&[("anything", Like::Title)]) {
            for (least, most) in [(0, 0), (1, 1), (3, 4), (60, 61), (0, 1000)] {
                let words = json!({ "minLength": least, "maxLength": most });
                let text = text(words.as_object().unwrap(), name, &mut Random::new(7));
                assert!((least..=most).contains(&text.chars().count()), "{name}: {text:?}");
            }
        }
    }
}
