//! What a text that should be media is: a URL, a path, or the content itself.

use std::fmt;
use std::path::Path;

use super::{Media, MediaKind, host, of_bytes, of_name, sniff};
use crate::error::Error;

/// What a text is, found by [`Media::detect`].
#[derive(Clone)]
#[non_exhaustive]
pub enum Detected<'a> {
    /// The content: a data URL, or base64 text of a type that its first bytes show.
    Content(Media),
    /// A URL, or an address in a store (`gs://`, `s3://`).
    Url(&'a str),
    /// The path of a file that is there. It has not been read.
    Path(&'a Path),
    /// None of these.
    Text(&'a str),
}

/// Shows no content, and of a URL only its host.
impl fmt::Debug for Detected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Content(media) => write!(f, "Content({media:?})"),
            Self::Url(url) => write!(f, "Url(at {})", host(url).unwrap_or("no host")),
            Self::Path(path) => write!(f, "Path({})", path.display()),
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
        }
    }
}

impl Media {
    /// Tells what a text is, for programs that take media in any form, such as from their command line. Nothing does this
    /// unasked: messages are never searched for paths or URLs. A file is looked for but not read, and nothing is fetched;
    /// that is [`Detected::open`].
    ///
    /// ```
    /// use instructor::{Detected, Media, MediaKind};
    ///
    /// assert!(matches!(Media::detect("https://example.com/cat.png"), Detected::Url(_)));
    /// assert!(matches!(Media::detect("A cat."), Detected::Text(_)));
    /// let image = Media::detect("data:image/png;base64,iVBORw0KGgo=").open()?;
    /// assert_eq!(image.kind(), MediaKind::Image);
    /// # Ok::<(), instructor::Error>(())
    /// ```
    #[must_use]
    pub fn detect(text: &str) -> Detected<'_> {
        let trimmed = text.trim();
        let starts = |scheme: &str| trimmed.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
        if starts("data:") {
            if let Ok(media) = Self::from_data_url(trimmed) {
                return Detected::Content(media);
            }
        } else if ["https://", "http://", "gs://", "s3://"].into_iter().any(starts) {
            return Detected::Url(trimmed);
        } else if !trimmed.is_empty() && !trimmed.contains(['\n', '\0']) && Path::new(trimmed).is_file() {
            return Detected::Path(Path::new(trimmed));
        } else if let Some(media) = Self::from_base64(trimmed).ok().filter(|media| of_bytes(media.content()).is_some())
        {
            return Detected::Content(media);
        }
        Detected::Text(text)
    }
}

impl Detected<'_> {
    /// The media. A file is read now; a URL stays one, and its extension has to tell its kind.
    ///
    /// ```
    /// use instructor::Media;
    ///
    /// let error = Media::detect("https://example.com/cat").open().unwrap_err();
    /// assert!(error.to_string().contains("Media::from_url"));
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if it is text, a file that can't be read, or a URL without an extension.
    pub fn open(self) -> Result<Media, Error> {
        match self {
            Self::Content(media) => Ok(media),
            Self::Path(path) => Media::from_path(path),
            Self::Url(url) => match of_name(sniff::path_of(url)) {
                Some(mime) => Ok(Media::from_url(MediaKind::of_mime(mime), url)),
                None => Err(Error::config("a URL without an extension does not tell its kind; use Media::from_url")),
            },
            Self::Text(_) => Err(Error::config(
                "the text is no URL, no path of a file that is there, and no base64 of a known type of media",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_told_by_its_form() {
        let folder = std::env::temp_dir().join("instructor-media-detect");
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("a.png");
        std::fs::write(&path, b"\x89PNG\r\n\x1a\n").unwrap();
        let shown = |text: &str| format!("{:?}", Media::detect(text));
        let path = path.to_str().unwrap();
        assert_eq!(shown(path), format!("Path({path})"));
        assert_eq!(Media::detect(path).open().unwrap().name(), Some("a.png"));
        for (text, what) in [
            ("HTTPS://a.example/x.png?key=secret", "Url(at a.example)"),
            ("gs://bucket/x.png", "Url(at bucket)"),
            ("data:image/png;base64,iVBORw0KGgo=", "Content(Media(image, image/png, 8 bytes))"),
            ("iVBORw0KGgo=", "Content(Media(image, image/png, 8 bytes))"),
            ("JVBERi0xLjc", "Content(Media(document, application/pdf, 8 bytes))"),
            ("data:image/png,secret", "Text(21 bytes)"),
            ("Hello", "Text(5 bytes)"),
            ("report.pdf", "Text(10 bytes)"),
            ("two\nlines", "Text(9 bytes)"),
            ("", "Text(0 bytes)"),
        ] {
            assert_eq!(shown(text), what);
        }
        for (text, says) in [("https://a.example/x", "from_url"), ("Hello", "no URL")] {
            let error = Media::detect(text).open().unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        assert_eq!(Media::detect("s3://b/x.mp4").open().unwrap().kind(), MediaKind::Video);
    }
}
