//! Documents of Word and whatever else writes Office Open XML (ECMA-376).

mod body;
mod notes;
mod styles;

use memu_core::Result;

use crate::archive::Archive;
use crate::block::Document;
use crate::xml::{self, Piece};
use styles::Styles;

/// Where a document says which of its parts is what.
const RELATIONS: &str = "_rels/.rels";
const USUAL_MAIN_PART: &str = "word/document.xml";

/// Reads a document; `None` when the archive is another kind of document.
pub(crate) fn read(archive: &mut Archive<'_>) -> Result<Option<Document>> {
    let main = main_part(archive)?;
    let Some(bytes) = archive.part(&main)? else {
        return Ok(None);
    };
    let folder = main.rsplit_once('/').map_or("", |(folder, _)| folder);
    let beside = |name: &str| {
        format!("{folder}/{name}")
            .trim_start_matches('/')
            .to_owned()
    };
    let styles = match archive.part(&beside("styles.xml"))? {
        Some(bytes) => Styles::read(&bytes)?,
        None => Styles::default(),
    };
    let mut notes = notes::Notes::default();
    for name in ["footnotes.xml", "endnotes.xml"] {
        if let Some(bytes) = archive.part(&beside(name))? {
            notes.read(&bytes, name)?;
        }
    }
    let Some(blocks) = body::read(&bytes, &main, &styles, &notes)? else {
        return Ok(None);
    };
    Ok(Some(Document {
        title: None,
        blocks,
    }))
}

fn main_part(archive: &mut Archive<'_>) -> Result<String> {
    let Some(relations) = archive.part(RELATIONS)? else {
        return Ok(USUAL_MAIN_PART.to_owned());
    };
    let mut main = None;
    xml::read(&relations, RELATIONS, |piece| {
        if let Piece::Open(tag) = piece {
            let kind = tag.attribute("Type").unwrap_or_default();
            if tag.name == "Relationship" && kind.ends_with("/officeDocument") {
                main = tag.attribute("Target").map(str::to_owned);
            }
        }
    })?;
    let main = main.unwrap_or_default();
    let main = main.trim_start_matches('/');
    Ok(if main.is_empty() {
        USUAL_MAIN_PART
    } else {
        main
    }
    .to_owned())
}
