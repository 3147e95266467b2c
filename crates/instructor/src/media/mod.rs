//! Images, documents, sound and films as parts of a message.

mod detect;
mod fetch;
mod policy;
mod reach;
mod sniff;

use std::fmt;
use std::io::Read;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;

pub use self::detect::Detected;
pub(crate) use self::fetch::{At, Fetching, Get};
pub use self::fetch::{FetchMedia, Fetched};
pub use self::policy::DetectMedia;
use self::sniff::{UNKNOWN, of_bytes, of_name};
use crate::error::Error;

/// What kind of media it is: each protocol has a form for some of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MediaKind {
    /// A picture.
    Image,
    /// Sound.
    Audio,
    /// A document, such as a PDF or plain text.
    Document,
    /// A film.
    Video,
}

impl MediaKind {
    /// The kind in one word, such as `image`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Audio => "audio",
            Self::Document => "document",
            Self::Video => "video",
        }
    }

    fn of_mime(mime: &str) -> Self {
        match mime.split('/').next() {
            Some("image") => Self::Image,
            Some("audio") => Self::Audio,
            Some("video") => Self::Video,
            _ => Self::Document,
        }
    }
}

impl fmt::Display for MediaKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How closely a model looks at an image, where the provider lets one say so. It decides what the image costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Detail {
    /// The provider decides.
    Auto,
    /// At a low resolution.
    Low,
    /// At a high resolution.
    High,
}

impl Detail {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Low => "low",
            Self::High => "high",
        }
    }
}

/// Where the content of a [`Media`] is.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MediaSource {
    /// Here; shared, never copied.
    Bytes(Bytes),
    /// At a URL.
    Url(Arc<str>),
    /// With the provider, under this file id.
    File(Arc<str>),
}

/// Shows no content, and of a URL only its host: what follows may be a signature.
impl fmt::Debug for MediaSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Url(url) => write!(f, "URL at {}", host(url).unwrap_or("no host")),
            Self::File(_) => f.write_str("file id"),
        }
    }
}

/// The host of a URL, without user and port.
pub(crate) fn host(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = match host.rfind(']') {
        Some(end) => host.get(..=end)?,
        None => host.split(':').next()?,
    };
    Some(host).filter(|host| !host.is_empty())
}

/// The address that a host is, if it is no name.
pub(crate) fn address(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inside) => inside.parse().ok().map(IpAddr::V6),
        None => host.parse().ok().map(IpAddr::V4),
    }
}

/// An image, document, sound or film: from bytes, a file, a URL, a data URL, or the provider's id of a file.
///
/// The media type is read from the content's first bytes, and from the file's extension where these say nothing. Clones
/// share the bytes and their base64 text, which is made once, when it is first needed.
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// # use serde_json::json;
/// use instructor::{Media, Message};
///
/// #[instructor::model]
/// struct Receipt {
///     total: f64,
/// }
///
/// # let script = Script::new().reply(Reply::value(json!({ "total": 12.5 })));
/// # let client = script.client("openai/gpt-5-mini");
/// # let photo = b"\x89PNG\r\n\x1a\n".as_slice();
/// let image = Media::image(photo); // or Media::from_path("receipt.png")?
/// assert_eq!(image.mime(), "image/png");
///
/// let receipt: Receipt = script.block_on(client.create(Message::user("What is the total?").with(image)))?;
/// assert_eq!(receipt.total, 12.5);
/// # Ok::<(), instructor::Error>(())
/// ```
///
/// What a provider does not take is an error before anything is sent, which says what it takes instead:
///
/// ```
/// # use instructor::testing::Script;
/// use instructor::{ErrorKind, Media, Message};
///
/// # let client = Script::new().client("anthropic/claude-haiku-4-5");
/// let message = Message::user("What is said?").with(Media::audio(b"RIFF\x04\0\0\0WAVE".as_slice()));
/// let error = client.request(message).preview::<String>().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Unsupported);
/// assert!(error.to_string().contains("anthropic takes no audio"));
/// ```
#[derive(Clone)]
pub struct Media {
    kind: MediaKind,
    mime: Arc<str>,
    source: MediaSource,
    base64: Arc<OnceLock<String>>,
    name: Option<Arc<str>>,
    detail: Option<Detail>,
}

impl Media {
    fn new(kind: MediaKind, mime: &str, source: MediaSource) -> Self {
        Self { kind, mime: mime.into(), source, base64: Arc::default(), name: None, detail: None }
    }

