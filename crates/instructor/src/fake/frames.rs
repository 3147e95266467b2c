//! Messages of a binary event stream as a server writes them.

use crate::wire::binary::crc32;

/// A message with headers that are texts.
pub(crate) fn message(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut written = Vec::new();
    for (name, value) in headers {
        written.push(name.len() as u8);
        written.extend_from_slice(name.as_bytes());
        written.push(7);
        written.extend_from_slice(&(value.len() as u16).to_be_bytes());
        written.extend_from_slice(value.as_bytes());
    }
    framed(&written, payload)
}

/// A message with headers that are written already.
pub(crate) fn framed(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    // Its length and that of the headers with their sum, and the sum of all.
    let total = 12 + headers.len() + payload.len() + 4;
    let mut out = Vec::from((total as u32).to_be_bytes());
    out.extend_from_slice(&(headers.len() as u32).to_be_bytes());
    out.extend_from_slice(&crc32(&out).to_be_bytes());
    out.extend_from_slice(headers);
    out.extend_from_slice(payload);
    out.extend_from_slice(&crc32(&out).to_be_bytes());
    out
}
