//! A success body, in whichever of its forms a protocol sent it: one JSON document, or a stream of events.

use super::binary::FIRST_BYTE;
use super::frame::Frames;
use super::{Decoder, Response, Told, Undecoded, Usage};
use crate::provider::Profile;

/// Reads a body that is all there.
pub(crate) fn read_response(body: &[u8], profile: &Profile) -> Result<Response, Undecoded> {
    match form(body) {
        Some(Form::Events) => {
            let mut hearing = Hearing::new(profile);
            hearing.push(body);
            hearing.finish(profile)
        }
        _ => whole(body, profile),
    }
}

fn whole(body: &[u8], profile: &Profile) -> Result<Response, Undecoded> {
    let text = std::str::from_utf8(body)
        .map_err(|e| Undecoded::Unreadable(format!("the response body is not UTF-8 (at byte {})", e.valid_up_to())))?;
    let start = text.trim_start_matches('\u{feff}').trim_start();
    if start.is_empty() {
        return Err(Undecoded::Unreadable(String::from("the response body is empty")));
    }
    if start.starts_with('<') {
        return Err(Undecoded::Unreadable(String::from("the response body is an HTML or XML page, not JSON")));
    }
    profile.wire().decode(start, profile)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Whole,
    Events,
}

/// How a body begins that is a stream of events.
const FIELDS: [&[u8]; 5] = [b"data:", b"event:", b"id:", b"retry:", b":"];

/// The form that a body has by its first bytes; none if these do not tell yet.
fn form(bytes: &[u8]) -> Option<Form> {
    if bytes.first() == Some(&FIRST_BYTE) {
        return Some(Form::Events);
    }
    let mark = "\u{feff}".as_bytes();
    if !bytes.is_empty() && bytes.len() < mark.len() && mark.starts_with(bytes) {
        return None;
    }
    let start = bytes.strip_prefix(mark).unwrap_or(bytes).trim_ascii_start();
    if start.is_empty() || FIELDS.iter().any(|field| field.len() > start.len() && field.starts_with(start)) {
        return None;
    }
    Some(if FIELDS.iter().any(|field| start.starts_with(field)) { Form::Events } else { Form::Whole })
}

/// A body that is arriving.
pub(crate) struct Hearing {
    form: Option<Form>,
    /// What is no other form is a stream whose events are lines.
    lines: bool,
    /// The bytes so far, while it is no stream.
    body: Vec<u8>,
    frames: Frames,
    decoder: Box<dyn Decoder>,
}

impl Hearing {
    pub(crate) fn new(profile: &Profile) -> Self {
        let decoder = profile.wire().stream(profile);
        let lines = profile.wire().streams_lines();
        Self { form: None, lines, body: Vec::new(), frames: Frames::new(), decoder }
    }

    /// Takes bytes; [`next`](Self::next) reads what they complete.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.form == Some(Form::Events) {
            return self.frames.push(bytes);
        }
        self.body.extend_from_slice(bytes);
        if self.form.is_none() {
            self.form = form(&self.body).map(|form| if self.lines { Form::Events } else { form });
            if self.form == Some(Form::Events) {
                self.frames.push(&std::mem::take(&mut self.body));
            }
        }
    }

    /// Reads the next event, if there is one.
    pub(crate) fn next(&mut self) -> Result<bool, Undecoded> {
        match self.frames.next() {
            Some(frame) => self.decoder.frame(frame).map(|()| true),
            None => self.frames.fault().map_or(Ok(false), |why| Err(Undecoded::Unreadable(why))),
        }
    }

    /// The text or call at a place, as far as it has been told.
    pub(crate) fn told(&self, index: usize) -> Option<Told<'_>> {
        self.decoder.told(index)
    }

    /// What has been counted so far.
    pub(crate) fn usage(&self) -> Usage {
        self.decoder.usage()
    }

    /// The whole answer, once the body has ended.
    pub(crate) fn finish(mut self, profile: &Profile) -> Result<Response, Undecoded> {
        if self.form.is_none() && !self.body.trim_ascii().is_empty() {
            // Less than the first word of an event.
            return Err(Undecoded::Cut);
        }
        if self.form != Some(Form::Events) {
            return whole(&self.body, profile);
        }
        while self.next()? {}
        self.frames.end();
        // A last event that nothing followed may be half of one: whether the answer needs it, the decoder knows.
        while self.next().or_else(|error| if let Undecoded::Unreadable(_) = error { Ok(false) } else { Err(error) })? {}
        self.decoder.finish()
    }
}
