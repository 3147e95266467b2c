//! What each provider's structured output takes of JSON Schema, as data: one row a dialect.
//!
//! A lowered schema stays on the intersection of what providers' pages, their SDKs and their known refusals say, so a
//! row lists what is surely taken, not all that may be.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// A subset of JSON Schema: what one provider's structured output takes.
///
/// ```
/// use instructor::schema::Dialect;
///
/// assert_eq!("openai".parse::<Dialect>()?, Dialect::OpenAi);
/// # Ok::<(), instructor::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// All of it: the schema goes out as it is, with an object at its root. Tool parameters are always said so.
    Plain,
    /// OpenAI's strict structured output.
    OpenAi,
    /// OpenAI's structured output with `strict: false`: shown to the model, not enforced.
    OpenAiLax,
    /// Anthropic's structured output and strict tools.
    Anthropic,
    /// Gemini's `responseJsonSchema`.
    Gemini,
    /// Amazon Bedrock's structured output.
    Bedrock,
    /// Mistral's structured output.
    Mistral,
    /// Cohere's structured output.
    Cohere,
    /// Groq's strict structured output.
    Groq,
    /// Cerebras' strict structured output.
    Cerebras,
    /// Fireworks' structured output.
    Fireworks,
    /// xAI's structured output.
    Xai,
    /// llama.cpp's grammars.
    LlamaCpp,
    /// Ollama's `format`, which llama.cpp's converter reads.
    Ollama,
}

/// How a property that may be left out is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Optional {
    /// By leaving it out of `required`; at most so many times in one schema.
    Native(usize),
    /// Every property is required, so absence is a value.
    Required,
}

/// Which values of `enum` are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Literals {
    /// Strings, numbers, booleans.
    Scalars,
    /// Strings and numbers.
    StringsAndNumbers,
}

/// Which regular expressions are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patterns {
    None,
    /// Those without look-around and back references.
    Regular,
    /// Regular ones from `^` to `$`.
    Anchored,
}

/// What one request may hold; `usize::MAX` where nothing is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Objects and arrays inside each other, references followed.
    pub(super) depth: usize,
    pub(super) properties: usize,
    /// `anyOf`s and lists of types.
    pub(super) unions: usize,
    /// Values of all enums.
    pub(super) values: usize,
    /// Values of one enum above which [`long_enum`](Self::long_enum) counts.
    pub(super) large_enum: usize,
    /// Characters of the values of one large enum.
    pub(super) long_enum: usize,
    /// Characters of names and values.
    pub(super) characters: usize,
    /// Characters of the whole schema.
    pub(super) text: usize,
}

impl Limits {
    const NONE: Self = Self {
        depth: usize::MAX,
        properties: usize::MAX,
        unions: usize::MAX,
        values: usize::MAX,
        large_enum: usize::MAX,
        long_enum: usize::MAX,
        characters: usize::MAX,
        text: usize::MAX,
    };
}

/// The facts of one dialect.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// Where the facts come from.
    #[cfg_attr(not(test), expect(dead_code, reason = "evidence, read by people and by a test"))]
    pub(super) basis: &'static str,
    /// The root has to be an object with properties.
    pub(super) object_root: bool,
    pub(super) optional: Optional,
    /// `additionalProperties` with a schema is a map.
    pub(super) maps: bool,
    /// `additionalProperties: true` is taken, and well.
    pub(super) open: bool,
    /// `prefixItems` are taken.
    pub(super) tuples: bool,
    /// `$ref` may lead back to where it stands.
    pub(super) recursion: bool,
    /// `type` may be a list.
    pub(super) type_lists: bool,
    pub(super) literals: Literals,
    pub(super) patterns: Patterns,
    /// The largest `minItems` that is taken.
    pub(super) min_items: u64,
    /// The largest `maxItems` that is taken; none where the keyword is not.
    pub(super) max_items: Option<u64>,
    /// The constraining keywords that are taken; others move into the description and are enforced here alone.
    pub(super) keywords: &'static [&'static str],
    /// Bounds are taken for integers only.
    pub(super) integer_bounds: bool,
    /// The values of `format` that are taken.
    pub(super) formats: &'static [&'static str],
    /// Property names are `[A-Za-z0-9_.-]{1,64}`.
    pub(super) plain_names: bool,
    /// Descriptions are taken.
    pub(super) described: bool,
    /// A schema is also taken with `strict: false`: it is shown to the model then, and not enforced.
    pub(super) lax: bool,
    pub(super) limits: Limits,
}

