use std::borrow::Cow;
use std::ops::Range;

use memu_core::records::Span;

use super::fault::{Fallible, Fault};

/// An input as text, which knows where its parts lie in the bytes.
#[derive(Debug)]
pub(super) struct Source<'a> {
    text: Cow<'a, str>,
    /// How many bytes of a byte order mark come before the text; `None` when the
    /// text was decoded, so that its offsets are not those of the bytes.
    skipped: Option<usize>,
}

impl<'a> Source<'a> {
    /// Reads UTF-8, or UTF-16 with a byte order mark. The mark is dropped.
    pub(super) fn decode(bytes: &'a [u8]) -> Fallible<Self> {
        let source = match bytes {
            [0xEF, 0xBB, 0xBF, rest @ ..] => Self::utf8(rest, 3)?,
            [0xFF, 0xFE, rest @ ..] => Self::utf16(rest, u16::from_le_bytes)?,
            [0xFE, 0xFF, rest @ ..] => Self::utf16(rest, u16::from_be_bytes)?,
            _ => Self::utf8(bytes, 0)?,
        };
        if source.text.trim().is_empty() {
            return Err(Fault::new(if bytes.is_empty() {
                "the input is empty"
            } else {
                "the input holds nothing but white space"
            }));
        }
        Ok(source)
    }

    fn utf8(bytes: &'a [u8], skipped: usize) -> Fallible<Self> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            Fault::new("the input is not text in UTF-8, nor in UTF-16 with a byte order mark")
                .at("byte", skipped + error.valid_up_to())
        })?;
        Ok(Self {
            text: Cow::Borrowed(text),
            skipped: Some(skipped),
        })
    }

    fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Fallible<Self> {
        let (pairs, odd) = bytes.as_chunks::<2>();
        if !odd.is_empty() {
            return Err(
                Fault::new("the UTF-16 text ends in half a character").at("byte", bytes.len() + 1)
            );
        }
        let mut text = String::with_capacity(bytes.len());
        let mut offset = 2;
        for decoded in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
            let character = decoded.map_err(|_| {
                Fault::new("the UTF-16 text holds a lone surrogate").at("byte", offset)
            })?;
            offset += 2 * character.len_utf16();
            text.push(character);
        }
        Ok(Self {
            text: Cow::Owned(text),
            skipped: None,
        })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where a range of the text lies in the bytes.
    pub(super) fn span(&self, range: &Range<usize>) -> Option<Span> {
        let skipped = self.skipped?;
        Some(Span {
            start: (range.start + skipped) as u64,
            end: (range.end + skipped) as u64,
        })
    }

    /// Where `part` lies in the bytes, when it is a slice of the text; `None` for
    /// a text that lies elsewhere in memory, such as one that had escapes.
    pub(super) fn span_of(&self, part: &str) -> Option<Span> {
        let start = part
            .as_ptr()
            .addr()
            .checked_sub(self.text.as_ptr().addr())?;
        let end = start + part.len();
        (!part.is_empty() && end <= self.text.len())
            .then(|| self.span(&(start..end)))
            .flatten()
    }
}

/// The line and column of a byte offset, both from 1, the column in bytes.
pub(super) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    let lines = before.split(|byte| *byte == b'\n');
    let (mut line, mut column) = (0, 1);
    for written in lines {
        line += 1;
        column = written.len() + 1;
    }
    (line, column)
}
