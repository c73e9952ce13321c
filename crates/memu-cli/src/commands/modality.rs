//! What a file is, when nobody says so.

use std::io::Read;
use std::path::Path;

use memu::Modality;

/// The modality that a file's name suggests; for names that leave it open, its first
/// bytes decide.
pub(super) fn by_name(source: &str) -> Modality {
    let path = source.split(['?', '#']).next().unwrap_or(source);
    let ending = Path::new(path)
        .extension()
        .map(|ending| ending.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    match ending.as_str() {
        "json" | "jsonl" | "ndjson" => Modality::Conversation,
        "md" | "markdown" | "rst" | "org" | "adoc" | "html" | "htm" | "xhtml" | "pdf" | "docx"
        | "epub" => Modality::Document,
        "png" | "jpg" | "jpeg" | "gif" | "webp" | "bmp" | "heic" | "tiff" | "avif" => {
            Modality::Image
        }
        "mp4" | "mov" | "mkv" | "webm" | "avi" | "m4v" => Modality::Video,
        "mp3" | "wav" | "m4a" | "ogg" | "flac" | "opus" | "aac" => Modality::Audio,
        _ => by_content(&first_bytes(path)),
    }
}

fn first_bytes(path: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What cannot be read here is reported when it is memorized.
    if let Ok(file) = std::fs::File::open(path) {
        let _ = file.take(16 << 10).read_to_end(&mut bytes);
    }
    bytes
}

/// JSON and `Name: text` lines are conversations; other text is a document.
pub(super) fn by_content(bytes: &[u8]) -> Modality {
    if let Some(modality) = by_magic(bytes) {
        return modality;
    }
    let start = bytes.get(..bytes.len().min(16 << 10)).unwrap_or(bytes);
    let text = String::from_utf8_lossy(start);
    if text
        .trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t'])
        .starts_with(['[', '{'])
    {
        return Modality::Conversation;
    }
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let spoken = lines.iter().filter(|line| names_a_speaker(line)).count();
    if spoken >= 2 && spoken * 2 >= lines.len() {
        Modality::Conversation
    } else {
        Modality::Document
    }
}

/// What files that are not text begin with.
fn by_magic(bytes: &[u8]) -> Option<Modality> {
    Some(match bytes {
        [0x89, b'P', b'N', b'G', ..]
        | [0xFF, 0xD8, 0xFF, ..]
        | [b'G', b'I', b'F', b'8', ..]
        | [b'I', b'I', 42, 0, ..]
        | [b'M', b'M', 0, 42, ..]
        | [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', ..]
        | [_, _, _, _, b'f', b't', b'y', b'p', b'h' | b'a', ..] => Modality::Image,
        [b'I', b'D', b'3', ..]
        | [b'f', b'L', b'a', b'C', ..]
        | [b'O', b'g', b'g', b'S', ..]
        | [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', ..]
        | [_, _, _, _, b'f', b't', b'y', b'p', b'M', b'4', b'A', ..] => Modality::Audio,
        [_, _, _, _, b'f', b't', b'y', b'p', ..]
        | [0x1A, 0x45, 0xDF, 0xA3, ..]
        | [b'R', b'I', b'F', b'F', _, _, _, _, b'A', b'V', ..] => Modality::Video,
        [b'%', b'P', b'D', b'F', ..] | [b'P', b'K', 3, 4, ..] => Modality::Document,
        _ => return None,
    })
}

fn names_a_speaker(line: &str) -> bool {
    line.split_once(": ").is_some_and(|(name, _)| {
        (1..=40).contains(&name.chars().count())
            && name.split_whitespace().count() <= 4
            && name.starts_with(char::is_alphabetic)
            && name
                .chars()
                .all(|c| c.is_alphanumeric() || " .'-".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_otherwise_first_bytes_tell_what_a_file_is() {
        for (name, expected) in [
            ("chat.json", Modality::Conversation),
            ("https://example.org/a.PDF?x=1", Modality::Document),
            ("page.html", Modality::Document),
            ("https://example.org/page", Modality::Document),
            ("a.jpeg", Modality::Image),
            ("a.m4v", Modality::Video),
            ("a.aac", Modality::Audio),
        ] {
            assert_eq!(by_name(name), expected, "{name}");
        }
        for (bytes, expected) in [
            (&b"\x89PNG\r\n"[..], Modality::Image),
            (b"RIFF\0\0\0\0WAVEfmt ", Modality::Audio),
            (b"\0\0\0\x18ftypisom", Modality::Video),
            (b"\0\0\0\x18ftypM4A ", Modality::Audio),
            (b"%PDF-1.7", Modality::Document),
            (b"<!DOCTYPE html><p>Anna: hi", Modality::Document),
            (b"Anna: hi\nBen: ho\n", Modality::Conversation),
            (b" [{}]", Modality::Conversation),
            (b"", Modality::Document),
        ] {
            let shown = String::from_utf8_lossy(bytes);
            assert_eq!(by_content(bytes), expected, "{shown}");
        }
    }
}
