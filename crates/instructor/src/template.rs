//! Messages with places for values in them.

use std::fmt;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value, ValueKind};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;

use crate::error::Error;
use crate::message::{Message, Messages, Part, Role};

/// Messages with places for values, in the language of [Jinja]: `{{ name }}`, `{% if .. %}`, `{% for .. %}`, filters.
///
/// It makes messages and knows nothing of requests: what [`render`](Self::render) gives goes wherever messages go, to every
/// provider, system text included. Schemas, answers and re-asks are never templates, and neither are assistant's and
/// tools' turns among the messages: those are said already. Parsed once and cheap to clone.
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// use instructor::{Message, Template};
/// use serde_json::json;
///
/// let template = Template::new([
///     Message::system("You extract people from {{ language }} texts."),
///     Message::user("{{ text }}"),
/// ])?;
///
/// # let script = Script::new().reply(Reply::value(json!(["Ada"])));
/// # let client = script.blocking_client("anthropic/claude-haiku-4-5");
/// let messages = template.render(json!({ "language": "French", "text": "Ada est là." }))?;
/// let names: Vec<String> = client.create(messages)?;
/// # assert!(script.sent()[0].json().to_string().contains("from French texts"));
/// # Ok::<(), instructor::Error>(())
/// ```
///
/// A variable that is not there is an error, which names it and its line. Values are data: `{{` in one is not looked at
/// again, and nothing is escaped. See the guide on [templating](crate::docs::templating).
///
/// [Jinja]: https://docs.rs/minijinja/latest/minijinja/syntax/index.html
#[derive(Clone)]
pub struct Template(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    messages: Vec<Message>,
    environment: Environment<'static>,
    /// Of each text that is a template: its message, its part, and how many lines were above it.
    places: Vec<Place>,
}

#[derive(Clone, Copy)]
struct Place {
    message: usize,
    part: usize,
    above: usize,
}

impl Place {
    /// What the engine calls its text.
    fn name(&self) -> String {
        format!("{} {}", self.message, self.part)
    }
}

impl Template {
    /// How much a template may do in one rendering, unless told: loops over some ten thousand values.
    const FUEL: u64 = 1_000_000;

    /// The texts of the system's and the user's messages are templates; indentation that all lines of a text share is
    /// left out, and so are line breaks around it and around blocks.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if one is no template: with its message and line.
    pub fn new<'m>(messages: impl Into<Messages<'m>>) -> Result<Self, Error> {
        let messages = messages.into().as_slice().to_vec();
        let mut environment = environment();
        let mut places = Vec::new();
        for (message, turn) in messages.iter().enumerate().filter(|(_, turn)| is_written(turn.role())) {
            for (part, text) in turn.parts().iter().enumerate().filter_map(|(at, part)| Some((at, part.as_text()?))) {
                let (text, above) = dedent(text);
                let place = Place { message, part, above };
                let added = environment.add_template_owned(place.name(), text);
                added.map_err(|error| place.failed(&error, None))?;
                places.push(place);
            }
        }
        Ok(Self(Arc::new(Inner { messages, environment, places })))
    }

    /// With another limit of what a rendering may do, in steps of the engine: a lower one for templates of strangers.
    /// 1,000,000 unless told.
    #[must_use]
    pub fn with_fuel(mut self, steps: u64) -> Self {
        Arc::make_mut(&mut self.0).environment.set_fuel(Some(steps));
        self
    }

    /// The messages with these values in their places: a struct, a map, or `json!({..})`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if a variable is not among them, or a template does with one what
    /// can't be done, or takes too long: with the message, the line and what is known there. It shows names and no values.
    pub fn render(&self, variables: impl Serialize) -> Result<Vec<Message>, Error> {
        let Inner { messages, environment, places } = &*self.0;
        let variables = Value::from(Serde(variables));
        if !matches!(variables.kind(), ValueKind::Map | ValueKind::None) {
            let what = variables.kind();
            return Err(Error::config(format!("the variables of a template are a map or a struct; this is a {what}")));
        }
        let mut messages = messages.clone();
        for place in places {
            let text = environment.get_template(&place.name()).and_then(|template| template.render(variables.clone()));
            let text = text.map_err(|error| place.failed(&error, Some(&variables)))?;
            if let Some(message) = messages.get_mut(place.message) {
                message.replace(place.part, Part::Text(text));
            }
        }
        Ok(messages)
    }
}

