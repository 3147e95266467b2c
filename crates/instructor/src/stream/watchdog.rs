//! When an answer is not read to its end.

use std::time::Duration;

/// Ends an answer early: at the first part of it that can't be right, or when it runs away. It is asked for again as a
/// complete answer is that is rejected.
///
/// Given to [`ClientBuilder::watchdog`](crate::ClientBuilder::watchdog) or
/// [`Request::watchdog`](crate::Request::watchdog); without one, every answer is read to its end. With one,
/// [`create`](crate::Request::create) streams its answers too, and gives the same values; the
/// [raw body](crate::Completion::raw) then is the end of the stream.
///
/// - A part is held against the schema as soon as it is complete, once: types, ranges, lengths, patterns, allowed values,
///   numbers of items and properties, items that are equal, missing properties. An allowed value ends the answer at the
///   first letter that none of them has; an object, with the first key or value that no alternative of its union has. What
///   the final reading could still align is judged when it is complete as a whole. The failure is [`SchemaMismatch`](crate::ErrorKind::SchemaMismatch). In a text, what begins it or stands in a fence counts
///   as the answer: a model that says a wrong value first and a right one after it is stopped.
///   [`create_iterable`](crate::Request::create_iterable) gives an item that is not valid as an error in its place, so
///   there only the other limits hold.
/// - Validator functions (`#[response(validate = path)]`) run on the field or value that they are of, once, when it is
///   complete and right by the schema. What is in a set, a variant or a flattened field is validated when what is around
///   it is complete; what has to be aligned, or has no form of its own in what the model writes, at the end. Where it
///   can't be told what has passed (keys of maps that are no text), they run once more at the end. The failure is
///   [`Rejected`](crate::ErrorKind::Rejected).
/// - Text that is no longer an answer: only white space, the same again and again, digits without end, more than there may
///   be, or later than it may come. The failure is [`Runaway`](crate::ErrorKind::Runaway). `usize::MAX` turns a limit off.
///
/// When the connection is closed, most providers stop generating. [`Attempt::stopped`](crate::Attempt::stopped) tells
/// after how many tokens that was.
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// # use serde_json::json;
/// use instructor::{ErrorKind, Watchdog};
///
/// #[instructor::model]
/// #[derive(PartialEq)]
/// enum Tone {
///     Calm,
///     Angry,
/// }
///
/// #[instructor::model]
/// struct Letter {
///     tone: Tone,
///     text: String,
/// }
///
/// # let long = "Dear all, ".repeat(200);
/// # let wrong = Reply::value(json!({ "tone": "Sad", "text": long }));
/// # let script = Script::new().reply(wrong).reply(Reply::value(json!({ "tone": "Calm", "text": "Dear all" })));
/// # let client = script.client("openai/gpt-5-mini");
/// # script.block_on(async {
/// // The first answer begins with {"tone": "Sad", and is not read any further.
/// let request = client.request("A letter to all").watchdog(Watchdog::new());
/// let (letter, completion) = request.create_with_completion::<Letter>().await?;
/// assert_eq!(letter.tone, Tone::Calm);
/// let first = &completion.report.attempts()[0];
/// assert_eq!(first.failure, Some(ErrorKind::SchemaMismatch));
/// assert!(first.stopped.unwrap() < 100);
/// # Ok::<(), instructor::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watchdog {
    pub(crate) invalid: bool,
    pub(crate) time: Option<Duration>,
    whitespace: usize,
    repeats: usize,
    digits: usize,
    size: usize,
}

impl Watchdog {
    /// At the first invalid part; at more than 1,000 bytes of white space, 4,096 of one text that is repeated, 2,000 digits
    /// in a row; whatever the size and the time.
    #[must_use]
    pub const fn new() -> Self {
        Self { invalid: true, time: None, whitespace: 1000, repeats: 4096, digits: 2000, size: usize::MAX }
    }

    /// Whether the first invalid part ends the answer.
    #[must_use]
    pub const fn with_invalid(mut self, stops: bool) -> Self {
        self.invalid = stops;
        self
    }

    /// With at most so many bytes of white space in a row.
    #[must_use]
    pub const fn with_whitespace(mut self, bytes: usize) -> Self {
        self.whitespace = bytes;
        self
    }

    /// With at most so many bytes in which a text of up to 128 bytes is repeated and nothing else stands; 16 times as many
    /// where it holds a comma, a colon, a quote or a bracket, as the equal items of a list do.
    #[must_use]
    pub const fn with_repeats(mut self, bytes: usize) -> Self {
        self.repeats = bytes;
        self
    }

    /// With at most so many digits in a row.
    #[must_use]
    pub const fn with_digits(mut self, digits: usize) -> Self {
        self.digits = digits;
        self
    }

    /// With at most so many bytes of the text that the value stands in.
    #[must_use]
    pub const fn with_size(mut self, bytes: usize) -> Self {
        self.size = bytes;
        self
    }

    /// With at most this long from sending a request to the end of its answer, whether anything arrives or not. If no answer
    /// began in that time, it is a failure of the service, as with [`timeout`](crate::Request::timeout).
    #[must_use]
    pub const fn with_time(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }
}

