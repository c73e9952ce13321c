//! Electronic books: chapters in XHTML, in the order of their spine.

use std::collections::BTreeMap;

use memu_core::{Error, Result};

use crate::archive::Archive;
use crate::block::{Document, one_line};
use crate::html;
use crate::xml::{self, Piece};

/// Where a book says which part describes it.
pub(crate) const CONTAINER: &str = "META-INF/container.xml";
/// Where it says which parts are encrypted.
const ENCRYPTION: &str = "META-INF/encryption.xml";
/// How many chapters a book may have.
const MOST_CHAPTERS: usize = 10_000;

/// What describes a book.
#[derive(Debug, Default)]
struct Package {
    title: Option<String>,
    /// Parts by id.
    parts: BTreeMap<String, String>,
    /// The ids of chapters, in order.
    spine: Vec<String>,
}

pub(crate) fn read(archive: &mut Archive<'_>) -> Result<Document> {
    let path = package_path(&archive.required(CONTAINER)?)?;
    let package = package(&archive.required(&path)?, &path)?;
    if package.spine.len() > MOST_CHAPTERS {
        return Err(Error::input(format!(
            "the book has {} chapters; at most {MOST_CHAPTERS} are read",
            package.spine.len()
        )));
    }
    let encrypted = match archive.part(ENCRYPTION)? {
        Some(bytes) => encrypted_parts(&bytes)?,
        None => Vec::new(),
    };
    let mut document = Document {
        title: package.title,
        ..Document::default()
    };
    let mut left = html::MOST_ELEMENTS;
    for id in &package.spine {
        let Some(reference) = package.parts.get(id) else {
            continue;
        };
        let part = resolve(&path, reference);
        if encrypted.contains(&part) {
            return Err(Error::input(
                "the book is protected by its publisher (DRM), so its text cannot be read; hand \
                 in a copy without protection",
            )
            .with("part", part));
        }
        let chapter = archive.required(&part)?;
        let chapter = html::read(&chapter, None, &mut left);
        let chapter = chapter.map_err(|error| error.with("part", part))?;
        document.blocks.extend(chapter.blocks);
    }
    Ok(document)
}

fn package_path(container: &[u8]) -> Result<String> {
    let mut path = None;
    xml::read(container, CONTAINER, |piece| {
        if let Piece::Open(tag) = piece
            && tag.name == "rootfile"
            && path.is_none()
        {
            path = tag.attribute("full-path").map(str::to_owned);
        }
    })?;
    path.ok_or_else(|| {
        Error::input("the book does not say where its chapters are").with("part", CONTAINER)
    })
}

fn package(bytes: &[u8], path: &str) -> Result<Package> {
    let mut package = Package::default();
    let mut title: Option<String> = None;
    xml::read(bytes, path, |piece| match piece {
        Piece::Open(tag) => match tag.name.as_str() {
            "title" if package.title.is_none() => title = Some(String::new()),
            "item" => {
                if let (Some(id), Some(href)) = (tag.attribute("id"), tag.attribute("href")) {
                    package.parts.insert(id.to_owned(), href.to_owned());
                }
            }
            "itemref" => package
                .spine
                .extend(tag.attribute("idref").map(str::to_owned)),
            _ => {}
        },
        Piece::Text(text) => {
            if let Some(title) = &mut title {
                title.push_str(&text);
            }
        }
        Piece::Close(name) => {
            if name == "title"
                && let Some(title) = title.take()
            {
                package.title = Some(one_line(&title)).filter(|title| !title.is_empty());
            }
        }
    })?;
    Ok(package)
}

/// The parts that cannot be read. Fonts that are only made unusable elsewhere are among them.
fn encrypted_parts(bytes: &[u8]) -> Result<Vec<String>> {
    let mut parts = Vec::new();
    xml::read(bytes, ENCRYPTION, |piece| {
        if let Piece::Open(tag) = piece
            && tag.name == "CipherReference"
        {
            parts.extend(tag.attribute("URI").map(|uri| resolve("", uri)));
        }
    })?;
    Ok(parts)
}

/// The name of the part that `reference` means in the part `base`.
fn resolve(base: &str, reference: &str) -> String {
    let reference = reference.split(['#', '?']).next().unwrap_or(reference);
    let folder = base.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut names: Vec<String> = Vec::new();
    let relative = if reference.starts_with('/') {
        ""
    } else {
        folder
    };
    for name in relative.split('/').chain(reference.split('/')) {
        match name {
            "" | "." => {}
            ".." => {
                names.pop();
            }
            name => names.push(unescape(name)),
        }
    }
    names.join("/")
}

/// A name in which bytes are written as `%20`.
fn unescape(name: &str) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'%').then(|| after.get(..2)).flatten();
        let value = escaped
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(value.unwrap_or(*first));
        rest = match value {
            Some(_) => after.get(2..).unwrap_or_default(),
            None => after,
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_relative_to_their_part() {
        for (base, reference, expected) in [
            (
                "OEBPS/content.opf",
                "text/one.xhtml#top",
                "OEBPS/text/one.xhtml",
            ),
            ("OEBPS/a/content.opf", "../b%20c.html", "OEBPS/b c.html"),
            ("content.opf", "./one.html", "one.html"),
            ("a/content.opf", "/one%zz%4", "one%zz%4"),
            ("content.opf", "../../one", "one"),
        ] {
            assert_eq!(resolve(base, reference), expected);
        }
    }
}
