//! The rules of the providers, as data. A keyword that a provider does not list is one that it does not take, unless
//! it only annotates.

/// Whose rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provider {
    OpenAi,
    Anthropic,
    Gemini,
    Bedrock,
    Groq,
    Cerebras,
    Xai,
    Fireworks,
    LlamaCpp,
    Mistral,
    Cohere,
}

/// What the outermost schema may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    Any,
    /// `type: object`, and none of these keywords.
    Object(&'static [&'static str]),
}

/// What `additionalProperties` may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extras {
    /// `false`, on every object.
    Closed,
    Boolean,
    NotTrue,
    Any,
}

/// What a value of `enum` and `const` may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Literals {
    StringsAndNumbers,
    Scalars,
    Any,
}

/// What may stand beside `$ref`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Siblings {
    None,
    /// Keywords that begin with `$`.
    Dollar,
    Any,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recursion {
    Never,
    /// Every way round leads through a property that is not required.
    Optional,
    Free,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Formats {
    Only(&'static [&'static str]),
    Except(&'static [&'static str]),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patterns {
    Any,
    /// No look-around.
    Ahead,
    /// No look-around, no back-reference, no word boundary, no big repetition.
    Regular,
    /// `^…$`.
    Whole,
}

/// What a schema may have at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) characters: Option<usize>,
    pub(super) properties: Option<usize>,
    pub(super) levels: Option<usize>,
    /// Characters of the names of properties and definitions, of the values of `enum` and of `const`.
    pub(super) names: Option<usize>,
    /// Values of `enum` in the whole schema.
    pub(super) values: Option<usize>,
    /// Characters of one `enum` with more than 250 values.
    pub(super) long_enum: Option<usize>,
    pub(super) optional: Option<usize>,
    /// `anyOf` with two members or more, and lists of types.
    pub(super) unions: Option<usize>,
}

/// What one provider takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// Keywords that say something.
    pub(super) keywords: &'static [&'static str],
    /// Keywords that only annotate, and that are refused all the same.
    pub(super) refused: &'static [&'static str],
    pub(super) root: Root,
    pub(super) extras: Extras,
    pub(super) all_required: bool,
    pub(super) type_lists: bool,
    /// A schema has to say something of the value.
    pub(super) typed: bool,
    pub(super) literals: Literals,
    /// Members of one `anyOf`.
    pub(super) any_of: usize,
    /// `anyOf` may stand beside `properties`.
    pub(super) any_of_beside: bool,
    /// `$ref` may stand inside `allOf`.
    pub(super) all_of_refs: bool,
    /// How a reference begins; the rest is one name.
    pub(super) refs: &'static [&'static str],
    pub(super) siblings: Siblings,
    pub(super) recursion: Recursion,
    /// An array says what its items are.
    pub(super) items: bool,
    /// `prefixItems` has `items: false` beside it.
    pub(super) closed_tuples: bool,
    pub(super) formats: Formats,
    pub(super) patterns: Patterns,
    /// Ranges are for integers only.
    pub(super) integer_ranges: bool,
    /// `^[a-zA-Z0-9_.-]{1,64}$` for the names of properties.
    pub(super) plain_names: bool,
    /// The largest value of a keyword that counts.
    pub(super) counts: &'static [(&'static str, u64)],
    pub(super) limits: Limits,
}

/// Keywords that say nothing of a value.
pub(super) const ANNOTATIONS: &[&str] = &[
    "$comment",
    "$id",
    "$schema",
    "default",
    "deprecated",
    "description",
    "examples",
    "readOnly",
    "title",
    "writeOnly",
];

const NO_COMBINATION: &[&str] = &["anyOf", "oneOf", "allOf", "enum", "not"];

const OPENAI_FORMATS: &[&str] = &["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"];

const ANTHROPIC_FORMATS: &[&str] =
    &["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid", "uri"];

const NO_LIMITS: Limits = Limits {
    characters: None,
    properties: None,
    levels: None,
    names: None,
    values: None,
    long_enum: None,
    optional: None,
    unions: None,
};

/// What nobody restricts.
const OPEN: Rules = Rules {
    keywords: &[],
    refused: &[],
    root: Root::Any,
    extras: Extras::Any,
    all_required: false,
    type_lists: true,
    typed: false,
    literals: Literals::Scalars,
    any_of: usize::MAX,
    any_of_beside: true,
    all_of_refs: true,
    refs: &["#", "#/$defs/", "#/definitions/"],
    siblings: Siblings::Any,
    recursion: Recursion::Free,
    items: false,
    closed_tuples: false,
    formats: Formats::Except(&[]),
    patterns: Patterns::Any,
    integer_ranges: false,
    plain_names: false,
    counts: &[],
    limits: NO_LIMITS,
};

const OPENAI: Rules = Rules {
    keywords: &[
        "type",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "enum",
        "const",
        "anyOf",
        "$ref",
        "$defs",
        "definitions",
        "minItems",
        "maxItems",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "pattern",
        "format",
    ],
    refused: &["default"],
    root: Root::Object(NO_COMBINATION),
    extras: Extras::Closed,
    all_required: true,
    typed: true,
    siblings: Siblings::None,
    items: true,
    formats: Formats::Only(OPENAI_FORMATS),
    patterns: Patterns::Ahead,
    limits: Limits {
        properties: Some(5_000),
        levels: Some(10),
        names: Some(120_000),
        values: Some(1_000),
        long_enum: Some(15_000),
        ..NO_LIMITS
    },
    ..OPEN
};

/// Nothing is published but that objects are closed: like OpenAI, without its numbers.
const MISTRAL: Rules = Rules { limits: NO_LIMITS, ..OPENAI };

