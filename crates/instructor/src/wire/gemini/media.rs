//! The parts that media become.

use crate::media::MediaKind::{Audio, Document, Image, Video};
use crate::provider::Quirks;
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

/// What a function's response may hold.
const SHOWN: &[&str] = &["image/png", "image/jpeg", "image/webp"];
const READ: &[&str] = &["application/pdf", "text/plain"];
/// An object in the storage of the one who pays.
const BUCKET: Place = Place::Store("gs://");

pub(super) const MEDIA: &[Taken] = &[
    Taken::new(Image, Place::Bytes, IMAGES, INLINE),
    Taken::new(Image, Place::Url, IMAGES, AT_URL),
    Taken::new(Image, BUCKET, IMAGES, AT_URL).only(Quirks::BUCKETS),
    Taken::new(Image, Place::File, IMAGES, FILE),
    Taken::new(Audio, Place::Bytes, SOUNDS, INLINE),
    Taken::new(Audio, Place::Url, SOUNDS, AT_URL),
    Taken::new(Audio, BUCKET, SOUNDS, AT_URL).only(Quirks::BUCKETS),
    Taken::new(Audio, Place::File, SOUNDS, FILE),
    Taken::new(Document, Place::Bytes, DOCUMENTS, INLINE),
    Taken::new(Document, Place::Url, DOCUMENTS, AT_URL),
    Taken::new(Document, BUCKET, DOCUMENTS, AT_URL).only(Quirks::BUCKETS),
    Taken::new(Document, Place::File, DOCUMENTS, FILE),
    Taken::new(Video, Place::Bytes, FILMS, INLINE),
    Taken::new(Video, Place::Url, FILMS, AT_URL),
    Taken::new(Video, BUCKET, FILMS, AT_URL).only(Quirks::BUCKETS),
    Taken::new(Video, Place::File, FILMS, FILE),
    Taken::new(Image, Place::Bytes, SHOWN, INLINE).in_results_only(),
    Taken::new(Image, Place::Url, SHOWN, AT_URL).in_results_only(),
    Taken::new(Image, BUCKET, SHOWN, AT_URL).only(Quirks::BUCKETS).in_results_only(),
    Taken::new(Image, Place::File, SHOWN, FILE).in_results_only(),
    Taken::new(Document, Place::Bytes, READ, INLINE).in_results_only(),
    Taken::new(Document, Place::Url, READ, AT_URL).in_results_only(),
    Taken::new(Document, BUCKET, READ, AT_URL).only(Quirks::BUCKETS).in_results_only(),
    Taken::new(Document, Place::File, READ, FILE).in_results_only(),
];
