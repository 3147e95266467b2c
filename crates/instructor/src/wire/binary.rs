//! Binary event streams (`application/vnd.amazon.eventstream`) out of bytes, in any split.
//!
//! A message is: its length and that of its headers (32 bits each, big endian), the CRC-32 of these eight bytes, the
//! headers, the payload, and the CRC-32 of all before it.

use super::frame::Frame;

/// A message begins with its length, and none is as long as 16 MiB, so its first byte is this; no text begins so.
pub(super) const FIRST_BYTE: u8 = 0;
const PRELUDE: usize = 12;
const CHECKSUM: usize = 4;

/// Splits a byte stream into messages. Linear: a byte is looked at once, however it arrives.
#[derive(Debug, Default)]
pub(super) struct Messages {
    buffer: Vec<u8>,
    /// What is before it was given.
    start: usize,
    broken: Option<&'static str>,
}

impl Messages {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..std::mem::take(&mut self.start));
        self.buffer.extend_from_slice(bytes);
    }

    /// The next message, if it is complete. After one that is none there are no more.
    pub(super) fn next(&mut self) -> Option<Frame<'_>> {
        if self.broken.is_some() {
            return None;
        }
        let rest = self.buffer.get(self.start..).unwrap_or_default();
        match next(rest) {
            Ok(None) => None,
            Ok(Some((message, tail))) => {
                self.start += rest.len() - tail.len();
                Some(message)
            }
            Err(why) => {
                self.broken = Some(why);
                None
            }
        }
    }

    /// What is wrong with the bytes.
    pub(super) fn fault(&self) -> Option<String> {
        self.broken.map(|why| format!("the event stream is broken: {why}"))
    }
}

/// The first message and the bytes after it; none if it is not complete.
fn next(bytes: &[u8]) -> Result<Option<(Frame<'_>, &[u8])>, &'static str> {
    let mut prelude = bytes;
    let (Some(total), Some(headers), Some(sum)) = (long(&mut prelude), long(&mut prelude), long(&mut prelude)) else {
        // A first byte is enough to see that it can't be one.
        return if bytes.first().is_none_or(|first| *first == FIRST_BYTE) { Ok(None) } else { Err(NONE) };
    };
    if bytes.get(..8).map(crc32) != Some(sum) || bytes.first() != Some(&FIRST_BYTE) {
        return Err(NONE);
    }
    let (total, headers) = (total as usize, headers as usize);
    if total.checked_sub(PRELUDE + CHECKSUM).is_none_or(|body| body < headers) {
        return Err(NONE);
    }
    let Some((message, tail)) = bytes.split_at_checked(total) else { return Ok(None) };
    let Some((summed, mut sum)) = message.split_at_checked(total - CHECKSUM) else { return Err(NONE) };
    if long(&mut sum) != Some(crc32(summed)) {
        return Err("a message has a wrong checksum");
    }
    let mut body = summed.get(PRELUDE..).unwrap_or_default();
    let headers = take(&mut body, headers).and_then(Headers::read).ok_or("a message has wrong headers")?;
    let text = |bytes| std::str::from_utf8(bytes).map_err(|_| "a message is not UTF-8");
    let frame = match headers.kind {
        Some(b"exception") => Frame { event: headers.exception, data: text(body)?, failed: true },
        Some(b"error") => Frame { event: headers.code, data: headers.message.unwrap_or_default(), failed: true },
        _ => Frame { event: headers.event, data: text(body)?, failed: false },
    };
    Ok(Some((frame, tail)))
}

const NONE: &str = "a message does not begin as one";

/// The headers that say what a message is.
#[derive(Default)]
struct Headers<'a> {
    kind: Option<&'a [u8]>,
    event: Option<&'a str>,
    exception: Option<&'a str>,
    code: Option<&'a str>,
    message: Option<&'a str>,
}

