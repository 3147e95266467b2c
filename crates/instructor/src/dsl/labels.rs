//! Labels that are known at run time only.

use serde_json::{Value, json};

use crate::error::Error;
use crate::model::Contract;

/// A closed list of labels for classification, where they are known at run time only: from a database, a file, a user.
///
/// It makes contracts for [`create_value`](crate::Request::create_value), whose answers are these labels and nothing else.
/// Where the labels are known when the program is written, an enum is the type for one of them, and a `BTreeSet` of it for
/// several; see the guide on [response types](crate::docs::response_types#classification).
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// use instructor::Labels;
///
/// # let script = Script::new()
/// #     .reply(Reply::value("bug"))
/// #     .reply(Reply::value(serde_json::json!(["bug", "billing"])));
/// # let client = script.client("openai/gpt-5-mini");
/// # script.block_on(async {
/// let labels = Labels::new([("bug", "Something does not work"), ("billing", "Invoices and payments")])?;
///
/// let (label, _) = client.request("It crashes.").create_value(&labels.one()?).await?;
/// assert_eq!(label, "bug");
///
/// let (labels, _) = client.request("It crashes, and bills me.").create_value(&labels.many()?).await?;
/// assert_eq!(labels, serde_json::json!(["bug", "billing"]));
/// # Ok::<(), instructor::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels(Vec<Label>);

/// A label with what it is for: from its name, or from both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    name: String,
    about: Option<String>,
}

impl From<&str> for Label {
    fn from(name: &str) -> Self {
        Self { name: String::from(name), about: None }
    }
}

impl From<String> for Label {
    fn from(name: String) -> Self {
        Self { name, about: None }
    }
}

impl<N: Into<String>, A: Into<String>> From<(N, A)> for Label {
    fn from((name, about): (N, A)) -> Self {
        Self { name: name.into(), about: Some(about.into()) }
    }
}

impl Labels {
    /// A list of labels.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if there is none, or one is there twice.
    pub fn new<L: Into<Label>>(labels: impl IntoIterator<Item = L>) -> Result<Self, Error> {
        let mut known: Vec<Label> = Vec::new();
        for label in labels.into_iter().map(Into::into) {
            if known.iter().any(|other| other.name == label.name) {
                return Err(Error::config(format!("the label {:?} is there twice: remove one", label.name)));
            }
            known.push(label);
        }
        if known.is_empty() {
            return Err(Error::config("there are no labels to choose from: give at least one"));
        }
        Ok(Self(known))
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|label| &*label.name)
    }

    /// The contract of exactly one of them: a string.
    ///
    /// # Errors
    ///
    /// As [`Contract::from_schema`].
    pub fn one(&self) -> Result<Contract, Error> {
        let mut schema = self.schema();
        if let Some(schema) = schema.as_object_mut() {
            schema.insert(String::from("title"), "Label".into());
            schema.insert(String::from("description"), "The one label that fits best".into());
        }
        Contract::from_schema(schema)
    }

    /// The contract of those that apply, each once: a list of strings, which may be empty.
    ///
    /// # Errors
    ///
    /// As [`Contract::from_schema`].
    pub fn many(&self) -> Result<Contract, Error> {
        Contract::from_schema(json!({
            "title": "Labels",
            "description": "All labels that apply, each once; none if none does",
            "type": "array",
            "items": self.schema(),
            "uniqueItems": true,
        }))
    }

    fn schema(&self) -> Value {
        if self.0.iter().all(|label| label.about.is_none()) {
            return json!({ "type": "string", "enum": self.names().collect::<Vec<_>>() });
        }
        let each = self.0.iter().map(|label| match &label.about {
            Some(about) => json!({ "type": "string", "const": label.name, "description": about }),
            None => json!({ "type": "string", "const": label.name }),
        });
        json!({ "oneOf": each.collect::<Vec<_>>() })
    }
}
