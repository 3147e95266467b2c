//! Who answers: one [`Profile`] a provider, as data. The table holds those that are known by name.

mod address;
pub(crate) mod auth;
mod batches;
pub(crate) mod models;
mod reasoning;
mod spec;
mod table;

use std::borrow::Cow;
use std::fmt;

pub(crate) use self::address::Address;
#[cfg(any(feature = "batch", feature = "testing"))]
pub(crate) use self::address::escaped;
pub(crate) use self::auth::{Auth, Login, Signer};
pub(crate) use self::batches::Batches;
#[cfg(feature = "batch")]
pub(crate) use self::batches::{BatchForm, Ids};
use self::models::{Family, is_of};
use self::reasoning::{Dial, dial};
pub use self::reasoning::{Effort, Reasoning};
pub(crate) use self::spec::Spec;
pub(crate) use self::table::TABLE;
use crate::mode::Mode;
use crate::schema::{Dialect, letters};
use crate::wire::Wire;
use crate::wire::anthropic::Anthropic;
use crate::wire::bedrock::Bedrock;
use crate::wire::cohere::Cohere;
use crate::wire::gemini::Gemini;
use crate::wire::ollama::Ollama;
use crate::wire::openai_chat::OpenAiChat;
use crate::wire::openai_responses::OpenAiResponses;

/// One row of the table: what a [`Profile`] is made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) id: &'static str,
    /// Other names of it, such as Python Instructor's.
    pub(crate) also: &'static [&'static str],
    /// What OpenTelemetry's conventions call it, where that is not its id.
    pub(crate) telemetry: &'static str,
    /// Where the provider says what it takes.
    pub(crate) docs: &'static str,
    pub(crate) wire: &'static dyn Wire,
    pub(crate) base_url: &'static str,
    /// The variable that replaces the base URL.
    pub(crate) base_url_env: &'static str,
    /// The variables that may hold the key, first match wins.
    pub(crate) key_env: &'static [&'static str],
    pub(crate) auth: Auth,
    /// Whose credentials do where there is no key.
    pub(crate) login: Option<Login>,
    /// Whether it can be used without a key.
    pub(crate) keyless: bool,
    /// Whether no server is asked: what answers is in the program.
    pub(crate) fake: bool,
    /// What `Mode::Auto` starts with here.
    pub(crate) preferred: Mode,
    /// The modes that it has beside the preferred one; text is had by all.
    pub(crate) modes: &'static [Mode],
    pub(crate) dialect: Dialect,
    pub(crate) quirks: Quirks,
    /// How models are told how much to think, by what their names begin with; the first match wins.
    pub(crate) reasoning: &'static [(&'static str, &'static Dial)],
    /// The body field that limits the output.
    pub(crate) max_tokens_field: &'static str,
    /// The model that `Client::from_env` takes where no model is named.
    pub(crate) default_model: Option<&'static str>,
    /// How it takes many requests at once, to be answered within a day, if it does.
    pub(crate) batches: Option<&'static Batches>,
    /// Whether it makes models of files of lessons, in the form that OpenAI has.
    pub(crate) tuning: bool,
}

/// Facts about how a server departs from its protocol. A wire branches on these, never on names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quirks(u32);

