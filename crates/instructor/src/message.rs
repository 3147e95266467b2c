//! What is said: messages, their parts, and a conversation of them.

use std::borrow::Cow;
use std::fmt;

use serde_json::value::RawValue;

use crate::error::Error;
use crate::media::{DetectMedia, Media};

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Instructions that hold for the whole conversation.
    System,
    /// The caller.
    User,
    /// The model.
    Assistant,
    /// The result of a tool call.
    Tool,
}

/// One turn of a conversation.
///
/// ```
/// use instructor::Message;
///
/// let messages = [Message::system("Extract people."), Message::user("Ada Lovelace, 36")];
/// assert_eq!(messages[1].text(), "Ada Lovelace, 36");
/// ```
#[derive(Clone, Debug)]
pub struct Message {
    role: Role,
    parts: Vec<Part>,
}

impl Message {
    /// A turn of any role from its parts.
    #[must_use]
    pub fn new(role: Role, parts: impl Into<Vec<Part>>) -> Self {
        Self { role, parts: parts.into() }
    }

    /// Instructions.
    #[must_use]
    pub fn system(text: impl Into<String>) -> Self {
        Self::new(Role::System, [Part::Text(text.into())])
    }

    /// What the caller says.
    #[must_use]
    pub fn user(text: impl Into<String>) -> Self {
        Self::new(Role::User, [Part::Text(text.into())])
    }

    /// What the caller says, in several texts of which some may be media, each as a whole: see [`DetectMedia`], which says which
    /// ones. No other message is searched for media.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if one is a file that can't be read.
    pub fn user_detecting<T: AsRef<str>>(
        texts: impl IntoIterator<Item = T>,
        detect: &DetectMedia,
    ) -> Result<Self, Error> {
        let part = |text: T| {
            let media = detect.media(text.as_ref())?;
            Ok(media.map_or_else(|| Part::Text(String::from(text.as_ref())), Part::from))
        };
        Ok(Self::new(Role::User, texts.into_iter().map(part).collect::<Result<Vec<_>, Error>>()?))
    }

    /// What the model said.
    #[must_use]
    pub fn assistant(text: impl Into<String>) -> Self {
        Self::new(Role::Assistant, [Part::Text(text.into())])
    }

    /// The result of the tool call with this id. Media that are added to it ([`with`](Self::with)) are part of the
    /// result; a provider that has no place for them there refuses them before anything is sent.
    #[must_use]
    pub fn tool(call_id: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(
            Role::Tool,
            [Part::ToolResult(ToolResult { call_id: call_id.into(), text: text.into(), is_error: false })],
        )
    }

    /// With one part more: a text, a [`Media`], or any other [`Part`].
    #[must_use]
    pub fn with(mut self, part: impl Into<Part>) -> Self {
        self.parts.push(part.into());
        self
    }

    /// With the mark that the prompt up to here is the same in other requests, so that the provider may keep it; see
    /// [`PromptCache`].
    ///
    /// ```
    /// # use instructor::testing::Script;
    /// use instructor::Message;
    ///
    /// # let script = Script::new();
    /// # let client = script.client("anthropic/claude-haiku-4-5");
    /// let messages = [Message::user("A long contract ..").cached(), Message::user("Is there a deadline?")];
    /// let body = client.request(&messages).preview::<bool>()?.json();
    /// assert_eq!(body["messages"][0]["content"][0]["cache_control"]["type"], "ephemeral");
    /// # Ok::<(), instructor::Error>(())
    /// ```
    #[must_use]
    pub fn cached(self) -> Self {
        self.cached_for(PromptCache::Short)
    }

    /// [`cached`](Self::cached), for a time.
    #[must_use]
    pub fn cached_for(self, time: PromptCache) -> Self {
        self.with(Part::CachePoint(time))
    }

    /// Who speaks.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// What is said.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    pub(crate) fn replace(&mut self, at: usize, with: Part) {
        if let Some(part) = self.parts.get_mut(at) {
            *part = with;
        }
    }

    /// The media that belong to the tool result at this place: what the tool says after it.
    pub(crate) fn media_of_result(&self, at: usize) -> impl Iterator<Item = &Media> {
        let after = self.parts.get(at + 1..).filter(|_| self.role == Role::Tool).unwrap_or_default();
        after.iter().take_while(|part| !matches!(part, Part::ToolResult(_))).filter_map(Part::as_media)
    }

    /// The text parts, joined by line breaks; borrowed if there is one.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        join_text(&self.parts)
    }
}

pub(crate) fn join_text(parts: &[Part]) -> Cow<'_, str> {
    let mut texts = parts.iter().filter_map(Part::as_text);
    let Some(first) = texts.next() else { return Cow::Borrowed("") };
    texts.fold(Cow::Borrowed(first), |all, text| Cow::Owned(format!("{all}\n{text}")))
}

/// One piece of a message.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Part {
    /// Text.
    Text(String),
    /// An image, document, sound or film.
    Media(Media),
    /// The model calls a tool.
    ToolCall(ToolCall),
    /// What a tool call gave.
    ToolResult(ToolResult),
    /// Something that only the protocol it came from understands, such as a signed thinking block. It is sent back
    /// as it came when the turn is sent back.
    Opaque(Opaque),
    /// The prompt up to here may be kept by the provider. Nothing is said by it.
    CachePoint(PromptCache),
}

