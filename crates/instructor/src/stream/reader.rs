//! Reading a text that arrives by a way of the caller's.

use std::fmt;

use super::field::Field;
use super::partial::Partial;
use super::tracker::Tracker;
use crate::error::{Error, ErrorKind};
use crate::model::ResponseModel;
use crate::repair::{Level, ParseOptions};
use crate::schema::Dialect;

/// Shows a value while its text arrives: for a stream of your own.
///
/// The value grows in place, in time that is linear in the text. When the text is complete,
/// [`Contract::read`](crate::Contract::read) validates it.
///
/// ```
/// use instructor::{Field, PartialReader};
///
/// #[instructor::model(partial)]
/// struct User {
///     name: String,
///     age: u8,
/// }
///
/// let mut reader = PartialReader::<User>::new();
/// reader.push(r#"Sure: {"name": "Ja"#)?;
/// let user = reader.value().get().unwrap();
/// assert_eq!(user.name, Field::Open("Ja".into()));
/// reader.push(r#"son", "age": 25}"#)?;
/// reader.end();
/// let user = reader.value().done().unwrap();
/// assert_eq!((user.name.as_deref(), user.age), (Some("Jason"), Field::Done(25)));
/// # Ok::<(), instructor::Error>(())
/// ```
pub struct PartialReader<T: Partial> {
    text: String,
    tracker: Tracker,
    value: Field<T::Partial>,
}

impl<T: ResponseModel + Partial> PartialReader<T> {
    /// A reader at the default level, of text in the type's own form.
    #[must_use]
    pub fn new() -> Self {
        Self::made(None, Level::default())
    }

    /// A reader at another level.
    #[must_use]
    pub fn at_level(level: Level) -> Self {
        Self::made(None, level)
    }

    /// A reader of text in the form that a dialect's schema asks for.
    #[must_use]
    pub fn of_dialect(dialect: Dialect) -> Self {
        Self::made(Some(dialect), Level::default())
    }

    fn made(dialect: Option<Dialect>, level: Level) -> Self {
        let form = dialect.map(|dialect| (T::contract(), dialect));
        let tracker = Tracker::new(form, ParseOptions::new().with_level(level));
        Self { text: String::new(), tracker, value: Field::Pending }
    }

    /// Takes more of the text; whether the value shows more than before.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Malformed`] when the text can't be read at the level. The value shows what was
    /// certain before what can't be read.
    pub fn push(&mut self, text: &str) -> Result<bool, Error> {
        self.text.push_str(text);
        let read = self.tracker.read(&self.text, &mut self.value);
        read.map_err(|error| Error::new(ErrorKind::Malformed, format!("text that is not JSON: {error}")))
    }

    /// The text is complete; whether the value shows more than before. What the text's end has cut stays open.
    pub fn end(&mut self) -> bool {
        self.tracker.end(&self.text, &mut self.value)
    }

    /// The value so far. Looking costs nothing.
    #[must_use]
    pub const fn value(&self) -> &Field<T::Partial> {
        &self.value
    }

    /// How many steps the work took so far: linear in the text.
    #[doc(hidden)]
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.tracker.steps()
    }

    /// The text so far.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl<T: ResponseModel + Partial> Default for PartialReader<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Partial> fmt::Debug for PartialReader<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartialReader").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was let go of is there when it is wanted again.
    #[test]
    fn a_long_text_shows_the_same_in_pieces() {
        let long = format!("[{}", "[1, 2, 3], [4, 5, 6], [], ".repeat(100));
        let ends = [
            "[7]]",
            "[7",
            "[7]]]",
            "[7]] and [no value]",
            "[7]]\n{words that are none} and so on",
            "[7]]\n```json\n[[8]]\n```\n",
            "[7]]</think>[[9]]",
        ];
        let levels = [Level::Strict, Level::Syntax, Level::Lenient, Level::Salvage];
        for (end, level) in ends.into_iter().flat_map(|end| levels.map(|level| (end, level))) {
            let text = format!("{long}{end}");
            let shown = |size: usize| {
                let mut reader = PartialReader::<Vec<Vec<u32>>>::at_level(level);
                let pieces = text.as_bytes().chunks(size).map(|piece| std::str::from_utf8(piece).unwrap());
                let refused = pieces.filter(|piece| reader.push(piece).is_err()).count() > 0;
                reader.end();
                (format!("{:?}", reader.value()), refused)
            };
            let bytes = shown(1);
            for size in [7, 64, text.len()] {
                assert_eq!(shown(size), bytes, "{level:?} {end}");
            }
        }
    }
}