/// Gives each quirk a bit of its own, in their order: no two can be the same.
macro_rules! quirks {
    ($bit:expr; $(#[$doc:meta])+ $name:ident; $($rest:tt)*) => {
        $(#[$doc])+
        pub(crate) const $name: Self = Self(1 << $bit);
        quirks!($bit + 1; $($rest)*);
    };
    ($bit:expr;) => {};
}

impl Quirks {
    pub(crate) const NONE: Self = Self(0);

    quirks! { 0;
        /// `tool_choice` is one of the words only; a tool can't be named.
        CHOICE_IS_WORD;
        /// The reasoning of an assistant turn has to come back with it.
        ECHO_REASONING;
        /// The count of output tokens leaves reasoning tokens out.
        REASONING_ON_TOP;
        /// The schema of a structured output constrains the model but is not shown to it.
        SCHEMA_UNSEEN;

        /// No call can be forced: `tool_choice` is `auto` at most.
        CHOICE_IS_AUTO;

        /// Parts of a prompt take `cache_control`, for models whose cache has to be asked for.
        CACHE_CONTROL;
        /// It takes `prompt_cache_key`; others with a closed schema refuse it.
        CACHE_KEY;

        /// No media of any kind: a part that is no text is a 400 (`unknown variant`).
        TEXT_ONLY;
        /// There is no part for documents.
        NO_FILE_PARTS;
        /// A document may be a URL.
        FILE_BY_URL;
        /// There is a part for films.
        VIDEO_PARTS;
        /// The data of a sound is a data URL.
        AUDIO_IS_DATA_URL;
        /// Documents are `document_url`; sounds, documents and file ids stand in the part itself, not in an object there.
        FLAT_PARTS;
        /// An image has to come as bytes: "image URLs are not currently supported, please use base64 encoded data instead".
        NO_IMAGE_URLS;
        /// Media in the storage of the one who pays are taken by their address there.
        BUCKETS;
        /// There is no store of files to name one of.
        NO_FILE_IDS;

        /// `stream_options` is refused; usage is told without being asked for.
        NO_STREAM_OPTIONS;
        /// What the provider constrains to JSON it does not stream: to ask for both is a 400.
        NO_STREAMED_JSON;
    }

    /// `usage.cost` is what is charged, in dollars.
    pub(crate) const COST_IN_DOLLARS: Self = Self(1 << 22);

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether it has any of these.
    pub(crate) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl fmt::Debug for Quirks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Quirks({:#b})", self.0)
    }
}

/// How to speak to one provider: protocol, address, key and habits.
///
/// The known ones come by name ([`Profile::named`]); any other endpoint that speaks one of the protocols gets its
/// profile at run time, of the same type:
///
/// ```
/// use instructor::{Mode, Profile};
///
/// let gateway = Profile::openai_compatible("gateway", "https://llm.example.com/v1")
///     .with_key_env("GATEWAY_KEY")
///     .with_mode(Mode::Tools);
/// assert_eq!(gateway.id(), "gateway");
/// ```
#[derive(Clone, Debug)]
pub struct Profile {
    id: Cow<'static, str>,
    telemetry: &'static str,
    docs: &'static str,
    wire: &'static dyn Wire,
    base_url: Cow<'static, str>,
    base_url_env: &'static str,
    key_env: Cow<'static, [Cow<'static, str>]>,
    auth: Auth,
    login: Option<Login>,
    keyless: bool,
    fake: bool,
    preferred: Mode,
    modes: Cow<'static, [Mode]>,
    dialect: Dialect,
    quirks: Quirks,
    reasoning: &'static [(&'static str, &'static Dial)],
    max_tokens_field: Cow<'static, str>,
    default_max_tokens: Option<u64>,
    default_model: Option<&'static str>,
    #[cfg_attr(not(feature = "batch"), expect(dead_code, reason = "read where batches are made"))]
    batches: Option<&'static Batches>,
    #[cfg_attr(not(feature = "batch"), expect(dead_code, reason = "read where models are tuned"))]
    tuning: bool,
}

impl Profile {
    /// A known provider by its id, such as `groq`. Upper case and separators do not matter: `Vertex-AI` is `vertexai`.
    #[must_use]
    pub fn named(id: &str) -> Option<Self> {
        let id = letters(id);
        let is = |name: &&str| letters(name) == id;
        TABLE.iter().find(|row| is(&row.id) || row.also.iter().any(&is)).map(Self::from)
    }

    /// All known providers, in the order in which [`Client::from_env`](crate::Client::from_env) tries them.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(Self::from)
    }

    /// Any server that speaks OpenAI's chat completions below this base URL, such as `http://localhost:8000/v1`.
    #[must_use]
    pub fn openai_compatible(id: impl Into<String>, base_url: impl Into<String>) -> Self {
        Self::at(&OPENAI_COMPATIBLE, id.into(), base_url.into())
    }

    /// Any server that speaks OpenAI's responses below this base URL, such as `http://localhost:8000/v1`.
    #[must_use]
    pub fn openai_responses_compatible(id: impl Into<String>, base_url: impl Into<String>) -> Self {
        Self::at(&OPENAI_RESPONSES_COMPATIBLE, id.into(), base_url.into())
    }

    /// Any server that speaks Anthropic's messages below this base URL, such as `https://gateway.example.com`
    /// (without `/v1/messages`).
    #[must_use]
    pub fn anthropic_compatible(id: impl Into<String>, base_url: impl Into<String>) -> Self {
        Self::at(&ANTHROPIC_COMPATIBLE, id.into(), base_url.into())
    }

    /// Any server that speaks Gemini's `generateContent` below this base URL, such as `https://gateway.example.com`
    /// (without `/v1beta/models`).
    #[must_use]
    pub fn gemini_compatible(id: impl Into<String>, base_url: impl Into<String>) -> Self {
        Self::at(&GEMINI_COMPATIBLE, id.into(), base_url.into())
    }

    fn at(row: &Row, id: String, base_url: String) -> Self {
        Self { id: Cow::Owned(id), base_url: Cow::Owned(base_url), ..Self::from(row) }
    }

    /// With the variable that holds the key. From then on a key is required.
    #[must_use]
    pub fn with_key_env(mut self, variable: impl Into<String>) -> Self {
        self.key_env = Cow::Owned(vec![Cow::Owned(variable.into())]);
        self.keyless = false;
        self
    }

    /// With another mode for [`Mode::Auto`] to start with; one that it never takes by itself changes nothing.
    #[must_use]
    pub fn with_mode(mut self, mode: Mode) -> Self {
        self.preferred = mode;
        self
    }

    /// With only these modes for [`Mode::Auto`] to go on with where the one that it starts with is refused.
    /// [`Mode::MdJson`] asks for text alone and is always among them.
    ///
    /// ```
    /// use instructor::{Mode, Profile};
    ///
    /// // A server that has structured output and neither tools nor a JSON mode.
    /// let server = Profile::openai_compatible("local", "http://localhost:1234/v1")
    ///     .with_mode(Mode::Schema)
    ///     .with_modes([Mode::Schema]);
    /// assert_eq!(server.mode(), Mode::Schema);
    /// ```
    #[must_use]
    pub fn with_modes(mut self, modes: impl IntoIterator<Item = Mode>) -> Self {
        self.modes = modes.into_iter().collect();
        self
    }

    /// With another body field that limits the output, such as `max_tokens`.
    #[must_use]
    pub fn with_max_tokens_field(mut self, field: impl Into<String>) -> Self {
        self.max_tokens_field = Cow::Owned(field.into());
        self
    }

    /// With a limit of output tokens for requests that set none.
    #[must_use]
    pub const fn with_default_max_tokens(mut self, tokens: u64) -> Self {
        self.default_max_tokens = Some(tokens);
        self
    }

    /// With another base URL.
    #[must_use]
    pub fn with_base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Cow::Owned(base_url.into());
        self
    }

    /// The id, as before the slash in `groq/llama-3.3-70b`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What OpenTelemetry's conventions call the provider (`gen_ai.provider.name`): `aws.bedrock`, say, and the id where they
    /// have no name of their own.
    #[must_use]
    pub fn telemetry_name(&self) -> &str {
        if self.telemetry.is_empty() { &self.id } else { self.telemetry }
    }

    /// Where a known provider says what it takes.
    #[must_use]
    pub fn docs(&self) -> Option<&'static str> {
        Some(self.docs).filter(|docs| !docs.is_empty())
    }

    /// The base URL. It may name variables of the environment in braces, with a default after a colon.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The variables that may hold the key, first match wins.
    pub fn key_env(&self) -> impl Iterator<Item = &str> {
        self.key_env.iter().map(|name| &**name)
    }

    /// Whether it can be used without a key.
    #[must_use]
    pub const fn is_keyless(&self) -> bool {
        self.keyless
    }

    /// Whether no server is asked: what answers is in the program.
    #[must_use]
    pub const fn is_fake(&self) -> bool {
        self.fake
    }

    /// The protocol's name, such as `openai_chat`.
    #[must_use]
    pub fn protocol(&self) -> &'static str {
        self.wire.name()
    }

    /// What [`Mode::Auto`] starts with here.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.preferred
    }

    /// The model that [`Client::from_env`](crate::Client::from_env) takes where none is named.
    #[must_use]
    pub const fn default_model(&self) -> Option<&'static str> {
        self.default_model
    }

    /// The variable that replaces the base URL, if there is one.
    #[must_use]
    pub fn base_url_env(&self) -> Option<&'static str> {
        Some(self.base_url_env).filter(|name| !name.is_empty())
    }

    pub(crate) const fn wire(&self) -> &'static dyn Wire {
        self.wire
    }

    /// What is known of a model's family, on this protocol.
    pub(crate) fn family(&self, model: &str) -> Family {
        let mut family = models::family(model);
        family.tools |= self.wire.has_tools_beside_reasoning();
        family
    }

    /// How a model is told how much to think.
    fn dial(&self, model: &str) -> &'static Dial {
        self.reasoning.iter().find(|(prefix, _)| is_of(model, prefix)).map_or(&dial::NONE, |(_, dial)| dial)
    }

    pub(crate) const fn auth(&self) -> Auth {
        self.auth
    }

    /// Whose credentials do where there is no key, such as `Google Cloud`; they are fetched with the feature `cloud`.
    #[must_use]
    pub fn login_name(&self) -> Option<&'static str> {
        self.login.map(Login::name)
    }

    pub(crate) const fn login(&self) -> Option<Login> {
        self.login
    }

    /// Whether it has a mode, as far as is known.
    pub(crate) fn can(&self, mode: Mode) -> bool {
        mode == Mode::MdJson || self.modes.contains(&mode)
    }

    /// The modes that it has, the one that [`Mode::Auto`] starts with first. [`Mode::MdJson`] asks for text alone and is
    /// always among them.
    pub fn modes(&self) -> impl Iterator<Item = Mode> {
        let all = self.modes.iter().copied().filter(|mode| *mode != Mode::MdJson).chain([Mode::MdJson]);
        [self.preferred].into_iter().chain(all.filter(|mode| *mode != self.preferred))
    }

    /// What its structured outputs take of JSON Schema.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    pub(crate) const fn quirks(&self) -> Quirks {
        self.quirks
    }

    pub(crate) fn max_tokens_field(&self) -> &str {
        &self.max_tokens_field
    }

    /// How it takes batches, if it does.
    #[cfg(feature = "batch")]
    pub(crate) const fn batches(&self) -> Option<&'static Batches> {
        self.batches
    }

    /// Whether it tunes models.
    #[cfg(feature = "tuning")]
    pub(crate) const fn tunes(&self) -> bool {
        self.tuning
    }

    /// With batches, files and fine-tuning as the provider whose protocol it speaks has them, for gateways and servers of
    /// your own.
    ///
    /// ```
    /// use instructor::Profile;
    ///
    /// let gateway = Profile::openai_compatible("gateway", "https://llm.example.com/v1").with_batches();
    /// # drop(gateway);
    /// ```
    #[cfg(feature = "batch")]
    #[must_use]
    pub fn with_batches(mut self) -> Self {
        let wire = self.wire.name();
        let same = || TABLE.iter().filter(|row| row.wire.name() == wire);
        self.batches = self.batches.or_else(|| same().find_map(|row| row.batches));
        self.tuning |= same().any(|row| row.tuning);
        self
    }

    pub(crate) const fn default_max_tokens(&self) -> Option<u64> {
        self.default_max_tokens
    }

    #[cfg(test)]
    pub(crate) fn with_quirks(mut self, quirks: Quirks) -> Self {
        self.quirks = self.quirks.and(quirks);
        self
    }
}

