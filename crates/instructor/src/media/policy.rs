//! Which texts of a message are media, for those who say that some are.

use std::path::{Path, PathBuf};

use super::{Detected, Media, of_name, sniff};
use crate::error::Error;

/// What texts may become media, for [`Message::user_detecting`](crate::Message::user_detecting): by itself the content alone, which
/// is data URLs and base64 text of a type that its first bytes show.
///
/// ```
/// use instructor::{DetectMedia, Message, Part};
///
/// # let folder = std::env::temp_dir().join("instructor-detect-doc");
/// # std::fs::create_dir_all(&folder)?;
/// # std::fs::write(folder.join("receipt.png"), b"\x89PNG\r\n\x1a\n")?;
/// // What a user of a program has typed, word for word.
/// let typed = ["What was paid?", "receipt.png", "https://example.com/terms.pdf", "../secret.png"];
/// let detect = DetectMedia::new().with_files_in(folder).with_urls();
/// let message = Message::user_detecting(typed, &detect)?;
///
/// let media = message.parts().iter().filter(|part| matches!(part, Part::Media(_)));
/// // The file and the URL. What is not in the folder stays a text.
/// assert_eq!(media.count(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DetectMedia {
    urls: bool,
    folders: Vec<PathBuf>,
}

impl DetectMedia {
    /// The content alone: no files, no URLs.
    #[must_use]
    pub const fn new() -> Self {
        Self { urls: false, folders: Vec::new() }
    }

    /// And URLs whose extension tells what they are, `gs://` and `s3://` too. They are not opened here: see
    /// [`Media::from_url`].
    #[must_use]
    pub const fn with_urls(mut self) -> Self {
        self.urls = true;
        self
    }

    /// And paths of files below a folder whose extension tells what they are: relative to it, or whole. Links are followed
    /// before it is decided where a file is.
    #[must_use]
    pub fn with_files_in(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folders.push(folder.into());
        self
    }

    /// The media that a text is, if it is any.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if it is a file that can't be read.
    pub fn media(&self, text: &str) -> Result<Option<Media>, Error> {
        let trimmed = text.trim();
        if let Some(path) = self.folders.iter().find_map(|folder| below(folder, trimmed)) {
            return Media::from_path(path).map(Some);
        }
        match Media::detect(trimmed) {
            Detected::Content(media) => Ok(Some(media)),
            Detected::Url(url) if self.urls && of_name(sniff::path_of(url)).is_some() => {
                Detected::Url(url).open().map(Some)
            }
            _ => Ok(None),
        }
    }
}

/// The file that a path names, if it is one of media and below a folder.
fn below(folder: &Path, path: &str) -> Option<PathBuf> {
    of_name(path)?;
    let folder = folder.canonicalize().ok()?;
    let file = folder.join(path).canonicalize().ok()?;
    (file.starts_with(&folder) && file.is_file()).then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_those_of_the_folder() {
        let home = std::env::temp_dir().join(format!("instructor-detect-{}", std::process::id()));
        let folder = home.join("in");
        std::fs::create_dir_all(folder.join("deep")).unwrap();
        let png = b"\x89PNG\r\n\x1a\n";
        for path in ["in/a.png", "in/deep/b.png", "in/id_rsa", "out.png"] {
            std::fs::write(home.join(path), png).unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(home.join("out.png"), folder.join("link.png")).unwrap();
        let detect = DetectMedia::new().with_files_in(&folder);
        let is = |text: &str| detect.media(text).unwrap().is_some();
        let whole = |path: &str| String::from(home.join(path).to_str().unwrap());
        assert!(is("a.png") && is(" deep/b.png\n") && is("deep/../a.png") && is(&whole("in/a.png")));
        for path in ["../out.png", "link.png", "id_rsa", "none.png", "", "in", "A cat."] {
            assert!(!is(path), "{path}");
        }
        assert!(!is(&whole("out.png")) && !is(&whole("in/id_rsa")));
        // Nor are files looked for unless there is a folder.
        assert!(DetectMedia::new().media(&whole("in/a.png")).unwrap().is_none());
        std::fs::remove_dir_all(home).unwrap();
    }

    #[test]
    fn urls_and_content_are_told_apart_from_talk() {
        let is = |detect: &DetectMedia, text: &str| detect.media(text).unwrap().map(|media| media.kind().to_string());
        let (content, urls) = (DetectMedia::new(), DetectMedia::new().with_urls());
        assert_eq!(is(&content, "iVBORw0KGgo=").as_deref(), Some("image"));
        assert_eq!(is(&content, "data:application/pdf;base64,JVBERi0xLjc=").as_deref(), Some("document"));
        assert_eq!(is(&content, "https://a.example/a.png"), None);
        assert_eq!(is(&urls, "https://a.example/a.PNG?size=1").as_deref(), Some("image"));
        assert_eq!(is(&urls, "gs://bucket/a.mp3").as_deref(), Some("audio"));
        for text in ["https://a.example/page", "See https://a.example/a.png", "Hello", ""] {
            assert_eq!(is(&urls, text), None, "{text}");
        }
    }
}