impl Default for Watchdog {
    fn default() -> Self {
        Self::new()
    }
}

/// The longest text whose repetition is noticed.
const PERIOD: usize = 128;

/// How often it is looked for a repetition, in bytes.
const STRIDE: usize = 256;

/// How much is compared to find one.
const WINDOW: usize = 4 * PERIOD;

/// Looks for text that is no longer an answer, in time that is linear in the text.
#[derive(Debug, Default)]
pub(super) struct Runaway {
    size: usize,
    white: usize,
    digits: usize,
    /// The end of the text: at least a window, if there is as much.
    tail: Vec<u8>,
    /// After how many bytes the text repeats, or 0, and for how many it has.
    period: usize,
    run: usize,
}

impl Runaway {
    /// Takes more of the text; why it is no answer, if it is none.
    pub(super) fn push(&mut self, text: &str, limits: &Watchdog) -> Option<String> {
        text.bytes().find_map(|byte| self.byte(byte, limits))
    }

    fn byte(&mut self, byte: u8, limits: &Watchdog) -> Option<String> {
        let count = |run: &mut usize, goes_on: bool| *run = if goes_on { *run + 1 } else { 0 };
        self.size += 1;
        count(&mut self.white, byte.is_ascii_whitespace());
        count(&mut self.digits, byte.is_ascii_digit());
        self.repeat(byte);
        let most = |limit: usize, of: &str| Some(format!("more than {limit} {of}"));
        if self.white > limits.whitespace {
            return most(limits.whitespace, "bytes of white space in a row");
        }
        if self.digits > limits.digits {
            return most(limits.digits, "digits in a row");
        }
        if self.size > limits.size {
            return most(limits.size, "bytes of text");
        }
        if self.run > limits.repeats && self.run > self.longest(limits) {
            return most(self.longest(limits), "bytes that repeat one short text");
        }
        None
    }

    /// How long the text that is repeated now may go on.
    fn longest(&self, limits: &Watchdog) -> usize {
        let unit = self.tail.get(self.tail.len().saturating_sub(self.period)..).unwrap_or_default();
        match unit {
            // White space and digits have limits of their own.
            [one] if one.is_ascii_whitespace() || one.is_ascii_digit() => usize::MAX,
            unit if unit.iter().any(|byte| b",:\"[]{}".contains(byte)) => limits.repeats.saturating_mul(16),
            _ => limits.repeats,
        }
    }

    fn repeat(&mut self, byte: u8) {
        if self.period > 0 {
            let before = self.tail.len().checked_sub(self.period).and_then(|at| self.tail.get(at));
            if before == Some(&byte) {
                self.run += 1;
            } else {
                (self.period, self.run) = (0, 0);
            }
        }
        self.tail.push(byte);
        if self.tail.len() >= 4 * WINDOW {
            self.tail.drain(..3 * WINDOW);
        }
        if self.period == 0
            && self.size.is_multiple_of(STRIDE)
            && let Some(window) = self.tail.len().checked_sub(WINDOW).and_then(|from| self.tail.get(from..))
        {
            let repeats = |period: &usize| window.get(*period..) == window.get(..WINDOW - period);
            if let Some(period) = (1..=PERIOD).find(repeats) {
                (self.period, self.run) = (period, WINDOW);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After how many bytes a text is stopped.
    fn stopped(text: &str) -> Option<usize> {
        let mut runaway = Runaway::default();
        let limits = Watchdog::new();
        (1..=text.len()).find(|end| runaway.push(&text[end - 1..*end], &limits).is_some())
    }

    #[test]
    fn a_text_that_runs_away_is_stopped_near_the_limit() {
        let start = r#"{"a": "So it goes."#;
        for (unit, least, most) in [
            (" ", 1001, 1001),
            (" \n\t", 1001, 1001),
            ("7", 2001, 2001),
            ("the ", 4096, 5000),
            ("\\n", 4096, 5000),
            ("no, never: ", 16 * 4096, 17 * 4096),
            ("{},", 16 * 4096, 17 * 4096),
        ] {
            let at = stopped(&format!("{start}{}", unit.repeat(80_000))).unwrap() - start.len();
            assert!((least..=most).contains(&at), "{unit:?} {at}");
        }
    }

    #[test]
    fn long_answers_are_let_be() {
        let mut random = 7_u32;
        let mut letters = || {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[(random >> 26) as usize])
        };
        let base64: String = (0..200_000).map(|_| letters()).collect();
        for text in [
            format!("[{}]", "12.5, ".repeat(2000)),
            format!("[{}]", "\n        0,".repeat(2000)),
            format!("[{}]", r#"{"x": 0, "y": 0},"#.repeat(2000)),
            format!("{}{}", &base64[..5000], "A".repeat(3000)),
            base64,
            format!("{{{}\"a\": 1}}", " ".repeat(900)),
            "-".repeat(2000),
        ] {
            assert_eq!(stopped(&text), None, "{text:.40}");
        }
    }
}
