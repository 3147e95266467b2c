//! From the parts of a request body back to media, and every form of each wire beside what it should be.

use serde_json::{Map, Value, json};

use super::convert::{Asked, plain_text};
use crate::media::{Detail, Media, MediaKind};
use crate::message::{Message, Part, Role};
use crate::provider::{Profile, Quirks};
use crate::wire::{Call, Forms, Output, Settings};

pub(super) fn openai_part(part: &Value) -> Result<Part, &'static str> {
    let part = part.as_object().unwrap();
    let kind = part["type"].as_str().unwrap();
    let known = |key: &str| {
        ["type", "cache_control", kind].contains(&key) || (kind == "document_url" && key == "document_name")
    };
    if kind != "text" && part.iter().any(|(key, value)| !known(key) && !value.is_null()) {
        return Err("further fields of a part");
    }
    Ok(match kind {
        "text" => Part::from(plain_text(&Value::Object(part.clone()))?),
        "image_url" => {
            let media = at_url(MediaKind::Image, &part["image_url"]["url"])?;
            Part::from(match part["image_url"]["detail"].as_str() {
                None => media,
                Some("auto") => media.with_detail(Detail::Auto),
                Some(_) => return Err("another detail"),
            })
        }
        "video_url" => Part::from(at_url(MediaKind::Video, &part["video_url"]["url"])?),
        "input_audio" if part["input_audio"].is_string() => Part::from(inline("audio/wav", &part["input_audio"])?),
        "document_url" => {
            let media = at_url(MediaKind::Document, &part["document_url"])?;
            Part::from(match part.get("document_name").and_then(Value::as_str) {
                Some(name) => media.with_name(name),
                None => media,
            })
        }
        "input_audio" => {
            let (data, format) = (&part["input_audio"]["data"], &part["input_audio"]["format"]);
            Part::from(inline(&format!("audio/{}", format.as_str().unwrap()), data)?)
        }
        "file" => Part::from(match (part["file"]["file_id"].as_str(), part["file"]["filename"].as_str()) {
            (Some(id), _) => Media::file_id(MediaKind::Document, id),
            (None, Some(name)) => at_url(MediaKind::Document, &part["file"]["file_data"])?.with_name(name),
            (None, None) => return Err("a file without a name"),
        }),
        _ => return Err("media or files"),
    })
}

pub(super) fn responses_part(part: &Map<String, Value>) -> Result<Part, &'static str> {
    let media = match (part["type"].as_str(), part.get("file_data"), part.get("file_url")) {
        (Some("input_image"), ..) => at_url(MediaKind::Image, &part["image_url"])?,
        (_, Some(url), _) | (_, None, Some(url)) => at_url(MediaKind::Document, url)?,
        _ => return Err("media or files"),
    };
    let media = match part.get("detail").and_then(Value::as_str) {
        None => media,
        Some("auto") => media.with_detail(Detail::Auto),
        Some(_) => return Err("another detail"),
    };
    Ok(Part::from(match part.get("filename").and_then(Value::as_str) {
        Some(name) => media.with_name(name),
        None => media,
    }))
}

pub(super) fn anthropic_block(block: &Value) -> Result<Part, &'static str> {
    if block.get("citations").is_some() {
        return Err("further fields of a part");
    }
    let kind = if block["type"] == "image" { MediaKind::Image } else { MediaKind::Document };
    let source = &block["source"];
    let text = |key: &str| source[key].as_str().unwrap().to_owned();
    let media = match source["type"].as_str().unwrap() {
        "base64" => inline(&text("media_type"), &source["data"])?,
        "text" => Media::from_bytes(text("data")),
        "url" => Media::from_url(kind, text("url")),
        "file" => Media::file_id(kind, text("file_id")),
        _ => return Err("media or files"),
    };
    Ok(Part::from(match block["title"].as_str() {
        Some(title) => media.with_name(title),
        None => media,
    }))
}

pub(super) fn gemini_part(part: &Value) -> Result<Part, &'static str> {
    let inside = |key: &str| part.get(key).filter(|_| part.as_object().unwrap().len() == 1);
    match (inside("inlineData"), inside("fileData")) {
        (Some(data), _) => Ok(Part::from(inline(data["mimeType"].as_str().unwrap(), &data["data"])?)),
        (_, Some(file)) => {
            let mime = file["mimeType"].as_str().unwrap();
            let media = Media::from_url(MediaKind::Document, file["fileUri"].as_str().unwrap());
            Ok(Part::from(media.with_mime(mime)))
        }
        _ => Err("further fields of a part"),
    }
}

pub(super) fn bedrock_block(kind: &str, block: &Value) -> Result<Part, &'static str> {
    let mime = match (kind, block["format"].as_str().unwrap_or_default()) {
        ("image", format) => format!("image/{format}"),
        ("video", "mp4") => String::from("video/mp4"),
        ("document", "txt") => String::from("text/plain"),
        ("document", "pdf") => String::from("application/pdf"),
        ("video" | "document", _) => return Err("another format"),
        _ => return Err("media or files"),
    };
    let name = block["name"].as_str();
    if name.is_some_and(|name| name.contains("REDACTED")) {
        return Err("a name that was made by the recorder");
    }
    let media = match block["source"]["s3Location"]["uri"].as_str() {
        Some(uri) => Media::file_id(MediaKind::Document, uri).with_mime(mime),
        None => inline(&mime, &block["source"]["bytes"])?,
    };
    Ok(Part::from(match name {
        Some(name) => media.with_name(name),
        None => media,
    }))
}

