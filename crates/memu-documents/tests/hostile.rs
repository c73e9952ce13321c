//! Files that were made to do harm: they are refused or read, within bounds, and nothing panics.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write as _;
use std::io::{Cursor, Read, Write as _};
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
}

fn deflate(mut bytes: impl Read) -> Vec<u8> {
    let level = flate2::Compression::best();
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), level);
    std::io::copy(&mut bytes, &mut packed).unwrap();
    packed.finish().unwrap()
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    (digits.collect::<String>() + ">").into_bytes()
}

fn ascii85(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for group in bytes.chunks(4) {
        let mut four = [0; 4];
        four.iter_mut()
            .zip(group)
            .for_each(|(to, from)| *to = *from);
        let value = u32::from_be_bytes(four);
        let digits =
            [52_200_625, 614_125, 7225, 85, 1].map(|power| (value / power % 85) as u8 + b'!');
        text.extend(digits.iter().take(group.len() + 1));
    }
    text.extend(b"~>");
    text
}

/// Zeros, as LZW: each code stands for one zero more than the one before.
fn lzw_zeros(codes: u32) -> Vec<u8> {
    let mut bits = format!("{:09b}{:09b}", 256, 0);
    for at in 0..codes {
        let next = (258 + at).min(4095);
        let length = match next + 1 {
            ..512 => 9,
            512..1024 => 10,
            1024..2048 => 11,
            _ => 12,
        };
        write!(bits, "{next:0length$b}").unwrap();
    }
    let bits = bits.as_bytes().chunks(8);
    bits.map(|byte| {
        let text = std::str::from_utf8(byte).unwrap();
        u8::from_str_radix(&format!("{text:0<8}"), 2).unwrap()
    })
    .collect()
}

/// A gigabyte of spaces, in a megabyte, and in a few kilobytes.
fn spaces() -> (Vec<u8>, Vec<u8>) {
    let once = deflate(std::io::repeat(b' ').take(1 << 30));
    let twice = deflate(once.as_slice());
    (once, twice)
}

/// A PDF whose one page has its content packed, in a dictionary that goes on with `filters`.
fn packed(content: &[u8], filters: &str) -> Vec<u8> {
    let mut file = format!(
        "%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages \
         /Kids [3 0 R] /Count 1 >>\nendobj\n3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 \
         600 800] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>\nendobj\n5 0 obj\n<< \
         /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>\nendobj\n4 0 obj\n<< /Length {} \
         {filters} >>\nstream\n",
        content.len()
    )
    .into_bytes();
    file.extend(content);
    file.extend(b"\nendstream\nendobj\ntrailer\n<< /Size 6 /Root 1 0 R >>\n");
    file
}

#[test]
fn a_page_is_read_however_it_is_packed() {
    let flat = deflate(HELLO.as_bytes());
    let runs = [&[HELLO.len() as u8 - 1][..], HELLO.as_bytes(), &[128]].concat();
    for (content, filters) in [
        (flat.clone(), "/Filter /FlateDecode"),
        (ascii85(&flat), "/Filter [/ASCII85Decode /FlateDecode]"),
        (hex(&flat), "/F [/AHx /Fl]"),
        (
            hex(&flat),
            "/Filter 6 0 R >> endobj 6 0 obj [/AHx /Fl] endobj 4 0 obj << /Filter 6 0 R",
        ),
        (runs, "/Filter /RunLengthDecode"),
    ] {
        let read = to_markdown(&packed(&content, filters), None, "a");
        let text = read
            .unwrap_or_else(|error| panic!("{filters}: {error}"))
            .unwrap()
            .text;
        assert_eq!(text, "Ahoy there", "{filters}");
    }
}

#[test]
fn what_unpacks_to_more_than_there_is_room_for_is_refused_in_a_pdf() {
    let (once, twice) = spaces();
    assert!(twice.len() < 50_000);
    let raw = once[2..].to_vec();
    let run = [0x81, b' '].repeat(9 << 20);
    let lzw = lzw_zeros(250_000);
    for (content, filters) in [
        (&once, "/Filter /FlateDecode"),
        (&raw, "/Filter /FlateDecode"),
        (&twice, "/Filter [/FlateDecode /FlateDecode]"),
        (&hex(&once), "/Filter [/ASCIIHexDecode /FlateDecode]"),
        (&lzw, "/Filter /LZWDecode"),
        (
            &deflate(run.as_slice()),
            "/Filter [/FlateDecode /RunLengthDecode]",
        ),
        // What is unpacked to find the pages.
        (&twice, "/X /ObjStm /Filter [/FlateDecode /FlateDecode]"),
        (&ascii85(&twice), "/X /ObjStm /F [/A85 /Fl /#46l]"),
    ] {
        let error = to_markdown(&packed(content, filters), None, "a.pdf").unwrap_err();
        let expected = "unpacks to more than 536870912 bytes";
        assert!(error.message().contains(expected), "{filters}: {error}");
    }
}

