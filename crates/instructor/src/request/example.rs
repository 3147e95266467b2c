//! A request together with the answer that is wanted: a line of a file that models are tuned with.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Request;
use crate::error::{Error, ErrorKind};
use crate::message::{Message, Part, Role, ToolCall};
use crate::mode::Mode;
use crate::model::{Contract, ResponseModel};
use crate::repair::Level;
use crate::validate::Issues;
use crate::wire::Tuning;

impl<C> Request<'_, C> {
    /// The line of a fine-tuning file in which the model answers this request with this value: JSON, without a line break.
    ///
    /// It is what [`create`](Request::create) would send, as the provider wants it in such a file, followed by the turn
    /// in which the model gives the value in the same [`Mode`]. A model that is tuned with such lines is asked by the same
    /// client with another [`model`](Self::model).
    ///
    /// | protocol | form | modes |
    /// |---|---|---|
    /// | OpenAI's chat completions, and all who speak it | `messages`, `tools` | all |
    /// | Gemini and Vertex AI | `systemInstruction`, `contents`, `tools` | all |
    /// | Anthropic | `system`, `messages`, all of it texts | [`Json`](Mode::Json), [`MdJson`](Mode::MdJson) |
    /// | Bedrock | `schemaVersion`, `system`, `messages` | [`Json`](Mode::Json), [`MdJson`](Mode::MdJson) |
    ///
    /// ```
    /// # let script = instructor::testing::Script::new();
    /// # let client = script.client("openai/gpt-4.1-nano");
    /// #[instructor::model]
    /// struct User {
    ///     name: String,
    /// }
    ///
    /// let ada = User { name: "Ada".into() };
    /// let line = client.request("Ada was here").mode(instructor::Mode::Tools).example(&ada)?;
    /// assert!(line.starts_with(r#"{"messages":[{"role":"user","content":"Ada was here"},{"role":"assistant""#));
    /// # Ok::<(), instructor::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`preview`](Self::preview); [`ErrorKind::Unsupported`] where the protocol has no such file, or its form has no
    /// place for calls and the mode makes some; [`ErrorKind::SchemaMismatch`] or [`ErrorKind::Rejected`] with all issues
    /// if the value is not valid itself. Async validator functions are not run.
    pub fn example<T: ResponseModel + Serialize>(self, value: &T) -> Result<String, Error> {
        let json = serde_json::to_string(value)
            .map_err(|error| Error::config(format!("the value can't be written as JSON: {error}")))?;
        let mut issues = Issues::new();
        value.validate(&self.context, &mut issues);
        if !issues.is_empty() {
            return Err(
                Error::new(ErrorKind::Rejected, "the value does not pass its own validators").with_issues(issues)
            );
        }
        self.example_value(&T::contract(), &json)
    }

    /// [`example`](Self::example) for a run-time contract and a value as JSON text.
    ///
    /// # Errors
    ///
    /// As [`example`](Self::example).
    pub fn example_value(mut self, contract: &Contract, json: &str) -> Result<String, Error> {
        self.take_error()?;
        let json = contract.read(json, Level::Strict)?.json;
        let job = self.job(self.core, &self.options, contract, false)?;
        let profile = &job.endpoint.profile;
        let Some(form) = profile.wire().tuning() else {
            let name = profile.wire().name();
            return Err(Error::unsupported(format!(
                "the protocol {name} has no files for fine-tuning: use a client of OpenAI's chat completions, Gemini, \
                 Anthropic or Bedrock to write them",
            )));
        };
        let mode = job.plan.mode;
        if job.plan.has_calls() || job.plan.drafts() {
            return Err(Error::unsupported(format!("mode {mode} is not one answer: name another for the example")));
        }
        let said = job.plan.said(&json);
        let call = mode == Mode::Tools;
        if call && !form.tools {
            return Err(Error::unsupported(format!(
                "fine-tuning files of {} have no calls: build the client with mode(Mode::MdJson), and ask the tuned \
                 model in that mode too",
                profile.id(),
            )));
        }
        let turn = if call {
            Message::new(Role::Assistant, [Part::ToolCall(ToolCall::new("call_1", contract.tool_name(), said))])
        } else if mode == Mode::MdJson {
            Message::assistant(format!("```json\n{said}\n```"))
        } else {
            Message::assistant(said)
        };
        let request = job.encode(&job.plan, job.messages, &[turn], false, None)?;
        line(form, request.body())
    }
}

/// The part of a request's body that belongs into such a file.
fn line(form: &Tuning, body: &[u8]) -> Result<String, Error> {
    let unreadable = |error| Error::config(format!("the request is no JSON object: {error}"));
    let mut line = Map::new();
    line.extend(form.fixed.iter().map(|(key, value)| (String::from(*key), json!(value))));
    let mut body: Map<String, Value> = serde_json::from_slice(body).map_err(unreadable)?;
    for &key in form.keys {
        let Some(mut value) = body.shift_remove(key) else { continue };
        if form.flat {
            flatten(&mut value)?;
        }
        line.insert(String::from(key), value);
    }
    serde_json::to_string(&line).map_err(unreadable)
}

/// Contents as texts where they are lists of parts.
fn flatten(value: &mut Value) -> Result<(), Error> {
    match value {
        Value::Array(items) if items.iter().all(|item| item.get("role").is_some()) => {
            items.iter_mut().filter_map(|turn| turn.get_mut("content")).try_for_each(flatten)
        }
        Value::Array(parts) => {
            let texts: Option<Vec<&str>> = parts.iter().map(|part| part.get("text")?.as_str()).collect();
            let texts = texts.ok_or_else(|| {
                Error::unsupported("fine-tuning files of this protocol have texts alone: leave media out of examples")
            })?;
            *value = Value::String(texts.join("\n\n"));
            Ok(())
        }
        _ => Ok(()),
    }
}