    /// An image from its bytes.
    #[must_use]
    pub fn image(bytes: impl Into<Bytes>) -> Self {
        Self { kind: MediaKind::Image, ..Self::from_bytes(bytes) }
    }

    /// Sound from its bytes.
    #[must_use]
    pub fn audio(bytes: impl Into<Bytes>) -> Self {
        Self { kind: MediaKind::Audio, ..Self::from_bytes(bytes) }
    }

    /// A document from its bytes.
    #[must_use]
    pub fn document(bytes: impl Into<Bytes>) -> Self {
        Self { kind: MediaKind::Document, ..Self::from_bytes(bytes) }
    }

    /// A film from its bytes.
    #[must_use]
    pub fn video(bytes: impl Into<Bytes>) -> Self {
        Self { kind: MediaKind::Video, ..Self::from_bytes(bytes) }
    }

    /// Whatever these bytes are: the kind too is read from them. What is not known and is text is a document of plain
    /// text.
    ///
    /// ```
    /// use instructor::{Media, MediaKind};
    ///
    /// let media = Media::from_bytes(b"%PDF-1.7".as_slice());
    /// assert_eq!((media.kind(), media.mime()), (MediaKind::Document, "application/pdf"));
    /// ```
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let mime = of_bytes(&bytes).unwrap_or_else(|| sniff::text(&bytes));
        Self::new(MediaKind::of_mime(mime), mime, MediaSource::Bytes(bytes))
    }

    /// The content of a file, which is read now. It goes along under the file's name.
    ///
    /// ```
    /// # use instructor::Media;
    /// # let folder = std::env::temp_dir().join("instructor-media-doc");
    /// # std::fs::create_dir_all(&folder)?;
    /// # let path = folder.join("table.csv");
    /// # std::fs::write(&path, "a,b\n1,2\n")?;
    /// let media = Media::from_path(path)?;
    /// assert_eq!((media.mime(), media.name()), ("text/csv", Some("table.csv")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if it can't be read.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|error| {
            Error::config(format!("the file {} can't be read: {error}", path.display())).with_source(Some(error.into()))
        })?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mime = of_bytes(&bytes).or_else(|| of_name(&name)).unwrap_or_else(|| sniff::text(&bytes));
        Ok(Self::new(MediaKind::of_mime(mime), mime, MediaSource::Bytes(bytes.into())).with_name(name))
    }

    /// Media of a kind at a URL, which the provider fetches, or in a store of its own (`gs://`, `s3://`). The type is read
    /// from the extension, if there is one. For a provider that takes no URLs the client fetches it if it is allowed to,
    /// by [`FetchMedia`]; else that is an error before anything is sent.
    ///
    /// ```
    /// use instructor::{Media, MediaKind};
    ///
    /// let media = Media::from_url(MediaKind::Image, "https://example.com/a/chart.webp?size=2");
    /// assert_eq!(media.mime(), "image/webp");
    /// ```
    #[must_use]
    pub fn from_url(kind: MediaKind, url: impl Into<String>) -> Self {
        let url = url.into();
        let mime = of_name(sniff::path_of(&url)).unwrap_or(UNKNOWN);
        Self::new(kind, mime, MediaSource::Url(url.into()))
    }

    /// The content of a data URL, such as `data:image/png;base64,iVBORw0KGgo=`.
    ///
    /// ```
    /// use instructor::Media;
    ///
    /// assert_eq!(Media::from_data_url("data:image/png;base64,iVBORw0KGgo=")?.mime(), "image/png");
    /// assert!(Media::from_data_url("https://example.com/a.png").is_err());
    /// # Ok::<(), instructor::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if it is no data URL in base64.
    pub fn from_data_url(url: &str) -> Result<Self, Error> {
        let bad = |why: &str| Error::config(format!("{why}; a data URL is data:TYPE;base64,TEXT"));
        let rest = url.strip_prefix("data:").ok_or_else(|| bad("no data URL"))?;
        let (head, text) = rest.split_once(',').ok_or_else(|| bad("a data URL without a comma"))?;
        let mime = head.strip_suffix(";base64").ok_or_else(|| bad("a data URL that is not in base64"))?;
        // Parameters, such as a charset, are no part of the type.
        let mime = mime.split(';').next().unwrap_or_default().trim();
        let bytes = decoded(text).map_err(|e| bad("a data URL with text that is not base64").with_source(Some(e)))?;
        let media = Self::from_bytes(bytes);
        Ok(if mime.is_empty() { media } else { media.with_mime(mime) })
    }

    /// The content of a base64 text, whose type its first bytes show.
    ///
    /// ```
    /// use instructor::Media;
    ///
    /// assert_eq!(Media::from_base64("JVBERi0xLjc=")?.mime(), "application/pdf");
    /// # Ok::<(), instructor::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if it is not base64.
    pub fn from_base64(text: &str) -> Result<Self, Error> {
        let bytes = decoded(text).map_err(|e| Error::config("the text is not base64").with_source(Some(e)))?;
        Ok(Self::from_bytes(bytes))
    }

    /// All that a reader gives, which is read now. As with [`from_bytes`](Self::from_bytes) the first bytes show the type;
    /// [`with_mime`](Self::with_mime) says another.
    ///
    /// ```
    /// use instructor::Media;
    ///
    /// let media = Media::from_reader("a,b\n1,2\n".as_bytes())?.with_mime("text/csv");
    /// assert_eq!(media.mime(), "text/csv");
    /// # Ok::<(), instructor::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if it can't be read.
    pub fn from_reader(mut reader: impl Read) -> Result<Self, Error> {
        let mut bytes = Vec::new();
        match reader.read_to_end(&mut bytes) {
            Ok(_) => Ok(Self::from_bytes(bytes)),
            Err(e) => Err(Error::config(format!("the media can't be read: {e}")).with_source(Some(e.into()))),
        }
    }

    /// A file that the provider has already, under the id or address that it gave. The type is read from the extension,
    /// if there is one; [`with_mime`](Self::with_mime) says it.
    #[must_use]
    pub fn file_id(kind: MediaKind, id: impl Into<String>) -> Self {
        let id = id.into();
        if ["s3://", "gs://"].iter().any(|scheme| id.starts_with(scheme)) {
            return Self::from_url(kind, id);
        }
        let mime = of_name(sniff::path_of(&id)).unwrap_or(UNKNOWN);
        Self::new(kind, mime, MediaSource::File(id.into()))
    }

    /// With another media type than the one that was found. It decides the kind too, but where it says none, as
    /// `application/octet-stream` does. Other names of a type, such as `image/jpg`, are taken for its usual one.
    #[must_use]
    pub fn with_mime(mut self, mime: impl AsRef<str>) -> Self {
        let mime = mime.as_ref().trim().to_ascii_lowercase();
        let mime = sniff::usual(&mime);
        if mime != UNKNOWN {
            self.kind = MediaKind::of_mime(mime);
        }
        self.mime = mime.into();
        self
    }

    /// With a file name, for providers that show it to the model.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into().into());
        self
    }

    /// With how closely the model is to look at it.
    #[must_use]
    pub const fn with_detail(mut self, detail: Detail) -> Self {
        self.detail = Some(detail);
        self
    }

    /// What kind it is.
    #[must_use]
    pub const fn kind(&self) -> MediaKind {
        self.kind
    }

    /// The media type; `application/octet-stream` where it is not known.
    #[must_use]
    pub fn mime(&self) -> &str {
        &self.mime
    }

    /// Where the content is.
    #[must_use]
    pub const fn source(&self) -> &MediaSource {
        &self.source
    }

    /// The file name, if there is one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// How closely the model is to look at it, if that is said.
    #[must_use]
    pub const fn detail(&self) -> Option<Detail> {
        self.detail
    }

    /// The same with its content, which was at a URL.
    fn here(&self, mime: &str, bytes: Bytes) -> Self {
        let source = MediaSource::Bytes(bytes);
        Self { mime: mime.into(), source, base64: Arc::default(), ..self.clone() }
    }

    /// The same with the content of another part.
    fn arrived(&self, from: &Self) -> Self {
        Self { name: self.name.clone(), detail: self.detail, ..from.clone() }
    }

    /// Whether the media type is known.
    pub(crate) fn is_typed(&self) -> bool {
        &*self.mime != UNKNOWN
    }

    /// The bytes, if they are here.
    pub(crate) const fn bytes(&self) -> Option<&Bytes> {
        match &self.source {
            MediaSource::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    fn content(&self) -> &[u8] {
        self.bytes().map_or(&[], |bytes| bytes)
    }

    /// The bytes in base64, made once for all clones.
    pub(crate) fn base64(&self) -> &str {
        self.base64.get_or_init(|| {
            #[cfg(test)]
            tests::ENCODINGS.with(|count| count.set(count.get() + 1));
            base64::engine::general_purpose::STANDARD.encode(self.content())
        })
    }
}

/// What went through a mail or a form may have lost its padding.
fn decoded(text: &str) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    Ok(GeneralPurpose::new(&alphabet::STANDARD, lenient).decode(text.trim())?)
}