/// Every dialect with its name and its facts; those without facts take all of JSON Schema.
const ROWS: &[(Dialect, &str, Option<&Rules>)] = &[
    (Dialect::Plain, "plain", None),
    (Dialect::OpenAi, "openai", Some(&OPENAI)),
    (Dialect::OpenAiLax, "openai_lax", None),
    (Dialect::Anthropic, "anthropic", Some(&ANTHROPIC)),
    (Dialect::Gemini, "gemini", Some(&GEMINI)),
    (Dialect::Bedrock, "bedrock", Some(&BEDROCK)),
    (Dialect::Mistral, "mistral", Some(&MISTRAL)),
    (Dialect::Cohere, "cohere", Some(&COHERE)),
    (Dialect::Groq, "groq", Some(&GROQ)),
    (Dialect::Cerebras, "cerebras", Some(&CEREBRAS)),
    (Dialect::Fireworks, "fireworks", Some(&FIREWORKS)),
    (Dialect::Xai, "xai", Some(&XAI)),
    (Dialect::LlamaCpp, "llama.cpp", Some(&LLAMA_CPP)),
    (Dialect::Ollama, "ollama", Some(&OLLAMA)),
];

impl Dialect {
    /// Every dialect, `Plain` first.
    pub const ALL: &'static [Self] = &[
        Self::Plain,
        Self::OpenAi,
        Self::OpenAiLax,
        Self::Anthropic,
        Self::Gemini,
        Self::Bedrock,
        Self::Mistral,
        Self::Cohere,
        Self::Groq,
        Self::Cerebras,
        Self::Fireworks,
        Self::Xai,
        Self::LlamaCpp,
        Self::Ollama,
    ];

    /// How many there are: each contract keeps one lowered form a dialect.
    pub(crate) const COUNT: usize = Self::ALL.len();

    fn row(self) -> Option<&'static (Self, &'static str, Option<&'static Rules>)> {
        ROWS.iter().find(|row| row.0 == self)
    }

    /// The dialect's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().map_or("plain", |row| row.1)
    }

    /// The facts; none where all of JSON Schema is taken.
    pub(super) fn rules(self) -> Option<&'static Rules> {
        self.row().and_then(|row| row.2)
    }

    /// The form of the same provider that shows the schema to the model without enforcing it, if there is one.
    pub(crate) fn lax(self) -> Option<Self> {
        self.rules().filter(|rules| rules.lax).map(|_| Self::OpenAiLax)
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Dialect {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let name = text.trim().to_ascii_lowercase().replace('-', "_");
        let known = ROWS.iter().find(|row| row.1 == name || row.1.replace('.', "") == name);
        known.map(|row| row.0).ok_or_else(|| {
            let names: Vec<&str> = ROWS.iter().map(|row| row.1).collect();
            Error::config(format!("unknown dialect {text:?}. Dialects: {}", names.join(", ")))
        })
    }
}

const FORMATS: &[&str] = &["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"];
const BOUNDS: &[&str] = &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];

const OPENAI: Rules = Rules {
    basis: "structured outputs guide and SDK transforms, August 2026",
    object_root: true,
    optional: Optional::Required,
    maps: false,
    open: false,
    tuples: false,
    recursion: true,
    type_lists: true,
    literals: Literals::Scalars,
    patterns: Patterns::Regular,
    min_items: u64::MAX,
    max_items: Some(u64::MAX),
    keywords: BOUNDS,
    integer_bounds: false,
    formats: FORMATS,
    plain_names: false,
    described: true,
    lax: true,
    limits: Limits {
        depth: 10,
        properties: 5_000,
        values: 1_000,
        large_enum: 250,
        long_enum: 15_000,
        characters: 120_000,
        ..Limits::NONE
    },
};

const ANTHROPIC: Rules = Rules {
    basis: "structured outputs guide, September 2026, and the SDK's transform 2.12",
    object_root: true,
    optional: Optional::Native(24),
    maps: false,
    open: false,
    tuples: false,
    recursion: false,
    type_lists: true,
    literals: Literals::Scalars,
    patterns: Patterns::None,
    min_items: 1,
    max_items: None,
    keywords: &[],
    integer_bounds: false,
    formats: FORMATS,
    plain_names: true,
    described: true,
    lax: false,
    limits: Limits { unions: 16, ..Limits::NONE },
};

