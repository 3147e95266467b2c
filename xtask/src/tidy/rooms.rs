//! Where the outside world may be touched: bytes and time come into the other rooms as arguments.

use super::scan::{follow, paths, tokens};
use super::{Finding, Tree};

const ROOMS: &[&str] = &[
    "crates/instructor/src/batch/protocol",
    "crates/instructor/src/limiter",
    "crates/instructor/src/mode",
    "crates/instructor/src/run",
    "crates/instructor/src/schema",
    "crates/instructor/src/stream",
    "crates/instructor/src/wire",
    "crates/instructor-json/src",
];

/// Paths, or parts of paths; a star stands for the rest of a name.
const OUTSIDE: &[&str] = &[
    "tokio",
    "reqwest",
    "ureq",
    "std::env",
    "env::var*",
    "std::fs",
    "std::net::Tcp*",
    "std::process",
    "std::time::Instant",
    "Instant::now",
    "SystemTime::now",
    "thread::sleep",
];

const PRINTS: &[&str] = &["print", "println", "eprint", "eprintln"];

/// The rooms that do no input and output.
pub(super) fn no_io(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in ROOMS.iter().flat_map(|room| tree.room(room)) {
        let bare = &file.source.shipped.bare;
        for path in paths(bare) {
            if let Some(outside) = OUTSIDE.iter().find(|outside| names(&path.segments, outside)) {
                let message = format!("`{outside}` in a room without I/O; take it as an argument");
                findings.push(file.finding(path.at, message));
            }
        }
        let tokens = tokens(bare);
        for (index, token) in tokens.iter().enumerate() {
            if PRINTS.contains(&token.text) && follow(&tokens, index + 1, &["!"]) {
                findings.push(file.finding(token.at, format!("`{}!` in a room without I/O", token.text)));
            }
        }
    }
    findings
}

const TRANSPORT: &str = "crates/instructor/src/transport";
const CLIENTS: &[&str] = &["reqwest", "ureq"];

/// HTTP clients are named in the transport alone; elsewhere only as the transport's modules of these names.
pub(super) fn transport_only(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let sources = tree.rust().filter(|file| file.path.starts_with("crates/") && file.path.contains("/src/"));
    for file in sources.filter(|file| !file.path.starts_with(TRANSPORT)) {
        for path in paths(&file.source.shipped.bare) {
            for client in CLIENTS {
                let own = format!("transport::{client}");
                if names(&path.segments, client) && !names(&path.segments, &own) {
                    let message = format!("`{client}` outside {TRANSPORT}; write `{own}` for the module");
                    findings.push(file.finding(path.at, message));
                }
            }
        }
    }
    findings
}

/// Whether a path has these segments in a row.
fn names(segments: &[&str], wanted: &str) -> bool {
    let wanted: Vec<&str> = wanted.split("::").collect();
    segments.windows(wanted.len()).any(|window| {
        window.iter().zip(&wanted).all(|(segment, wanted)| match wanted.strip_suffix('*') {
            Some(start) => segment.starts_with(start),
            None => segment == wanted,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn io(path: &str, text: &str) -> usize {
        no_io(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn pure_rooms_are_good() {
        let text = "use std::time::Duration;\n// tokio\nfn f(now: Duration) { g(\"std::fs\"); std::net::IpAddr; }\n\
                    #[cfg(test)] mod tests { use std::fs; }";
        assert_eq!(io("crates/instructor/src/run/mod.rs", text), 0);
        assert_eq!(io("crates/instructor/src/transport/mod.rs", "use tokio::time;"), 0);
    }

    #[test]
    fn the_outside_is_found_however_it_is_written() {
        for text in [
            "use tokio::time;",
            "use std::{fmt, env};",
            "use std::env; ",
            "let x = env::var_os(y);",
            "std::fs::read(x)",
            "use std::{net::{IpAddr, TcpStream}};",
            "let now = Instant::now();",
            "let now = time::SystemTime::now();",
            "use std::time::{Duration, Instant};",
            "std::thread::sleep(x)",
            "use std::process;",
            "println!(\"x\")",
        ] {
            assert_eq!(io("crates/instructor/src/run/mod.rs", text), 1, "{text}");
            assert_eq!(io("crates/instructor/src/mode/mod.rs", text), 1, "{text}");
            assert_eq!(io("crates/instructor-json/src/parse.rs", text), 1, "{text}");
        }
    }

    #[test]
    fn http_clients_stay_in_the_transport() {
        let found = |path, text| transport_only(&Tree::of(&[(path, text)])).len();
        assert_eq!(found("crates/instructor/src/transport/reqwest.rs", "use ::reqwest::Client;"), 0);
        let lib =
            "#[cfg(feature = \"reqwest\")]\npub use crate::transport::{reqwest, ureq::Agent};\n/// reqwest\nfn f() {}";
        assert_eq!(found("crates/instructor/src/lib.rs", lib), 0);
        assert_eq!(found("crates/instructor/src/client.rs", "let c = reqwest::Client::new();"), 1);
        assert_eq!(found("crates/instructor/src/blocking.rs", "fn f(a: ureq::Agent) {}"), 1);
        assert_eq!(found("crates/instructor-cli/src/main.rs", "use reqwest;"), 1);
        assert_eq!(found("bench/src/main.rs", "use reqwest;"), 0);
    }
}
