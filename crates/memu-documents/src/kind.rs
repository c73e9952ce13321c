//! What kind of document some bytes are: what they begin with counts, then what a server says
//! they are, and the ending of the name last.

/// How far into a file what tells it may begin.
const BEGINNING: usize = 1024;

/// What a document is, as far as it is not text already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Pdf,
    /// A ZIP archive: DOCX or EPUB, or something else; its parts tell.
    Zip,
    Html,
    /// The container that Word used before DOCX, and still uses around encrypted files.
    OldOffice,
    Rtf,
}

impl Kind {
    /// The kind of a file; `None` for one that is read as it is.
    pub(crate) fn of(bytes: &[u8], media_type: Option<&str>, url: &str) -> Option<Self> {
        let start = bytes.get(..BEGINNING).unwrap_or(bytes);
        let declared = media_type.map(|media_type| {
            let essence = media_type.split(';').next().unwrap_or(media_type);
            essence.trim().to_lowercase()
        });
        Self::by_magic(start)
            .or_else(|| looks_like_html(start).then_some(Self::Html))
            .or_else(|| Self::by_name(declared.as_deref(), url, start))
    }

    fn by_magic(start: &[u8]) -> Option<Self> {
        // Some producers put bytes of their own before the mark.
        if find(start, b"%PDF-").is_some_and(|at| at == 0 || !is_text(start.get(..at))) {
            return Some(Self::Pdf);
        }
        match start {
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Self::Zip),
            [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, ..] => Some(Self::OldOffice),
            _ if start.starts_with(b"{\\rtf") => Some(Self::Rtf),
            _ => None,
        }
    }

    /// What the name promises, unless it is text that begins otherwise. A promise of PDF or an
    /// archive that the bytes do not keep is taken at its word, so that the error says so.
    fn by_name(declared: Option<&str>, url: &str, start: &[u8]) -> Option<Self> {
        let by_type = match declared {
            Some("text/html" | "application/xhtml+xml") => Some(Self::Html),
            Some("application/pdf") => Some(Self::Pdf),
            Some(
                "application/epub+zip"
                | "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            ) => Some(Self::Zip),
            _ => None,
        };
        let path = url.split(['?', '#']).next().unwrap_or(url);
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        let (_, ending) = name.rsplit_once('.').unwrap_or_default();
        let by_ending = || match ending.to_lowercase().as_str() {
            "htm" | "html" | "xhtml" => Some(Self::Html),
            "pdf" => Some(Self::Pdf),
            "docx" | "epub" => Some(Self::Zip),
            _ => None,
        };
        let promised = by_type.or_else(by_ending)?;
        let is_markup = || start.iter().any(|byte| *byte == b'<' || *byte == b'&');
        (promised != Kind::Html || is_markup() || by_type.is_some()).then_some(promised)
    }
}

/// Whether bytes begin as a page does, after white space, comments and declarations.
fn looks_like_html(start: &[u8]) -> bool {
    let text = match start {
        // In UTF-16 every other byte is zero.
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => {
            start.iter().copied().filter(|byte| *byte != 0).collect()
        }
        _ => start.to_vec(),
    };
    let text = String::from_utf8_lossy(&text).to_lowercase();
    let mut rest = text.trim_start_matches(|c: char| c.is_whitespace() || !c.is_ascii());
    loop {
        let skipped = if let Some(comment) = rest.strip_prefix("<!--") {
            comment.split_once("-->").map(|(_, after)| after)
        } else if rest.starts_with("<?xml") {
            rest.split_once("?>").map(|(_, after)| after)
        } else {
            break;
        };
        let Some(after) = skipped else {
            return false;
        };
        rest = after.trim_start();
    }
    let tag_ends = |rest: &str| rest.starts_with(|c: char| c == '>' || c.is_whitespace());
    ["<!doctype html", "<html", "<head", "<body", "<title"]
        .iter()
        .any(|opening| rest.strip_prefix(opening).is_some_and(tag_ends))
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

/// Whether something is written, as in a text about PDF.
fn is_text(bytes: Option<&[u8]>) -> bool {
    let text = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok());
    text.is_some_and(|text| text.chars().any(char::is_alphanumeric))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(bytes: &[u8], media_type: Option<&str>, url: &str) -> Option<Kind> {
        Kind::of(bytes, media_type, url)
    }

    #[test]
    fn the_bytes_tell_whatever_the_name_says() {
        for (bytes, expected) in [
            (&b"%PDF-1.7\n"[..], Some(Kind::Pdf)),
            (b"\x00\x01\n%PDF-1.4", Some(Kind::Pdf)),
            (b"A file that begins with %PDF-1.4 is a PDF.", None),
            (b"PK\x03\x04rest", Some(Kind::Zip)),
            (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", Some(Kind::OldOffice)),
            (b"{\\rtf1 hello}", Some(Kind::Rtf)),
            (b"\n <!DOCTYPE html><p>hi", Some(Kind::Html)),
            (b"<!-- saved --><HTML lang=en>", Some(Kind::Html)),
            (
                b"\xEF\xBB\xBF<?xml version='1.0'?>\n<html>",
                Some(Kind::Html),
            ),
            (b"\xFF\xFE<\0h\0t\0m\0l\0>\0", Some(Kind::Html)),
            (b"<htmlish> is no tag", None),
            (b"# Notes\n<p>some</p>", None),
            (b"<!-- never closed", None),
            (b"", None),
        ] {
            let shown = String::from_utf8_lossy(bytes);
            assert_eq!(kind(bytes, None, "notes.txt"), expected, "{shown}");
        }
    }

    #[test]
    fn without_marks_a_server_and_then_the_name_is_believed() {
        let part = b"<p>hi</p>";
        let html = Some(Kind::Html);
        assert_eq!(kind(part, Some("Text/HTML; charset=utf-8"), "a"), html);
        assert_eq!(kind(part, None, "https://example.org/a.html?b=c.txt"), html);
        assert_eq!(kind(b"plain words", None, "a.html"), None);
        assert_eq!(kind(part, Some("text/plain"), "a.md"), None);
        assert_eq!(kind(b"x", None, "a.PDF"), Some(Kind::Pdf));
        assert_eq!(kind(b"x", None, "a.docx"), Some(Kind::Zip));
    }
}
