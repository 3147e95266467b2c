//! Where rows come from: a file or standard input, read as a stream.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use hmac_sha256::Hash;

use super::args::Format;
use super::parquet::{self, Table};
use super::prompt::Record;
use crate::failure::Failure;

/// The form of rows, by the name of their file.
pub(crate) fn format(path: &Path) -> Format {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some(csv) if csv.eq_ignore_ascii_case("csv") => Format::Csv,
        Some(parquet) if parquet.eq_ignore_ascii_case("parquet") => Format::Parquet,
        _ => Format::Jsonl,
    }
}

pub(crate) fn is_standard(path: &Path) -> bool {
    path == Path::new("-")
}

/// Opens the rows.
pub(crate) fn open(path: &Path, format: Format) -> Result<Rows<Box<dyn Read + Send>>, Failure> {
    if format == Format::Parquet {
        return Ok(Rows::Table(Table::open(path).map_err(|e| unread(path, &e))?));
    }
    let source: Box<dyn Read + Send> = if is_standard(path) {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path).map_err(|e| unread(path, &e))?)
    };
    Rows::new(source, format).map_err(|e| unread(path, &e))
}

pub(crate) fn unread(path: &Path, error: &io::Error) -> Failure {
    let name = if is_standard(path) { Cow::Borrowed("standard input") } else { path.to_string_lossy() };
    Failure::unexpected(format!("{name} can't be read: {error}"))
}

/// What is in a file before it is worked on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Survey {
    /// How long it is, or how much of it was hashed.
    pub(crate) bytes: u64,
    pub(crate) hash: String,
    /// How many rows it has.
    pub(crate) rows: u64,
}

/// Counts the rows of a file, and hashes its first bytes, or all.
pub(crate) fn survey(path: &Path, format: Format, bytes: Option<u64>) -> Result<Survey, Failure> {
    let file = File::open(path).map_err(|e| unread(path, &e))?;
    let mut rows = None;
    // Its rows are counted in the file itself, and its bytes are no lines.
    let read_as = match format {
        Format::Parquet => {
            rows = Some(parquet::count(path)?);
            Format::Jsonl
        }
        format => format,
    };
    let hashing = Hashing { inner: file, hash: Hash::new(), seen: 0, most: bytes.unwrap_or(u64::MAX) };
    let counted = Rows::new(hashing, read_as).and_then(|mut rows| {
        let mut count = 0;
        while rows.advance()? {
            count += 1;
        }
        Ok((rows, count))
    });
    let (read, count) = counted.map_err(|e| unread(path, &e))?;
    let Some(Hashing { hash, seen, most, .. }) = read.into_source() else {
        return Err(unread(path, &io::ErrorKind::Other.into()));
    };
    let hash = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Survey { bytes: seen.min(most), hash, rows: rows.unwrap_or(count) })
}

struct Hashing {
    inner: File,
    hash: Hash,
    seen: u64,
    most: u64,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let left = usize::try_from(self.most.saturating_sub(self.seen)).unwrap_or(usize::MAX);
        self.hash.update(buffer.get(..read.min(left)).unwrap_or_default());
        self.seen += read as u64;
        Ok(read)
    }
}

/// Rows of one form or the other; one is held at a time.
pub(crate) enum Rows<R> {
    Lines { source: BufReader<R>, line: Vec<u8> },
    Cells { source: Box<csv::Reader<R>>, names: Vec<String>, cells: csv::ByteRecord },
    Table(Table),
}

const BUFFER: usize = 64 << 10;

impl<R: Read> Rows<R> {
    fn new(source: R, format: Format) -> io::Result<Self> {
        Ok(match format {
            Format::Jsonl | Format::Parquet => {
                Self::Lines { source: BufReader::with_capacity(BUFFER, source), line: Vec::new() }
            }
            Format::Csv => {
                let mut source = csv::ReaderBuilder::new().flexible(true).buffer_capacity(BUFFER).from_reader(source);
                let names = source.byte_headers()?.iter().enumerate().map(|(i, name)| {
                    let name = if i == 0 { name.strip_prefix("\u{feff}".as_bytes()).unwrap_or(name) } else { name };
                    String::from_utf8_lossy(name).into_owned()
                });
                let names = names.collect();
                Self::Cells { source: Box::new(source), names, cells: csv::ByteRecord::new() }
            }
        })
    }

    /// Goes on to the next row; whether there is one. Blank lines are none.
    pub(crate) fn advance(&mut self) -> io::Result<bool> {
        match self {
            Self::Lines { source, line } => loop {
                line.clear();
                if source.read_until(b'\n', line)? == 0 {
                    return Ok(false);
                }
                if !line.trim_ascii().is_empty() {
                    return Ok(true);
                }
            },
            Self::Cells { source, cells, .. } => Ok(source.read_byte_record(cells)?),
            Self::Table(table) => table.advance(),
        }
    }

    /// The row that it is at.
    pub(crate) fn record(&self) -> Result<Record<'_>, String> {
        match self {
            Self::Lines { line, .. } => {
                let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
                let text = str::from_utf8(line).map_err(|_| String::from("the row is not UTF-8 text"))?;
                Ok(Record::Json(text.trim()))
            }
            Self::Table(table) => Ok(Record::Json(&table.line)),
            Self::Cells { names, cells, .. } => {
                let cells = cells.iter().map(|cell| str::from_utf8(cell).map(Cow::Borrowed)).collect::<Result<_, _>>();
                let cells = cells.map_err(|_| String::from("the row is not UTF-8 text"))?;
                Ok(Record::Cells { names, cells })
            }
        }
    }

    fn into_source(self) -> Option<R> {
        match self {
            Self::Lines { source, .. } => Some(source.into_inner()),
            Self::Cells { source, .. } => Some(source.into_inner()),
            Self::Table(_) => None,
        }
    }
}