#[test]
fn what_cannot_be_counted_beforehand_is_refused() {
    for (filters, expected) in [
        ("/Filter [/Fl /Fl /Fl /Fl /Fl]", "packed 5 times"),
        ("/X /ObjStm /Filter 6 0 R", "by reference"),
        ("/X /ObjStm /Filter [/Fl 6 0 R]", "by reference"),
        ("/X /ObjStm /Encrypt 6 0 R /Filter [/AHx /Fl]", "encrypted"),
        ("/X /ObjStm /Encrypt 6 0 R /Filter /LZW", "encrypted"),
    ] {
        let error = to_markdown(&packed(HELLO.as_bytes(), filters), None, "a").unwrap_err();
        assert!(error.message().contains(expected), "{filters}: {error}");
    }
    let large = packed(&b" ".repeat(600 << 10), "/X /ObjStm /Encrypt 6 0 R");
    let error = to_markdown(&large, None, "a").unwrap_err();
    assert!(error.message().contains("encrypted"), "{error}");
}

/// A book of as many chapters, all of them the same.
fn book(chapter: &[u8], chapters: usize) -> Vec<u8> {
    let container = b"<container><rootfile full-path='a.opf'/></container>";
    let items = "<itemref idref='c'/>".repeat(chapters);
    let package = format!("<package><item id='c' href='c.html'/>{items}</package>");
    archive(&[
        ("META-INF/container.xml", container),
        ("a.opf", package.as_bytes()),
        ("c.html", chapter),
    ])
}

#[test]
fn pages_and_books_of_too_many_elements_are_refused() {
    let refused = |bytes: &[u8], name: &str| {
        let error = to_markdown(bytes, None, name).unwrap_err();
        assert!(error.message().contains("too many elements"), "{error}");
    };
    let page = "<html>".to_owned() + &"<p>".repeat(1_000_001);
    refused(page.as_bytes(), "a.html");
    // Attributes count, too, and elements that the parser repeats.
    let attributes = (0..50).map(|at| format!(" a{at}"));
    let attributes = attributes.collect::<Vec<_>>().concat();
    let several = |count| "<html><p>Ahoy".to_owned() + &format!("<p{attributes}>").repeat(count);
    refused(several(20_000).as_bytes(), "a.html");
    refused(&book(several(20_000).as_bytes(), 1), "a.epub");
    let fonts = (0..16).map(|at| format!("<b style='a:{at}'>"));
    let fonts = fonts.collect::<Vec<_>>().concat();
    let page = format!("<html>{fonts}{}", "<p>x".repeat(100_000));
    refused(page.as_bytes(), "a.html");
    // Chapters count together, whether or not each has room.
    refused(&book(several(5000).as_bytes(), 9), "a.epub");
    let read = to_markdown(&book(several(5000).as_bytes(), 2), None, "a.epub");
    assert_eq!(read.unwrap().unwrap().text, "Ahoy\n\nAhoy");
}

#[test]
fn sheets_and_slides_are_told_that_they_are_not_read() {
    for (part, root) in [
        ("xl/workbook.xml", "workbook"),
        ("ppt/presentation.xml", "p:presentation"),
    ] {
        let relations = format!(
            "<Relationships><Relationship Type='http://schemas.openxmlformats.org/officeDocument/\
             2006/relationships/officeDocument' Target='{part}'/></Relationships>"
        );
        let main = format!("<{root}><sheets/></{root}>");
        let file = archive(&[
            ("_rels/.rels", relations.as_bytes()),
            (part, main.as_bytes()),
        ]);
        let error = to_markdown(&file, None, "a").unwrap_err();
        let expected = "neither a DOCX nor an EPUB";
        assert!(error.message().contains(expected), "{part}: {error}");
    }
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
        "<document>{}<t>deep</t>{}</document>",
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