fn at_url(kind: MediaKind, url: &Value) -> Result<Media, &'static str> {
    let url = url.as_str().unwrap();
    if url.starts_with("data:") {
        return Media::from_data_url(url).map_err(|_| "data that is not base64");
    }
    Ok(Media::from_url(kind, url))
}

fn inline(mime: &str, data: &Value) -> Result<Media, &'static str> {
    let url = format!("data:{mime};base64,{}", data.as_str().unwrap());
    Media::from_data_url(&url).map_err(|_| "data that is not base64")
}

/// Whether something in it is refused, or would be, if it were not in turns of a re-ask.
pub(super) fn is_refused(asked: &Asked, profile: &Profile) -> bool {
    asked.with(|call| {
        let forms = Forms::of(profile, call.model);
        [call.messages, call.turns].into_iter().any(|said| forms.check(profile.id(), said, false).is_err())
    })
}

pub(super) fn is_in(asked: &Asked) -> bool {
    asked.with(|call| {
        let mut said = call.messages.iter().chain(call.turns);
        said.any(|message| message.parts().iter().any(|part| matches!(part, Part::Media(_))))
    })
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const PNG_64: &str = "iVBORw0KGgo=";

fn call<T>(messages: &[Message], f: impl FnOnce(&Call<'_>) -> T) -> T {
    f(&Call {
        model: "m",
        messages,
        instructions: None,
        nudge: Some("Answer in JSON."),
        turns: &[],
        output: Output::Text,
        settings: &Settings::default(),
        streamed: false,
    })
}

/// The content of the one message.
fn content(profile: &Profile, parts: Vec<Part>) -> Value {
    let messages = [Message::new(Role::User, parts)];
    let body = call(&messages, |call| profile.wire().encode(call, profile).unwrap());
    serde_json::from_slice::<Value>(&body).unwrap()["messages"][0]["content"].clone()
}

#[test]
fn parts_stay_in_their_order_and_the_nudge_comes_last() {
    let parts = || vec![Part::from("Before."), Part::from(Media::image(PNG)), Part::from("After.")];
    let text = |text: &str| json!({"type": "text", "text": text});
    let url = format!("data:image/png;base64,{PNG_64}");
    assert_eq!(
        content(&Profile::named("openai").unwrap(), parts()),
        json!([
            text("Before."),
            {"type": "image_url", "image_url": {"url": url}},
            text("After."),
            text("Answer in JSON."),
        ])
    );
    assert_eq!(
        content(&Profile::named("anthropic").unwrap(), parts()),
        json!([
            text("Before."),
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG_64}},
            text("After."),
            text("Answer in JSON."),
        ])
    );
}

#[test]
fn every_habit_of_servers_has_its_form() {
    let any = Profile::openai_compatible("any", "http://localhost/v1");
    let pdf = Media::from_bytes(b"%PDF-1.7".as_slice());
    let wav = Media::from_bytes(b"RIFF\0\0\0\0WAVE".as_slice());
    let (pdf_url, wav_url) = ("data:application/pdf;base64,JVBERi0xLjc=", "data:audio/wav;base64,UklGRgAAAABXQVZF");
    let far = Media::from_url(MediaKind::Document, "https://a.example/b.pdf");
    let film = Media::from_url(MediaKind::Video, "https://a.example/b.mp4");
    let id = Media::file_id(MediaKind::Document, "file-1");
    let file = |data: &str| json!({"type": "file", "file": {"filename": "document.pdf", "file_data": data}});
    let rows = [
        (Quirks::NONE, &pdf, file(pdf_url)),
        (Quirks::FILE_BY_URL, &far, file("https://a.example/b.pdf")),
        (Quirks::VIDEO_PARTS, &film, json!({"type": "video_url", "video_url": {"url": "https://a.example/b.mp4"}})),
        (Quirks::FLAT_PARTS, &pdf, json!({"type": "document_url", "document_url": pdf_url})),
        (Quirks::FLAT_PARTS, &far, json!({"type": "document_url", "document_url": "https://a.example/b.pdf"})),
        (Quirks::FLAT_PARTS, &id, json!({"type": "file", "file_id": "file-1"})),
        (Quirks::FLAT_PARTS, &wav, json!({"type": "input_audio", "input_audio": "UklGRgAAAABXQVZF"})),
        (
            Quirks::AUDIO_IS_DATA_URL,
            &wav,
            json!({"type": "input_audio", "input_audio": {"data": wav_url, "format": "wav"}}),
        ),
    ];
    for (quirk, media, form) in rows {
        let profile = any.clone().with_quirks(quirk);
        assert_eq!(
            serde_json::to_value(Forms::of(&profile, "m").show(media, Role::User).unwrap()).unwrap(),
            form,
            "{quirk:?}"
        );
    }
    for (quirk, media) in [
        (Quirks::NONE, &far),
        (Quirks::NONE, &film),
        (Quirks::NO_FILE_PARTS, &pdf),
        (Quirks::NO_IMAGE_URLS, &Media::from_url(MediaKind::Image, "https://a.example/b.png")),
        (Quirks::NO_FILE_PARTS, &id),
        (Quirks::TEXT_ONLY, &Media::image(PNG)),
    ] {
        assert!(
            Forms::of(&any.clone().with_quirks(quirk), "m").show(media, Role::User).is_none(),
            "{quirk:?} {media:?}"
        );
    }
}
