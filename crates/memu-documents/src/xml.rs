//! XML, event by event, with the prefixes of names cut off.

use memu_core::{Error, Result};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// What comes next in a part of a document.
#[derive(Debug)]
pub(crate) enum Piece {
    /// An element begins.
    Open(Tag),
    /// An element ends.
    Close(String),
    /// Text.
    Text(String),
}

/// The beginning of an element.
#[derive(Debug)]
pub(crate) struct Tag {
    /// Its name.
    pub(crate) name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Reads a part of a document, and hands each piece of it to `take`. An empty element opens and
/// closes. `part` is for messages.
pub(crate) fn read(bytes: &[u8], part: &str, mut take: impl FnMut(Piece)) -> Result<()> {
    let text = encoding_rs::Encoding::for_bom(bytes)
        .map_or(encoding_rs::UTF_8, |(encoding, _)| encoding)
        .decode(bytes)
        .0;
    let mut reader = Reader::from_str(&text);
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    config.check_end_names = false;
    loop {
        let broken = |at: u64| {
            Error::input("a part of the document is no XML")
                .with("part", part)
                .with("byte", at)
        };
        let event = reader
            .read_event()
            .map_err(|cause| broken(reader.error_position()).caused_by(cause))?;
        match event {
            Event::Start(start) => take(Piece::Open(tag(&start))),
            Event::End(end) => take(Piece::Close(end.local_name().as_ref().to_owned())),
            Event::Text(text) => take(Piece::Text(text.xml10_content().into_owned())),
            Event::CData(text) => take(Piece::Text(text.to_string())),
            Event::GeneralRef(entity) => {
                take(Piece::Text(entity_text(&entity)));
            }
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

fn tag(start: &BytesStart<'_>) -> Tag {
    let mut attributes = start.attributes();
    let attributes = attributes.with_checks(false).flatten().map(|attribute| {
        let written = &attribute.value;
        let value = quick_xml::escape::unescape(written).unwrap_or_else(|_| written.clone());
        (
            attribute.key.local_name().as_ref().to_owned(),
            value.into_owned(),
        )
    });
    Tag {
        attributes: attributes.collect(),
        name: start.local_name().as_ref().to_owned(),
    }
}

/// What an entity stands for; of one that is not known, how it was written.
fn entity_text(name: &str) -> String {
    let written = format!("&{name};");
    quick_xml::escape::unescape(&written)
        .map(std::borrow::Cow::into_owned)
        .unwrap_or(written)
}