impl From<&Row> for Profile {
    fn from(row: &Row) -> Self {
        Self {
            id: Cow::Borrowed(row.id),
            telemetry: row.telemetry,
            docs: row.docs,
            wire: row.wire,
            base_url: Cow::Borrowed(row.base_url),
            base_url_env: row.base_url_env,
            key_env: row.key_env.iter().copied().map(Cow::Borrowed).collect(),
            auth: row.auth,
            login: row.login,
            keyless: row.keyless,
            fake: row.fake,
            preferred: row.preferred,
            modes: Cow::Borrowed(row.modes),
            dialect: row.dialect,
            quirks: row.quirks,
            reasoning: row.reasoning,
            max_tokens_field: Cow::Borrowed(row.max_tokens_field),
            default_max_tokens: None,
            default_model: row.default_model,
            batches: row.batches,
            tuning: row.tuning,
        }
    }
}

/// What most servers that speak OpenAI's chat completions have in common.
pub(crate) const OPENAI_COMPATIBLE: Row = Row {
    id: "",
    also: &[],
    telemetry: "",
    docs: "",
    wire: &OpenAiChat,
    base_url: "",
    base_url_env: "",
    key_env: &[],
    auth: Auth::Bearer,
    login: None,
    keyless: true,
    fake: false,
    preferred: Mode::Tools,
    modes: &[Mode::Schema, Mode::Tools, Mode::Json],
    dialect: Dialect::Plain,
    quirks: Quirks::NONE,
    reasoning: &[("", &dial::EFFORT)],
    max_tokens_field: "max_tokens",
    default_model: None,
    batches: None,
    tuning: false,
};

