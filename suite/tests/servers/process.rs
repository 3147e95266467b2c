//! Servers as child processes, which end with the test binary however that ends.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a server may take to start.
const START: Duration = Duration::from_secs(180);

/// Ends the server once its own input closes, which it does with this process.
const GUARD: &str = r#""$@" </dev/null & server=$!; cat >/dev/null; kill $server 2>/dev/null"#;

/// A running server on a port of the loopback address.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) url: String,
    /// Held for its open pipe.
    _guard: Child,
}

impl Server {
    /// Starts a program with these arguments and a port, and waits until it says that it is well. What it prints goes to
    /// a file beside it.
    pub(crate) fn start(program: &Path, arguments: &[&str], variables: &[(&str, &str)], health: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let name = program.file_name().unwrap().to_string_lossy();
        let log_path = std::env::temp_dir().join(format!("instructor-{name}-{port}.log"));
        let log = File::create(&log_path).unwrap();
        let guard = Command::new("sh")
            .args(["-c", GUARD, "sh"])
            .arg(program)
            .args(arguments)
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let server = Self { url: format!("http://127.0.0.1:{port}"), _guard: guard };
        let end = Instant::now() + START;
        while !is_well(port, health) {
            assert!(Instant::now() < end, "{name} does not start; see {}", log_path.display());
            thread::sleep(Duration::from_millis(50));
        }
        server
    }
}

fn is_well(port: u16, path: &str) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET {path} HTTP/1.0\r\nhost: 127.0.0.1\r\n\r\n")?;
        let mut head = [0; 12];
        stream.read_exact(&mut head)?;
        std::io::Result::Ok(head.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}
