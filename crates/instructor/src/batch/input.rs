//! The input of a batch: lines of requests, in a file or in memory.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::File;
use std::hash::{DefaultHasher, Hasher as _};
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::Deserialize;

use super::job::BatchPart;
use crate::error::{Error, ErrorKind};
use crate::provider::{Batches, Ids};
use crate::transport::Upload;

/// The requests of a batch, as a [`BatchWriter`](super::BatchWriter) has written them: a file, which is read piece by piece
/// however large it is, or bytes.
#[derive(Clone, Debug)]
pub struct BatchInput(Source);

#[derive(Clone, Debug)]
enum Source {
    File(PathBuf),
    Bytes(Bytes),
}

type Reader = Box<dyn Read + Send + Sync>;

impl BatchInput {
    /// A file. It is opened when it is read.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Source::File(path.into()))
    }

    /// Bytes.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self(Source::Bytes(bytes.into()))
    }

    fn open(&self, bytes: Range<u64>) -> io::Result<Reader> {
        let length = bytes.end.saturating_sub(bytes.start);
        Ok(match &self.0 {
            Source::File(path) => {
                let mut file = File::open(path)?;
                file.seek(SeekFrom::Start(bytes.start))?;
                Box::new(file.take(length))
            }
            Source::Bytes(all) => {
                let mut cursor = Cursor::new(all.clone());
                cursor.set_position(bytes.start);
                Box::new(cursor.take(length))
            }
        })
    }

    fn unread(&self, error: io::Error) -> Error {
        let what = match &self.0 {
            Source::File(path) => path.display().to_string(),
            Source::Bytes(_) => String::from("the input"),
        };
        Error::new(ErrorKind::Io, format!("{what} can't be read: {error}")).with_source(Some(error.into()))
    }

    /// How many bytes it has.
    pub(super) fn length(&self) -> Result<u64, Error> {
        match &self.0 {
            Source::File(path) => std::fs::metadata(path).map(|data| data.len()).map_err(|error| self.unread(error)),
            Source::Bytes(bytes) => Ok(bytes.len() as u64),
        }
    }

    /// A part of it between two texts, as it is sent.
    pub(super) fn upload(&self, bytes: Range<u64>, head: &str, tail: &str, list: bool) -> io::Result<Upload> {
        // The end of the last line is no part of it.
        let bytes = bytes.start..bytes.end.saturating_sub(1);
        let length = bytes.end.saturating_sub(bytes.start) + (head.len() + tail.len()) as u64;
        let lines = Lines { from: self.open(bytes)?, list };
        let own = |text: &str| Cursor::new(Bytes::copy_from_slice(text.as_bytes()));
        Ok(Upload::new(length, own(head).chain(lines).chain(own(tail))))
    }

    /// Reads the ids, one for each line, with the end of its line.
    pub(super) fn ids(&self) -> Result<IdReader<'_>, Error> {
        let from = self.open(0..u64::MAX).map_err(|error| self.unread(error))?;
        Ok(IdReader { input: self, from: BufReader::with_capacity(1 << 16, from), line: Vec::new(), number: 0, at: 0 })
    }

    /// The parts that a provider takes it in.
    pub(super) fn parts(&self, facts: &Batches) -> Result<Vec<BatchPart>, Error> {
        let mut ids = self.ids()?;
        let mut known = KnownIds::default();
        let mut parts: Vec<BatchPart> = Vec::new();
        let mut start = 0;
        while let Some((id, line)) = ids.next()? {
            let fits = facts.check(&id).and_then(|()| known.insert(&id));
            fits.map_err(|error| Error::config(format!("line {}: {}", line + 1, error.message())))?;
            let end = ids.at;
            let length = end - start;
            if length > facts.bytes {
                let why = format!("the request {id:?} has {length} bytes, and a batch takes {}", facts.bytes);
                return Err(Error::config(format!("line {}: {why}", line + 1)));
            }
            let roomy = |part: &&mut BatchPart| {
                part.lines.end - part.lines.start < facts.requests && end - part.bytes.start <= facts.bytes
            };
            match parts.last_mut().filter(roomy) {
                Some(part) => (part.lines.end, part.bytes.end) = (line + 1, end),
                None => parts.push(BatchPart { lines: line..line + 1, bytes: start..end, state: None }),
            }
            start = end;
        }
        if parts.is_empty() {
            return Err(Error::config("the input has no requests: write some with Extraction::writer"));
        }
        Ok(parts)
    }
}

impl From<&Path> for BatchInput {
    fn from(path: &Path) -> Self {
        Self::file(path)
    }
}

impl From<PathBuf> for BatchInput {
    fn from(path: PathBuf) -> Self {
        Self::file(path)
    }
}

impl From<Vec<u8>> for BatchInput {
    fn from(bytes: Vec<u8>) -> Self {
        Self::bytes(bytes)
    }
}

