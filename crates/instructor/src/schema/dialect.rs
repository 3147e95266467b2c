//! What each provider's structured output takes of JSON Schema, as data.

/// A subset of JSON Schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// All of it: the schema goes out as it is, with an object at its root. Tool parameters are always said so.
    Plain,
    /// OpenAI's strict structured output.
    OpenAi,
    /// Anthropic's structured output.
    Anthropic,
}

/// The facts of one dialect.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// Every object has to say `additionalProperties: false`.
    pub(crate) closed: bool,
    /// Every property has to be required.
    pub(crate) all_required: bool,
    /// `$ref` may lead back to where it stands.
    pub(crate) recursion: bool,
    /// A schema outside the subset can be sent with `strict: false`.
    pub(crate) lax: bool,
    /// The constraining keywords that are taken; others move into the description and are enforced here alone.
    pub(crate) keywords: &'static [&'static str],
    /// The values of `format` that are taken.
    pub(crate) formats: &'static [&'static str],
}

impl Dialect {
    /// How many there are: each contract keeps one lowered form a dialect.
    pub(crate) const COUNT: usize = 3;

    pub(crate) const fn rules(self) -> Option<&'static Rules> {
        match self {
            Self::Plain => None,
            Self::OpenAi => Some(&OPENAI),
            Self::Anthropic => Some(&ANTHROPIC),
        }
    }
}

const FORMATS: &[&str] = &["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"];

const OPENAI: Rules = Rules {
    closed: true,
    all_required: true,
    recursion: true,
    lax: true,
    keywords: &[
        "enum",
        "const",
        "pattern",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minItems",
        "maxItems",
    ],
    formats: FORMATS,
};

const ANTHROPIC: Rules = Rules {
    closed: true,
    all_required: false,
    recursion: false,
    lax: false,
    keywords: &["enum", "const"],
    formats: FORMATS,
};
