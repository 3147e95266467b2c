//! The media type of a content: by its first bytes, or by a name's extension.

/// What stands for a type that is not known.
pub(super) const UNKNOWN: &str = "application/octet-stream";

/// Bytes at places, and the type that they mean.
struct Signature {
    mime: &'static str,
    marks: &'static [(usize, &'static [u8])],
}

const fn signature(mime: &'static str, marks: &'static [(usize, &'static [u8])]) -> Signature {
    Signature { mime, marks }
}

/// The first that fits holds.
const SIGNATURES: &[Signature] = &[
    signature("image/png", &[(0, b"\x89PNG\r\n\x1a\n")]),
    signature("image/jpeg", &[(0, b"\xff\xd8\xff")]),
    signature("image/gif", &[(0, b"GIF87a")]),
    signature("image/gif", &[(0, b"GIF89a")]),
    signature("image/webp", &[(0, b"RIFF"), (8, b"WEBP")]),
    signature("image/tiff", &[(0, b"II*\0")]),
    signature("image/tiff", &[(0, b"MM\0*")]),
    signature("image/avif", &[(4, b"ftypavif")]),
    signature("image/heic", &[(4, b"ftypheic")]),
    signature("image/heic", &[(4, b"ftypheix")]),
    signature("image/heif", &[(4, b"ftypmif1")]),
    // A bitmap's reserved fields are zero, which "BM" at the start of a text is not followed by.
    signature("image/bmp", &[(0, b"BM"), (6, b"\0\0\0\0")]),
    signature("application/pdf", &[(0, b"%PDF-")]),
    signature("audio/wav", &[(0, b"RIFF"), (8, b"WAVE")]),
    signature("audio/mpeg", &[(0, b"ID3")]),
    signature("audio/mpeg", &[(0, b"\xff\xfb")]),
    signature("audio/mpeg", &[(0, b"\xff\xf3")]),
    signature("audio/mpeg", &[(0, b"\xff\xf2")]),
    signature("audio/aac", &[(0, b"\xff\xf1")]),
    signature("audio/aac", &[(0, b"\xff\xf9")]),
    signature("audio/flac", &[(0, b"fLaC")]),
    signature("audio/ogg", &[(0, b"OggS")]),
    signature("audio/aiff", &[(0, b"FORM"), (8, b"AIFF")]),
    signature("audio/mp4", &[(4, b"ftypM4A")]),
    signature("video/quicktime", &[(4, b"ftypqt")]),
    signature("video/3gpp", &[(4, b"ftyp3g")]),
    signature("video/mp4", &[(4, b"ftyp")]),
    signature("video/webm", &[(0, b"\x1a\x45\xdf\xa3")]),
    signature("video/avi", &[(0, b"RIFF"), (8, b"AVI ")]),
    signature("video/x-flv", &[(0, b"FLV\x01")]),
    signature("video/mpeg", &[(0, b"\0\0\x01\xba")]),
    signature("video/mpeg", &[(0, b"\0\0\x01\xb3")]),
];

const EXTENSIONS: &[(&str, &str)] = &[
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("bmp", "image/bmp"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
    ("avif", "image/avif"),
    ("heic", "image/heic"),
    ("heif", "image/heif"),
    ("svg", "image/svg+xml"),
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
    ("csv", "text/csv"),
    ("html", "text/html"),
    ("htm", "text/html"),
    ("xml", "text/xml"),
    ("json", "application/json"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xls", "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("wav", "audio/wav"),
    ("mp3", "audio/mpeg"),
    ("aac", "audio/aac"),
    ("flac", "audio/flac"),
    ("ogg", "audio/ogg"),
    ("opus", "audio/ogg"),
    ("aiff", "audio/aiff"),
    ("m4a", "audio/mp4"),
    ("mp4", "video/mp4"),
    ("mov", "video/quicktime"),
    ("webm", "video/webm"),
    ("mkv", "video/x-matroska"),
    ("avi", "video/avi"),
    ("flv", "video/x-flv"),
    ("mpeg", "video/mpeg"),
    ("mpg", "video/mpeg"),
    ("wmv", "video/wmv"),
    ("3gp", "video/3gpp"),
];

/// Other names of types.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("image/jpg", "image/jpeg"),
    ("image/pjpeg", "image/jpeg"),
    ("image/x-png", "image/png"),
    ("audio/x-wav", "audio/wav"),
    ("audio/wave", "audio/wav"),
    ("audio/vnd.wave", "audio/wav"),
    ("audio/mp3", "audio/mpeg"),
    ("audio/x-flac", "audio/flac"),
    ("audio/x-m4a", "audio/mp4"),
    ("audio/m4a", "audio/mp4"),
    ("video/x-msvideo", "video/avi"),
    ("application/x-pdf", "application/pdf"),
];

/// The usual name of a type.
pub(super) fn usual(mime: &str) -> &str {
    OTHER_NAMES.iter().find(|(other, _)| *other == mime).map_or(mime, |&(_, usual)| usual)
}

/// The type that the first bytes mean.
pub(super) fn of_bytes(bytes: &[u8]) -> Option<&'static str> {
    let marked = |at: usize, mark: &[u8]| bytes.get(at..).is_some_and(|rest| rest.starts_with(mark));
    SIGNATURES.iter().find(|signature| signature.marks.iter().all(|&(at, mark)| marked(at, mark))).map(|s| s.mime)
}

/// Whether a content of this type is always known by its first bytes. Sound and film may begin anywhere.
pub(super) fn shows(mime: &str) -> bool {
    let always = mime.starts_with("image/") || mime == "application/pdf";
    always && SIGNATURES.iter().any(|signature| signature.mime == mime)
}

/// The type that a file name's extension means.
pub(super) fn of_name(name: &str) -> Option<&'static str> {
    let (_, extension) = name.rsplit_once('.')?;
    EXTENSIONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(extension)).map(|&(_, mime)| mime)
}

