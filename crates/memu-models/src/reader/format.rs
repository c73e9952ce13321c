//! What pictures and recordings are, by the bytes that they begin with, and whether models take
//! them.

use memu_core::provider::{Media, ReadRequest};
use memu_core::{Error, Result};

/// The largest picture that providers take, in bytes; Anthropic takes smaller ones only.
const LARGEST_IMAGE: usize = 20 << 20;
const LARGEST_IMAGE_FOR_ANTHROPIC: usize = 5 << 20;
/// The largest recording; Gemini counts the whole request.
const LARGEST_RECORDING: usize = 25 << 20;
const LARGEST_RECORDING_FOR_GEMINI: usize = 14 << 20;

/// A picture in a form that all models take.
pub(super) fn image(request: &ReadRequest, model: &str) -> Result<Media> {
    let named = |error: Error| error.with("file", &request.url);
    let media_type = match image_type(&request.bytes) {
        Some(Image::Taken(media_type)) => media_type,
        Some(Image::Refused(name)) => {
            return Err(named(Error::input(format!(
                "the picture is in the format {name}, which models do not take; save it as PNG \
                 or JPEG, or hand in a caption"
            ))));
        }
        None => {
            return Err(named(Error::input(
                "this is no picture in PNG, JPEG, GIF or WebP, which models take",
            )));
        }
    };
    let largest = if model.starts_with("anthropic/") {
        LARGEST_IMAGE_FOR_ANTHROPIC
    } else {
        LARGEST_IMAGE
    };
    let length = request.bytes.len();
    if length > largest {
        return Err(named(Error::input(format!(
            "the picture has {length} bytes; its provider takes at most {largest}; make it \
             smaller, or hand in a caption"
        ))));
    }
    Ok(Media {
        bytes: request.bytes.clone(),
        media_type: media_type.to_owned(),
    })
}

