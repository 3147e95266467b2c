//! What no recording holds.

use std::fmt;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Uri};
use regex_lite::Regex;
use serde_json::Value;

use crate::credential::Secret;
use crate::error::Error;
use crate::provider::escaped;
use crate::schema::letters;

/// What stands for a secret.
pub(super) const MASK: &str = "***";

/// A key that is shorter is none: to mask each place where it stands would mask half of the words.
const SHORTEST: usize = 8;

/// A header with one of these in its name holds a secret.
const SECRET_HEADERS: &[&str] = &["auth", "key", "token", "secret", "cookie", "signature", "credential", "session"];

/// What headers are kept, by a part of their names: those that an answer is read with, and no others.
const KEPT_HEADERS: &[&str] = &[
    "content-type",
    "accept",
    "-version",
    "-beta",
    "retry-after",
    "ratelimit",
    "rate-limit",
    "request-id",
    "errortype",
    "cost",
];

/// Fields of JSON that hold secrets wherever they stand.
const SECRET_FIELDS: &[&str] = &[
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "clientsecret",
    "clientassertion",
    "apikey",
    "accesskeyid",
    "secretaccesskey",
    "sessiontoken",
];

/// And what does so in an address or a form.
const SECRET_PARAMETERS: &[&str] = &[
    "key",
    "token",
    "secret",
    "password",
    "sig",
    "signature",
    "assertion",
    "code",
    "xamzsignature",
    "xamzcredential",
    "xamzsecuritytoken",
];

/// What a recording leaves out beside what it always does.
///
/// Always left out are: all headers but a few that matter to who reads answers; parameters of addresses and forms, and fields
/// of JSON, that hold secrets by their names (`key`, `access_token`, `client_secret` ..); and what a request was authorised
/// with, wherever it stands: in the address, the body, the answer, in one piece or over the deltas of a stream.
///
/// ```
/// use instructor::testing::Redaction;
///
/// let rules = Redaction::new()
///     .with_field("patient_id")
///     .with_value("Jane Doe")
///     .with_pattern(r"[0-9]{3}-[0-9]{2}-[0-9]{4}")?;
/// assert!(!format!("{rules:?}").contains("Jane"));
/// # Ok::<(), instructor::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Redaction {
    fields: Vec<String>,
    headers: Vec<String>,
    values: Vec<Secret>,
    patterns: Vec<Regex>,
}

impl Redaction {
    /// What is always left out, and nothing else.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// And what stands in a field of JSON, or a parameter of an address or a form, of this name.
    #[must_use]
    pub fn with_field(mut self, name: &str) -> Self {
        self.fields.push(letters(name));
        self
    }

    /// And a text wherever it stands, at least one character long.
    #[must_use]
    pub fn with_value(mut self, text: impl Into<String>) -> Self {
        let text = text.into();
        if !text.is_empty() {
            self.values.push(Secret::new(text));
        }
        self
    }

    /// And what a variable of the environment holds, where it is set.
    #[must_use]
    pub fn with_variable(self, name: &str) -> Self {
        match std::env::var(name) {
            Ok(value) => self.with_value(value),
            Err(_) => self,
        }
    }

    /// And what a regular expression finds.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if it is none.
    pub fn with_pattern(mut self, pattern: &str) -> Result<Self, Error> {
        let pattern = Regex::new(pattern)
            .map_err(|error| Error::config(format!("the pattern {pattern:?} is no regular expression: {error}")))?;
        self.patterns.push(pattern);
        Ok(self)
    }

    /// But with a header of requests or answers that is left out else.
    #[must_use]
    pub fn with_header(mut self, name: &str) -> Self {
        self.headers.push(name.to_ascii_lowercase());
        self
    }