impl<'a> Headers<'a> {
    fn read(mut bytes: &'a [u8]) -> Option<Self> {
        let mut all = Self::default();
        while !bytes.is_empty() {
            let length = *take(&mut bytes, 1)?.first()?;
            let name = take(&mut bytes, length.into())?;
            let value = match *take(&mut bytes, 1)?.first()? {
                // true, false
                0 | 1 => &[],
                2 => take(&mut bytes, 1)?,
                3 => take(&mut bytes, 2)?,
                4 => take(&mut bytes, 4)?,
                // a number, a time
                5 | 8 => take(&mut bytes, 8)?,
                // bytes, a string
                6 | 7 => {
                    let length = <[u8; 2]>::try_from(take(&mut bytes, 2)?).ok()?;
                    take(&mut bytes, u16::from_be_bytes(length).into())?
                }
                // a UUID
                9 => take(&mut bytes, 16)?,
                _ => return None,
            };
            let text = std::str::from_utf8(value).ok();
            match name {
                b":message-type" => all.kind = Some(value),
                b":event-type" => all.event = text,
                b":exception-type" => all.exception = text,
                b":error-code" => all.code = text,
                b":error-message" => all.message = text,
                _ => {}
            }
        }
        Some(all)
    }
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(taken)
}

fn long(bytes: &mut &[u8]) -> Option<u32> {
    take(bytes, 4)?.try_into().ok().map(u32::from_be_bytes)
}

/// What each byte makes of the sum, at its place among eight.
const TABLES: [[u32; 256]; 8] = {
    let mut tables = [[0; 256]; 8];
    let (mut before, mut place) = ([0; 256], 0);
    let mut left: &mut [[u32; 256]] = &mut tables;
    while let Some((table, rest)) = left.split_first_mut() {
        let mut byte = 0;
        let mut slots: &mut [u32] = table;
        let mut earlier: &[u32] = &before;
        while let (Some((slot, more)), Some((crc, others))) = (slots.split_first_mut(), earlier.split_first()) {
            let mut crc = if place == 0 { byte } else { *crc };
            let mut bit = 0;
            while bit < 8 {
                crc = (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
                bit += 1;
            }
            *slot = crc;
            (slots, earlier) = (more, others);
            byte += 1;
        }
        before = *table;
        left = rest;
        place += 1;
    }
    tables
};

/// The CRC-32 of zlib and Ethernet, eight bytes at a time.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let [t0, t1, t2, t3, t4, t5, t6, t7] = &TABLES;
    let at = |table: &[u32; 256], byte: u32| table.get((byte & 0xFF) as usize).copied().unwrap_or_default();
    let (eights, rest) = bytes.as_chunks::<8>();
    let mut crc = !0_u32;
    for [a, b, c, d, e, f, g, h] in eights {
        let low = crc ^ u32::from_le_bytes([*a, *b, *c, *d]);
        let high = u32::from_le_bytes([*e, *f, *g, *h]);
        crc = at(t7, low)
            ^ at(t6, low >> 8)
            ^ at(t5, low >> 16)
            ^ at(t4, low >> 24)
            ^ at(t3, high)
            ^ at(t2, high >> 8)
            ^ at(t1, high >> 16)
            ^ at(t0, high >> 24);
    }
    !rest.iter().fold(crc, |crc, byte| at(t0, crc ^ u32::from(*byte)) ^ (crc >> 8))
}

