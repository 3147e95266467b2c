//! The parts that media become.

use crate::media::MediaKind::{Document, Image};
use crate::wire::media::Slot::{DataUrl, Detail, FileId, Is, Name, Url};
use crate::wire::media::{Place, Taken};

const IMAGES: &[&str] = &["image/png", "image/jpeg", "image/gif", "image/webp"];
const PDF: &[&str] = &["application/pdf"];
const TEXTS: &[&str] = &["text/"];
const DOCUMENTS: &[&str] = &["application/pdf", "text/"];

#[rustfmt::skip]
pub(super) const MEDIA: &[Taken] = &[
    Taken::new(Image, Place::Bytes, IMAGES, &[("type", Is("input_image")), ("image_url", DataUrl), ("detail", Detail)])
        .in_results(),
    Taken::new(Image, Place::Url, IMAGES, &[("type", Is("input_image")), ("image_url", Url), ("detail", Detail)])
        .in_results(),
    Taken::new(Image, Place::File, &[], &[("type", Is("input_image")), ("file_id", FileId), ("detail", Detail)])
        .in_results(),
    Taken::new(Document, Place::Bytes, PDF,
        &[("type", Is("input_file")), ("filename", Name(Some("document.pdf"))), ("file_data", DataUrl)])
        .in_results(),
    Taken::new(Document, Place::Bytes, TEXTS,
        &[("type", Is("input_file")), ("filename", Name(Some("document.txt"))), ("file_data", DataUrl)])
        .in_results(),
    Taken::new(Document, Place::Url, DOCUMENTS, &[("type", Is("input_file")), ("file_url", Url)])
        .in_results(),
    Taken::new(Document, Place::File, &[], &[("type", Is("input_file")), ("file_id", FileId)])
        .in_results(),
];
