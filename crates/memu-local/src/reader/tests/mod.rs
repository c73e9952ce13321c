mod documents;
mod faults;
mod json_layouts;
mod properties;
mod transcripts;

use std::sync::Arc;

use jiff::civil;
use memu_core::environment::InlineExecutor;
use memu_core::provider::{Calls, Draft, ReadRequest, Reader, Reading};
use memu_core::records::Modality;
use memu_core::{Error, Result};

use super::{LocalReader, read};

fn read_as(modality: Modality, bytes: impl AsRef<[u8]>) -> Result<Reading> {
    read(&ReadRequest {
        bytes: Arc::from(bytes.as_ref()),
        modality,
        caption: None,
        media_type: None,
        url: "chat.json".to_owned(),
    })
}

fn conversation(bytes: impl AsRef<[u8]>) -> Vec<Draft> {
    read_as(Modality::Conversation, bytes).unwrap().drafts
}

fn document(bytes: impl AsRef<[u8]>) -> Vec<Draft> {
    read_as(Modality::Document, bytes).unwrap().drafts
}

fn fault(bytes: impl AsRef<[u8]>) -> Error {
    read_as(Modality::Conversation, bytes).unwrap_err()
}

fn texts(drafts: &[Draft]) -> Vec<&str> {
    drafts.iter().map(|draft| draft.text.as_str()).collect()
}

fn sessions(drafts: &[Draft]) -> Vec<u32> {
    drafts.iter().map(|draft| draft.session).collect()
}

/// The text that each span points at; `None` where there is no span.
fn spanned<'b>(bytes: &'b [u8], drafts: &[Draft]) -> Vec<Option<&'b str>> {
    drafts
        .iter()
        .map(|draft| {
            let span = draft.span?;
            let slice = &bytes[span.start as usize..span.end as usize];
            Some(std::str::from_utf8(slice).unwrap())
        })
        .collect()
}

fn assert_spans_are_the_texts(bytes: &[u8], drafts: &[Draft]) {
    let expected: Vec<_> = drafts.iter().map(|d| Some(d.text.as_str())).collect();
    assert_eq!(spanned(bytes, drafts), expected);
}

/// What must not change when a conversation grows: all but the topic and the
/// caption that it may have.
fn lasting(draft: &Draft) -> Draft {
    Draft {
        topic: 0,
        caption: None,
        topic_caption: None,
        ..draft.clone()
    }
}

fn at(year: i16, month: i8, day: i8, hour: i8, minute: i8) -> civil::DateTime {
    civil::date(year, month, day).at(hour, minute, 0, 0)
}

#[test]
fn the_reader_works_through_its_executor() {
    let reader = LocalReader::new(Arc::new(InlineExecutor));
    let request = ReadRequest {
        bytes: Arc::from(&b"Anna: hello"[..]),
        modality: Modality::Conversation,
        caption: None,
        media_type: None,
        url: "chat.txt".to_owned(),
    };
    let calls = Calls::unkept();
    let mut reading = std::pin::pin!(reader.read(request, &calls));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(Ok(reading)) = reading.as_mut().poll(&mut context) else {
        panic!("an inline executor is done at once");
    };
    assert_eq!(texts(&reading.drafts), ["hello"]);
}

#[test]
fn a_byte_order_mark_is_dropped_and_counted_in_spans() {
    let bytes = "\u{feff}Anna: hello\nBen: hi".as_bytes();
    let drafts = conversation(bytes);
    assert_eq!(drafts[0].speaker.as_deref(), Some("Anna"));
    assert_spans_are_the_texts(bytes, &drafts);

    let bytes = "\u{feff}[{\"role\":\"user\",\"content\":\"hello\"}]".as_bytes();
    assert_spans_are_the_texts(bytes, &conversation(bytes));
}

#[test]
fn utf_16_of_either_order_is_decoded_without_spans() {
    let text = "\u{feff}Anna: héllo 😀\r\nBen: hi";
    for order in [u16::to_le_bytes, u16::to_be_bytes] {
        let bytes: Vec<u8> = text.encode_utf16().flat_map(order).collect();
        let drafts = conversation(bytes);
        assert_eq!(texts(&drafts), ["héllo 😀", "hi"]);
        assert!(drafts.iter().all(|draft| draft.span.is_none()));
    }
}

#[test]
fn recordings_are_read_from_transcripts_and_pictures_from_captions() {
    let transcript = "Anna: Shall we start?\nBen: Yes, the budget first.";
    for modality in [Modality::Audio, Modality::Video] {
        let drafts = read_as(modality, transcript).unwrap().drafts;
        assert_eq!(
            texts(&drafts),
            ["Shall we start?", "Yes, the budget first."]
        );
        let json = r#"[{"role":"user","content":"hi"}]"#;
        assert_eq!(texts(&read_as(modality, json).unwrap().drafts), ["hi"]);
        let prose = "Birds sing. One note: it is early.";
        assert_eq!(texts(&read_as(modality, prose).unwrap().drafts), [prose]);
    }
    let caption = "Anna: a portrait in oil\nBen: another";
    let drafts = read_as(Modality::Image, caption).unwrap().drafts;
    assert_eq!(texts(&drafts), [caption]);
    assert_eq!(drafts[0].speaker, None);
}
