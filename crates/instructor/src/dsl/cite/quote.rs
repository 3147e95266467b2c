//! Words that are said to stand in a text.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::source::{QuoteMatch, Sought, Source};
use crate::model::ResponseModel;
use crate::repair::short;
use crate::stream::Partial;
use crate::validate::{CheckError, Checks, Context, Issue, Issues};

/// Words from the [`Source`] in the [`Context`], which the model copied: looked for there when the answer is validated.
///
/// One that isn't there is an issue, so that the model is asked again, unless the source says
/// [otherwise](crate::MissingQuotes). A request for quotes without a source ends with
/// [`ErrorKind::Unchecked`](crate::ErrorKind::Unchecked).
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// # use serde_json::json;
/// use instructor::{Context, Quote, Source};
///
/// #[instructor::model]
/// struct Fact {
///     claim: String,
///     quotes: Vec<Quote>,
/// }
///
/// # let script = Script::new().reply(Reply::value(json!({ "claim": "He moved in 2019.", "quotes": ["moved to Berlin in 2019"] })));
/// # let client = script.client("openai/gpt-5-mini");
/// # script.block_on(async {
/// let source = Source::new("Jason moved to Berlin in 2019, and works there.");
/// let ask = client.request(source.text()).context(Context::new().with(source.clone()));
/// let fact: Fact = ask.create().await?;
/// assert_eq!(fact.quotes[0].span(), Some(6..29));
/// # Ok::<(), instructor::Error>(())
/// # }).unwrap();
/// ```
///
/// Serialized it is what stands in the source, or what the model wrote where that is not known.
#[derive(Clone, Debug)]
pub struct Quote {
    text: String,
    sought: OnceLock<(Source, Place)>,
}

/// Where words are, or the nearest that there is.
type Place = Result<QuoteMatch, Option<Range<usize>>>;

impl Quote {
    /// Words, not looked for yet.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), sought: OnceLock::new() }
    }

    /// What the model wrote.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where it stands in the source, if it does and was looked for.
    #[must_use]
    pub fn found(&self) -> Option<&QuoteMatch> {
        self.sought.get()?.1.as_ref().ok()
    }

    /// The bytes of the source that it is: the first place, if there are [several](QuoteMatch::spans).
    #[must_use]
    pub fn span(&self) -> Option<Range<usize>> {
        self.found().map(QuoteMatch::span)
    }

    /// What stands in the source.
    #[must_use]
    pub fn source_text(&self) -> Option<&str> {
        let (source, found) = self.sought.get()?;
        source.text().get(found.as_ref().ok()?.span())
    }

    /// Whether it was looked for and isn't there.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.sought.get().is_some_and(|(_, found)| found.is_err())
    }

    /// What is wrong with it.
    fn against(&self, source: &Source) -> Option<Issue> {
        let (before, found) = self.sought.get_or_init(|| (source.clone(), seek(source, &self.text)));
        let again = (!before.is(source)).then(|| seek(source, &self.text));
        let nearest = again.as_ref().unwrap_or(found).as_ref().err().filter(|_| !source.drops())?;
        let wanted = match nearest {
            Some(_) => "words of the source with their numbers as they stand there",
            None => "words that stand in the source, copied word for word",
        };
        let nearest = nearest.clone().and_then(|span| source.text().get(span));
        let issue = Issue::new(wanted).got(format!("{:?}", short(&self.text)));
        Some(nearest.into_iter().fold(issue, |issue, words| issue.nearest(format!("{words:?}"))))
    }
}

fn seek(source: &Source, text: &str) -> Place {
    match source.seek(text) {
        Sought::Found(found) => Ok(found),
        Sought::OtherDigits(nearest) => Err(Some(nearest)),
        Sought::Nowhere => Err(None),
    }
}

/// By what the model wrote.
impl PartialEq for Quote {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Quote {}

impl Serialize for Quote {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.source_text().unwrap_or(&self.text))
    }
}

impl<'de> Deserialize<'de> for Quote {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl JsonSchema for Quote {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Quote".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "Words of the source, copied exactly, without gaps",
            "minLength": 1,
        })
    }
}

impl ResponseModel for Quote {
    fn validate(&self, context: &Context, issues: &mut Issues) {
        issues.extend(context.get().and_then(|source| self.against(source)));
    }

    fn validate_async<'v>(&'v self, checks: &mut Checks<'v>) {
        if checks.context().get::<Source>().is_none() {
            let why = "no source to hold quotes against: add .context(Context::new().with(Source::new(text)))";
            checks.add(|_| async move { Err::<(), _>(CheckError::failed(why)) });
        }
    }
}

impl Partial for Quote {
    type Partial = String;
}
