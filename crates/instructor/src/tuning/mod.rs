//! Fine-tuning, in the form that OpenAI has and others after it: files of lessons, and jobs that make a model of them.
//!
//! ```
//! # use instructor::testing::{Reply, Script};
//! # use serde_json::json;
//! use instructor::tuning::{Files, Tuning, Tunings};
//!
//! # let lessons = std::env::temp_dir().join(format!("instructor-lessons-{}.jsonl", std::process::id()));
//! # std::fs::write(&lessons, "{\"messages\":[]}\n").unwrap();
//! # let script = Script::new()
//! #     .reply(Reply::json(json!({ "id": "file-1", "bytes": 16, "purpose": "fine-tune", "status": "processed" })))
//! #     .reply(Reply::json(json!({ "id": "ftjob-1", "model": "gpt-5-mini", "status": "succeeded",
//! #         "fine_tuned_model": "ft:gpt-5-mini:us:tickets:1" })));
//! # let client = script.blocking_client("openai/gpt-5-mini");
//! let file = Files::new(&client)?.upload(&lessons, "fine-tune")?;
//! let tunings = Tunings::new(&client)?;
//! let job = tunings.create(&Tuning::new("gpt-5-mini", &file.id).suffix("tickets"))?;
//! // Some hours later: tunings.state(&job.id)?
//! assert_eq!(job.tuned_model.as_deref(), Some("ft:gpt-5-mini:us:tickets:1"));
//! # std::fs::remove_file(lessons).unwrap();
//! # Ok::<(), instructor::Error>(())
//! ```

mod files;
mod jobs;

use bytes::Bytes;
use http::Method;
use instructor_json::{Document, Node};
use serde_json::Value;

pub use self::files::{FileState, Files};
pub use self::jobs::{Tuning, TuningState, Tunings};
use crate::client::Core;
use crate::error::{Error, ErrorKind};
use crate::provider::{Address, Profile};
use crate::run::Answer;
use crate::transport::{Errand, Load};

/// Both kinds of client have the same methods: async ones, or such that wait.
macro_rules! both {
    ($type:ident, { $($(#[$doc:meta])* fn $name:ident($($arg:ident: $of:ty),*) -> $out:ty = $inner:ident;)* }) => {
        impl $type<'_, crate::client::Client> {
            $($(#[$doc])* pub async fn $name(&self, $($arg: $of),*) -> Result<$out, crate::error::Error> {
                self.$inner($($arg),*).await
            })*
        }

        #[cfg(any(feature = "blocking", feature = "testing"))]
        impl $type<'_, crate::blocking::Client> {
            $($(#[$doc])* pub fn $name(&self, $($arg: $of),*) -> Result<$out, crate::error::Error> {
                crate::future::block_on(self.$inner($($arg),*))
            })*
        }
    };
}
use both;

/// A call below the client's base URL.
fn errand(core: &Core, method: Method, path: &str, body: Option<Value>) -> Result<Errand, Error> {
    let url = Address::new(&core.base_url, path)?.of("")?;
    let load = body.map_or(Load::Nothing, |body| Load::Bytes(Bytes::from(body.to_string())));
    Ok(Errand::new(method, url, load))
}

fn read<T>(answer: &Answer, of: impl FnOnce(Node<'_>) -> Option<T>) -> Result<T, Error> {
    let document = std::str::from_utf8(&answer.body).ok().and_then(|text| Document::parse(text).ok());
    let read = document.as_ref().and_then(|document| of(document.root()));
    read.ok_or_else(|| {
        let why = "the provider's answer is none to this; look at raw(), and at the base URL";
        Error::new(ErrorKind::Malformed, why).with_raw(Some(answer.body.clone()))
    })
}

fn text(node: Node<'_>, name: &str) -> Option<String> {
    node.get(name)?.as_str().filter(|text| !text.is_empty()).map(std::borrow::Cow::into_owned)
}

/// The providers of whom something is known to hold.
fn those(have: impl Fn(&Profile) -> bool) -> String {
    let ids: Vec<String> = Profile::all().filter(|profile| have(profile)).map(|p| String::from(p.id())).collect();
    ids.join(", ")
}