impl Batches {
    /// Whether the provider takes an id.
    pub(super) fn check(&self, id: &str) -> Result<(), Error> {
        let (fits, rule) = match self.ids {
            Ids::Text(most) => (id.len() <= most, format!("{most} bytes at most")),
            Ids::Word(most) => {
                let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
                (id.len() <= most && id.bytes().all(word), format!("{most} letters, digits, _ and - at most"))
            }
        };
        if fits && !id.is_empty() {
            return Ok(());
        }
        Err(Error::config(format!("{id:?} can't be the id of a request: it is to be {rule}, and not empty")))
    }
}

/// The ids that there are already, by a number of each.
#[derive(Debug, Default)]
pub(super) struct KnownIds(HashSet<u64>);

/// The same in every process.
pub(super) fn number(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(id.as_bytes());
    hasher.finish()
}

impl KnownIds {
    pub(super) fn insert(&mut self, id: &str) -> Result<(), Error> {
        if self.0.insert(number(id)) {
            return Ok(());
        }
        Err(Error::config(format!("the id {id:?} is there twice: results are told apart by their ids")))
    }
}

/// The ids of an input, in its order.
pub(super) struct IdReader<'i> {
    input: &'i BatchInput,
    from: BufReader<Reader>,
    line: Vec<u8>,
    number: u64,
    /// Behind the line that was read last.
    at: u64,
}

#[derive(Deserialize)]
struct Line<'l> {
    #[serde(borrow, alias = "key")]
    custom_id: Cow<'l, str>,
}

impl IdReader<'_> {
    /// The next id, and the number of its line.
    pub(super) fn next(&mut self) -> Result<Option<(String, u64)>, Error> {
        self.line.clear();
        let read = self.from.read_until(b'\n', &mut self.line).map_err(|error| self.input.unread(error))?;
        if read == 0 {
            return Ok(None);
        }
        self.at += read as u64;
        let number = self.number;
        self.number += 1;
        let wrong = |why: String| Error::config(format!("line {} of the input is no request: {why}", number + 1));
        if self.line.last() != Some(&b'\n') {
            return Err(wrong(String::from("it has no end of line; the file may have been cut")));
        }
        let line: Line<'_> = serde_json::from_slice(&self.line).map_err(|error| wrong(error.to_string()))?;
        Ok(Some((line.custom_id.into_owned(), number)))
    }
}

/// Lines as they are, or as the items of a list.
struct Lines {
    from: Reader,
    list: bool,
}

impl Read for Lines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        if self.list {
            // Inside of JSON there is no such byte: lines are ended by it alone.
            for byte in buffer.iter_mut().take(read).filter(|byte| **byte == b'\n') {
                *byte = b',';
            }
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::BatchForm;

    const FACTS: Batches = Batches { form: BatchForm::Files, requests: 2, bytes: 60, percent: 50, ids: Ids::Word(8) };

    fn lines(ids: &[&str]) -> BatchInput {
        let text: String = ids.iter().map(|id| format!("{{\"custom_id\":\"{id}\"}}\n")).collect();
        BatchInput::bytes(text.into_bytes())
    }

    #[test]
    fn an_input_is_split_by_requests_and_by_bytes() {
        // 18 bytes a line.
        let parts = |facts: Batches| {
            let parts = lines(&["a", "b", "c", "d", "e"]).parts(&facts).unwrap();
            parts.into_iter().map(|part| (part.lines, part.bytes)).collect::<Vec<_>>()
        };
        assert_eq!(parts(FACTS), [(0..2, 0..36), (2..4, 36..72), (4..5, 72..90)]);
        assert_eq!(parts(Batches { requests: 9, ..FACTS }), [(0..3, 0..54), (3..5, 54..90)]);
        assert_eq!(parts(Batches { requests: 9, bytes: 18, ..FACTS }).len(), 5);
    }

    #[test]
    fn what_can_not_be_submitted_is_told() {
        let wrong = |input: &BatchInput| input.parts(&FACTS).unwrap_err().to_string();
        assert!(wrong(&lines(&["a", "b", "a"])).contains("line 3: the id \"a\" is there twice"));
        assert!(wrong(&lines(&["a b"])).contains("8 letters, digits, _ and - at most"));
        assert!(wrong(&lines(&["123456789"])).contains("line 1: \"123456789\" can't be the id"));
        assert!(wrong(&lines(&[])).contains("has no requests"));
        assert!(wrong(&BatchInput::bytes("{\"custom_id\":\"a\"}")).contains("no end of line"));
        assert!(wrong(&BatchInput::bytes("{}\n")).contains("line 1 of the input is no request"));
        let long = format!("{{\"custom_id\":\"a\",\"body\":\"{}\"}}\n", "x".repeat(60));
        assert!(wrong(&BatchInput::bytes(long)).contains("a batch takes 60"));
    }

    #[test]
    fn a_part_is_sent_between_texts() {
        let input = lines(&["a", "b", "c"]);
        let sent = |bytes, list| input.upload(bytes, "[", "]", list).unwrap().into_bytes().unwrap();
        assert_eq!(sent(18..54, true), "[{\"custom_id\":\"b\"},{\"custom_id\":\"c\"}]");
        assert_eq!(sent(0..36, false), "[{\"custom_id\":\"a\"}\n{\"custom_id\":\"b\"}]");
    }
}