    /// The headers that are kept, by name.
    pub(super) fn headers(&self, headers: &HeaderMap, known: &Known) -> Vec<(String, String)> {
        let dated = headers.contains_key(http::header::RETRY_AFTER);
        let kept = |name: &str| {
            let listed = || KEPT_HEADERS.iter().any(|part| name.contains(part)) && !holds_secret(name);
            // What a date to wait for is compared with.
            self.headers.iter().any(|own| own == name) || listed() || (dated && name == "date")
        };
        let mut out: Vec<(String, String)> = headers
            .iter()
            .filter(|(name, value)| kept(name.as_str()) && !value.is_sensitive())
            .filter_map(|(name, value)| Some((name.to_string(), self.text(value.to_str().ok()?, known))))
            .collect();
        out.sort();
        out
    }

    /// An address.
    pub(super) fn url(&self, url: &str, known: &Known) -> String {
        let url = known.public(url);
        match url.split_once('?') {
            None => self.text(&url, known),
            Some((path, query)) => format!("{}?{}", self.text(path, known), self.form(query, known)),
        }
    }

    /// The parameters of an address or a form.
    pub(super) fn form(&self, form: &str, known: &Known) -> String {
        let one = |pair: &str| match pair.split_once('=') {
            Some((name, _)) if self.is_secret(name) || SECRET_PARAMETERS.contains(&&*letters(name)) => {
                format!("{name}={MASK}")
            }
            _ => self.text(pair, known),
        };
        form.split('&').map(one).collect::<Vec<_>>().join("&")
    }

    /// A text.
    pub(super) fn text(&self, text: &str, known: &Known) -> String {
        let hits = self.find(text, known);
        if hits.is_empty() { String::from(text) } else { cut(text, 0, &hits) }
    }

    /// A value, with all in it.
    pub(super) fn value(&self, value: &mut Value, known: &Known) {
        match value {
            Value::String(text) => *text = self.text(text, known),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item, known)),
            Value::Object(fields) => {
                for (name, value) in fields {
                    if value.is_string() && self.is_secret(name) {
                        *value = Value::from(MASK);
                    } else {
                        self.value(value, known);
                    }
                }
            }
            _ => {}
        }
    }

    /// Values that come one after the other, of which texts at the same place are pieces of one.
    pub(super) fn values(&self, values: &mut [Value], known: &Known) {
        let mut texts: Vec<(String, String)> = Vec::new();
        for value in values.iter_mut() {
            rewrite(value, &mut |place, piece| {
                match texts.iter_mut().find(|(known, _)| known == place) {
                    Some((_, text)) => text.push_str(piece),
                    None => texts.push((String::from(place), String::from(piece))),
                }
                None
            });
        }
        let found = texts.into_iter().map(|(place, text)| (place, self.find(&text, known), 0));
        let mut found: Vec<_> = found.filter(|(_, hits, _)| !hits.is_empty()).collect();
        if !found.is_empty() {
            for value in values.iter_mut() {
                rewrite(value, &mut |place, piece| {
                    let (_, hits, at) = found.iter_mut().find(|(known, ..)| known == place)?;
                    let start = *at;
                    *at += piece.len();
                    Some(cut(piece, start, hits))
                });
            }
        }
        values.iter_mut().for_each(|value| self.value(value, known));
    }

    fn is_secret(&self, name: &str) -> bool {
        let name = letters(name);
        SECRET_FIELDS.contains(&&*name) || self.fields.contains(&name)
    }

    /// Where in a text secrets stand, in their order.
    fn find(&self, text: &str, known: &Known) -> Vec<Range<usize>> {
        let own = self.values.iter().map(Secret::expose);
        let texts = known.secrets.iter().map(Secret::expose).chain(own);
        let literal = texts.flat_map(|secret| text.match_indices(secret).map(|(at, hit)| at..at + hit.len()));
        let patterns = self.patterns.iter().flat_map(|pattern| pattern.find_iter(text).map(|hit| hit.range()));
        let mut hits: Vec<Range<usize>> = literal.chain(patterns).filter(|hit| !hit.is_empty()).collect();
        hits.sort_by_key(|hit| hit.start);
        hits.dedup_by(|next, hit| {
            let meets = next.start < hit.end;
            hit.end = if meets { hit.end.max(next.end) } else { hit.end };
            meets
        });
        hits
    }
}

