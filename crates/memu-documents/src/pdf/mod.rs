//! PDF: the glyphs of its pages, put together to lines and paragraphs by where they stand.

mod filters;
mod glyphs;
mod lines;
mod named;
mod paragraphs;
mod unpacked;

use std::panic::{AssertUnwindSafe, catch_unwind};

use hayro_interpret::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use memu_core::{Error, Result};

use crate::block::Document;

/// How many pages are read.
const MOST_PAGES: usize = 20_000;
/// How much stack a thread has that reads a PDF, in bytes: pages may hold pictures of pages, fifty
/// deep.
const STACK: usize = 64 << 20;

/// Reads a PDF on a thread of its own.
pub(crate) fn read(bytes: &[u8]) -> Result<Document> {
    unpacked::check_bytes(bytes)?;
    let reading = std::thread::scope(|scope| {
        let reader = std::thread::Builder::new()
            .name("memu-pdf".to_owned())
            .stack_size(STACK)
            .spawn_scoped(scope, || {
                catch_unwind(AssertUnwindSafe(|| read_pages(bytes)))
            });
        let reader =
            reader.map_err(|cause| Error::internal("no thread can be started").caused_by(cause))?;
        Ok(reader.join())
    });
    match reading? {
        Ok(Ok(document)) => document,
        Ok(Err(_)) | Err(_) => Err(damaged()),
    }
}

fn damaged() -> Error {
    Error::input(
        "the PDF is damaged, so that it cannot be read; open it in a viewer, and save or print it anew",
    )
}

fn read_pages(bytes: &[u8]) -> Result<Document> {
    let pdf = Pdf::new(bytes.to_vec()).map_err(refusal)?;
    let count = pdf.pages().len();
    if count == 0 {
        return Err(Error::input("the PDF has no pages"));
    }
    if count > MOST_PAGES {
        return Err(Error::input(format!(
            "the PDF has {count} pages; at most {MOST_PAGES} are read"
        )));
    }
    unpacked::check_objects(&pdf)?;
    let pages = glyphs::pages(&pdf)?;
    if pages.iter().all(|page| page.glyphs.is_empty()) {
        let has_pictures = pages.iter().any(|page| page.pictures > 0);
        return Err(Error::input(if has_pictures {
            "the PDF holds pictures of pages only, no text; run it through text recognition \
             (OCR), or hand in its text"
        } else {
            "the PDF holds no text"
        })
        .with("pages", count));
    }
    let lines = pages.into_iter().map(|page| lines::lines(page.glyphs));
    Ok(Document {
        title: None,
        blocks: paragraphs::blocks(&lines.collect::<Vec<_>>()),
    })
}

fn refusal(error: LoadPdfError) -> Error {
    match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => {
            Error::input("the PDF is locked with a password; hand in a copy without one")
        }
        LoadPdfError::Decryption(_) => Error::input(
            "the PDF is encrypted in a way that is not supported; hand in a copy without encryption",
        ),
        LoadPdfError::Invalid => damaged(),
    }
}
