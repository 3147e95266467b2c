//! A moderation model as a validator: `POST /moderations`, as OpenAI has it and others after it.

use std::fmt;

use bytes::Bytes;
use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::fallback::Asks;
use crate::provider::Address;
use crate::transport::{Errand, Load, done};
use crate::validate::{CheckError, Issue};

/// Asks a moderation model what is harmful in a text, over a client's transport and with its key, for
/// [async validator functions](crate::docs::validation#async-functions).
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// # use serde_json::json;
/// use instructor::{CheckError, Context, Moderator};
///
/// #[instructor::model]
/// struct Comment {
///     #[response(validate_async = harmless)]
///     text: String,
/// }
///
/// async fn harmless(text: &str, context: &Context) -> Result<(), CheckError> {
///     match context.get::<Moderator>() {
///         Some(moderator) => moderator.check(text).await,
///         None => Ok(()),
///     }
/// }
///
/// # let harmless = json!({ "id": "modr-1", "model": "omni-moderation-latest", "results": [{
/// #     "flagged": false, "categories": { "hate": false }, "category_scores": { "hate": 0.0001 } }] });
/// # let script = Script::new().reply(Reply::value(json!({ "text": "Good morning." }))).reply(Reply::json(harmless));
/// # let client = script.client("openai/gpt-5-mini");
/// # script.block_on(async {
/// let context = Context::new().with(Moderator::new(client.clone()));
/// let comment: Comment = client.request("Greet the reader.").context(context).create().await?;
/// assert_eq!(comment.text, "Good morning.");
/// # Ok::<(), instructor::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Moderator<C = Client> {
    client: C,
    model: String,
}

/// What a [`Moderator`] says of a text.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Moderation {
    /// Whether it finds the text harmful.
    pub flagged: bool,
    /// Each kind of harm that it knows.
    pub categories: Vec<HarmCategory>,
    /// The model that answered.
    pub model: String,
}

/// How much of one kind of harm there is in a text.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct HarmCategory {
    /// Which.
    pub harm: Harm,
    /// Whether it is more than the model's maker allows.
    pub flagged: bool,
    /// From 0 to 1: how sure the model is.
    pub score: Option<f64>,
}

macro_rules! harms {
    ($($(#[$doc:meta])* $variant:ident $name:literal),* $(,)?) => {
        /// A kind of harm.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Harm {
            $($(#[$doc])* $variant,)*
            /// One that only this moderation model has.
            Other(String),
        }

        impl Harm {
            fn named(name: &str) -> Self {
                match name {
                    $($name => Self::$variant,)*
                    other => Self::Other(String::from(other)),
                }
            }

            /// Its name in the protocol, such as `self-harm/intent`.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Other(name) => name,
                }
            }
        }
    };
}

harms! {
    /// Harassment of anybody.
    Harassment "harassment",
    /// Harassment with violence or serious harm.
    HarassmentThreatening "harassment/threatening",
    /// Hate of a group for what it is.
    Hate "hate",
    /// Hate with violence or serious harm.
    HateThreatening "hate/threatening",
    /// How to do something illicit.
    Illicit "illicit",
    /// How to do something illicit with violence, or how to get a weapon.
    IllicitViolent "illicit/violent",
    /// Harm to oneself.
    SelfHarm "self-harm",
    /// The wish to harm oneself.
    SelfHarmIntent "self-harm/intent",
    /// How to harm oneself.
    SelfHarmInstructions "self-harm/instructions",
    /// What is meant to arouse.
    Sexual "sexual",
    /// Sexual content with a minor.
    SexualMinors "sexual/minors",
    /// Death, violence, injury.
    Violence "violence",
    /// The same in detail.
    ViolenceGraphic "violence/graphic",
}

impl fmt::Display for Harm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Moderation {
    /// The kinds of harm that are too much.
    pub fn flagged(&self) -> impl Iterator<Item = &Harm> {
        self.categories.iter().filter(|category| category.flagged).map(|category| &category.harm)
    }

    /// How sure the model is of a kind of harm, if it says so.
    #[must_use]
    pub fn score(&self, harm: &Harm) -> Option<f64> {
        self.categories.iter().find(|category| category.harm == *harm)?.score
    }

    fn read(body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Body {
            #[serde(default)]
            model: String,
            results: Vec<Of>,
        }
        #[derive(Deserialize)]
        struct Of {
            flagged: Option<bool>,
            categories: Map<String, Value>,
            #[serde(default)]
            category_scores: Map<String, Value>,
        }
        let Body { model, results } = serde_json::from_slice(body).ok()?;
        let Of { flagged, categories, category_scores: scores } = results.into_iter().next()?;
        // A model says null of what it does not know.
        let known = categories.iter().filter_map(|(name, flagged)| Some((name, flagged.as_bool()?)));
        let categories: Vec<HarmCategory> = known
            .map(|(name, flagged)| HarmCategory {
                harm: Harm::named(name),
                flagged,
                score: scores.get(name).and_then(Value::as_f64),
            })
            .collect();
        let flagged = flagged.unwrap_or_else(|| categories.iter().any(|category| category.flagged));
        Some(Self { flagged, categories, model })
    }
}

#[expect(private_bounds, reason = "a client of either kind, and of no other")]
impl<C: Asks> Moderator<C> {
    /// One that asks `omni-moderation-latest`.
    pub fn new(client: C) -> Self {
        Self { client, model: String::from("omni-moderation-latest") }
    }

    /// With another model.
    #[must_use]
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = model.into();
        self
    }

    /// Asks about a text; harm that is too much is an issue, which tells its kinds but not the text.
    ///
    /// # Errors
    ///
    /// [`CheckError::Rejected`] for a harmful text; [`CheckError::Failed`] if nothing could be learnt of it.
    pub async fn check(&self, text: &str) -> Result<(), CheckError> {
        let moderation = self.moderate(text).await?;
        if !moderation.flagged {
            return Ok(());
        }
        let kinds: Vec<&str> = moderation.flagged().map(Harm::as_str).collect();
        let kinds = if kinds.is_empty() { String::from("harm") } else { kinds.join(", ") };
        Err(Issue::new(format!("a text without {kinds}")).into())
    }

    /// Asks about a text.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] where the client's protocol has no moderation; else what a call may fail of. Failures of
    /// the service are tried again by the client's retry policy.
    pub async fn moderate(&self, text: &str) -> Result<Moderation, Error> {
        let core = self.client.core();
        let (transport, profile) = (self.client.over(), &core.endpoint.profile);
        let Some(path) = profile.wire().moderations() else {
            return Err(Error::unsupported(format!(
                "{} has no moderation: give the moderator another client",
                profile.id()
            )));
        };
        let url = Address::new(&core.base_url, path)?.of(&self.model)?;
        let body = Bytes::from(json!({ "model": self.model, "input": text }).to_string());
        let answer = done(&transport, core, &Errand::new(Method::POST, url, Load::Bytes(body))).await?;
        let read = Moderation::read(&answer.body);
        read.ok_or_else(|| Error::new(ErrorKind::Malformed, "no results of a moderation").with_raw(Some(answer.body)))
    }
}

impl<C> fmt::Debug for Moderator<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Moderator").field("model", &self.model).finish_non_exhaustive()
    }
}
