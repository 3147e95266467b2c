use std::fmt;

use http::Method;
use instructor_json::Node;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{both, errand, read, text, those};
use crate::client::Client;
use crate::error::Error;
use crate::fallback::Asks;
use crate::provider::{Profile, escaped};
use crate::transport::done;

/// The fine-tuning jobs of a client's provider.
pub struct Tunings<'c, C = Client> {
    client: &'c C,
}

/// A fine-tuning job that is to be made: a model, and a file of lessons. What is not said is the provider's choice.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Tuning {
    body: Map<String, Value>,
    hyperparameters: Map<String, Value>,
}

impl Tuning {
    /// Of a model, by a file that was uploaded for it.
    pub fn new(model: impl Into<String>, training_file: impl Into<String>) -> Self {
        let body = [("model", model.into()), ("training_file", training_file.into())];
        let body = body.into_iter().map(|(name, value)| (String::from(name), Value::from(value))).collect();
        Self { body, hyperparameters: Map::new() }
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.body.insert(String::from(name), value.into());
        self
    }

    fn tuned(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.hyperparameters.insert(String::from(name), value.into());
        self
    }

    /// With a file that it is measured by.
    pub fn validation_file(self, file: impl Into<String>) -> Self {
        self.with("validation_file", file.into())
    }

    /// With a text in the name of the model that comes of it.
    pub fn suffix(self, suffix: impl Into<String>) -> Self {
        self.with("suffix", suffix.into())
    }

    /// With so many passes over the lessons.
    pub fn epochs(self, epochs: u32) -> Self {
        self.tuned("n_epochs", epochs)
    }

    /// With so many lessons in one step.
    pub fn batch_size(self, size: u32) -> Self {
        self.tuned("batch_size", size)
    }

    /// With so much learnt in one step, as a factor of what the provider would choose.
    pub fn learning_rate_multiplier(self, factor: f64) -> Self {
        self.tuned("learning_rate_multiplier", factor)
    }

    /// With any other field of the provider's.
    pub fn extra(self, field: &str, value: impl Into<Value>) -> Self {
        self.with(field, value)
    }

    fn body(&self) -> Value {
        let mut body = self.body.clone();
        if !self.hyperparameters.is_empty() {
            let method = json!({ "type": "supervised", "supervised": { "hyperparameters": self.hyperparameters } });
            body.entry("method").or_insert(method);
        }
        Value::Object(body)
    }
}

/// What a provider says of a fine-tuning job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TuningState {
    /// The provider's id of it.
    pub id: String,
    /// The model that it is made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// How far it is, in the provider's word.
    pub status: String,
    /// The model that came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tuned_model: Option<String>,
    /// How many tokens it learnt from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trained_tokens: Option<u64>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl TuningState {
    fn read(node: Node<'_>) -> Option<Self> {
        Some(Self {
            id: text(node, "id")?,
            model: text(node, "model"),
            status: text(node, "status")?,
            tuned_model: text(node, "fine_tuned_model"),
            trained_tokens: node.get("trained_tokens").and_then(Node::as_u64),
            error: node.get("error").and_then(|error| text(error, "message")),
        })
    }

    /// Whether nothing more will come of it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.status.as_str(), "succeeded" | "failed" | "cancelled")
    }
}

#[expect(private_bounds, reason = "a client of either kind, and of no other")]
impl<'c, C: Asks> Tunings<'c, C> {
    /// Those of a client's provider.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) where it has none in this form, with the providers that have.
    pub fn new(client: &'c C) -> Result<Self, Error> {
        let profile = &client.core().endpoint.profile;
        if profile.tunes() {
            return Ok(Self { client });
        }
        let why = format!("{} has no fine-tuning in this form; {} have", profile.id(), those(Profile::tunes));
        Err(Error::unsupported(format!("{why}; for a gateway that has it add Profile::with_batches()")))
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        again: bool,
    ) -> Result<crate::run::Answer, Error> {
        let core = self.client.core();
        let mut errand = errand(core, method, &format!("/fine_tuning/jobs{path}"), body)?;
        errand.again = again;
        done(&self.client.over(), core, &errand).await
    }

    async fn make(&self, tuning: &Tuning) -> Result<TuningState, Error> {
        // Two jobs would be paid twice.
        read(&self.call(Method::POST, "", Some(tuning.body()), false).await?, TuningState::read)
    }

    async fn state_of(&self, id: &str) -> Result<TuningState, Error> {
        read(&self.call(Method::GET, &format!("/{}", escaped(id)), None, true).await?, TuningState::read)
    }

    async fn stop(&self, id: &str) -> Result<TuningState, Error> {
        let path = format!("/{}/cancel", escaped(id));
        read(&self.call(Method::POST, &path, Some(json!({})), true).await?, TuningState::read)
    }

    async fn all(&self, limit: u32) -> Result<Vec<TuningState>, Error> {
        let answer = self.call(Method::GET, &format!("?limit={limit}"), None, true).await?;
        read(&answer, |root| Some(root.get("data")?.items().filter_map(TuningState::read).collect()))
    }
}

both!(Tunings, {
    /// Begins a job. It is not sent again after a failure that may have begun it.
    ///
    /// # Errors
    ///
    /// What the provider says.
    fn create(tuning: &Tuning) -> TuningState = make;

    /// What the provider says of a job.
    ///
    /// # Errors
    ///
    /// What the provider says.
    fn state(id: &str) -> TuningState = state_of;

    /// Cancels a job.
    ///
    /// # Errors
    ///
    /// What the provider says.
    fn cancel(id: &str) -> TuningState = stop;

    /// The last jobs, so many at most.
    ///
    /// # Errors
    ///
    /// What the provider says.
    fn list(limit: u32) -> Vec<TuningState> = all;
});

impl<C> fmt::Debug for Tunings<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tunings").finish_non_exhaustive()
    }
}