/// The messages of a whole stream: event, data, and whether it is a failure. None if it is no such stream, or not whole.
#[cfg(feature = "testing")]
pub(crate) fn messages(mut bytes: &[u8]) -> Option<Vec<(Option<String>, String, bool)>> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let (Frame { event, data, failed }, rest) = next(bytes).ok()??;
        all.push((event.map(String::from), String::from(data), failed));
        bytes = rest;
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{framed, message};

    /// Event, data, and whether it is a failure.
    type Read = (Option<String>, String, bool);

    fn read(bytes: &[u8]) -> (Vec<Read>, Result<(), String>) {
        let mut out = Vec::new();
        let mut messages = Messages::default();
        for byte in bytes {
            messages.push(&[*byte]);
            while let Some(f) = messages.next() {
                out.push((f.event.map(String::from), String::from(f.data), f.failed));
            }
        }
        (out, messages.fault().map_or(Ok(()), Err))
    }

    #[test]
    fn the_checksum_is_the_one_of_zlib() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
        assert_eq!(crc32(&[0; 32]), 0x190A_55AD);
    }

    /// From the examples of the format's documentation: no headers and none but one.
    #[test]
    fn published_messages_are_read() {
        let empty = b"\x00\x00\x00\x10\x00\x00\x00\x00\x05\xc2\x48\xeb\x7d\x98\xc8\xff";
        assert_eq!(read(empty), (vec![(None, String::new(), false)], Ok(())));
        assert_eq!(framed(b"", b""), empty);
        let bare = b"\x00\x00\x00\x1d\x00\x00\x00\x00\xfd\x52\x8c\x5a{'foo':'bar'}\xc3\x65\x39\x36";
        assert_eq!(read(bare), (vec![(None, String::from("{'foo':'bar'}"), false)], Ok(())));
    }

    #[test]
    fn headers_of_all_types_are_passed_over() {
        let mut headers = Vec::new();
        let sizes = [0, 0, 1, 2, 4, 8, 5, 5, 8, 16];
        for (kind, size) in (0_u8..).zip(sizes) {
            headers.extend_from_slice(&[1, b'x', kind]);
            headers.extend_from_slice(&[0, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5][..size]);
        }
        headers.extend_from_slice(b"\x0b:event-type\x07\x00\x01e");
        assert_eq!(
            read(&framed(&headers, b"{}")),
            (vec![(Some(String::from("e")), String::from("{}"), false)], Ok(()))
        );
        headers.extend_from_slice(&[1, b'x', 10]);
        assert!(read(&framed(&headers, b"{}")).1.unwrap_err().contains("headers"));
    }

    #[test]
    fn failures_are_told_from_events() {
        let exception = [(":message-type", "exception"), (":exception-type", "throttlingException")];
        let error = [(":message-type", "error"), (":error-code", "InternalError"), (":error-message", "m")];
        let both = [message(&exception, b"{\"message\":\"m\"}"), message(&error, b"")].concat();
        let (frames, end) = read(&both);
        assert_eq!(end, Ok(()));
        let got: Vec<_> = frames.iter().map(|(e, data, failed)| (e.as_deref().unwrap(), &**data, *failed)).collect();
        assert_eq!(got, [("throttlingException", "{\"message\":\"m\"}", true), ("InternalError", "m", true)]);
    }

    #[test]
    fn a_wrong_byte_anywhere_is_noticed() {
        let good = message(&[(":event-type", "a")], b"{\"x\":1}");
        for at in 0..good.len() {
            let mut bad = [&*good, &*good].concat();
            bad[good.len() + at] ^= 0x10;
            let (frames, end) = read(&bad);
            assert_eq!(frames.len(), 1, "{at}");
            assert!(end.is_err(), "{at}");
        }
    }

    #[test]
    fn a_cut_message_is_not_there() {
        let good = message(&[(":event-type", "a")], b"{}");
        for at in 0..good.len() {
            assert_eq!(read(&good[..at]), (Vec::new(), Ok(())));
        }
    }

    #[test]
    fn lengths_that_can_not_be_are_refused() {
        for (total, headers) in [(0_u32, 0_u32), (15, 0), (16, 1), (0x0100_0000, 0), (40, u32::MAX)] {
            let mut bytes = Vec::from(total.to_be_bytes());
            bytes.extend_from_slice(&headers.to_be_bytes());
            bytes.extend_from_slice(&crc32(&bytes).to_be_bytes());
            bytes.extend_from_slice(&[0; 64]);
            assert!(read(&bytes).1.is_err(), "{total} {headers}");
        }
    }
}
