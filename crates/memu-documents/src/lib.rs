//! Rich documents for MemU: PDF, DOCX, HTML and EPUB become Markdown, and are then read as any
//! other document is.
//!
//! ```
//! use memu_documents::to_markdown;
//!
//! let page = b"<!DOCTYPE html><h1>Boats</h1><p>Ines has two.</p>";
//! let found = to_markdown(page, None, "boats.html")?.expect("a page");
//! assert_eq!(found.text, "# Boats\n\nInes has two.");
//! assert_eq!(to_markdown(b"plain words", None, "notes.txt")?, None);
//! # Ok::<(), memu_core::Error>(())
//! ```

mod archive;
mod block;
mod docx;
mod epub;
mod html;
mod kind;
mod pdf;
mod reader;
mod xml;

use memu_core::{Error, Result};

use archive::Archive;
use block::Document;
use kind::Kind;
pub use reader::DocumentReader;

/// A document as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Markdown {
    /// What it says: headings with `#`, items with `-`, rows between `|`.
    pub text: String,
    /// Its title, where it states one beside its text, as pages and books do.
    pub title: Option<String>,
}

/// Reads a PDF, DOCX, HTML or EPUB. Which of them it is, its bytes tell; where they do not, the
/// media type or the ending of the URL. `None` for everything else, which is text already.
///
/// Left out is what does not belong to the text: scripts, styles, navigation and hidden parts of
/// pages, headers and footers and deleted text of DOCX, pictures but for their `alt` text.
///
/// # Errors
/// [`ErrorKind::Input`](memu_core::ErrorKind::Input), with the `file` and what can be done, when
/// it is damaged, locked, protected, too large when it is unpacked, or holds no text; and for
/// formats that are not read: files of older Word, RTF, other archives.
pub fn to_markdown(bytes: &[u8], media_type: Option<&str>, url: &str) -> Result<Option<Markdown>> {
    let Some(kind) = Kind::of(bytes, media_type, url) else {
        return Ok(None);
    };
    let document = match kind {
        Kind::Html => html::read(bytes, media_type, &mut html::MOST_ELEMENTS.clone()),
        Kind::Pdf => pdf::read(bytes),
        Kind::Zip => read_archive(bytes),
        Kind::OldOffice => Err(Error::input(
            "this is a file of an older Office, or one that is locked with a password; save it \
             as DOCX without a password, or as PDF",
        )),
        Kind::Rtf => Err(Error::input("RTF is not read; save it as DOCX, or as text")),
    };
    let document = document.and_then(|document| {
        if document.blocks.is_empty() {
            return Err(Error::input("the document holds no text"));
        }
        Ok(document)
    });
    let document = document.map_err(|error| error.with("file", url))?;
    Ok(Some(Markdown {
        text: block::markdown(&document.blocks),
        title: document.title,
    }))
}

fn read_archive(bytes: &[u8]) -> Result<Document> {
    let mut archive = Archive::open(bytes)?;
    if archive.has(epub::CONTAINER) {
        return epub::read(&mut archive);
    }
    match docx::read(&mut archive)? {
        Some(document) => Ok(document),
        None => Err(Error::input(
            "the archive is neither a DOCX nor an EPUB; unpack it, or save the document as one \
             of these or as PDF",
        )),
    }
}
