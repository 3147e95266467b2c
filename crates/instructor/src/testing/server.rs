use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use bytes::Bytes;

use super::script::{End, Flow, Script, Spoken};
use crate::transport::ban;

/// A loopback HTTP server that answers from a [`Script`], so that everything up to the socket is the real path.
/// It stops when it is dropped.
///
/// ```
/// use instructor::testing::{Reply, Script};
///
/// let script = Script::new().reply(Reply::value(serde_json::json!("hello")));
/// let server = script.serve()?;
/// assert!(server.url().starts_with("http://127.0.0.1:"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
}

impl Server {
    pub(super) fn start(script: Script) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let server = Self { address: listener.local_addr()?, stopped: Arc::default() };
        ban::allow(server.address.to_string());
        let stopped = Arc::clone(&server.stopped);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::Acquire) {
                    return;
                }
                let script = script.clone();
                // A client that hangs up ends its own thread and nothing else.
                thread::spawn(move || stream.and_then(|stream| converse(&script, stream)));
            }
        });
        Ok(server)
    }

    /// The base URL, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        ban::forbid(&self.address.to_string());
        // The listener wakes for one more connection and sees that it is to stop.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}

/// Answers one connection, request by request, until the client closes it.
fn converse(script: &Script, stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader)? {
        let Ok(Spoken { response, flow, .. }) = script.answer(request, None) else {
            // A fault of the script is a connection that ends without an answer.
            return Ok(());
        };
        let (parts, body) = response.into_parts();
        let mut head = format!("HTTP/1.1 {}\r\n", parts.status);
        let plain = flow.end.is_none() && flow.pieces == usize::MAX;
        head.push_str(&if plain { format!("content-length: {}\r\n", body.len()) } else { String::from(CHUNKED) });
        if !parts.headers.contains_key(http::header::CONTENT_TYPE) {
            head.push_str("content-type: application/json\r\n");
        }
        for (name, value) in &parts.headers {
            head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap_or_default()));
        }
        head.push_str("\r\n");
        let mut message = head.into_bytes();
        if plain {
            message.extend_from_slice(&body);
            writer.write_all(&message)?;
        } else {
            writer.write_all(&message)?;
            if !send_in_pieces(&mut writer, &body, flow)? {
                return Ok(());
            }
        }
    }
    Ok(())
}

const CHUNKED: &str = "transfer-encoding: chunked\r\n";

/// Sends a body piece by piece; whether the connection can be used again.
fn send_in_pieces(writer: &mut TcpStream, body: &[u8], flow: Flow) -> io::Result<bool> {
    let end = flow.end.map_or(body.len(), |(end, _)| end.min(body.len()));
    for piece in body.get(..end).unwrap_or_default().chunks(flow.pieces.max(1)) {
        let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
        chunk.extend_from_slice(piece);
        chunk.extend_from_slice(b"\r\n");
        writer.write_all(&chunk)?;
    }
    match flow.end {
        None | Some((_, End::Cut)) => writer.write_all(b"0\r\n\r\n").map(|()| true),
        Some((_, End::Breaks)) => Ok(false),
        Some((_, End::Stalls)) => {
            // Until the client goes away.
            let mut byte = [0];
            writer.read(&mut byte).map(|_| false)
        }
    }
}

fn read_request(reader: &mut BufReader<TcpStream>) -> io::Result<Option<http::Request<Bytes>>> {
    let invalid = |why: &'static str| io::Error::new(io::ErrorKind::InvalidData, why);
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_ascii_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Err(invalid("no request line")) };
    let mut builder = http::Request::builder().method(method).uri(target);
    let mut length = (method == "GET").then_some(0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok();
        }
        builder = builder.header(name, value.trim());
    }
    let mut body = vec![0; length.ok_or_else(|| invalid("no content-length"))?];
    reader.read_exact(&mut body)?;
    builder.body(Bytes::from(body)).map(Some).map_err(|_| invalid("no request"))
}
