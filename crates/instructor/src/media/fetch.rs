//! Media at URLs, for providers that take bytes only: what may be fetched, and the steps in which it is. No I/O here: the
//! engine takes the steps, a transport makes them.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Uri, header};

use super::reach::Reach;
use super::{Media, MediaSource, address, sniff};
use crate::error::{Error, ErrorKind, TransportError, TransportErrorKind};
use crate::message::{Message, Part};

/// Lets a client fetch media at URLs and send the bytes, where the provider takes no URL. Without it nothing is fetched:
/// such a part is an error before anything is sent.
///
/// A URL may come from a user, and the machine that fetches it may see more than that user does. So what may be fetched
/// is narrow, and each widening is a call of its own: `https` alone, hosts with public addresses alone, which is checked
/// at the connection and again after each redirect; and limits of size, time and redirects. The key of the provider is
/// not sent along. A part is fetched once for all attempts of a request; [`Report::fetched`](crate::Report::fetched) tells
/// of it. It is not tried again where it fails.
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// # use serde_json::json;
/// use instructor::{FetchMedia, Media, MediaKind, Message};
///
/// # let png = b"\x89PNG\r\n\x1a\n".as_slice();
/// # let script = Script::new().reply(Reply::body(png)).reply(Reply::value(json!("a cat")));
/// # let client = script.client("bedrock/amazon.nova-lite-v1:0");
/// let image = Media::from_url(MediaKind::Image, "https://example.com/cat.png");
/// let request = client.request(Message::user("What is it?").with(image));
/// let request = request.fetch_media(FetchMedia::new().with_max_bytes(5_000_000));
/// let (said, completion) = script.block_on(request.create_with_completion::<String>())?;
/// assert_eq!(said, "a cat");
/// let fetched = &completion.report.fetched()[0];
/// assert_eq!((fetched.host.as_str(), fetched.mime.as_str(), fetched.bytes), ("example.com", "image/png", 8));
/// # Ok::<(), instructor::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchMedia {
    max_bytes: usize,
    timeout: Duration,
    max_redirects: u32,
    http: bool,
    private: bool,
}

impl FetchMedia {
    /// From public addresses over `https`: at most 20 MB a part, within 30 seconds, over at most 5 redirects.
    #[must_use]
    pub const fn new() -> Self {
        Self { max_bytes: 20_000_000, timeout: Duration::from_secs(30), max_redirects: 5, http: false, private: false }
    }

    /// With another limit for the bytes of one part.
    #[must_use]
    pub const fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// With another limit for the time of one part, redirects included. The deadline of the request holds too.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// With another limit for the redirects of one part; 0 follows none.
    #[must_use]
    pub const fn with_max_redirects(mut self, redirects: u32) -> Self {
        self.max_redirects = redirects;
        self
    }

    /// Over plain `http` too, which anybody on the way can read and change.
    #[must_use]
    pub const fn with_http(mut self) -> Self {
        self.http = true;
        self
    }

    /// From this machine and private networks too. Link-local addresses, where clouds keep the credentials of a machine,
    /// stay closed.
    #[must_use]
    pub const fn with_private_addresses(mut self) -> Self {
        self.private = true;
        self
    }

    /// Whether a connection to this address may be made. Who implements [`Transport::fetch`](crate::Transport::fetch) asks
    /// this of every address that a host's name stands for, and connects to those and no others.
    ///
    /// ```
    /// use instructor::FetchMedia;
    ///
    /// let local = "127.0.0.1".parse()?;
    /// assert!(!FetchMedia::new().permits(local));
    /// assert!(FetchMedia::new().with_private_addresses().permits(local));
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    #[must_use]
    pub fn permits(self, address: IpAddr) -> bool {
        match Reach::of(address) {
            Reach::Public => true,
            Reach::Private => self.private,
            Reach::Never => false,
        }
    }

    #[cfg(any(feature = "reqwest", feature = "blocking"))]
    pub(crate) const fn is_private(self) -> bool {
        self.private
    }

    pub(crate) const fn max_bytes(self) -> usize {
        self.max_bytes
    }

