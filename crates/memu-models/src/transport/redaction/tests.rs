use memu_core::ErrorKind;
use serde_json::{Value, json};

use super::*;

/// Looks like base64.
const KEY: &str = "Ab3d/Ef6+Hi9kLm0/Vw7=";

fn body(key: &str, text: &str, is_error: bool) -> String {
    Redaction::new(Some(Secret::new(key))).body(text.to_owned(), is_error)
}

/// The same key, as others write it.
fn forms() -> Vec<String> {
    let by = |pairs: [(&str, &str); 3]| {
        let pairs = pairs.into_iter();
        pairs.fold(KEY.to_owned(), |key, (from, to)| key.replace(from, to))
    };
    let all = |form: fn(u8) -> String| KEY.bytes().map(form).collect::<String>();
    let percent = by([("/", "%2F"), ("+", "%2b"), ("=", "%3D")]);
    vec![
        KEY.to_owned(),
        by([("/", "\\/"), ("+", "+"), ("=", "=")]),
        by([("/", "\\u002F"), ("+", "\\u002B"), ("=", "\\u003d")]),
        by([("/", "\\\\/"), ("+", "\\\\u002b"), ("=", "\\u003d")]),
        by([("/", "&#47;"), ("+", "&#x2B;"), ("=", "&equals;")]),
        by([("/", "&sol;"), ("+", "&plus;"), ("=", "&amp;#61;")]),
        percent.replace('%', "%25"),
        percent,
        all(|byte| format!("%{byte:02x}")),
        all(|byte| format!("\\u{byte:04X}")),
        all(|byte| format!("&#{byte};")),
    ]
}

#[test]
fn a_key_is_masked_in_whatever_form_it_is_repeated() {
    for form in forms() {
        for (text, expected) in [
            (
                format!(r#"{{"error":{{"message":"Incorrect key {form}."}}}}"#),
                r#"{"error":{"message":"Incorrect key ***."}}"#,
            ),
            (
                format!(r#"{{"a":[1.5,"{form}"],"{form}":{{"b":"<{form}>"}}}}"#),
                r#"{"a":[1.5,"***"],"***":{"b":"<***>"}}"#,
            ),
            (format!(r#"{{"a":"{form}"#), r#"{"a":"***"#),
            (format!("<p>{form}</p>"), "<p>***</p>"),
            (
                format!("[no JSON: {form}, so it is]"),
                "[no JSON: ***, so it is]",
            ),
        ] {
            assert_eq!(body(KEY, &text, false), expected, "{form}");
        }
    }
}

#[test]
fn a_key_that_is_quoted_in_part_is_masked_where_that_is_seen() {
    for part in [
        "Ab3d/Ef6****/Vw7",
        r"Ab3d\/Ef6****\/Vw7",
        "Ab3d%2FEf6…%2FVw7=",
        "Ab3d/E...w7",
    ] {
        let quoted = format!(r#"{{"choices": "the key {part} is wrong"}}"#);
        let expected = r#"{"choices": "the key *** is wrong"}"#;
        assert_eq!(body(KEY, &quoted, false), expected, "{part}");
    }
    let plain = r#"{"x": {"message": "Ab3d/Ef9"}, "error": null}"#;
    assert_eq!(body(KEY, plain, false), plain);
    let masked = r#"{"x": {"message": "***"}, "error": null}"#;
    assert_eq!(body(KEY, plain, true), masked);
    let reported = plain.replace("null", "{\"code\": 401}");
    assert_eq!(
        body(KEY, &reported, false),
        masked.replace("null", "{\"code\": 401}")
    );
    let page = "<p>Ab3d/Ef9</p>";
    assert_eq!(body(KEY, page, false), "<p>***</p>");
    let key = "sk-proj-abcdefgh1234";
    for text in [
        "wrong key: sk-proj-abcdefgh1234.",
        "wrong key: sk-proj-********1234.",
        "wrong key: sk-proj…",
    ] {
        let text = body(key, text, true);
        assert!(!text.contains("sk-pro") && !text.contains("1234"), "{text}");
        assert!(text.starts_with("wrong key: ***"), "{text}");
    }
}

#[test]
fn json_stays_json_and_numbers_stay_numbers() {
    let vectors = r#"{"object":"list","data":[{"index":1234,"embedding":[0.12345,-1e-3,1234]}]}"#;
    for key in [
        "1234", "12345", "0.12", "1e-3", "-1e-3", "list", "data", "true",
    ] {
        let text = body(key, vectors, false);
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            read["data"][0]["embedding"],
            json!([0.12345, -1e-3, 1234]),
            "{key}"
        );
        assert_eq!(read["data"][0]["index"], 1234, "{key}");
    }
    let text = r#"{"a":"key 1234","b":"\u0031\u0032\u00334","c":"\\1234","d":1234}"#;
    let expected = r#"{"a":"key ***","b":"***","c":"***","d":1234}"#;
    assert_eq!(body("1234", text, false), expected);
    // An escape is not cut in two.
    for (key, text) in [
        ("nora-key", r#"{"a":"one\nora-key two\u1234"}"#),
        ("1234", r#"{"a":"\u1234"}"#),
        ("u1234", r#"{"a":"\u1234"}"#),
    ] {
        assert_eq!(body(key, text, false), text);
    }
    let cut = "{\"a\": [NaN, 1234, -Infinity], \"b\": \"it is 12";
    assert_eq!(body("1234", cut, false), cut);
}

#[test]
fn a_short_key_is_masked_and_the_text_around_it_is_not() {
    assert_eq!(body("test", "a testing text", true), "a ***ing text");
    assert_eq!(body("x", "an extra text", true), "an extra text");
}

#[test]
fn no_part_of_an_error_tells_a_key() {
    let redaction = Redaction::new(Some(Secret::new(KEY)));
    for form in forms() {
        let cause = std::io::Error::other(Error::model(format!("for {form} it was")));
        let error = Error::model(format!("{form} is wrong"))
            .with("body", format!("so {form}"))
            .retryable(true)
            .caused_by(cause);
        let error = redaction.error(error);
        assert_eq!(error.kind(), ErrorKind::Model);
        assert!(error.is_retryable());
        assert_eq!(
            format!("{error:?}"),
            "model: *** is wrong (body: so ***): for *** it was"
        );
        assert_eq!(error.to_json()["source"], "for *** it was");
    }
    let fine = redaction.error(Error::model("fine").caused_by(fmt::Error));
    let cause = std::error::Error::source(&fine).unwrap();
    assert!(cause.is::<fmt::Error>());
}
