//! Files that other programs made: see `fixtures/README.md`.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use memu_core::{Error, ErrorKind};
use memu_documents::{Markdown, to_markdown};

fn bytes(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    std::fs::read(folder.join(name)).unwrap()
}

/// The name that is told says nothing about what a file is: its bytes do.
fn read(name: &str) -> Markdown {
    to_markdown(&bytes(name), None, "file").unwrap().unwrap()
}

fn refusal(name: &str) -> Error {
    to_markdown(&bytes(name), None, name).unwrap_err()
}

const REPAIRS: &str = "## Repairs\n\nBefore the season she does three things:\n\n- scrape the hull\n\
    - paint it with antifouling\n  - red below the waterline\n- check the rigging\n\n\
    | Boat | Length | Berth |\n| Mira | 4 m | B12 |\n| Albatross | 9 m | C3 |\n\n";

#[test]
fn a_docx_has_headings_lists_tables_and_footnotes() {
    let expected = format!(
        "# The harbour book\n\nInes Moreau\n\n# Boats\n\nInes keeps two boats in the harbour of \
         Brest. The dinghy is called Mira; it was built in 1987 and is 4 metres long.\n\n\
         Note: The plate in the cockpit says 1986.\n\n{REPAIRS}# Winter\n\nIn winter the boats \
         stand on land & are covered. “Nobody sails in January,” she says.\n\n\
         Note: Except her brother Yann."
    );
    for name in ["pandoc.docx", "libreoffice.docx"] {
        assert_eq!(read(name).text, expected, "{name}");
    }
}

#[test]
fn a_book_has_its_chapters_in_order() {
    let book = read("harbour.epub");
    assert_eq!(book.title.as_deref(), Some("The harbour book"));
    let expected = format!(
        "# The harbour book\n\nInes Moreau\n\n# Boats\n\nInes keeps two boats in the harbour of \
         Brest. The dinghy is called Mira; it was built in 1987 and is 4 metres long.1\n\n\
         {REPAIRS}- The plate in the cockpit says 1986.\n\n# Winter\n\nIn winter the boats stand \
         on land & are covered. “Nobody sails in January,” she says.1\n\n\
         - Except her brother Yann."
    );
    assert_eq!(book.text, expected);
}

#[test]
fn a_pdf_has_headings_by_the_size_of_their_fonts() {
    // What lies how deep in a list is not told by a PDF.
    let repairs = REPAIRS.replace("  - red", "- red").replace("## ", "### ");
    let expected = format!(
        "# The harbour book\n\nInes Moreau\n\n## Boats\n\nInes keeps two boats in the harbour of \
         Brest. The dinghy is called Mira; it was built in 1987 and is 4 metres long.1\n\n\
         {repairs}## Winter\n\nIn winter the boats stand on land & are covered. “Nobody sails in \
         January,” she says.2\n\n1 The plate in the cockpit says 1986.\n\n2 Except her brother \
         Yann."
    );
    assert_eq!(read("libreoffice.pdf").text, expected);
}

#[test]
fn columns_are_read_one_after_the_other_with_whole_words() {
    let text = read("columns.pdf").text;
    assert!(
        text.starts_with("# The efficient office\n\nInes Moreau\n\n"),
        "{text}"
    );
    for passage in [
        "where the fluent flow of files is not fought. A difficult affair, and one which affects \
         the staff of every office that has ever been opened in the harbour district of Brest, \
         where the fishermen and the officials share a floor.\n\n",
        "concerns communication: internationalization and misunderstanding go hand in hand. \
         Representatives of thirty-seven organizations participated enthusiastically, \
         notwithstanding the extraordinarily inconvenient circumstances.\n\n",
        "the administration should be responsible for straightforward correspondence with the \
         municipal representatives.",
    ] {
        assert!(text.contains(passage), "{passage}\n---\n{text}");
    }
}

#[test]
fn a_page_is_read_in_the_characters_that_it_declares() {
    let page = read("windows-1251.html");
    assert_eq!(page.title.as_deref(), Some("Гавань"));
    assert_eq!(page.text, "# Лодки\n\nУ Инес — две лодки.");
    // What a server says goes before what the page says.
    let bytes = "<html><meta charset=koi8-r><p>Лодки</html>".as_bytes();
    let page = to_markdown(bytes, Some("text/html; charset=UTF-8"), "a").unwrap();
    assert_eq!(page.unwrap().text, "Лодки");
}

#[test]
fn what_cannot_be_read_is_refused_with_what_to_do() {
    let empty = b"<html><body><script>draw()</script></body></html>";
    let cut = |name: &str| {
        let whole = bytes(name);
        let half = whole.get(..whole.len() / 2).unwrap();
        to_markdown(half, None, name).unwrap_err()
    };
    for (error, expected) in [
        (
            refusal("locked.pdf"),
            "the PDF is locked with a password; hand in a copy without one",
        ),
        (
            refusal("scanned.pdf"),
            "run it through text recognition (OCR), or hand in its text",
        ),
        (
            refusal("old.doc"),
            "save it as DOCX without a password, or as PDF",
        ),
        (cut("pandoc.docx"), "the archive is damaged or was cut off"),
        (cut("harbour.epub"), "the archive is damaged or was cut off"),
        (
            to_markdown(empty, None, "app.html").unwrap_err(),
            "the document holds no text",
        ),
        (
            to_markdown(b"{\\rtf1 hi}", None, "a.rtf").unwrap_err(),
            "RTF is not read; save it as DOCX, or as text",
        ),
        (
            to_markdown(b"%PDF-1.7\nnothing", None, "a.pdf").unwrap_err(),
            "the PDF is damaged, so that it cannot be read",
        ),
        (
            to_markdown(b"just words", None, "a.pdf").unwrap_err(),
            "the PDF is damaged, so that it cannot be read",
        ),
    ] {
        assert_eq!(error.kind(), ErrorKind::Input, "{error}");
        assert!(error.message().contains(expected), "{error}");
        assert!(
            error.context().iter().any(|(key, _)| *key == "file"),
            "{error}"
        );
    }
}
