//! The parts that media become.

use crate::media::MediaKind::{Audio, Document, Image, Video};
use crate::provider::Quirks;
use crate::wire::media::Slot::{Base64, DataUrl, Detail, FileId, Is, Name, Of, Url, Word};
use crate::wire::media::{Place, Taken};

const IMAGES: &[&str] = &["image/png", "image/jpeg", "image/gif", "image/webp"];
const SOUNDS: &[&str] = &["audio/wav", "audio/mpeg"];
const PDF: &[&str] = &["application/pdf"];
const FORMAT: &[(&str, &str)] = &[("audio/wav", "wav"), ("audio/mpeg", "mp3")];
const DOCUMENT: Option<&str> = Some("document.pdf");
/// Servers that have other parts for documents, or none.
const OTHER_FILES: Quirks = Quirks::NO_FILE_PARTS.and(Quirks::FLAT_PARTS);

/// Results of tools are "expected to be either text or image_url type".
#[rustfmt::skip]
pub(super) const MEDIA: &[Taken] = &[
    Taken::new(Image, Place::Bytes, IMAGES,
        &[("type", Is("image_url")), ("image_url", Of(&[("url", DataUrl), ("detail", Detail)]))])
        .in_results(),
    Taken::new(Image, Place::Url, IMAGES,
        &[("type", Is("image_url")), ("image_url", Of(&[("url", Url), ("detail", Detail)]))])
        .in_results()
        .never(Quirks::NO_IMAGE_URLS),
    Taken::new(Audio, Place::Bytes, SOUNDS,
        &[("type", Is("input_audio")), ("input_audio", Of(&[("data", Base64), ("format", Word(FORMAT))]))])
        .never(Quirks::AUDIO_IS_DATA_URL.and(Quirks::FLAT_PARTS)),
    Taken::new(Audio, Place::Bytes, SOUNDS,
        &[("type", Is("input_audio")), ("input_audio", Of(&[("data", DataUrl), ("format", Word(FORMAT))]))])
        .only(Quirks::AUDIO_IS_DATA_URL),
    Taken::new(Audio, Place::Bytes, SOUNDS, &[("type", Is("input_audio")), ("input_audio", Base64)])
        .only(Quirks::FLAT_PARTS),
    Taken::new(Document, Place::Bytes, PDF,
        &[("type", Is("file")), ("file", Of(&[("filename", Name(DOCUMENT)), ("file_data", DataUrl)]))])
        .never(OTHER_FILES),
    Taken::new(Document, Place::Bytes, PDF,
        &[("type", Is("document_url")), ("document_url", DataUrl), ("document_name", Name(None))])
        .only(Quirks::FLAT_PARTS),
    Taken::new(Document, Place::Url, PDF,
        &[("type", Is("file")), ("file", Of(&[("filename", Name(DOCUMENT)), ("file_data", Url)]))])
        .only(Quirks::FILE_BY_URL),
    Taken::new(Document, Place::Url, PDF,
        &[("type", Is("document_url")), ("document_url", Url), ("document_name", Name(None))])
        .only(Quirks::FLAT_PARTS),
    Taken::new(Document, Place::File, &[], &[("type", Is("file")), ("file", Of(&[("file_id", FileId)]))])
        .never(OTHER_FILES),
    Taken::new(Document, Place::File, &[], &[("type", Is("file")), ("file_id", FileId)])
        .only(Quirks::FLAT_PARTS),
    Taken::new(Video, Place::Bytes, &["video/"], &[("type", Is("video_url")), ("video_url", Of(&[("url", DataUrl)]))])
        .only(Quirks::VIDEO_PARTS),
    Taken::new(Video, Place::Url, &["video/"], &[("type", Is("video_url")), ("video_url", Of(&[("url", Url)]))])
        .only(Quirks::VIDEO_PARTS),
];
