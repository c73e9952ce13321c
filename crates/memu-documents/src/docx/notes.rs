use std::collections::BTreeMap;

use memu_core::Result;

use crate::block::one_line;
use crate::xml::{self, Piece};

/// Footnotes and endnotes.
#[derive(Debug, Default)]
pub(super) struct Notes(BTreeMap<(Kind, String), String>);

/// Which notes a number is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Footnote,
    Endnote,
}

impl Kind {
    /// What refers to a note of this kind, and what holds one.
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "footnoteReference" | "footnote" => Some(Self::Footnote),
            "endnoteReference" | "endnote" => Some(Self::Endnote),
            _ => None,
        }
    }
}

impl Notes {
    /// Adds those of a part.
    pub(super) fn read(&mut self, bytes: &[u8], part: &str) -> Result<()> {
        let mut note: Option<((Kind, String), String)> = None;
        let mut in_text = false;
        xml::read(bytes, part, |piece| match piece {
            Piece::Open(tag) => match tag.name.as_str() {
                "t" => in_text = true,
                "p" | "tab" | "br" => {
                    if let Some((_, text)) = &mut note {
                        text.push(' ');
                    }
                }
                name => {
                    if let (Some(kind), Some(id)) = (Kind::of(name), tag.attribute("id"))
                        && !name.ends_with("Reference")
                    {
                        note = Some(((kind, id.to_owned()), String::new()));
                    }
                }
            },
            Piece::Text(text) if in_text => {
                if let Some((_, note)) = &mut note {
                    note.push_str(&text);
                }
            }
            Piece::Text(_) => {}
            Piece::Close(name) => match name.as_str() {
                "t" => in_text = false,
                "footnote" | "endnote" => {
                    // Separators are notes without words.
                    let taken = note.take().map(|(key, text)| (key, one_line(&text)));
                    self.0.extend(taken.filter(|(_, text)| !text.is_empty()));
                }
                _ => {}
            },
        })
    }

    pub(super) fn get(&self, kind: Kind, id: &str) -> Option<&str> {
        self.0.get(&(kind, id.to_owned())).map(String::as_str)
    }
}