/// What models do with a picture of a type.
enum Image {
    Taken(&'static str),
    Refused(&'static str),
}

fn image_type(bytes: &[u8]) -> Option<Image> {
    Some(match bytes {
        [0x89, b'P', b'N', b'G', ..] => Image::Taken("image/png"),
        [0xFF, 0xD8, 0xFF, ..] => Image::Taken("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Image::Taken("image/gif"),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Image::Taken("image/webp"),
        [_, _, _, _, b'f', b't', b'y', b'p', b'a', b'v', b'i', ..] => Image::Refused("AVIF"),
        [_, _, _, _, b'f', b't', b'y', b'p', b'h' | b'm', ..] => Image::Refused("HEIC"),
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Image::Refused("TIFF"),
        [b'B', b'M', ..] => Image::Refused("BMP"),
        [0, 0, 1, 0, ..] => Image::Refused("ICO"),
        [b'8', b'B', b'P', b'S', ..] => Image::Refused("PSD"),
        _ if is_svg(bytes) => Image::Refused("SVG"),
        _ => return None,
    })
}

fn is_svg(bytes: &[u8]) -> bool {
    let start = String::from_utf8_lossy(bytes.get(..1024).unwrap_or(bytes));
    let start = start.trim_start_matches('\u{feff}').trim_start();
    (start.starts_with("<?xml") || start.starts_with("<!") || start.starts_with("<svg"))
        && start.contains("<svg")
}

/// A recording; `None` for a text.
pub(super) fn recording(request: &ReadRequest, model: &str) -> Result<Option<Media>> {
    let named = |error: Error| error.with("file", &request.url);
    let told = request
        .media_type
        .as_deref()
        .filter(|told| told.starts_with("audio/"));
    let Some(media_type) = recording_type(&request.bytes).or(told) else {
        if std::str::from_utf8(&request.bytes).is_ok() {
            return Ok(None);
        }
        return Err(named(Error::input(
            "this is no recording in MP3, M4A, WAV, FLAC, Ogg, AAC or WebM, which models take",
        )));
    };
    let largest = if model.starts_with("gemini/") {
        LARGEST_RECORDING_FOR_GEMINI
    } else {
        LARGEST_RECORDING
    };
    let length = request.bytes.len();
    if length > largest {
        return Err(named(Error::input(format!(
            "the recording has {length} bytes; its provider takes at most {largest}; part it, \
             save it with fewer bits a second, or hand in a transcript"
        ))));
    }
    Ok(Some(Media {
        bytes: request.bytes.clone(),
        media_type: media_type.to_owned(),
    }))
}

fn recording_type(bytes: &[u8]) -> Option<&'static str> {
    Some(match bytes {
        [b'I', b'D', b'3', ..] => "audio/mpeg",
        [0xFF, 0xF1 | 0xF9, ..] => "audio/aac",
        [0xFF, second, ..] if second & 0xE6 == 0xE2 => "audio/mpeg",
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'A',
            b'V',
            b'E',
            ..,
        ] => "audio/wav",
        [b'f', b'L', b'a', b'C', ..] => "audio/flac",
        [b'O', b'g', b'g', b'S', ..] => "audio/ogg",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => "audio/mp4",
        [0x1A, 0x45, 0xDF, 0xA3, ..] => "audio/webm",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use memu_core::records::Modality;

    use super::*;

    fn request(bytes: &[u8]) -> ReadRequest {
        ReadRequest {
            bytes: bytes.into(),
            modality: Modality::Image,
            caption: None,
            media_type: None,
            url: "a".to_owned(),
        }
    }

    #[test]
    fn pictures_are_known_by_their_bytes() {
        for (bytes, expected) in [
            (&b"\x89PNG\r\n\x1a\n"[..], "image/png"),
            (b"\xFF\xD8\xFF\xE0", "image/jpeg"),
            (b"GIF89a", "image/gif"),
            (b"RIFF\x01\x02\x03\x04WEBP", "image/webp"),
        ] {
            let media = image(&request(bytes), "openai/one").unwrap();
            assert_eq!(media.media_type, expected);
        }
        for (bytes, expected) in [
            (&b"\0\0\0\x18ftypheic"[..], "format HEIC"),
            (b"\0\0\0\x18ftypavif", "format AVIF"),
            (b"II*\0", "format TIFF"),
            (b"BM1234", "format BMP"),
            (b"<?xml version='1.0'?><svg>", "format SVG"),
            (b"just words", "no picture in PNG, JPEG, GIF or WebP"),
        ] {
            let error = image(&request(bytes), "openai/one").unwrap_err();
            assert!(error.message().contains(expected), "{error}");
        }
    }

    #[test]
    fn a_picture_may_be_too_large_for_one_provider_only() {
        let mut bytes = b"\x89PNG".to_vec();
        bytes.resize(LARGEST_IMAGE_FOR_ANTHROPIC + 1, 0);
        let large = request(&bytes);
        assert!(image(&large, "openai/one").is_ok());
        let error = image(&large, "anthropic/one").unwrap_err();
        assert!(error.message().contains("takes at most 5242880"), "{error}");
    }

    #[test]
    fn recordings_are_known_by_their_bytes() {
        for (bytes, expected) in [
            (&b"ID3\x04"[..], Some("audio/mpeg")),
            (b"\xFF\xFB\x90\x64", Some("audio/mpeg")),
            (b"\xFF\xF1\x50\x80", Some("audio/aac")),
            (b"RIFF\x01\x02\x03\x04WAVE", Some("audio/wav")),
            (b"fLaC", Some("audio/flac")),
            (b"OggS", Some("audio/ogg")),
            (b"\0\0\0\x18ftypM4A ", Some("audio/mp4")),
            (b"\x1A\x45\xDF\xA3", Some("audio/webm")),
            (b"Anna: hello", None),
        ] {
            let media = recording(&request(bytes), "openai/one").unwrap();
            assert_eq!(media.map(|media| media.media_type).as_deref(), expected);
        }
        let mut told = request(b"\x01\x02\xFE\xFF");
        assert!(recording(&told, "openai/one").is_err());
        told.media_type = Some("audio/amr".to_owned());
        assert!(recording(&told, "openai/one").unwrap().is_some());
    }
}