    /// What keeps a URL from being asked, as far as the URL tells.
    fn refuses(self, url: &Uri) -> Option<String> {
        match url.scheme_str() {
            Some("https") => {}
            Some("http") if self.http => {}
            Some("http") => return Some(String::from("it is plain http; allow that with FetchMedia::with_http")),
            _ => return Some(String::from("only https is fetched")),
        }
        if url.authority().is_none_or(|authority| authority.as_str().contains('@')) {
            return Some(String::from("a URL with a user name or password is not fetched"));
        }
        let host = url.host().unwrap_or_default();
        match address(host) {
            Some(ip) if self.permits(ip) => None,
            Some(ip) => Some(self.closed(&ip)),
            // Resolvers take 127.1 and 0x7f000001 for addresses.
            None if looks_numeric(host) => Some(String::from("its host is neither a name nor an address in full")),
            None => None,
        }
    }

    fn closed(self, host: &dyn fmt::Display) -> String {
        let more = if self.private { "" } else { "; allow private networks with FetchMedia::with_private_addresses" };
        format!("{host} has no address that may be asked{more}")
    }
}

impl Default for FetchMedia {
    fn default() -> Self {
        Self::new()
    }
}

fn looks_numeric(host: &str) -> bool {
    let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    last.is_empty() || last.starts_with("0x") || last.starts_with("0X") || last.bytes().all(|b| b.is_ascii_digit())
}

/// Where a part stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) message: usize,
    pub(crate) part: usize,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "message {}, part {}", self.message + 1, self.part + 1)
    }
}

/// A part that was fetched, in a [`Report`](crate::Report).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fetched {
    /// Which message of the request it is in, counted from 1.
    pub message: usize,
    /// Which part of the message it is, counted from 1.
    pub part: usize,
    /// The host that it came from, after redirects.
    pub host: String,
    /// The media type, as its content shows it.
    pub mime: String,
    /// Its size.
    pub bytes: usize,
    /// How often it was found to be somewhere else.
    pub redirects: u32,
    /// How long it took.
    pub elapsed: Duration,
}

impl fmt::Display for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { message, part, host, mime, bytes, elapsed, .. } = self;
        write!(
            f,
            "fetched message {message}, part {part} ({mime}, {bytes} bytes from {host}, {} ms)",
            elapsed.as_millis()
        )
    }
}

/// Media being fetched, part by part, into a copy of the messages.
#[derive(Debug)]
pub(crate) struct Fetching {
    policy: FetchMedia,
    messages: Vec<Message>,
    wanted: std::vec::IntoIter<At>,
    current: Option<Current>,
    /// What is here already, by its URL.
    got: Vec<(Arc<str>, Media)>,
    fetched: Vec<Fetched>,
}

#[derive(Debug)]
struct Current {
    at: At,
    media: Media,
    url: Uri,
    redirects: u32,
    since: Duration,
}

/// One request of a fetch, and the time that it has.
#[derive(Debug)]
pub(crate) struct Get {
    pub(crate) request: http::Request<Bytes>,
    pub(crate) policy: FetchMedia,
    pub(crate) timeout: Duration,
}

impl Fetching {
    pub(crate) fn new(policy: FetchMedia, messages: &[Message], wanted: Vec<At>) -> Self {
        Self {
            policy,
            messages: messages.to_vec(),
            wanted: wanted.into_iter(),
            current: None,
            got: Vec::new(),
            fetched: Vec::new(),
        }
    }

    pub(crate) fn into_messages(self) -> Vec<Message> {
        self.messages
    }

    pub(crate) fn take_report(&mut self) -> Vec<Fetched> {
        std::mem::take(&mut self.fetched)
    }