/// Plain text, if it is some.
pub(super) fn text(bytes: &[u8]) -> &'static str {
    let is_text = std::str::from_utf8(bytes).is_ok_and(|text| !text.is_empty() && !text.contains('\0'));
    if is_text { "text/plain" } else { UNKNOWN }
}

/// The path of a URL.
pub(super) fn path_of(url: &str) -> &str {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let whole = url.get(..end).unwrap_or(url);
    let rest = whole.split_once("://").map_or(whole, |(_, rest)| rest);
    rest.find('/').and_then(|start| rest.get(start..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_mean_a_type() {
        let cases: [(&[u8], Option<&str>); 14] = [
            (b"\x89PNG\r\n\x1a\n....", Some("image/png")),
            (b"\xff\xd8\xff\xe0", Some("image/jpeg")),
            (b"GIF89a", Some("image/gif")),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"RIFF\0\0\0\0WAVEfmt ", Some("audio/wav")),
            (b"RIFF\0\0\0\0AVI LIST", Some("video/avi")),
            (b"%PDF-1.4", Some("application/pdf")),
            (b"ID3\x04", Some("audio/mpeg")),
            (b"\0\0\0\x20ftypM4A ", Some("audio/mp4")),
            (b"\0\0\0\x20ftypisom", Some("video/mp4")),
            (b"\0\0\0\x20ftypheic", Some("image/heic")),
            (b"BMW is a maker of cars", None),
            (b"RIFF", None),
            (b"", None),
        ];
        for (bytes, mime) in cases {
            assert_eq!(of_bytes(bytes), mime, "{bytes:?}");
        }
        for signature in SIGNATURES {
            let mut bytes = [0; 16];
            for (at, mark) in signature.marks {
                bytes[*at..at + mark.len()].copy_from_slice(mark);
            }
            assert_eq!(of_bytes(&bytes), Some(signature.mime), "an earlier signature hides this one");
        }
    }

    #[test]
    fn extensions_mean_a_type() {
        assert_eq!(of_name("a.tar.PNG"), Some("image/png"));
        assert_eq!(of_name("png"), None);
        assert_eq!(of_name(path_of("https://a.example/b.pdf?x=c.png#d.gif")), Some("application/pdf"));
        assert_eq!(of_name(path_of("https://a.png")), None);
        assert_eq!(path_of("https://a.example?x=/b.png"), "");
    }

    #[test]
    fn text_is_known_as_such() {
        assert_eq!(text("für".as_bytes()), "text/plain");
        assert_eq!((text(b""), text(b"a\0b"), text(b"\xff\xfe")), (UNKNOWN, UNKNOWN, UNKNOWN));
    }
}
