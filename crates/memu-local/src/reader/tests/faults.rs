use memu_core::ErrorKind;

use super::*;

fn assert_fault(bytes: impl AsRef<[u8]>, shown: &str) {
    let error = fault(bytes);
    assert_eq!(error.kind(), ErrorKind::Input);
    assert_eq!(error.to_string(), shown);
}

#[test]
fn empty_input_and_input_that_is_not_text() {
    assert_fault("", "the input is empty (file: chat.json)");
    assert_fault(
        " \n\t",
        "the input holds nothing but white space (file: chat.json)",
    );
    assert_fault(
        b"Anna: caf\xe9",
        "the input is not text in UTF-8, nor in UTF-16 with a byte order mark \
         (file: chat.json, byte: 9)",
    );
    assert_fault(
        b"\xef\xbb\xbfa\xff",
        "the input is not text in UTF-8, nor in UTF-16 with a byte order mark \
         (file: chat.json, byte: 4)",
    );
    assert_fault(
        b"\xff\xfea\x00b",
        "the UTF-16 text ends in half a character (file: chat.json, byte: 4)",
    );
    assert_fault(
        b"\xff\xfea\x00\x3d\xd8b\x00",
        "the UTF-16 text holds a lone surrogate (file: chat.json, byte: 4)",
    );
}

#[test]
fn broken_json_has_its_line_and_column() {
    assert_fault(
        "[{\"role\": \"user\",\n  \"content\": }]",
        "the JSON is broken: expected value (file: chat.json, line: 2, column: 14)",
    );
    assert_fault(
        "[{\"text\": \"never closed",
        "the JSON is broken: EOF while parsing a string (file: chat.json, line: 1, column: 23)",
    );
    assert_fault(
        "[{\"text\": \"a\"}]\n ]",
        "the JSON is broken: characters after its end; for JSON Lines, put one object on each line \
         (file: chat.json, line: 2, column: 2)",
    );
    assert_fault(
        "[".repeat(100_000),
        "the JSON is broken: recursion limit exceeded (file: chat.json, line: 1, column: 128)",
    );
}

#[test]
fn broken_json_lines_have_their_line() {
    assert_fault(
        "{\"text\": \"one\"}\n{\"text\": \"two\"\n{\"text\": \"three\"}",
        "the JSON is broken: EOF while parsing an object (file: chat.json, line: 2, column: 14)",
    );
    assert_fault(
        "{\"text\": \"one\"\n{\"text\": \"two\"}",
        "the JSON is broken: EOF while parsing an object (file: chat.json, line: 1, column: 14)",
    );
    assert_fault(
        "{\"text\": \"one\"}\n\n{\"text\": 2}",
        "expected a text, an object with a text, or a list of parts, found a number \
         (file: chat.json, line: 3, pointer: /text)",
    );
    assert_fault(
        "{\"text\": \"one\"}\n[1]",
        "expected a message object such as {\"role\": \"user\", \"content\": \"…\"}, found an array \
         (file: chat.json, line: 2)",
    );
}

#[test]
fn half_a_surrogate_pair() {
    for text in [
        r"\ud83d",
        r"\ude00",
        r"\ud83d x",
        r"\ud83d\u0041",
        r"\ud83d\n",
    ] {
        let error = fault(format!("[\n{{\"text\": \"{text}\"}}]"));
        assert_eq!(
            error.message(),
            "the JSON is broken: half of a surrogate pair, an escape such as \\ud83d without its \
             other half",
            "{text}"
        );
        assert_eq!(error.context()[1], ("line", "2".to_owned()));
        assert_eq!(error.context()[2].0, "column");
    }
}

#[test]
fn json_of_another_shape_has_its_pointer() {
    let entry = "a message object such as {\"role\": \"user\", \"content\": \"…\"}";
    let root = "a list of messages, or an object that holds one under `messages`, `conversation`, \
                `turns` or `content`";
    let content = "a text, an object with a text, or a list of parts";
    let time = "a time as text or as a Unix number";
    for (json, expected, found, pointer) in [
        (r#"["hi"]"#, entry, "a text", "/0"),
        (
            r#"{"messages":[{"text":"a"},null]}"#,
            entry,
            "null",
            "/messages/1",
        ),
        (
            r#"{"messages":{"a":1}}"#,
            "a list of messages",
            "an object",
            "/messages",
        ),
        (
            r#"{"messages":[{"text":"a"},{"content":3}]}"#,
            content,
            "a number",
            "/messages/1/content",
        ),
        (
            r#"[{"content":{"text":true}}]"#,
            content,
            "a boolean",
            "/0/content/text",
        ),
        (
            r#"[{"role":"user","content":["a",7]}]"#,
            content,
            "a number",
            "/0/content/1",
        ),
        (
            r#"[{"role":1,"text":"a"}]"#,
            "a text",
            "a number",
            "/0/role",
        ),
        (
            r#"[{"id":{},"text":"a"}]"#,
            "a text or a number",
            "an object",
            "/0/id",
        ),
        (
            r#"[{"name":[],"text":"a"}]"#,
            "a text or a number",
            "an array",
            "/0/name",
        ),
        (
            r#"[{"caption":1,"text":"a"}]"#,
            "a text or a list of texts",
            "a number",
            "/0/caption",
        ),
        (
            r#"[{"text":"a","created_at":["x"]}]"#,
            time,
            "an array",
            "/0/created_at",
        ),
        (
            r#"[{"text":"a","created_at":{}}]"#,
            time,
            "an object",
            "/0/created_at",
        ),
    ] {
        assert_fault(
            json,
            &format!("expected {expected}, found {found} (file: chat.json, pointer: {pointer})"),
        );
    }
    assert_fault(
        r#"{"title":"x","pages":[]}"#,
        &format!("expected {root}; found an object with the fields title, pages (file: chat.json)"),
    );
    assert_fault(
        "{}",
        &format!("expected {root}; found an object without fields (file: chat.json)"),
    );
}

#[test]
fn no_messages() {
    for json in [
        "[]",
        r#"{"messages":[]}"#,
        r#"{"content":[]}"#,
        r#"{"conversations":[]}"#,
    ] {
        assert_fault(json, "the conversation has no messages (file: chat.json)");
    }
    assert_fault(
        r#"[{"text":""},{"unrelated":1}]"#,
        "none of the 2 messages has text under `content`, `text`, `message` or `body` \
         (file: chat.json)",
    );
}

#[test]
fn text_without_a_speaker() {
    for text in [
        "Just some prose.\nAnd more of it.",
        "\"quoted\"",
        "[sic] he said",
        "[x](y)",
    ] {
        assert_fault(
            text,
            "no speaker found: a conversation is JSON (`[{\"role\": \"user\", \"content\": \"…\"}]`, \
             or an object with such a list under `messages`, `conversation`, `turns` or \
             `content`), JSON Lines with one message a line, or text with lines such as \
             `Anna: hello`; for other text, use the modality document (file: chat.json)",
        );
    }
}

#[test]
fn an_empty_document() {
    let error = read_as(Modality::Document, "\n").unwrap_err();
    assert_eq!(error.message(), "the input holds nothing but white space");
}
