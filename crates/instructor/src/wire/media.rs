//! What a protocol takes of media, as data: rows from kind and place to the form of a part. What no row takes is refused
//! before anything is sent.

use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::error::Error;
use crate::media::{At, Media, MediaKind, MediaSource};
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
    /// Who may say it; of tools, it is a part of their result.
    by: &'static [Role],
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
    /// At a public address.
    Url,
    /// In the provider's storage, under an address with this scheme.
    Store(&'static str),
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
        Self { kind, from, types, form, by: &[Role::User], only: Quirks::NONE, never: Quirks::NONE, header: None }
    }

    /// In tool results too.
    pub(crate) const fn in_results(mut self) -> Self {
        self.by = &[Role::User, Role::Tool];
        self
    }

    /// In tool results, and nowhere else in this form.
    pub(crate) const fn in_results_only(mut self) -> Self {
        self.by = &[Role::Tool];
        self
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
            (Place::Bytes, MediaSource::Bytes(_)) | (Place::File, MediaSource::File(_)) => true,
            (Place::Url, MediaSource::Url(url)) => is_public(url),
            (Place::Store(scheme), MediaSource::Url(url)) => url.starts_with(scheme),
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

/// The rows that hold for one provider and model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forms {
    rows: &'static [Taken],
    quirks: Quirks,
    /// Whether the model reads media in tool results.
    results: bool,
}

impl Forms {
    pub(crate) fn of(profile: &Profile, model: &str) -> Self {
        let results = profile.family(model).media_in_results;
        Self { rows: profile.wire().media(), quirks: profile.quirks(), results }
    }

    fn rows(self) -> impl Iterator<Item = &'static Taken> {
        self.rows.iter().filter(move |row| row.holds(self.quirks))
    }

    /// The rows of a kind, for who says it.
    fn rows_of(self, kind: MediaKind, role: Role) -> impl Iterator<Item = &'static Taken> {
        let heard = role != Role::Tool || self.results;
        self.rows().filter(move |row| heard && row.kind == kind && row.by.contains(&role))
    }

    fn row(self, media: &Media, role: Role) -> Option<&'static Taken> {
        self.rows_of(media.kind(), role).find(|row| row.reaches(media) && row.names(media))
    }

    /// The part, if it is taken of whoever says it.
    pub(crate) fn show(self, media: &Media, role: Role) -> Option<Shown<'_>> {
        self.row(media, role).map(|row| Shown { media, form: row.form, number: 1 })
    }

    /// The headers that the media of these messages need.
    pub(crate) fn headers(self, messages: &[Message]) -> impl Iterator<Item = (&'static str, &'static str)> {
        media(messages).filter_map(move |(_, role, media)| self.row(media, role)?.header)
    }

    /// Refuses media that the provider does not take, and says what it takes; finds those that it takes as bytes only
    /// and that may be fetched.
    pub(crate) fn check(self, provider: &str, messages: &[Message], fetches: bool) -> Result<Vec<At>, Error> {
        let mut wanted = Vec::new();
        for (at, role, media) in media(messages) {
            if role == Role::Tool && !follows_result(messages, at) {
                let kind = media.kind();
                return Err(Error::config(format!(
                    "the {kind} ({at}) stands before the tool result that it is part of"
                )));
            }
            if self.row(media, role).is_some() {
                continue;
            }
            let may_be_fetched = self.inlines(media, role);
            if may_be_fetched && fetches {
                wanted.push(at);
                continue;
            }
            let mime = if media.is_typed() { media.mime() } else { "no known type" };
            let what = format!("({at}: {mime}, {:?})", media.source());
            let hint = if may_be_fetched { "; to have it fetched, allow that with fetch_media" } else { "" };
            return Err(Error::unsupported(format!("{provider} takes no {}{hint}", self.refusal(media, role, &what))));
        }
        Ok(wanted)
    }

    /// Whether media at a public address would be taken as bytes, as far as its type is known.
    fn inlines(self, media: &Media, role: Role) -> bool {
        let inline = |row: &Taken| matches!(row.from, Place::Bytes | Place::Text);
        let named = |row: &Taken| !media.is_typed() || row.names(media);
        matches!(media.source(), MediaSource::Url(url) if is_public(url))
            && self.rows_of(media.kind(), role).any(|row| inline(row) && named(row))
    }

    fn refusal(self, media: &Media, role: Role, what: &str) -> String {
        let kind = plural(media.kind());
        let rows: Vec<_> = self.rows_of(media.kind(), role).collect();
        if rows.is_empty() && role != Role::User && self.rows_of(media.kind(), Role::User).next().is_some() {
            let (here, instead) = match role {
                Role::Tool => ("in tool results", ": put a user message with it after the result"),
                Role::Assistant => ("in what the model says", ""),
                Role::System | Role::User => ("in instructions", ""),
            };
            let results = self.rows_of(media.kind(), Role::Tool).next().map_or("", |_| " and tool results");
            return format!("{kind} {here} {what}; it takes them in user messages{results} only{instead}");
        }
        if rows.is_empty() {
            let kinds = listed(self.rows().map(|row| String::from(plural(row.kind))), "and");
            let instead = if kinds.is_empty() { "text only" } else { &kinds };
            return format!("{kind} {what}; it takes {instead}");
        }
        let near: Vec<_> = rows.iter().filter(|row| row.reaches(media)).collect();
        if near.is_empty() {
            let places = listed(rows.iter().map(|row| row.from.word()), "or");
            let how = match media.source() {
                MediaSource::Bytes(_) => String::from("as bytes"),
                MediaSource::Url(url) if is_public(url) => String::from("by URL"),
                MediaSource::Url(url) => match url.split_once("://") {
                    Some((scheme, _)) => format!("under {scheme}://"),
                    None => String::from("by a URL without a scheme"),
                },
                MediaSource::File(_) => String::from("by file id"),
            };
            return format!("{kind} {how} {what}; it takes them {places}");
        }
        let types = near.iter().flat_map(|row| row.types()).map(|mime| String::from(mime.trim_end_matches('/')));
        format!("{kind} of this type {what}; it takes {}", listed(types, "and"))
    }
}

