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

/// Rows with their cells under each other.
pub(crate) fn table<R: AsRef<[String]>>(rows: &[R]) -> String {
    let mut widths = Vec::new();
    for row in rows.iter().map(AsRef::as_ref) {
        widths.resize(row.len().max(widths.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.len().max(*width);
        }
    }
    let line = |row: &[String]| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
        String::from(cells.join("  ").trim_end())
    };
    rows.iter().map(|row| line(row.as_ref())).collect::<Vec<_>>().join("\n")
}

/// JSON text on one line; nothing else of it is touched.
pub(crate) fn compact(json: &str) -> String {
    let (mut string, mut escaped) = (false, false);
    let kept = |c: &char| {
        let inside = string;
        string ^= *c == '"' && !escaped;
        escaped = inside && *c == '\\' && !escaped;
        inside || !c.is_ascii_whitespace()
    };
    json.chars().filter(kept).collect()
}

/// JSON text with line breaks and indentation; nothing else of it is touched, so that numbers keep every digit.
pub(crate) fn indented(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    let mut chars = json.chars();
    let (mut string, mut escaped, mut empty) = (false, false, false);
    while let Some(c) = chars.next() {
        if string {
            out.push(c);
            string = c != '"' || escaped;
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            '{' | '[' => {
                out.push(c);
                let next = chars.clone().find(|c| !c.is_ascii_whitespace());
                empty = matches!(next, Some('}' | ']'));
                if !empty {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                if !std::mem::take(&mut empty) {
                    depth = depth.saturating_sub(1);
                    line(&mut out, depth);
                }
                out.push(c);
            }
            c if c.is_ascii_whitespace() => {}
            ',' => {
                out.push(c);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ => {
                string = c == '"';
                out.push(c);
            }
        }
    }
    out
}

/// Says something to the person at the terminal. Providers and models get their words in here, so that control
/// characters, which could rewrite what the terminal shows, are left out.
pub(crate) fn say(text: &str) {
    let plain: String =
        text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { ' ' } else { c }).collect();
    // There is nobody to tell that this failed.
    _ = writeln!(io::stderr().lock(), "{plain}");
}