    /// The next request; none if all parts are here.
    pub(crate) fn next(&mut self, now: Duration) -> Result<Option<Get>, Error> {
        while self.current.is_none() {
            let Some(at) = self.wanted.next() else { return Ok(None) };
            let Some(Part::Media(media)) = self.part(at) else { continue };
            let media = media.clone();
            let MediaSource::Url(text) = media.source() else { continue };
            let known = self.got.iter().find(|(url, known)| url == text && known.kind() == media.kind());
            if let Some((_, known)) = known {
                let here = media.arrived(known);
                self.put(at, here);
                continue;
            }
            let Ok(url) = text.parse::<Uri>() else {
                return Err(failed(at, &media, ErrorKind::Media, "its URL can't be read; escape what stands in it"));
            };
            self.current = Some(Current { at, url, redirects: 0, since: now, media });
        }
        let Some(current) = &self.current else { return Ok(None) };
        if let Some(why) = self.policy.refuses(&current.url) {
            return Err(current.failed(ErrorKind::Media, format!("{why}, or give the bytes")));
        }
        let left = self.policy.timeout.saturating_sub(now.saturating_sub(current.since));
        if left.is_zero() {
            return Err(current.late(self.policy));
        }
        let mut request = http::Request::new(Bytes::new());
        *request.uri_mut() = current.url.clone();
        request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        Ok(Some(Get { request, policy: self.policy, timeout: left }))
    }

    /// Takes the answer to the last request.
    pub(crate) fn answered(
        &mut self,
        status: u16,
        headers: &HeaderMap,
        body: Bytes,
        now: Duration,
    ) -> Result<(), Error> {
        let Some(mut current) = self.current.take() else { return Ok(()) };
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        match status {
            200 | 203 => {}
            301..=303 | 307 | 308 => {
                let limit = self.policy.max_redirects;
                if current.redirects >= limit {
                    let why = format!("it is redirected more than {limit} times (FetchMedia::with_max_redirects)");
                    return Err(current.failed(ErrorKind::Media, why).with_status(Some(status)));
                }
                let Some(url) = text(header::LOCATION).and_then(|to| joined(&current.url, to)) else {
                    let why = "it is redirected to no address that can be read";
                    return Err(current.failed(ErrorKind::Media, why).with_status(Some(status)));
                };
                current.url = url;
                current.redirects += 1;
                self.current = Some(current);
                return Ok(());
            }
            _ => {
                let why =
                    format!("the host answers with status {status}; give the bytes, or a URL that needs no session");
                return Err(current.failed(ErrorKind::Media, why).with_status(Some(status)));
            }
        }
        let mime = match kept(&current.media, text(header::CONTENT_TYPE), &body) {
            Ok(mime) => mime,
            Err(why) => return Err(current.failed(ErrorKind::Media, why)),
        };
        let Current { at, media, url, redirects, since } = current;
        self.fetched.push(Fetched {
            message: at.message + 1,
            part: at.part + 1,
            host: String::from(url.host().unwrap_or_default()),
            mime: mime.clone(),
            bytes: body.len(),
            redirects,
            elapsed: now.saturating_sub(since),
        });
        let here = media.here(&mime, body);
        if let MediaSource::Url(url) = media.source() {
            self.got.push((Arc::clone(url), here.clone()));
        }
        self.put(at, here);
        Ok(())
    }

    /// What a transport that gave no answer means.
    pub(crate) fn unanswered(&self, error: TransportError) -> Error {
        let Some(current) = &self.current else { return Error::new(ErrorKind::Transport, error.to_string()) };
        let cause = error.cause().map_or_else(String::new, |cause| format!(" ({cause})"));
        let failed = match error.kind() {
            TransportErrorKind::TooLarge => {
                let why = format!("it has more than {} bytes (FetchMedia::with_max_bytes)", self.policy.max_bytes);
                current.failed(ErrorKind::Media, why)
            }
            TransportErrorKind::Forbidden => {
                let closed = self.policy.closed(&current.url.host().unwrap_or_default());
                current.failed(ErrorKind::Media, format!("{closed}, or give the bytes"))
            }
            TransportErrorKind::Timeout => current.late(self.policy),
            TransportErrorKind::Request | TransportErrorKind::Banned | TransportErrorKind::Unrecorded => {
                current.failed(ErrorKind::Config, format!("{error}{cause}"))
            }
            TransportErrorKind::Connect | TransportErrorKind::Closed | TransportErrorKind::Interrupted => {
                current.failed(ErrorKind::Transport, format!("{error}{cause}"))
            }
        };
        failed.with_source(Some(error.into()))
    }