/// Kind, type and size or place; never the content.
impl fmt::Debug for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Media({}, {}, {:?})", self.kind, self.mime, self.source)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        /// How many base64 texts were made.
        pub(super) static ENCODINGS: Cell<usize> = const { Cell::new(0) };
    }

    #[cfg(feature = "testing")]
    #[test]
    fn base64_is_made_once_for_all_attempts_of_a_request() {
        use crate::testing::{Reply, Script};
        use crate::{ErrorKind, FetchMedia, Message};

        let png = b"\x89PNG\r\n\x1a\n".as_slice();
        let here = Media::image(png);
        let there = Media::from_url(MediaKind::Image, "https://a.example/b.png");
        for (media, policy) in [(here.clone(), None), (there, Some(FetchMedia::new()))] {
            let refusal = r#"{"message": "This model doesn't support tool use."}"#;
            let script = Script::new()
                .when(|sent| sent.url().contains("a.example"), Reply::body(png))
                .reply(Reply::body(refusal).with_status(400))
                .reply(Reply::value("no number"))
                .reply(Reply::status(503))
                .reply(Reply::value(7));
            let client = script.client("bedrock/amazon.nova-lite-v1:0");
            let request = client.request(Message::user("x").with(media)).fetch_media(policy);
            ENCODINGS.set(0);
            let (_, completion) = script.block_on(request.create_with_completion::<u8>()).unwrap();
            let failures: Vec<_> = completion.report.attempts().iter().filter_map(|attempt| attempt.failure).collect();
            assert_eq!(failures, [ErrorKind::SchemaRefused, ErrorKind::SchemaMismatch, ErrorKind::Overloaded]);
            assert_eq!(ENCODINGS.get(), 1);
            let bodies = script.sent().into_iter().filter(|sent| !sent.body().is_empty());
            assert!(bodies.map(|sent| sent.json().to_string().matches("iVBORw0KGgo=").count()).eq([1; 4]));
        }
        // The text is the caller's, for the next request too.
        assert_eq!(here.base64.get().map(String::as_str), Some("iVBORw0KGgo="));
    }

    #[test]
    fn clones_share_one_base64_text() {
        let media = Media::image(vec![0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n']);
        let clone = media.clone().with_name("a.png").with_detail(Detail::Low);
        assert_eq!(media.base64(), "iVBORw0KGgo=");
        assert_eq!(media.base64().as_ptr(), clone.base64().as_ptr());
        assert_eq!(media.bytes().unwrap().as_ptr(), clone.bytes().unwrap().as_ptr());
    }

    #[test]
    fn debug_shows_no_content() {
        let shown = |media: Media| format!("{media:?}");
        assert_eq!(shown(Media::from_bytes("secret")), "Media(document, text/plain, 6 bytes)");
        let url = Media::from_url(MediaKind::Image, "https://me:pw@a.example:8443/x.png?signature=secret");
        assert_eq!(shown(url), "Media(image, image/png, URL at a.example)");
        let file = Media::file_id(MediaKind::Document, "file-1");
        assert_eq!(shown(file), "Media(document, application/octet-stream, file id)");
    }

    #[test]
    fn a_data_url_is_its_content() {
        let media = Media::from_data_url("data:text/csv;charset=utf-8;base64,YSxi").unwrap();
        assert_eq!((media.mime(), media.kind()), ("text/csv", MediaKind::Document));
        assert_eq!(media.bytes().unwrap().as_ref(), b"a,b");
        assert_eq!(Media::from_data_url("data:;base64,iVBORw0KGgo").unwrap().mime(), "image/png");
        for bad in ["data:image/png,abc", "data:image/png;base64", "data:image/png;base64,!!", "image/png"] {
            let error = Media::from_data_url(bad).unwrap_err().to_string();
            assert!(error.contains("data:TYPE;base64,TEXT"), "{error}");
        }
    }

    #[test]
    fn a_host_is_read_from_a_url() {
        assert_eq!(host("https://a.example/x@y"), Some("a.example"));
        assert_eq!(host("https://u:p@[::1]:8443/x"), Some("[::1]"));
        assert_eq!(host("https://a.example:1?x"), Some("a.example"));
        assert_eq!(host("a.example"), None);
        assert_eq!(host("https:///x"), None);
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = Media::from_path("no/such/file.png").unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Config);
        assert!(error.to_string().contains("file.png"), "{error}");
    }
}
