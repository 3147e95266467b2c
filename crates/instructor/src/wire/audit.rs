//! What the library sees in an answer that is already there: for logs, and for those who ask themselves what it saw.

use std::time::Duration;

use http::HeaderMap;

use super::{Failure, Response, Undecoded, read_failure, read_response};
use crate::error::{Error, ErrorKind};
use crate::provider::Profile;

impl Profile {
    /// Reads a raw answer of the provider: one body or a whole event stream, with its HTTP status.
    ///
    /// ```
    /// use instructor::{Finish, Profile};
    ///
    /// let profile = Profile::named("openai").ok_or("not in the table")?;
    /// let body = br#"{"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 3}}"#;
    /// let response = profile.decode(200, body)?;
    /// assert_eq!(response.text(), "hi");
    /// assert_eq!((response.finish, response.usage.input), (Some(Finish::Stop), Some(3)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Of the kind that the engine would see: an error status, an error in a body with a success status, or a body that
    /// is not the provider's protocol ([`ErrorKind::Malformed`]).
    pub fn decode(&self, status: u16, body: &[u8]) -> Result<Response, Error> {
        if !(200..300).contains(&status) {
            return Err(failed(read_failure(status, &HeaderMap::new(), body, Duration::ZERO)));
        }
        match read_response(body, self) {
            Ok(response) => Ok(response),
            Err(Undecoded::Failure(failure)) => Err(failed(failure)),
            Err(Undecoded::Unreadable(why)) => Err(Error::new(ErrorKind::Malformed, why).with_status(Some(status))),
            Err(Undecoded::Cut) => Err(Error::new(ErrorKind::Truncated, super::CUT).with_status(Some(status))),
        }
    }
}

fn failed(failure: Failure) -> Error {
    Error::new(failure.kind, failure.describe()).with_status(failure.status).with_retry_after(failure.retry_after)
}