const ANTHROPIC: Rules = Rules {
    keywords: &[
        "type",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "enum",
        "const",
        "anyOf",
        "allOf",
        "$ref",
        "$defs",
        "definitions",
        "minItems",
        "pattern",
        "format",
    ],
    // As an answer anything may be at the root; as the input of a tool an object only.
    root: Root::Object(&["anyOf", "oneOf", "allOf"]),
    extras: Extras::Closed,
    typed: true,
    all_of_refs: false,
    siblings: Siblings::None,
    recursion: Recursion::Never,
    formats: Formats::Only(ANTHROPIC_FORMATS),
    patterns: Patterns::Regular,
    plain_names: true,
    counts: &[("minItems", 1)],
    limits: Limits { optional: Some(24), unions: Some(16), ..NO_LIMITS },
    ..OPEN
};

/// As Anthropic, without what is Anthropic's API alone.
const BEDROCK: Rules = Rules { plain_names: false, limits: NO_LIMITS, ..ANTHROPIC };

/// `responseJsonSchema`, not `responseSchema`.
const GEMINI: Rules = Rules {
    keywords: &[
        "type",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "prefixItems",
        "enum",
        "anyOf",
        "$ref",
        "$defs",
        "$anchor",
        "minItems",
        "maxItems",
        "minimum",
        "maximum",
        "format",
        "propertyOrdering",
    ],
    typed: true,
    literals: Literals::StringsAndNumbers,
    refs: &["#", "#/$defs/"],
    siblings: Siblings::Dollar,
    recursion: Recursion::Optional,
    formats: Formats::Only(&["date-time", "date", "time"]),
    ..OPEN
};

const GROQ: Rules = Rules {
    keywords: &["type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf"],
    root: Root::Object(NO_COMBINATION),
    extras: Extras::Closed,
    all_required: true,
    typed: true,
    refs: &[],
    recursion: Recursion::Never,
    formats: Formats::Only(&[]),
    ..OPEN
};

const CEREBRAS: Rules = Rules {
    keywords: &[
        "type",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "prefixItems",
        "enum",
        "const",
        "anyOf",
        "$ref",
        "$defs",
    ],
    refused: &["title", "description", "default", "examples", "$comment", "deprecated", "readOnly", "writeOnly"],
    root: Root::Object(NO_COMBINATION),
    extras: Extras::Closed,
    all_required: true,
    type_lists: false,
    typed: true,
    any_of: 5,
    refs: &["#/$defs/"],
    recursion: Recursion::Never,
    closed_tuples: true,
    formats: Formats::Only(&[]),
    limits: Limits {
        characters: Some(5_000),
        properties: Some(500),
        levels: Some(10),
        values: Some(500),
        long_enum: Some(7_500),
        ..NO_LIMITS
    },
    ..OPEN
};

const XAI: Rules = Rules {
    keywords: &[
        "type",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "prefixItems",
        "enum",
        "const",
        "anyOf",
        "oneOf",
        "allOf",
        "not",
        "if",
        "then",
        "else",
        "dependentRequired",
        "dependentSchemas",
        "$ref",
        "$defs",
        "definitions",
        "minItems",
        "maxItems",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "minLength",
        "maxLength",
        "minProperties",
        "maxProperties",
        "pattern",
        "format",
    ],
    root: Root::Object(&[]),
    extras: Extras::Boolean,
    recursion: Recursion::Never,
    patterns: Patterns::Regular,
    counts: &[
        ("minItems", 256),
        ("maxItems", 256),
        ("minLength", 2_048),
        ("maxLength", 2_048),
        ("minProperties", 64),
        ("maxProperties", 64),
    ],
    ..OPEN
};

const FIREWORKS: Rules = Rules {
    keywords: &[
        "type",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "enum",
        "anyOf",
        "allOf",
        "$ref",
        "$defs",
        "definitions",
    ],
    formats: Formats::Only(&[]),
    ..OPEN
};

/// What becomes a grammar; what the converter passes over does no harm.
const LLAMA_CPP: Rules = Rules {
    keywords: &[
        "type",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "enum",
        "const",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "then",
        "else",
        "dependentRequired",
        "dependentSchemas",
        "$ref",
        "$defs",
        "definitions",
        "minItems",
        "maxItems",
        "uniqueItems",
        "contains",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "minLength",
        "maxLength",
        "pattern",
        "format",
    ],
    extras: Extras::NotTrue,
    literals: Literals::Any,
    any_of_beside: false,
    formats: Formats::Except(&["uri", "email"]),
    patterns: Patterns::Whole,
    integer_ranges: true,
    ..OPEN
};

/// Names, types and lists of required names; no combination, no range, no length.
const COHERE: Rules = Rules {
    keywords: &[
        "type",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "enum",
        "const",
        "$ref",
        "$defs",
        "definitions",
        "pattern",
        "format",
    ],
    root: Root::Object(NO_COMBINATION),
    ..OPEN
};

impl Provider {
    pub(super) const fn rules(self) -> &'static Rules {
        match self {
            Self::OpenAi => &OPENAI,
            Self::Anthropic => &ANTHROPIC,
            Self::Gemini => &GEMINI,
            Self::Bedrock => &BEDROCK,
            Self::Groq => &GROQ,
            Self::Cerebras => &CEREBRAS,
            Self::Xai => &XAI,
            Self::Fireworks => &FIREWORKS,
            Self::LlamaCpp => &LLAMA_CPP,
            Self::Mistral => &MISTRAL,
            Self::Cohere => &COHERE,
        }
    }
}
