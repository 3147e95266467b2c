//! Functions whose results a model learns: each call is a line of a fine-tuning file, and the tuned model is asked in the
//! same words.

use std::fmt;
use std::io::{self, Write};
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::client::{Client, Core};
use crate::error::{Error, ErrorKind};
use crate::message::{Message, Messages};
use crate::model::ResponseModel;
use crate::request::Request;

const SYSTEM: &str = "You stand in for the Rust function below. The message is a JSON object with its arguments; \
                      answer with the value that the function returns for them.";

/// A call of a function with `#[instructor::distil]`, said to a model. Made by the function `task` that the attribute
/// makes; it is the messages of a request.
pub struct Task<R> {
    name: &'static str,
    code: &'static str,
    arguments: Value,
    messages: Vec<Message>,
    /// An argument that can't be written as JSON.
    error: Option<String>,
    result: PhantomData<fn() -> R>,
}

impl<R> Task<R> {
    /// Called by the attribute.
    #[doc(hidden)]
    #[must_use]
    pub fn new<const N: usize>(
        name: &'static str,
        code: &'static str,
        arguments: [(&'static str, serde_json::Result<Value>); N],
    ) -> Self {
        let mut error = None;
        let mut known = Map::new();
        for (argument, value) in arguments {
            match value {
                Ok(value) => _ = known.insert(String::from(argument), value),
                Err(why) => error = Some(format!("the argument `{argument}` can't be written as JSON: {why}")),
            }
        }
        let arguments = Value::Object(known);
        let messages =
            vec![Message::system(format!("{SYSTEM}\n\n```rust\n{code}\n```")), Message::user(arguments.to_string())];
        Self { name, code, arguments, messages, error, result: PhantomData }
    }

    /// What is said: the function as instructions, its arguments as what the user says.
    #[must_use]
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    fn sound(&self) -> Result<(), Error> {
        self.error.clone().map_or(Ok(()), |error| Err(Error::config(error)))
    }
}

impl<R: ResponseModel> Task<R> {
    /// Asks a model in place of the function: one that was tuned with its [`Lessons`], or a good one as it is.
    ///
    /// # Errors
    ///
    /// As [`Request::create`]; [`ErrorKind::Config`] where an argument can't be written as JSON.
    pub async fn dispatch(&self, client: &Client) -> Result<R, Error> {
        self.sound()?;
        client.create(self).await
    }

    /// [`dispatch`](Self::dispatch) with a blocking client.
    ///
    /// # Errors
    ///
    /// As [`dispatch`](Self::dispatch).
    #[cfg(any(feature = "blocking", feature = "testing"))]
    pub fn dispatch_blocking(&self, client: &crate::blocking::Client) -> Result<R, Error> {
        self.sound()?;
        client.create(self)
    }
}

impl<'a, R> From<&'a Task<R>> for Messages<'a> {
    fn from(task: &'a Task<R>) -> Self {
        task.messages.as_slice().into()
    }
}

impl<R> fmt::Debug for Task<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A fine-tuning file while it is written: what functions with `#[instructor::distil]` were given and returned.
///
/// Made by [`Client::lessons`], in the form of that client's provider, or by [`raw`](Self::raw). May be shared by threads;
/// each line is written whole. A value that can't be written, since it is not valid or the disk is full, never disturbs the
/// function: it is counted, and [`finish`](Self::finish) tells.
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// # use serde_json::json;
/// use std::fs::File;
///
/// #[instructor::model]
/// struct Product {
///     result: i64,
/// }
///
/// /// Multiplies two numbers.
/// #[instructor::distil]
/// fn multiply(a: i64, b: i64) -> Product {
///     Product { result: a * b }
/// }
///
/// # let script = Script::new().reply(Reply::value(json!({ "result": 42 })));
/// # let client = script.client("openai/gpt-4.1-nano");
/// # script.block_on(async {
/// # let folder = std::env::temp_dir().join(format!("instructor-lessons-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// # let path = folder.join("lessons.jsonl");
/// // Teach: the function runs as ever, and each call is a line of the file.
/// let lessons = client.lessons(File::create(&path)?);
/// for a in 2..12 {
///     let product = multiply::distil(&lessons, a, 7);
///     assert_eq!(product.result, a * 7);
/// }
/// assert_eq!(lessons.finish()?, 10);
///
/// // Ask the tuned model instead: the same words, without the function's code being run.
/// let product = multiply::task(6, 7).dispatch(&client).await?;
/// assert_eq!(product.result, 42);
/// # std::fs::remove_dir_all(folder).unwrap();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub struct Lessons {
    /// The client in whose provider's form lines are written; without it they are raw.
    core: Option<Arc<Core>>,
    file: Mutex<Lines>,
}

struct Lines {
    to: Box<dyn Write + Send>,
    written: usize,
    failed: usize,
    error: Option<Error>,
}

impl Lessons {
    /// Lines that no provider has a form for, to make one's own of: the function's `name` and `code`, its `arguments`, its
    /// `result` and the `schema` of that.
    #[must_use]
    pub fn raw(to: impl Write + Send + 'static) -> Self {
        Self::new(None, to)
    }

    pub(crate) fn new(core: Option<Arc<Core>>, to: impl Write + Send + 'static) -> Self {
        let to = Box::new(to);
        Self { core, file: Mutex::new(Lines { to, written: 0, failed: 0, error: None }) }
    }

    /// Writes the line of a call. Called by the functions that `#[instructor::distil]` makes.
    pub fn record<R: ResponseModel + Serialize>(&self, task: &Task<R>, result: &R) {
        let line = self.line(task, result);
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let done = line.and_then(|line| file.write(line).map_err(|error| unwritten(&error)));
        match done {
            Ok(()) => file.written += 1,
            Err(error) => {
                file.failed += 1;
                file.error.get_or_insert(error);
            }
        }
    }

    fn line<R: ResponseModel + Serialize>(&self, task: &Task<R>, result: &R) -> Result<String, Error> {
        task.sound()?;
        if let Some(core) = &self.core {
            return Request::new(&(), core, task.into()).example(result);
        }
        let (contract, Task { name, code, arguments, .. }) = (R::contract(), task);
        let line = json!({
            "name": name, "code": code, "arguments": arguments, "result": result, "schema": contract.schema(),
        });
        Ok(line.to_string())
    }

    /// Flushes the file and tells how many lines were written.
    ///
    /// # Errors
    ///
    /// The first error of those calls that were not written, with their number.
    pub fn finish(self) -> Result<usize, Error> {
        let Lines { mut to, written, failed, error } = self.file.into_inner().unwrap_or_else(PoisonError::into_inner);
        to.flush().map_err(|error| unwritten(&error))?;
        match error {
            None => Ok(written),
            Some(first) => {
                let what = format!("{failed} of {} lessons were not written; the first: {first}", failed + written);
                Err(Error::new(first.kind(), what).with_issues(first.issues().clone()))
            }
        }
    }
}

impl Lines {
    fn write(&mut self, mut line: String) -> io::Result<()> {
        line.push('\n');
        self.to.write_all(line.as_bytes())
    }
}

impl fmt::Debug for Lessons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let provider = self.core.as_ref().map(|core| core.endpoint.profile.id());
        f.debug_struct("Lessons").field("provider", &provider).finish_non_exhaustive()
    }
}

fn unwritten(error: &io::Error) -> Error {
    Error::new(ErrorKind::Config, format!("the lessons can't be written: {error}"))
}
