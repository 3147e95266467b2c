//! The parts that media become.

use crate::media::MediaKind::{Audio, Document, Image, Video};
use crate::wire::media::Slot::{Base64, FileId, Mime, Of, Url};
use crate::wire::media::{Form, Place, Taken};

const IMAGES: &[&str] = &["image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"];
const SOUNDS: &[&str] = &["audio/"];
const DOCUMENTS: &[&str] = &["application/pdf", "text/", "application/json"];
const FILMS: &[&str] = &["video/"];

const INLINE: Form = &[("inlineData", Of(&[("mimeType", Mime), ("data", Base64)]))];
const AT_URL: Form = &[("fileData", Of(&[("mimeType", Mime), ("fileUri", Url)]))];
/// An id is the address that the service gave to an uploaded file.
const FILE: Form = &[("fileData", Of(&[("mimeType", Mime), ("fileUri", FileId)]))];

pub(super) const MEDIA: &[Taken] = &[
    Taken::new(Image, Place::Bytes, IMAGES, INLINE),
    Taken::new(Image, Place::Url, IMAGES, AT_URL),
    Taken::new(Image, Place::File, IMAGES, FILE),
    Taken::new(Audio, Place::Bytes, SOUNDS, INLINE),
    Taken::new(Audio, Place::Url, SOUNDS, AT_URL),
    Taken::new(Audio, Place::File, SOUNDS, FILE),
    Taken::new(Document, Place::Bytes, DOCUMENTS, INLINE),
    Taken::new(Document, Place::Url, DOCUMENTS, AT_URL),
    Taken::new(Document, Place::File, DOCUMENTS, FILE),
    Taken::new(Video, Place::Bytes, FILMS, INLINE),
    Taken::new(Video, Place::Url, FILMS, AT_URL),
    Taken::new(Video, Place::File, FILMS, FILE),
];
