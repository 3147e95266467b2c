//! The blocks that media become.

use crate::media::MediaKind::{Document, Image};
use crate::provider::Quirks;
use crate::wire::media::Slot::{Base64, FileId, Is, Mime, Name, Of, Text, Url};
use crate::wire::media::{Form, Place, Taken};

const IMAGES: &[&str] = &["image/png", "image/jpeg", "image/gif", "image/webp"];
const TEXTS: &[&str] = &["text/", "application/json", "application/xml"];

const BASE64: Form = &[("type", Is("base64")), ("media_type", Mime), ("data", Base64)];
const TEXT: Form = &[("type", Is("text")), ("media_type", Is("text/plain")), ("data", Text)];
const URL: Form = &[("type", Is("url")), ("url", Url)];
const FILE: Form = &[("type", Is("file")), ("file_id", FileId)];

macro_rules! document {
    ($source:ident) => {
        &[("type", Is("document")), ("source", Of($source)), ("title", Name(None))]
    };
}

#[rustfmt::skip]
pub(super) const MEDIA: &[Taken] = &[
    Taken::new(Image, Place::Bytes, IMAGES, &[("type", Is("image")), ("source", Of(BASE64))]).in_results(),
    Taken::new(Image, Place::Url, IMAGES, &[("type", Is("image")), ("source", Of(URL))]).in_results(),
    Taken::new(Image, Place::File, &[], &[("type", Is("image")), ("source", Of(FILE))]).in_results().header(BETA, FILES).never(Quirks::NO_FILE_IDS),
    Taken::new(Document, Place::Bytes, &["application/pdf"], document!(BASE64)).in_results(),
    Taken::new(Document, Place::Text, TEXTS, document!(TEXT)).in_results(),
    Taken::new(Document, Place::Url, &["application/pdf"], document!(URL)).in_results(),
    Taken::new(Document, Place::File, &[], document!(FILE)).in_results().header(BETA, FILES).never(Quirks::NO_FILE_IDS),
];

const BETA: &str = "anthropic-beta";
const FILES: &str = "files-api-2025-04-14";