    fn part(&self, at: At) -> Option<&Part> {
        self.messages.get(at.message)?.parts().get(at.part)
    }

    fn put(&mut self, at: At, media: Media) {
        if let Some(message) = self.messages.get_mut(at.message) {
            message.replace(at.part, Part::Media(media));
        }
    }
}

impl Current {
    fn failed(&self, kind: ErrorKind, why: impl fmt::Display) -> Error {
        failed(self.at, &self.media, kind, why)
    }

    fn late(&self, policy: FetchMedia) -> Error {
        self.failed(ErrorKind::Transport, format!("it takes more than {:?} (FetchMedia::with_timeout)", policy.timeout))
    }
}

fn failed(at: At, media: &Media, kind: ErrorKind, why: impl fmt::Display) -> Error {
    Error::new(kind, format!("{at} ({}, {:?}) can't be fetched: {why}", media.kind(), media.source()))
}

/// The type of what has arrived, which its bytes decide where they tell. Where they don't, the server's word counts, and
/// then the URL's extension; but a server that says an image where the bytes are none has sent something else.
fn kept(media: &Media, declared: Option<&str>, bytes: &[u8]) -> Result<String, String> {
    if bytes.is_empty() {
        return Err(String::from("the host sends nothing"));
    }
    let declared = declared.and_then(|text| text.split(';').next()).map(|text| text.trim().to_ascii_lowercase());
    let declared = declared.as_deref().map(sniff::usual).filter(|mime| *mime != sniff::UNKNOWN && !mime.is_empty());
    let named = Some(media.mime()).filter(|_| media.is_typed());
    let plain = || Some(sniff::text(bytes)).filter(|mime| *mime != sniff::UNKNOWN);
    let mime = match (sniff::of_bytes(bytes), declared.or(named).or_else(plain)) {
        (Some(seen), _) => seen,
        (None, Some(said)) if sniff::shows(said) => {
            return Err(format!("the host calls it {said}, but its bytes are something else"));
        }
        (None, Some(said)) => said,
        (None, None) => return Err(String::from("its type is told by neither its bytes nor the host")),
    };
    let kind = super::MediaKind::of_mime(mime);
    if kind != media.kind() {
        return Err(format!("it is {mime}, and not of the kind {}", media.kind()));
    }
    Ok(String::from(mime))
}