/// How long a provider is asked to keep the beginning of a prompt, up to a mark: on a message
/// ([`Message::cached`]), inside one ([`Part::CachePoint`]), or after the schema ([`Request::cache_schema`]).
///
/// A mark changes what a request costs and nothing else:
///
/// - Anthropic and Bedrock get it as `cache_control` and `cachePoint`, four in one prompt at most (more are an error
///   before anything is sent), and so do servers of OpenAI's chat protocol that hand it on to such a model.
/// - OpenAI, Gemini, DeepSeek and most others keep prompts without being asked: a mark has no effect there, and neither
///   has it where nothing is kept. What helps there is a prompt whose beginning stays the same, which it does in
///   re-asks, and a key for similar prompts: [`Request::cache_key`].
/// - A content that is kept under a name, with Gemini, is `extra("cachedContent", name)`.
///
/// What was read and written is in [`Usage`](crate::Usage).
///
/// [`Request::cache_schema`]: crate::Request::cache_schema
/// [`Request::cache_key`]: crate::Request::cache_key
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PromptCache {
    /// As long as the provider does by default: minutes.
    #[default]
    Short,
    /// An hour, where there is a choice.
    Hour,
}

impl Part {
    /// The text, if it is a text part.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) const fn as_media(&self) -> Option<&Media> {
        match self {
            Self::Media(media) => Some(media),
            _ => None,
        }
    }
}

impl From<&str> for Part {
    fn from(text: &str) -> Self {
        Self::Text(String::from(text))
    }
}

impl From<String> for Part {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Media> for Part {
    fn from(media: Media) -> Self {
        Self::Media(media)
    }
}

/// A call of a tool by the model.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ToolCall {
    /// The provider's id of the call; empty where it gave none.
    pub id: String,
    /// The tool's name, as the model wrote it.
    pub name: String,
    /// The arguments as JSON text, as the model wrote them: they may be malformed.
    pub arguments: String,
}

impl ToolCall {
    /// A call with its id, tool name and arguments as JSON text.
    #[must_use]
    pub fn new(id: impl Into<String>, name: impl Into<String>, arguments: impl Into<String>) -> Self {
        Self { id: id.into(), name: name.into(), arguments: arguments.into() }
    }
}

/// What a tool call gave.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ToolResult {
    /// The id of the call.
    pub call_id: String,
    /// The result as text.
    pub text: String,
    /// Whether the call failed.
    pub is_error: bool,
}

impl ToolResult {
    pub(crate) fn rejected(call_id: impl Into<String>, text: impl Into<String>) -> Self {
        Self { call_id: call_id.into(), text: text.into(), is_error: true }
    }
}

/// A block of one protocol, kept word for word.
#[derive(Clone)]
pub struct Opaque {
    wire: &'static str,
    json: Box<RawValue>,
}

impl Opaque {
    pub(crate) const fn new(wire: &'static str, json: Box<RawValue>) -> Self {
        Self { wire, json }
    }

    /// Whose block it is.
    pub(crate) const fn wire(&self) -> &'static str {
        self.wire
    }

    /// The JSON text, if the block belongs to this protocol.
    pub(crate) fn for_wire(&self, wire: &str) -> Option<&RawValue> {
        (self.wire == wire).then_some(&*self.json)
    }

    /// The block's JSON text.
    #[must_use]
    pub fn as_json(&self) -> &str {
        self.json.get()
    }
}

impl fmt::Debug for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opaque").field("wire", &self.wire).field("bytes", &self.json.get().len()).finish()
    }
}

/// The messages of a request: from one string, a message, or a list, owned or borrowed. Borrowed ones are not cloned.
#[derive(Clone, Debug)]
pub struct Messages<'a>(Cow<'a, [Message]>);

impl<'a> Messages<'a> {
    /// These, after others.
    #[cfg(feature = "batch")]
    pub(crate) fn after(self, first: &[Message]) -> Self {
        if first.is_empty() {
            return self;
        }
        Self(Cow::Owned(first.iter().cloned().chain(self.into_owned()).collect()))
    }

    #[cfg(feature = "batch")]
    pub(crate) fn into_owned(self) -> Vec<Message> {
        self.0.into_owned()
    }

    /// The messages.
    #[must_use]
    pub fn as_slice(&self) -> &[Message] {
        &self.0
    }
}

impl From<&str> for Messages<'_> {
    fn from(text: &str) -> Self {
        Message::user(text).into()
    }
}

impl From<String> for Messages<'_> {
    fn from(text: String) -> Self {
        Message::user(text).into()
    }
}

impl From<&String> for Messages<'_> {
    fn from(text: &String) -> Self {
        Message::user(text.as_str()).into()
    }
}

impl From<Message> for Messages<'_> {
    fn from(message: Message) -> Self {
        Self(Cow::Owned(vec![message]))
    }
}

impl From<Vec<Message>> for Messages<'_> {
    fn from(messages: Vec<Message>) -> Self {
        Self(Cow::Owned(messages))
    }
}

impl<const N: usize> From<[Message; N]> for Messages<'_> {
    fn from(messages: [Message; N]) -> Self {
        Self(Cow::Owned(Vec::from(messages)))
    }
}

impl<'a> From<&'a [Message]> for Messages<'a> {
    fn from(messages: &'a [Message]) -> Self {
        Self(Cow::Borrowed(messages))
    }
}

impl<'a> From<&'a Vec<Message>> for Messages<'a> {
    fn from(messages: &'a Vec<Message>) -> Self {
        Self(Cow::Borrowed(messages))
    }
}

impl<'a, const N: usize> From<&'a [Message; N]> for Messages<'a> {
    fn from(messages: &'a [Message; N]) -> Self {
        Self(Cow::Borrowed(messages))
    }
}
