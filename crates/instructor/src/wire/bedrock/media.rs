//! The blocks that media become.

use crate::media::MediaKind::{Document, Image, Video};
use crate::wire::media::Slot::{Base64, Label, Of, Url, Word};
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

const S3: Place = Place::Store("s3://");
const INLINE: Form = &[("bytes", Base64)];
const AT_S3: Form = &[("s3Location", Of(&[("uri", Url)]))];

#[rustfmt::skip]
pub(super) const MEDIA: &[Taken] = &[
    Taken::new(Image, Place::Bytes, &[], &[("image", Of(&[("format", Word(IMAGES)), ("source", Of(INLINE))]))])
        .in_results()
        .in_results(),
    Taken::new(Image, S3, &[], &[("image", Of(&[("format", Word(IMAGES)), ("source", Of(AT_S3))]))])
        .in_results(),
    Taken::new(Document, Place::Bytes, &[],
        &[("document", Of(&[("format", Word(DOCUMENTS)), ("name", Label), ("source", Of(INLINE))]))])
        .in_results(),
    Taken::new(Document, S3, &[],
        &[("document", Of(&[("format", Word(DOCUMENTS)), ("name", Label), ("source", Of(AT_S3))]))])
        .in_results(),
    Taken::new(Video, Place::Bytes, &[], &[("video", Of(&[("format", Word(FILMS)), ("source", Of(INLINE))]))]),
    Taken::new(Video, S3, &[], &[("video", Of(&[("format", Word(FILMS)), ("source", Of(AT_S3))]))]),
];
