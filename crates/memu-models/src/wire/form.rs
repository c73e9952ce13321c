//! The form by which a recording is sent to be transcribed (RFC 7578).

use memu_core::provider::Media;
use memu_core::records::ContentHash;

use crate::transport::{Call, Target};

/// A request to write down what a recording says.
pub(super) fn transcription(target: Target, model: &str, recording: &Media) -> Call {
    // It must not occur in the recording, and the same request is to be the same bytes.
    let boundary = format!("memu-{}", ContentHash::of(&recording.bytes));
    let text = |name: &str, value: &str| {
        format!(
            "--{boundary}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        )
    };
    let media_type = media_type(recording);
    let file = format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"file\"; \
         filename=\"recording.{}\"\r\ncontent-type: {media_type}\r\n\r\n",
        ending(media_type)
    );
    let end = format!("\r\n--{boundary}--\r\n");
    let body = [
        text("model", model).as_bytes(),
        text("response_format", "json").as_bytes(),
        file.as_bytes(),
        &recording.bytes,
        end.as_bytes(),
    ]
    .concat();
    let content_type = format!("multipart/form-data; boundary={boundary}");
    Call::new(target, content_type, body)
}

/// The type of a recording, as long as it is one: a line end in it would start a header.
fn media_type(recording: &Media) -> &str {
    let is_plain = |c: char| c.is_ascii_graphic() && c != '"' || c == ' ';
    if recording.media_type.chars().all(is_plain) {
        &recording.media_type
    } else {
        "application/octet-stream"
    }
}

/// The ending of a file of this type: providers go by that.
fn ending(media_type: &str) -> &str {
    let kind = media_type.split(';').next().unwrap_or(media_type).trim();
    match kind {
        "audio/mpeg" | "audio/mp3" => "mp3",
        "audio/mp4" | "audio/m4a" | "audio/x-m4a" => "m4a",
        "audio/wav" | "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => "wav",
        "audio/ogg" | "audio/opus" => "ogg",
        "audio/flac" | "audio/x-flac" => "flac",
        "audio/webm" | "video/webm" => "webm",
        "video/mp4" => "mp4",
        _ => kind.rsplit('/').next().unwrap_or("bin"),
    }
}