const GEMINI: Rules = Rules {
    basis: "responseJsonSchema in the SDK's documentation 3.4",
    object_root: false,
    optional: Optional::Native(usize::MAX),
    maps: true,
    open: true,
    tuples: true,
    // Only through properties that are not required, and then unrolled a few levels.
    recursion: false,
    type_lists: true,
    literals: Literals::StringsAndNumbers,
    patterns: Patterns::None,
    min_items: u64::MAX,
    max_items: Some(u64::MAX),
    keywords: &["minimum", "maximum"],
    integer_bounds: false,
    formats: &["date-time", "date", "time"],
    plain_names: false,
    described: true,
    lax: false,
    limits: Limits::NONE,
};

const BEDROCK: Rules = Rules { basis: "structured output guide; follows Anthropic's limits", ..ANTHROPIC };

const MISTRAL: Rules = Rules {
    basis: "no keyword list is published; OpenAI's closed objects without constraints",
    patterns: Patterns::None,
    min_items: 0,
    max_items: None,
    keywords: &[],
    formats: &[],
    recursion: false,
    ..OPENAI
};

const COHERE: Rules = Rules {
    basis: "structured outputs guide: names, types and required lists are guaranteed, no composition",
    optional: Optional::Native(usize::MAX),
    type_lists: false,
    literals: Literals::StringsAndNumbers,
    lax: false,
    limits: Limits { unions: 0, ..Limits::NONE },
    ..MISTRAL
};

const GROQ: Rules = Rules { basis: "structured outputs guide, strict mode", recursion: false, ..MISTRAL };

const CEREBRAS: Rules = Rules {
    basis: "structured outputs guide, strict mode, the narrower of two versions",
    type_lists: false,
    described: false,
    limits: Limits {
        depth: 10,
        properties: 500,
        values: 500,
        large_enum: 250,
        long_enum: 7_500,
        text: 5_000,
        ..Limits::NONE
    },
    ..MISTRAL
};

const FIREWORKS: Rules = Rules {
    basis: "structured response guide: no lengths, patterns or oneOf",
    object_root: false,
    optional: Optional::Native(usize::MAX),
    maps: true,
    open: true,
    recursion: true,
    lax: false,
    limits: Limits::NONE,
    ..MISTRAL
};

const XAI: Rules = Rules {
    basis: "structured outputs guide",
    optional: Optional::Native(usize::MAX),
    tuples: true,
    patterns: Patterns::None,
    min_items: 256,
    max_items: Some(256),
    keywords: &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"],
    formats: &["date-time", "date", "time", "email", "ipv4", "ipv6", "uuid"],
    lax: false,
    limits: Limits::NONE,
    ..MISTRAL
};

const LLAMA_CPP: Rules = Rules {
    basis: "grammars/README at 363a490",
    object_root: false,
    optional: Optional::Native(usize::MAX),
    maps: true,
    recursion: true,
    patterns: Patterns::Anchored,
    min_items: u64::MAX,
    max_items: Some(u64::MAX),
    keywords: &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength"],
    integer_bounds: true,
    formats: &["date-time", "date", "time", "uuid"],
    lax: false,
    limits: Limits::NONE,
    ..MISTRAL
};

const OLLAMA: Rules = Rules { basis: "its format is read by llama.cpp's converter", ..LLAMA_CPP };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_providers_take_a_schema_without_enforcing_it() {
        let lax: Vec<Dialect> = Dialect::ALL.iter().copied().filter(|dialect| dialect.lax().is_some()).collect();
        assert_eq!(lax, [Dialect::OpenAi, Dialect::Mistral, Dialect::Groq, Dialect::Cerebras]);
    }

    #[test]
    fn every_dialect_has_one_row_in_its_order_and_parses_its_name() {
        assert_eq!(ROWS.len(), Dialect::ALL.len());
        for (i, (row, dialect)) in ROWS.iter().zip(Dialect::ALL).enumerate() {
            assert_eq!((row.0, row.0 as usize), (*dialect, i));
            assert_eq!(row.1.parse::<Dialect>().unwrap(), *dialect);
            assert!(row.2.is_none_or(|rules| !rules.basis.is_empty()));
        }
        assert_eq!("llama-cpp".parse::<Dialect>().ok(), None);
        assert_eq!("llamacpp".parse::<Dialect>().unwrap(), Dialect::LlamaCpp);
    }
}
