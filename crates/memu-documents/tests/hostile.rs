//! Files that were made to do harm: they are refused or read, within bounds, and nothing panics.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use std::path::Path;

use memu_documents::to_markdown;
use proptest::prelude::*;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A PDF of these objects, numbered from 1; the first is the catalog.
fn pdf(objects: &[String]) -> Vec<u8> {
    let mut file = "%PDF-1.7\n".to_owned();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (index, object) in objects.iter().enumerate() {
        writeln!(table, "{:010} 00000 n ", file.len()).unwrap();
        writeln!(file, "{} 0 obj\n{object}\nendobj", index + 1).unwrap();
    }
    let (at, size) = (file.len(), objects.len() + 1);
    write!(
        file,
        "{table}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{at}\n%%EOF"
    )
    .unwrap();
    file.into_bytes()
}

fn one_page(content: &str, resources: &str, more: &[String]) -> Vec<u8> {
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R \
             /Resources << /Font << /F 5 0 R >> {resources} >> >>"
        ),
        format!(
            "<< /Length {} >>\nstream\n{content}\nendstream",
            content.len()
        ),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    objects.extend_from_slice(more);
    pdf(&objects)
}

const HELLO: &str = "BT /F 12 Tf 50 700 Td (Ahoy there) Tj ET";

#[test]
fn a_plain_page_is_read() {
    let file = one_page(HELLO, "", &[]);
    assert_eq!(
        to_markdown(&file, None, "a").unwrap().unwrap().text,
        "Ahoy there"
    );
}

#[test]
fn a_page_that_draws_itself_ends() {
    let content = format!("{HELLO} /X Do");
    let form = format!(
        "<< /Type /XObject /Subtype /Form /BBox [0 0 600 800] /Resources << /XObject << /X 6 0 R \
         >> >> /Length {} >>\nstream\n/X Do /X Do\nendstream",
        11
    );
    let file = one_page(&content, "/XObject << /X 6 0 R >>", &[form]);
    let _ = to_markdown(&file, None, "a");
}

#[test]
fn no_nesting_overflows_the_stack() {
    let deep =
        |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    for content in [
        format!("{HELLO} {} TJ", deep("[", "]")),
        format!("{HELLO} /A {} BDC", deep("<< /A ", ">>")),
        format!("{HELLO} {}", "q ".repeat(200_000)),
        format!("{HELLO} {}", deep("(", ")")),
    ] {
        let _ = to_markdown(&one_page(&content, "", &[]), None, "a");
        let _ = to_markdown(&one_page(HELLO, "", &[content]), None, "a");
    }
    let mut kids = vec!["<< /Type /Catalog /Pages 2 0 R >>".to_owned()];
    kids.extend(
        (2..20_000).map(|at| format!("<< /Type /Pages /Kids [{} 0 R] /Count 1 >>", at + 1)),
    );
    let _ = to_markdown(&pdf(&kids), None, "a");
    let circle = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>".to_owned(),
    ];
    let _ = to_markdown(&pdf(&circle), None, "a");
}

#[test]
fn what_unpacks_to_more_than_there_is_room_for_is_refused() {
    let bomb = vec![b' '; 65 << 20];
    let file = archive(&[("word/document.xml", &bomb)]);
    assert!(file.len() < 200_000);
    let error = to_markdown(&file, None, "a.docx").unwrap_err();
    assert!(
        error
            .message()
            .contains("unpacks to more than 67108864 bytes"),
        "{error}"
    );

    // A stream that was packed twice: three kilobytes for a gigabyte.
    let pack = |bytes: &mut dyn std::io::Read| {
        let level = flate2::Compression::best();
        let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), level);
        std::io::copy(bytes, &mut packed).unwrap();
        packed.finish().unwrap()
    };
    let once = pack(&mut std::io::Read::take(std::io::repeat(b' '), 1 << 30));
    let twice = pack(&mut once.as_slice());
    assert!(twice.len() < 50_000);
    let file = [
        b"%PDF-1.7\n1 0 obj\n<< /Filter [/FlateDecode /FlateDecode] >>\nstream\n",
        &*twice,
    ]
    .concat();
    let error = to_markdown(&file, None, "a.pdf").unwrap_err();
    assert!(
        error
            .message()
            .contains("unpacks to more than 536870912 bytes"),
        "{error}"
    );
}

#[test]
fn entities_of_xml_are_not_blown_up() {
    let document = "<!DOCTYPE d [<!ENTITY a 'ahoy'><!ENTITY b '&a;&a;&a;&a;'><!ENTITY c \
                    '&b;&b;&b;'>]><w:document><w:body><w:p><w:r><w:t>&c; &amp;</w:t></w:r></w:p>\
                    </w:body></w:document>";
    let file = archive(&[("word/document.xml", document.as_bytes())]);
    assert_eq!(
        to_markdown(&file, None, "a").unwrap().unwrap().text,
        "&c; &"
    );
}

#[test]
fn deep_documents_of_word_are_read() {
    let depth = 50_000;
    let document = format!(
        "<d>{}<t>deep</t>{}</d>",
        "<tbl><tr><tc><p>".repeat(depth),
        "</p></tc></tr></tbl>".repeat(depth)
    );
    let file = archive(&[("word/document.xml", document.as_bytes())]);
    let _ = to_markdown(&file, None, "a");
}

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    std::fs::read(folder.join(name)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn bytes_that_begin_as_a_document_never_panic(
        magic in prop::sample::select(vec![
            &b"%PDF-1.7\n"[..], b"PK\x03\x04", b"<!DOCTYPE html>", b"<html>\xFF\xFE", b"\xFF\xFE<\0h\0t\0m\0l\0>\0",
            b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", b"{\\rtf",
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let _ = to_markdown(&[magic, &rest].concat(), None, "a");
    }

    #[test]
    fn damaged_files_never_panic(
        name in prop::sample::select(vec![
            "pandoc.docx", "harbour.epub", "libreoffice.pdf", "columns.pdf", "windows-1251.html",
        ]),
        damages in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut bytes = fixture(name);
        for (at, value) in damages {
            let at = at.index(bytes.len());
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _ = to_markdown(&bytes, None, name);
    }
}