impl fmt::Debug for Redaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redaction")
            .field("fields", &self.fields)
            .field("headers", &self.headers)
            .field("values", &self.values.len())
            .field("patterns", &self.patterns.len())
            .finish()
    }
}

fn holds_secret(header: &str) -> bool {
    SECRET_HEADERS.iter().any(|part| header.contains(part)) && !header.contains("limit")
}

/// A piece of a text that begins at `start` of it, without what was found in the text.
fn cut(piece: &str, start: usize, hits: &[Range<usize>]) -> String {
    let end = start + piece.len();
    let (mut out, mut at) = (String::with_capacity(piece.len()), start);
    for hit in hits.iter().filter(|hit| hit.start < end && hit.end > start) {
        let begins = hit.start.max(start);
        out.push_str(piece.get(at - start..begins - start).unwrap_or_default());
        // The piece in which it begins stands for the whole of it.
        if hit.start >= start {
            out.push_str(MASK);
        }
        at = hit.end.min(end);
    }
    out.push_str(piece.get(at - start..).unwrap_or_default());
    out
}

/// The texts of a value, each with what tells whose piece it is: where it stands, and in which item. What is given back
/// takes its place.
fn rewrite(value: &mut Value, change: &mut impl FnMut(&str, &str) -> Option<String>) {
    let mut place = String::new();
    indexes(value, &mut place);
    walk(value, &mut place, change);
}

/// Which item an event is about: all numbers in it that are an index.
fn indexes(value: &Value, out: &mut String) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::Number(number) if letters(name).ends_with("index") => {
                        out.push_str(&format!("{name}{number}"));
                    }
                    value => indexes(value, out),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| indexes(item, out)),
        _ => {}
    }
}

fn walk(value: &mut Value, place: &mut String, each: &mut impl FnMut(&str, &str) -> Option<String>) {
    let length = place.len();
    match value {
        Value::String(text) => {
            if let Some(changed) = each(place, text) {
                *text = changed;
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                place.push_str(&format!("/{index}"));
                walk(item, place, each);
                place.truncate(length);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                place.push('/');
                place.push_str(name);
                walk(value, place, each);
                place.truncate(length);
            }
        }
        _ => {}
    }
}

/// What requests were authorised with, and where they went in truth.
#[derive(Clone, Default)]
pub(in crate::testing) struct Known {
    secrets: Vec<Secret>,
    /// The beginning of an address that is not shown, and what stands for it.
    bases: Vec<(String, String)>,
}

impl Known {
    /// Shows the addresses below a base as if they were below another.
    pub(super) fn stand_in(&mut self, base: &str, public: &str) {
        let before = |url: &str| String::from(url.split(['{', '?']).next().unwrap_or_default().trim_end_matches('/'));
        let (base, public) = (before(base), before(public));
        if !base.is_empty() && base != public {
            self.bases.push((base, public));
        }
    }

    fn public(&self, url: &str) -> String {
        let found = self.bases.iter().find_map(|(base, public)| Some((url.strip_prefix(base.as_str())?, public)));
        found.map_or_else(|| String::from(url), |(rest, public)| format!("{public}{rest}"))
    }

