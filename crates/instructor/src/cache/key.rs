//! What makes two requests the same.

use std::fmt;

use bytes::Bytes;
use hmac_sha256::Hash;
use http::{Request, Uri, header};
use instructor_json::{Document, Kind, Node};

use super::{Caches, Uncached};
use crate::model::Contract;
use crate::repair::ParseOptions;
use crate::run::{Endpoint, Job};

/// The version of what is said in a key and kept in an entry. It is raised with every change of how requests are
/// canonicalised, answers read, or entries written, that makes older entries wrong; they are not found any more then.
pub(super) const FORM: u32 = 1;

/// What a stored answer is found by: a hash of all that makes two requests the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CacheKey([u8; 32]);

impl CacheKey {
    /// A key of your own, for tests of a store.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// In hexadecimal digits.
impl fmt::Display for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CacheKey({self})")
    }
}

/// What is asked, as far as a key depends on it.
pub(crate) struct Asked<'r> {
    /// The request as it would go out first, its answer not streamed.
    pub(crate) request: &'r Request<Bytes>,
    pub(crate) job: &'r Job<'r>,
    pub(crate) contract: &'r Contract,
    pub(crate) reading: ParseOptions,
}

/// The key of a request, or why it has none.
pub(crate) fn key(asked: &Asked<'_>, caches: &Caches) -> Result<CacheKey, Uncached> {
    let Asked { request, job, contract, reading } = asked;
    if contract.has_secrets() {
        return Err(Uncached::Secret);
    }
    if !job.wanted.is_empty() {
        return Err(Uncached::FetchedMedia);
    }
    let mut said = Said(Hash::new());
    said.part("form", FORM.to_string().as_bytes());
    said.part("scope", &scope(caches, job.endpoint).ok_or(Uncached::Anonymous)?);
    said.part("address", address(request.uri()).as_bytes());
    let mut headers: Vec<_> = request.headers().iter().filter(|(_, value)| !value.is_sensitive()).collect();
    headers.retain(|(name, _)| ![header::CONTENT_LENGTH, header::USER_AGENT].contains(name));
    headers.sort_by_key(|(name, _)| name.as_str());
    for (name, value) in headers {
        said.part(name.as_str(), value.as_bytes());
    }
    said.body(request.body());
    said.part("contract", contract.digest());
    said.part("mode", job.plan.mode.as_str().as_bytes());
    said.part("reading", format!("{reading:?}").as_bytes());
    if let Some(shaping) = &job.shaping {
        said.part("shaping", format!("{} {}", shaping.plan.mode, shaping.model).as_bytes());
    }
    Ok(CacheKey(said.0.finalize()))
}

/// Whose answers they are: of the namespace; else of who has the same key. Credentials that are not one key for ever don't
/// tell whose they are.
fn scope(caches: &Caches, endpoint: &Endpoint) -> Option<Vec<u8>> {
    match (&caches.namespace, &endpoint.key, &endpoint.keyring) {
        (Some(namespace), ..) => Some([b"namespace ", namespace.as_bytes()].concat()),
        (None, Some(key), _) => {
            // Hashed by itself first, so that the key is in no text that is made for anything else.
            let mut hash = Hash::new();
            hash.update(b"instructor cache scope ");
            hash.update(key.expose().as_bytes());
            Some([&b"key "[..], &hash.finalize()].concat())
        }
        (None, None, Some(_)) => None,
        (None, None, None) => Some(Vec::new()),
    }
}

/// An address without parameters that may be keys: another key of the same account is no other place.
fn address(uri: &Uri) -> String {
    const SECRET: [&str; 8] = ["key", "api_key", "api-key", "apikey", "token", "access_token", "code", "sig"];
    let (scheme, host) = (uri.scheme_str().unwrap_or_default(), uri.authority().map_or("", |a| a.as_str()));
    let query = uri.query().unwrap_or_default().split('&');
    let plain = query.filter(|pair| {
        let name = pair.split_once('=').map_or(*pair, |(name, _)| name).to_ascii_lowercase();
        !SECRET.contains(&name.as_str()) && !name.starts_with("x-amz-")
    });
    format!("{scheme}://{host}{}?{}", uri.path(), plain.collect::<Vec<_>>().join("&"))
}

/// What is hashed: parts, each with its name and length, so that no two texts run together to the same.
struct Said(Hash);

impl Said {
    fn part(&mut self, name: &str, bytes: &[u8]) {
        self.begin(name, bytes.len());
        self.0.update(bytes);
    }

    fn begin(&mut self, name: &str, length: usize) {
        self.0.update((name.len() as u64).to_le_bytes());
        self.0.update(name);
        self.0.update((length as u64).to_le_bytes());
    }

    /// A body, as its value: the order of keys and the space between them are nothing that a provider sees. The order of a
    /// schema's properties, which matters, is in the contract.
    fn body(&mut self, body: &[u8]) {
        let document = str::from_utf8(body).ok().and_then(|text| Document::parse(text).ok());
        match &document {
            Some(document) => self.value(document.root()),
            None => self.part("body", body),
        }
    }

    fn value(&mut self, node: Node<'_>) {
        match node.kind() {
            Kind::Object => {
                let named = |(key, value): (Node<'_>, _)| (key.as_str().unwrap_or_default().into_owned(), value);
                let mut entries: Vec<_> = node.entries().map(named).collect();
                entries.sort_by(|(a, _), (b, _)| a.cmp(b));
                self.begin("{", entries.len());
                for (key, value) in entries {
                    self.part(":", key.as_bytes());
                    self.value(value);
                }
            }
            Kind::Array => {
                self.begin("[", node.len());
                node.items().for_each(|item| self.value(item));
            }
            _ => self.part("=", node.source().as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashed(body: &str) -> [u8; 32] {
        let mut said = Said(Hash::new());
        said.body(body.as_bytes());
        said.0.finalize()
    }

    #[test]
    fn a_body_is_its_value() {
        let same = [r#"{"a":1,"b":[true,{"c":"x","d":null}]}"#, "{ \"b\" : [true, {\"d\":null,\"c\":\"x\"}], \"a\":1}"];
        assert_eq!(hashed(same[0]), hashed(same[1]));
        let others = [
            r#"{"a":1.0,"b":[true,{"c":"x","d":null}]}"#,
            r#"{"a":1,"b":[{"c":"x","d":null},true]}"#,
            r#"{"a":1,"b":[true,{"c":"x"}],"d":null}"#,
            r#"{"a":1,"b":[true],"c":"x","d":null}"#,
            "[]",
            "{}",
            "",
            "{",
        ];
        for (i, one) in others.iter().enumerate() {
            assert_ne!(hashed(one), hashed(same[0]), "{one}");
            for other in &others[..i] {
                assert_ne!(hashed(one), hashed(other), "{one} {other}");
            }
        }
    }

    #[test]
    fn an_address_has_no_secrets() {
        let shown = |uri: &str| address(&uri.parse().unwrap());
        assert_eq!(shown("https://a.example/v1/x?key=sk-1&api-version=2"), "https://a.example/v1/x?api-version=2");
        assert_eq!(shown("https://a.example/v1/x?API_KEY=1&X-Amz-Security-Token=2&c=3"), "https://a.example/v1/x?c=3");
        assert_eq!(shown("http://a.example:80/x"), "http://a.example:80/x?");
    }

    #[test]
    fn a_key_shows_as_digits() {
        let key = CacheKey::new([0xab; 32]);
        assert_eq!(key.to_string(), "ab".repeat(32));
    }
}