/// Those that want a key.
pub(crate) const OPENAI_KEYED: Row = Row { keyless: false, ..OPENAI_COMPATIBLE };

/// What servers that speak OpenAI's responses have in common.
pub(crate) const OPENAI_RESPONSES_COMPATIBLE: Row = Row {
    wire: &OpenAiResponses,
    reasoning: &[("", &dial::OBJECT)],
    max_tokens_field: "max_output_tokens",
    ..OPENAI_COMPATIBLE
};

/// What servers that speak Anthropic's messages have in common. The protocol has no switch for JSON of any kind.
pub(crate) const ANTHROPIC_COMPATIBLE: Row = Row {
    wire: &Anthropic::OWN,
    auth: Auth::Header("x-api-key"),
    modes: &[Mode::Schema, Mode::Tools],
    dialect: Dialect::Anthropic,
    reasoning: &[("", &dial::THINKING)],
    ..OPENAI_COMPATIBLE
};

/// What servers that speak Gemini's `generateContent` have in common.
pub(crate) const GEMINI_COMPATIBLE: Row = Row {
    wire: &Gemini::OWN,
    auth: Auth::Header("x-goog-api-key"),
    preferred: Mode::Schema,
    dialect: Dialect::Gemini,
    reasoning: &[("", &dial::LEVEL)],
    ..OPENAI_COMPATIBLE
};