/// Whether a turn is one that the caller writes, and not one that was said.
const fn is_written(role: Role) -> bool {
    matches!(role, Role::System | Role::User)
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").field("messages", &self.0.messages.len()).finish_non_exhaustive()
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_fuel(Some(Template::FUEL));
    // Without it errors name no variable.
    environment.set_debug(true);
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        environment.set_syntax(syntax);
    }
    environment.add_filter("tojson", tojson);
    environment.add_filter("fence", |text: String, language: Option<String>| fence(&text, language.as_deref()));
    environment.add_filter("xml", |text: String| xml(&text));
    environment
}

/// As JSON, keys in their order.
fn tojson(value: &Value) -> Result<String, minijinja::Error> {
    serde_json::to_string(value)
        .map_err(|error| minijinja::Error::new(minijinja::ErrorKind::BadSerialization, error.to_string()))
}

/// In a fence that the text can't close.
fn fence(text: &str, language: Option<&str>) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let marks = "`".repeat((longest + 1).max(3));
    let end = if text.ends_with('\n') { "" } else { "\n" };
    format!("{marks}{}\n{text}{end}{marks}", language.unwrap_or_default())
}

/// As text inside an element, which it can't close.
fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

impl Place {
    /// What is wrong, and where. Names of variables are the template's and the program's; their values are not shown.
    fn failed(self, error: &minijinja::Error, variables: Option<&Value>) -> Error {
        use minijinja::ErrorKind::{OutOfFuel, UndefinedError};

        let line = error.line().map_or_else(String::new, |line| format!(", line {}", line + self.above));
        let what = error.detail().map_or_else(|| error.kind().to_string(), String::from);
        let hint = match (error.kind(), variables) {
            (UndefinedError, Some(variables)) => {
                let name = what.split('`').nth(1).unwrap_or_default();
                format!(
                    "; {}. What may be missing has a default: {{{{ {name} | default(\"\") }}}}",
                    known(name, variables)
                )
            }
            (OutOfFuel, _) => String::from("; with_fuel(..) lets it do more"),
            _ => String::new(),
        };
        Error::config(format!("the template of message {}{line}: {what}{hint}", self.message + 1))
    }
}

/// What there is beside a name that is not there.
fn known(name: &str, variables: &Value) -> String {
    const SHOWN: usize = 12;

    let mut place = (String::from("the variables have"), variables.clone());
    for step in name.split('.') {
        match place.1.get_attr(step) {
            Ok(inner) if !inner.is_undefined() => place = (format!("`{step}` has"), inner),
            _ => break,
        }
    }
    let keys: Vec<String> = match place.1.try_iter() {
        Ok(keys) if place.1.kind() == ValueKind::Map => keys.map(|key| key.to_string()).collect(),
        _ => Vec::new(),
    };
    if keys.is_empty() {
        return format!("{} nothing", place.0);
    }
    let more = if keys.len() > SHOWN { ", .." } else { "" };
    let keys: Vec<String> = keys.into_iter().take(SHOWN).collect();
    format!("{} {}{more}", place.0, keys.join(", "))
}

/// A text without the indentation that its lines share, and without empty first and last lines; and how many lines went
/// at its beginning.
fn dedent(text: &str) -> (String, usize) {
    let mut lines: Vec<&str> = text.split('\n').collect();
    let blank = |line: &&str| line.trim().is_empty();
    let mut above = 0;
    if lines.len() > 1 && lines.first().is_some_and(blank) {
        lines.remove(0);
        above = 1;
    }
    if lines.len() > 1 && lines.last().is_some_and(blank) {
        lines.pop();
    }
    let indent = |line: &&'_ str| line.len() - line.trim_start().len();
    let indents = lines.iter().filter(|line| !blank(line)).map(|line| line.get(..indent(line)).unwrap_or_default());
    let shared = indents.reduce(|one, other| {
        let same = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
        one.get(..same).unwrap_or_default()
    });
    let shared = shared.unwrap_or_default();
    let lines: Vec<&str> =
        lines.into_iter().map(|line| line.strip_prefix(shared).unwrap_or_else(|| line.trim_start())).collect();
    (lines.join("\n"), above)
}
