use std::fmt;
use std::fs::File;
use std::io::{Cursor, Read as _, Write};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use instructor_json::Node;
use serde::{Deserialize, Serialize};

use super::{both, errand, read, text, those};
use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::fallback::Asks;
use crate::provider::{Profile, escaped};
use crate::transport::{Errand, Load, Upload, done, opened, piece};

/// The files of a client's provider.
pub struct Files<'c, C = Client> {
    client: &'c C,
}

/// What a provider says of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FileState {
    /// The provider's id of it.
    pub id: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// How large it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// How far it is, in the provider's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

impl FileState {
    fn read(node: Node<'_>) -> Option<Self> {
        Some(Self {
            id: text(node, "id")?,
            name: text(node, "filename"),
            purpose: text(node, "purpose"),
            bytes: node.get("bytes").or_else(|| node.get("size_bytes")).and_then(Node::as_u64),
            status: text(node, "status"),
        })
    }
}

fn has(profile: &Profile) -> bool {
    profile.batches().is_some_and(crate::provider::Batches::has_files)
}

#[expect(private_bounds, reason = "a client of either kind, and of no other")]
impl<'c, C: Asks> Files<'c, C> {
    /// Those of a client's provider.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] where it has none in this form, with the providers that have.
    pub fn new(client: &'c C) -> Result<Self, Error> {
        let profile = &client.core().endpoint.profile;
        if has(profile) {
            return Ok(Self { client });
        }
        let why = format!("{} has no files that are known; {} have", profile.id(), those(has));
        Err(Error::unsupported(format!("{why}; for a gateway that has them add Profile::with_batches()")))
    }

    async fn send(&self, path: &Path, purpose: &str) -> Result<FileState, Error> {
        let unread = |error: std::io::Error| {
            Error::new(ErrorKind::Io, format!("{} can't be read: {error}", path.display()))
                .with_source(Some(error.into()))
        };
        let length = std::fs::metadata(path).map_err(unread)?.len();
        // Chance keeps it out of the file.
        let boundary = format!("instructor-{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
        let name = path.file_name().unwrap_or_default().to_string_lossy().replace(['"', '\r', '\n'], "_");
        let head = format!(
            "--{boundary}\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\n{purpose}\r\n--{boundary}\r\n\
             content-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             content-type: application/octet-stream\r\n\r\n"
        );
        let (head, tail) = (Bytes::from(head), Bytes::from(format!("\r\n--{boundary}--\r\n")));
        let from = path.to_path_buf();
        let load = Load::Upload(Arc::new(move || {
            let whole = length + (head.len() + tail.len()) as u64;
            let file = File::open(&from)?.take(length);
            Ok(Upload::new(whole, Cursor::new(head.clone()).chain(file).chain(Cursor::new(tail.clone()))))
        }));
        let core = self.client.core();
        let mut errand = Errand { load, ..errand(core, Method::POST, "/files", None)? };
        let form = HeaderValue::from_str(&format!("multipart/form-data; boundary={boundary}"));
        errand.headers.extend(form.ok().map(|form| (header::CONTENT_TYPE, form)));
        read(&done(&self.client.over(), core, &errand).await?, FileState::read)
    }

    async fn state_of(&self, id: &str) -> Result<FileState, Error> {
        let core = self.client.core();
        let errand = errand(core, Method::GET, &format!("/files/{}", escaped(id)), None)?;
        read(&done(&self.client.over(), core, &errand).await?, FileState::read)
    }

    async fn all(&self) -> Result<Vec<FileState>, Error> {
        let core = self.client.core();
        let errand = errand(core, Method::GET, "/files", None)?;
        let answer = done(&self.client.over(), core, &errand).await?;
        read(&answer, |root| Some(root.get("data")?.items().filter_map(FileState::read).collect()))
    }

    async fn download_to(&self, id: &str, to: &mut (dyn Write + Send)) -> Result<u64, Error> {
        let (core, over) = (self.client.core(), self.client.over());
        let errand = errand(core, Method::GET, &format!("/files/{}/content", escaped(id)), None)?;
        let mut body = opened(&over, core, &errand).await?;
        let unwritten = |error| Error::new(ErrorKind::Io, format!("the file can't be written: {error}"));
        let mut bytes = 0;
        while let Some(piece) = piece(&over, core, &mut body).await? {
            to.write_all(&piece).map_err(unwritten)?;
            bytes += piece.len() as u64;
        }
        to.flush().map_err(unwritten)?;
        Ok(bytes)
    }

    async fn remove(&self, id: &str) -> Result<(), Error> {
        let core = self.client.core();
        let errand = errand(core, Method::DELETE, &format!("/files/{}", escaped(id)), None)?;
        done(&self.client.over(), core, &errand).await.map(drop)
    }
}

both!(Files, {
    /// Uploads a file, which is read while it is sent. Its purpose is a word of the provider's: `fine-tune`, `batch`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] where it can't be read; else what the provider says.
    fn upload(path: &Path, purpose: &str) -> FileState = send;

    /// What the provider says of a file.
    ///
    /// # Errors
    ///
    /// What the provider says.
    fn state(id: &str) -> FileState = state_of;

    /// All files, as many as the provider tells at once.
    ///
    /// # Errors
    ///
    /// What the provider says.
    fn list() -> Vec<FileState> = all;

    /// Writes what is in a file to another, or to anything else; how many bytes that is.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] where it can't be written; else what the provider says.
    fn download(id: &str, to: &mut (dyn Write + Send)) -> u64 = download_to;

    /// Deletes a file.
    ///
    /// # Errors
    ///
    /// What the provider says.
    fn delete(id: &str) -> () = remove;
});

impl<C> fmt::Debug for Files<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files").finish_non_exhaustive()
    }
}