/// The same below an address that names the project that pays.
pub(crate) const GEMINI_PUBLISHED: Row = Row {
    wire: &Gemini::PUBLISHED,
    auth: Auth::Bearer,
    login: Some(Login::Google),
    quirks: Quirks::BUCKETS,
    ..GEMINI_COMPATIBLE
};

/// Anthropic's messages below such an address.
pub(crate) const ANTHROPIC_PUBLISHED: Row = Row {
    wire: &Anthropic::PUBLISHED,
    auth: Auth::Bearer,
    login: Some(Login::Google),
    quirks: Quirks::NO_FILE_IDS,
    ..ANTHROPIC_COMPATIBLE
};

/// Cohere's own protocol.
pub(crate) const COHERE_CHAT: Row =
    Row { wire: &Cohere, dialect: Dialect::Cohere, reasoning: &[("", &dial::TOKEN_BUDGET)], ..OPENAI_COMPATIBLE };

/// Ollama's own chat. The schema becomes a grammar that the model never sees, and a call can't be forced.
pub(crate) const OLLAMA_CHAT: Row = Row {
    wire: &Ollama,
    preferred: Mode::Schema,
    dialect: Dialect::Ollama,
    quirks: Quirks::SCHEMA_UNSEEN.and(Quirks::CHOICE_IS_AUTO),
    reasoning: &[("", &dial::THINK)],
    max_tokens_field: "num_predict",
    ..OPENAI_COMPATIBLE
};

/// Bedrock's Converse. It has no switch for any JSON object.
pub(crate) const BEDROCK_CONVERSE: Row = Row {
    wire: &Bedrock,
    login: Some(Login::Aws { service: "bedrock" }),
    modes: &[Mode::Schema, Mode::Tools],
    dialect: Dialect::Bedrock,
    // Each vendor's own fields, handed on.
    reasoning: &[
        ("claude", &dial::THINKING_WITHIN),
        ("gpt-oss", &dial::EFFORT_WITHIN),
        ("qwen", &dial::CONFIG_WITHIN),
        ("nova-2", &dial::SWITCH_WITHIN),
    ],
    max_tokens_field: "maxTokens",
    ..OPENAI_COMPATIBLE
};