    /// Learns the secrets of a request.
    pub(in crate::testing) fn learn(&mut self, uri: &Uri, headers: &HeaderMap) {
        for (name, value) in headers {
            if let (true, Ok(value)) = (value.is_sensitive() || holds_secret(name.as_str()), value.to_str()) {
                self.learn_header(value);
            }
        }
        for (name, value) in uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('=')) {
            let name = letters(name);
            if SECRET_PARAMETERS.contains(&&*name) || SECRET_FIELDS.contains(&&*name) {
                self.add(value);
            }
        }
    }

    fn learn_header(&mut self, value: &str) {
        self.add(value);
        // After the word that says what it is: a key, a name with a password, or a list of named parts.
        let Some((scheme, rest)) = value.split_once(' ') else { return };
        if scheme.eq_ignore_ascii_case("basic") {
            let pair = STANDARD.decode(rest.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            if let Some((_, password)) = pair.as_deref().and_then(|pair| pair.split_once(':')) {
                self.add(password);
            }
        }
        for part in rest.split([',', ' ']) {
            match part.split_once('=') {
                Some((name, part)) if name.eq_ignore_ascii_case("credential") => {
                    self.add(part.split('/').next().unwrap_or_default());
                }
                Some((name, _)) if name.eq_ignore_ascii_case("signedheaders") => {}
                Some((name, part)) if name.eq_ignore_ascii_case("signature") => self.add(part),
                _ => self.add(part),
            }
        }
    }

    fn add(&mut self, secret: &str) {
        let secret = secret.trim();
        if secret.len() < SHORTEST {
            return;
        }
        for form in [String::from(secret), escaped(secret)] {
            if self.secrets.iter().all(|known| known.expose() != form) {
                self.secrets.push(Secret::new(form));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_address_hides_is_masked() {
        let mut known = Known::default();
        known.stand_in("https://me.openai.example/v1/{model}?v=1", "https://variable.example/v1/{model}?v=1");
        let url = |url| Redaction::new().with_field("tenant").url(url, &known);
        assert_eq!(url("https://me.openai.example/v1/m/chat?v=1"), "https://variable.example/v1/m/chat?v=1");
        assert_eq!(url("https://a.example/x?key=abc&v=1&Tenant=7"), "https://a.example/x?key=***&v=1&Tenant=***");
    }

    #[test]
    fn authorisation_is_learnt_in_all_its_forms() {
        let secrets = |name: &'static str, value: &'static str| {
            let mut known = Known::default();
            let headers = [(http::HeaderName::from_static(name), http::HeaderValue::from_static(value))];
            known.learn(&Uri::from_static("https://a.example/?api-key=of-the-query"), &HeaderMap::from_iter(headers));
            known.secrets.iter().map(|secret| String::from(secret.expose())).collect::<Vec<_>>()
        };
        let has = |secrets: Vec<String>, one: &str| assert!(secrets.iter().any(|secret| secret == one), "{secrets:?}");
        has(secrets("authorization", "Bearer abc/def+ghi"), "abc/def+ghi");
        has(secrets("authorization", "Bearer abc/def+ghi"), "abc%2Fdef%2Bghi");
        has(secrets("authorization", "Basic bWU6b3Blbi1zZXNhbWU="), "open-sesame");
        has(secrets("x-api-key", "0123456789"), "0123456789");
        has(secrets("accept", "application/json"), "of-the-query");
        let signed = "AWS4-HMAC-SHA256 Credential=AKIA0123/2026/eu/x/aws4_request, SignedHeaders=host;x-amz-date, Signature=0a1b2c3d";
        has(secrets("authorization", signed), "AKIA0123");
        has(secrets("authorization", signed), "0a1b2c3d");
        // What would mask half of the words is none.
        assert!(!secrets("authorization", "Bearer short").contains(&String::from("short")));
        assert!(!secrets("accept", "application/json").contains(&String::from("application/json")));
    }

    #[test]
    fn pieces_of_two_texts_are_kept_apart() {
        let mut known = Known::default();
        known.add("secret-one");
        let event = |index: usize, text: &str| serde_json::json!({ "index": index, "delta": { "text": text } });
        let mut events = [event(0, "a secr"), event(1, "b "), event(0, "et-o"), event(1, "c"), event(0, "ne d")];
        Redaction::new().values(&mut events, &known);
        assert_eq!(events, [event(0, "a ***"), event(1, "b "), event(0, ""), event(1, "c"), event(0, " d")]);
    }
}
