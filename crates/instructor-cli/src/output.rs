//! What goes out: results on standard output, everything else on standard error.

use std::io::{self, ErrorKind, Write};

use crate::failure::Failure;

/// Writes the result, with a line break at its end. A reader that has seen enough (`| head`) is no failure.
pub(crate) fn result(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::unexpected(format!("standard output can't be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// Says something to the person at the terminal. Providers and models get their words in here, so that control
/// characters, which could rewrite what the terminal shows, are left out.
pub(crate) fn say(text: &str) {
    let plain: String =
        text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { ' ' } else { c }).collect();
    // There is nobody to tell that this failed.
    _ = writeln!(io::stderr().lock(), "{plain}");
}