/// Where a redirect leads.
fn joined(base: &Uri, location: &str) -> Option<Uri> {
    let location = location.trim().split('#').next()?;
    let scheme = base.scheme_str()?;
    let leading = location.find(['/', '?']).unwrap_or(location.len());
    if location.get(..leading)?.contains(':') {
        return location.parse().ok();
    }
    if location.starts_with("//") {
        return format!("{scheme}:{location}").parse().ok();
    }
    let (path, query) = location.split_once('?').map_or((location, None), |(path, query)| (path, Some(query)));
    let whole = match path {
        "" => String::from(base.path()),
        path if path.starts_with('/') => String::from(path),
        path => format!("{}/{path}", base.path().rsplit_once('/').map_or("", |(folder, _)| folder)),
    };
    let mut steps: Vec<&str> = Vec::new();
    let last_is_folder = whole.ends_with("/.") || whole.ends_with("/..") || whole.ends_with('/');
    for step in whole.split('/').skip(1) {
        match step {
            "." => {}
            ".." => _ = steps.pop(),
            step => steps.push(step),
        }
    }
    let end = if last_is_folder && steps.last().is_none_or(|last| !last.is_empty()) { "/" } else { "" };
    let query = query.map_or_else(String::new, |query| format!("?{query}"));
    format!("{scheme}://{}/{}{end}{query}", base.authority()?, steps.join("/")).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::MediaKind;

    #[test]
    fn what_a_url_tells_is_refused_before_it_is_asked() {
        let refuses = |policy: FetchMedia, url: &str| policy.refuses(&url.parse().unwrap());
        let strict = FetchMedia::new();
        for url in
            ["https://a.example/x.png", "https://8.8.8.8/x", "https://[2606:4700::1111]:8443/x", "https://a1.co/"]
        {
            assert_eq!(refuses(strict, url), None, "{url}");
        }
        for (url, says) in [
            ("http://a.example/x", "with_http"),
            ("ftp://a.example/x", "only https"),
            ("https://me:pw@a.example/x", "user name"),
            ("https://127.0.0.1/x", "with_private_addresses"),
            ("https://[::1]/x", "with_private_addresses"),
            ("https://[::ffff:10.0.0.1]/x", "with_private_addresses"),
            ("https://169.254.169.254/latest", "no address that may be asked"),
            ("https://127.1/x", "in full"),
            ("https://2130706433/x", "in full"),
            ("https://0x7f.0.0.1/x", "in full"),
            ("https://0x7f000001/x", "in full"),
            ("https://127.0.0.1./x", "in full"),
        ] {
            let why = refuses(strict, url).unwrap_or_default();
            assert!(why.contains(says), "{url}: {why}");
        }
        let wide = strict.with_http().with_private_addresses();
        assert_eq!(refuses(wide, "http://127.0.0.1:8080/x"), None);
        assert!(refuses(wide, "http://169.254.169.254/latest").is_some());
    }

    #[test]
    fn a_redirect_is_read_from_where_it_stands() {
        let base: Uri = "https://a.example/x/y/z.png?q=1".parse().unwrap();
        for (location, whole) in [
            ("https://b.example/c?d#e", "https://b.example/c?d"),
            ("//b.example/c", "https://b.example/c"),
            ("/c/d", "https://a.example/c/d"),
            ("c", "https://a.example/x/y/c"),
            ("../c/./d/", "https://a.example/x/c/d/"),
            ("..", "https://a.example/x/"),
            ("../../../../c", "https://a.example/c"),
            ("?r=2", "https://a.example/x/y/z.png?r=2"),
            ("c?to=https://b.example/../d", "https://a.example/x/y/c?to=https://b.example/../d"),
            ("http://169.254.169.254/", "http://169.254.169.254/"),
        ] {
            assert_eq!(joined(&base, location).unwrap().to_string(), whole, "{location}");
        }
        for location in ["https://a b/", "mailto:x", "javascript:1"] {
            let to = joined(&base, location);
            assert!(to.is_none_or(|to| FetchMedia::new().refuses(&to).is_some()), "{location}");
        }
    }

    #[test]
    fn the_type_is_that_of_the_bytes() {
        let png = b"\x89PNG\r\n\x1a\n".as_slice();
        let kept = |kind, url: &str, declared, bytes: &[u8]| kept(&Media::from_url(kind, url), declared, bytes);
        let image = |declared, bytes: &[u8]| kept(MediaKind::Image, "https://a.example/x", declared, bytes);
        assert_eq!(image(None, png).unwrap(), "image/png");
        assert_eq!(image(Some("image/jpeg"), png).unwrap(), "image/png");
        assert_eq!(image(Some("application/octet-stream"), png).unwrap(), "image/png");
        assert_eq!(image(Some("image/svg+xml; charset=utf-8"), b"<svg/>").unwrap(), "image/svg+xml");
        for (declared, bytes, says) in [
            (Some("image/png"), b"<html>login".as_slice(), "calls it image/png"),
            (Some("text/html"), b"<html>login", "it is text/html"),
            (None, b"%PDF-1.7", "it is application/pdf"),
            (None, b"", "sends nothing"),
            (None, b"\0\x01\x02", "told by neither"),
        ] {
            let why = image(declared, bytes).unwrap_err();
            assert!(why.contains(says), "{why}");
        }
        assert_eq!(kept(MediaKind::Document, "https://a.example/x.csv", None, b"a,b").unwrap(), "text/csv");
        assert_eq!(kept(MediaKind::Document, "https://a.example/x", None, b"a,b").unwrap(), "text/plain");
    }
}