impl Place {
    fn word(self) -> String {
        match self {
            Self::Bytes | Self::Text => String::from("as bytes"),
            Self::Url => String::from("by URL"),
            Self::Store(scheme) => format!("under {scheme}"),
            Self::File => String::from("by file id"),
        }
    }
}

/// Whether an address is one that anybody can ask, and no place in a provider's storage.
fn is_public(url: &str) -> bool {
    url.split_once("://").is_some_and(|(scheme, _)| ["https", "http"].iter().any(|s| s.eq_ignore_ascii_case(scheme)))
}

const fn plural(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "images",
        MediaKind::Audio => "audio",
        MediaKind::Document => "documents",
        MediaKind::Video => "video",
    }
}

/// `a, b and c`, each once.
fn listed(words: impl Iterator<Item = String>, last: &str) -> String {
    let mut once: Vec<String> = Vec::new();
    for word in words {
        if !once.contains(&word) {
            once.push(word);
        }
    }
    match once.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [all @ .., end] => format!("{} {last} {end}", all.join(", ")),
    }
}

fn follows_result(messages: &[Message], at: At) -> bool {
    let before = messages.get(at.message).and_then(|message| message.parts().get(..at.part)).unwrap_or_default();
    before.iter().any(|part| matches!(part, Part::ToolResult(_)))
}

fn media(messages: &[Message]) -> impl Iterator<Item = (At, Role, &Media)> {
    messages.iter().enumerate().flat_map(|(message, said)| {
        said.parts().iter().enumerate().filter_map(move |(part, content)| match content {
            Part::Media(media) => Some((At { message, part }, said.role(), media)),
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
