//! What a protocol takes of media, as data: rows from kind and place to the form of a part. What no row takes is refused
//! before anything is sent.

use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::error::Error;
use crate::media::{Media, MediaKind, MediaSource};
use crate::message::{Message, Part, Role};
use crate::provider::{Profile, Quirks};

/// One way in which a protocol takes media.
#[derive(Debug)]
pub(crate) struct Taken {
    kind: MediaKind,
    from: Place,
    /// The media types, or their starts; if there are none, those that the form has words for, or all of the kind.
    types: &'static [&'static str],
    form: Form,
    /// What a server has to have for it.
    only: Quirks,
    /// What a server must not have: any one of these.
    never: Quirks,
    header: Option<(&'static str, &'static str)>,
}

/// Where the content is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Bytes,
    /// Bytes that are UTF-8.
    Text,
    Url,
    File,
}

/// The fields of an object, in order.
pub(crate) type Form = &'static [(&'static str, Slot)];

/// What a field holds.
#[derive(Debug)]
pub(crate) enum Slot {
    /// This word.
    Is(&'static str),
    Of(Form),
    Base64,
    DataUrl,
    Text,
    Url,
    FileId,
    /// The media type; left out where it is not known.
    Mime,
    /// The word that stands for the media type.
    Word(&'static [(&'static str, &'static str)]),
    /// The file name; this one, or none, where there is none.
    Name(Option<&'static str>),
    /// The name without what only some may hold, or a number's.
    Label,
    /// Left out where it is not said.
    Detail,
}

impl Taken {
    pub(crate) const fn new(kind: MediaKind, from: Place, types: &'static [&'static str], form: Form) -> Self {
        Self { kind, from, types, form, only: Quirks::NONE, never: Quirks::NONE, header: None }
    }

    /// By servers that have this alone.
    pub(crate) const fn only(mut self, quirk: Quirks) -> Self {
        self.only = quirk;
        self
    }

    /// By servers that have none of these.
    pub(crate) const fn never(mut self, quirks: Quirks) -> Self {
        self.never = quirks;
        self
    }

    /// With a header that the request has to have.
    pub(crate) const fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.header = Some((name, value));
        self
    }

    fn holds(&self, quirks: Quirks) -> bool {
        quirks.contains(self.only) && !quirks.meets(self.never.and(Quirks::TEXT_ONLY))
    }

    fn reaches(&self, media: &Media) -> bool {
        match (self.from, media.source()) {
            (Place::Bytes, MediaSource::Bytes(_)) | (Place::Url, MediaSource::Url(_)) => true,
            (Place::File, MediaSource::File(_)) => true,
            (Place::Text, MediaSource::Bytes(bytes)) => std::str::from_utf8(bytes).is_ok(),
            _ => false,
        }
    }

    fn names(&self, media: &Media) -> bool {
        // Behind a URL or an id the type need not be known here.
        let unknown = !media.is_typed() && media.bytes().is_none() && words(self.form).is_none();
        let mut types = self.types().peekable();
        unknown || types.peek().is_none() || types.any(|mime| media.mime().starts_with(mime))
    }

    fn types(&self) -> impl Iterator<Item = &'static str> {
        let words = words(self.form).filter(|_| self.types.is_empty()).unwrap_or_default();
        self.types.iter().copied().chain(words.iter().map(|(mime, _)| *mime))
    }
}

/// The words that a form has for media types.
fn words(form: Form) -> Option<&'static [(&'static str, &'static str)]> {
    form.iter().find_map(|(_, slot)| match slot {
        Slot::Word(words) => Some(*words),
        Slot::Of(form) => words(form),
        _ => None,
    })
}

/// The rows that hold for one provider.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forms {
    rows: &'static [Taken],
    quirks: Quirks,
}

impl Forms {
    pub(crate) fn of(profile: &Profile) -> Self {
        Self { rows: profile.wire().media(), quirks: profile.quirks() }
    }

