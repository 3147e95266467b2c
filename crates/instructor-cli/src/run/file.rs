//! A file of rows that only grows. What is in it is what is done: it is read at the start, a line that was cut off by the
//! end of a process is cut away, and every other line stays as it is.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::args::Format;
use super::done::Done;
use crate::failure::Failure;

#[derive(Debug)]
pub(crate) struct RowFile {
    path: PathBuf,
    file: File,
    /// What is written next.
    waiting: Vec<u8>,
    /// What was written and not yet handed to the disk.
    dirty: bool,
}

impl RowFile {
    /// Opens it, or makes it with its head, and notes the rows that are in it.
    pub(crate) fn open(path: &Path, format: Format, head: &str, done: &mut Done) -> Result<Self, Failure> {
        let file = OpenOptions::new().read(true).append(true).create(true).open(path);
        let mut file = file.map_err(|e| unwritten(path, &e))?;
        // Where a file system has no locks, it is as if nobody held one.
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(Failure::setup(format!(
                "another run is writing {}: wait for its end, or name another output",
                path.display(),
            )));
        }
        let whole = scan(&file, format, head, done).map_err(|why| match why {
            Unread::Io(error) => super::source::unread(path, &error),
            Unread::Foreign(line) => foreign(path, line),
        })?;
        let cut = file.set_len(whole).and_then(|()| file.seek(SeekFrom::End(0)));
        cut.map_err(|e| unwritten(path, &e))?;
        let waiting = if whole == 0 { Vec::from(head) } else { Vec::new() };
        let mut opened = Self { path: path.to_path_buf(), file, waiting, dirty: false };
        opened.write()?;
        Ok(opened)
    }

    /// Throws away all rows.
    pub(crate) fn clear(path: &Path) -> Result<(), Failure> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unwritten(path, &error)),
            _ => Ok(()),
        }
    }

    /// A row for the next write, without its line break.
    pub(crate) fn push(&mut self, line: &[u8]) {
        self.waiting.extend_from_slice(line);
        self.waiting.push(b'\n');
    }

    /// Writes what waits, in one go: after it, the end of this process takes nothing away.
    pub(crate) fn write(&mut self) -> Result<(), Failure> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.file.write_all(&self.waiting).map_err(|e| unwritten(&self.path, &e))?;
        self.waiting.clear();
        self.dirty = true;
        Ok(())
    }

    /// The file, if there is something in it that the end of the machine would take away.
    pub(crate) fn unsynced(&mut self) -> Option<File> {
        std::mem::take(&mut self.dirty).then(|| self.file.try_clone().ok()).flatten()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

pub(crate) fn unwritten(path: &Path, error: &io::Error) -> Failure {
    Failure::unexpected(format!("{} can't be written: {error}", path.display()))
}

fn foreign(path: &Path, line: u64) -> Failure {
    Failure::setup(format!(
        "line {line} of {} is none that `instructor run` has written with these settings",
        path.display()
    ))
    .hint("name another file, or begin anew with --overwrite")
}

#[derive(Debug)]
enum Unread {
    Io(io::Error),
    /// The line that is not a row of ours.
    Foreign(u64),
}

/// Notes the rows, and tells where the last whole line ends.
fn scan(file: &File, format: Format, head: &str, done: &mut Done) -> Result<u64, Unread> {
    let mut source = BufReader::with_capacity(64 << 10, file);
    let (mut whole, mut number) = (0, 0);
    let mut line = Vec::new();
    loop {
        line.clear();
        // A line break between quotes is part of a cell; quotes within one are doubled.
        let mut quotes = 0;
        loop {
            let begin = line.len();
            if source.read_until(b'\n', &mut line).map_err(Unread::Io)? == 0 {
                return Ok(whole);
            }
            quotes += line.get(begin..).unwrap_or_default().iter().filter(|&&byte| byte == b'"').count();
            let inside = format == Format::Csv && quotes % 2 == 1;
            if line.ends_with(b"\n") && !inside {
                break;
            }
        }
        number += 1;
        if !(number == 1 && !head.is_empty() && line == head.as_bytes()) {
            let row = if number == 1 && !head.is_empty() { None } else { row(&line, format) };
            done.insert(row.ok_or(Unread::Foreign(number))?);
        }
        whole += line.len() as u64;
    }
}

/// The number of a row, which is what it begins with.
fn row(line: &[u8], format: Format) -> Option<u64> {
    let rest = match format {
        Format::Jsonl | Format::Parquet => line.strip_prefix(b"{\"row\":")?,
        Format::Csv => line,
    };
    let end = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    matches!(rest.get(end), Some(b',' | b'\n')).then_some(())?;
    str::from_utf8(rest.get(..end)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(name: &str, content: &str, format: Format, head: &str) -> Result<(Vec<u64>, String), String> {
        let path = std::env::temp_dir().join(format!("instructor-rows-{}-{name}", std::process::id()));
        fs::write(&path, content).unwrap();
        let mut done = Done::default();
        let file = RowFile::open(&path, format, head, &mut done).map_err(|failure| failure.to_string());
        let left = fs::read_to_string(&path).unwrap();
        fs::remove_file(&path).unwrap();
        file.map(|_| ((0..100).filter(|&row| done.contains(row)).collect(), left))
    }

    #[test]
    fn a_torn_line_is_cut_at_every_byte() {
        let text = "{\"row\":2,\"value\":\"a\\n\"}\n{\"row\":10,\"value\":\"}\"}\n{\"row\":1,\"value\":3}\n";
        for end in 0..=text.len() {
            let torn = &text[..end];
            let whole = torn.rfind('\n').map_or(0, |at| at + 1);
            let (rows, left) = opened("jsonl", torn, Format::Jsonl, "").unwrap();
            assert_eq!(left, text[..whole]);
            assert_eq!(rows.len(), left.lines().count());
        }
    }

    #[test]
    fn a_torn_record_is_cut_at_every_byte() {
        let head = "row,text\n";
        let records = ["2,\"a\nb \"\"c\"\"\n\"\n", "10,x\n", "1,\"\"\"\n\"\"\"\n"];
        let text = format!("{head}{}", records.concat());
        let ends: Vec<usize> = (0..=3).map(|n| head.len() + records[..n].concat().len()).collect();
        for end in 0..=text.len() {
            let (rows, left) = opened("csv", &text[..end], Format::Csv, head).unwrap();
            let whole = ends.iter().rposition(|&at| at <= end);
            assert_eq!(rows.len(), whole.unwrap_or(0), "{end}");
            assert_eq!(left.len(), ends[whole.unwrap_or(0)], "{end}");
        }
    }

    #[test]
    fn what_is_not_ours_is_left_alone() {
        for (text, format, head) in [
            ("{\"row\":1}\n{\"name\":\"Ada\"}\n", Format::Jsonl, ""),
            ("hello\n", Format::Jsonl, ""),
            ("\n", Format::Jsonl, ""),
            ("name,age\n1,2\n", Format::Csv, "row,name\n"),
            ("row,name\nAda,2\n", Format::Csv, "row,name\n"),
        ] {
            let said = opened("foreign", text, format, head).unwrap_err();
            assert!(said.contains("--overwrite"), "{said}");
        }
    }
}
