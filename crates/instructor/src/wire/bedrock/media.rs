//! The blocks that media become. An id of a file is its address in the provider's storage.

use crate::media::MediaKind::{Document, Image, Video};
use crate::wire::media::Slot::{Base64, FileId, Label, Of, Word};
use crate::wire::media::{Form, Place, Taken};

type Words = &'static [(&'static str, &'static str)];

const IMAGES: Words = &[("image/png", "png"), ("image/jpeg", "jpeg"), ("image/gif", "gif"), ("image/webp", "webp")];
const DOCUMENTS: Words = &[
    ("application/pdf", "pdf"),
    ("text/plain", "txt"),
    ("text/markdown", "md"),
    ("text/csv", "csv"),
    ("text/html", "html"),
    ("application/msword", "doc"),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    ("application/vnd.ms-excel", "xls"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
];
const FILMS: Words = &[
    ("video/mp4", "mp4"),
    ("video/quicktime", "mov"),
    ("video/x-matroska", "mkv"),
    ("video/webm", "webm"),
    ("video/x-flv", "flv"),
    ("video/mpeg", "mpeg"),
    ("video/wmv", "wmv"),
    ("video/3gpp", "three_gp"),
];

const INLINE: Form = &[("bytes", Base64)];
const STORED: Form = &[("s3Location", Of(&[("uri", FileId)]))];

#[rustfmt::skip]
pub(super) const MEDIA: &[Taken] = &[
    Taken::new(Image, Place::Bytes, &[], &[("image", Of(&[("format", Word(IMAGES)), ("source", Of(INLINE))]))]),
    Taken::new(Image, Place::File, &[], &[("image", Of(&[("format", Word(IMAGES)), ("source", Of(STORED))]))]),
    Taken::new(Document, Place::Bytes, &[],
        &[("document", Of(&[("format", Word(DOCUMENTS)), ("name", Label), ("source", Of(INLINE))]))]),
    Taken::new(Document, Place::File, &[],
        &[("document", Of(&[("format", Word(DOCUMENTS)), ("name", Label), ("source", Of(STORED))]))]),
    Taken::new(Video, Place::Bytes, &[], &[("video", Of(&[("format", Word(FILMS)), ("source", Of(INLINE))]))]),
    Taken::new(Video, Place::File, &[], &[("video", Of(&[("format", Word(FILMS)), ("source", Of(STORED))]))]),
];