    fn rows(self) -> impl Iterator<Item = &'static Taken> {
        self.rows.iter().filter(move |row| row.holds(self.quirks))
    }

    fn row(self, media: &Media) -> Option<&'static Taken> {
        self.rows().find(|row| row.kind == media.kind() && row.reaches(media) && row.names(media))
    }

    /// The part, if it is taken.
    pub(crate) fn show(self, media: &Media) -> Option<Shown<'_>> {
        self.row(media).map(|row| Shown { media, form: row.form, number: 1 })
    }

    /// The headers that the media of these messages need.
    pub(crate) fn headers(self, messages: &[Message]) -> impl Iterator<Item = (&'static str, &'static str)> {
        media(messages).filter_map(move |(_, media)| self.row(media)?.header)
    }

    /// Refuses media that the provider does not take, and says what it takes.
    pub(crate) fn check(self, provider: &str, messages: &[Message]) -> Result<(), Error> {
        for (at, media) in media(messages) {
            if self.row(media).is_none() {
                let mime = if media.is_typed() { media.mime() } else { "no known type" };
                let what = format!("({at}: {mime}, {:?})", media.source());
                return Err(Error::unsupported(format!("{provider} takes no {}", self.refusal(media, &what))));
            }
            if at.role != Role::User {
                let kind = plural(media.kind());
                return Err(Error::unsupported(format!("{provider} takes {kind} in user messages only ({at})")));
            }
        }
        Ok(())
    }

    fn refusal(self, media: &Media, what: &str) -> String {
        let kind = plural(media.kind());
        let rows: Vec<_> = self.rows().filter(|row| row.kind == media.kind()).collect();
        if rows.is_empty() {
            let mut kinds: Vec<&str> = self.rows().map(|row| plural(row.kind)).collect();
            kinds.dedup();
            let instead = if kinds.is_empty() { String::from("text only") } else { listed(&kinds, "and") };
            return format!("{kind} {what}; it takes {instead}");
        }
        let near: Vec<_> = rows.iter().filter(|row| row.reaches(media)).collect();
        if near.is_empty() {
            let mut places: Vec<&str> = rows.iter().map(|row| row.from.word()).collect();
            places.dedup();
            let how = match media.source() {
                MediaSource::Bytes(_) => "as bytes",
                MediaSource::Url(_) => "by URL",
                MediaSource::File(_) => "by file id",
            };
            return format!("{kind} {how} {what}; it takes them {}", listed(&places, "or"));
        }
        let types: Vec<&str> = near.iter().flat_map(|row| row.types()).map(|mime| mime.trim_end_matches('/')).collect();
        format!("{kind} of this type {what}; it takes {}", listed(&types, "and"))
    }
}

impl Place {
    const fn word(self) -> &'static str {
        match self {
            Self::Bytes | Self::Text => "as bytes",
            Self::Url => "by URL",
            Self::File => "by file id",
        }
    }
}

const fn plural(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "images",
        MediaKind::Audio => "audio",
        MediaKind::Document => "documents",
        MediaKind::Video => "video",
    }
}

/// `a, b and c`
fn listed(words: &[&str], last: &str) -> String {
    match words {
        [] => String::new(),
        [one] => String::from(*one),
        [all @ .., end] => format!("{} {last} {end}", all.join(", ")),
    }
}

/// Where a part stands.
struct At {
    message: usize,
    part: usize,
    role: Role,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "message {}, part {}", self.message + 1, self.part + 1)
    }
}

fn media(messages: &[Message]) -> impl Iterator<Item = (At, &Media)> {
    messages.iter().enumerate().flat_map(|(message, said)| {
        said.parts().iter().enumerate().filter_map(move |(part, content)| match content {
            Part::Media(media) => Some((At { message, part, role: said.role() }, media)),
            _ => None,
        })
    })
}

/// A part as a protocol writes it.
#[derive(Debug)]
pub(crate) struct Shown<'a> {
    media: &'a Media,
    form: Form,
    /// What a label without a name ends with.
    number: usize,
}

impl Shown<'_> {
    pub(crate) const fn number(&mut self, number: usize) {
        self.number = number;
    }

    fn label(&self) -> String {
        let named = self.media.name().map(|name| {
            let name: String =
                name.chars().map(|c| if c.is_alphanumeric() || "()[]".contains(c) { c } else { ' ' }).collect();
            name.split_whitespace().collect::<Vec<_>>().join(" ")
        });
        named.filter(|name| !name.is_empty()).unwrap_or_else(|| format!("document {}", self.number))
    }
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { media, number, .. } = *self;
        let mut map = serializer.serialize_map(None)?;
        for (key, slot) in self.form {
            match slot {
                Slot::Is(word) => map.serialize_entry(key, word)?,
                Slot::Of(form) => map.serialize_entry(key, &Shown { media, form, number })?,
                Slot::Base64 => map.serialize_entry(key, media.base64())?,
                Slot::DataUrl => map.serialize_entry(key, &DataUrl(media))?,
                Slot::Text => map.serialize_entry(key, text(media))?,
                Slot::Url | Slot::FileId => map.serialize_entry(key, reference(media))?,
                Slot::Mime if !media.is_typed() => {}
                Slot::Mime => map.serialize_entry(key, media.mime())?,
                Slot::Word(words) => {
                    if let Some((_, word)) = words.iter().find(|(mime, _)| *mime == media.mime()) {
                        map.serialize_entry(key, word)?;
                    }
                }
                Slot::Name(or) => {
                    if let Some(name) = media.name().or(*or) {
                        map.serialize_entry(key, name)?;
                    }
                }
                Slot::Label => map.serialize_entry(key, &self.label())?,
                Slot::Detail => {
                    if let Some(detail) = media.detail() {
                        map.serialize_entry(key, detail.as_str())?;
                    }
                }
            }
        }
        map.end()
    }
}

fn text(media: &Media) -> &str {
    media.bytes().and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
}

fn reference(media: &Media) -> &str {
    match media.source() {
        MediaSource::Url(text) | MediaSource::File(text) => text,
        MediaSource::Bytes(_) => "",
    }
}

/// Written piece by piece, so that the long one is copied into the body only.
struct DataUrl<'a>(&'a Media);

impl fmt::Display for DataUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "data:{};base64,", self.0.mime())?;
        f.write_str(self.0.base64())
    }
}

impl Serialize for DataUrl<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
