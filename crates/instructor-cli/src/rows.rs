//! Rows of JSON: one comes in on a line, one goes out on a line, for as long as there are any.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

use crate::failure::Failure;

/// Answers each row of a file or of standard input; blank lines are passed over.
pub(crate) fn answer(file: Option<&Path>, mut row: impl FnMut(&[u8]) -> String) -> Result<(), Failure> {
    let source: Box<dyn Read> = match file.filter(|file| *file != Path::new("-")) {
        Some(file) => Box::new(std::fs::File::open(file).map_err(|e| unopened(file, &e))?),
        None => Box::new(io::stdin().lock()),
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let mut line = Vec::new();
    let mut source = BufReader::new(source);
    loop {
        line.clear();
        match source.read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(_) if line.iter().all(u8::is_ascii_whitespace) => continue,
            Ok(_) => {}
            Err(error) => return Err(Failure::unexpected(format!("the rows can't be read: {error}"))),
        }
        let written = row(&line);
        let sent =
            writeln!(out, "{written}").and_then(|()| if source.buffer().is_empty() { out.flush() } else { Ok(()) });
        if let Err(error) = sent {
            return unwritten(&error);
        }
    }
    out.flush().or_else(|error| unwritten(&error))
}

/// A reader that has left is no reason to fail.
fn unwritten(error: &io::Error) -> Result<(), Failure> {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(Failure::unexpected(format!("standard output can't be written: {error}"))),
    }
}

fn unopened(file: &Path, error: &io::Error) -> Failure {
    Failure::unexpected(format!("{} can't be read: {error}", file.display()))
}
