//! Our WordPiece splits texts as the `tokenizers` crate does.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use memu_local::words;
use memu_testkit::skip_unless_set;
use serde_json::Value;
use tokenizers::Tokenizer;

/// What the reference puts for a word that it does not know.
const UNKNOWN: &str = "[UNK]";

/// The reference with the vocabulary of our table, in the layout of a
/// `tokenizer.json`.
fn reference() -> Tokenizer {
    let table = words::embedded().unwrap();
    let vocabulary: serde_json::Map<String, Value> = table
        .entries()
        .map(str::to_owned)
        .zip((0..).map(Value::from))
        .collect();
    let json = serde_json::json!({
        "version": "1.0",
        "added_tokens": [],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": true,
            "handle_chinese_chars": true,
            "strip_accents": null,
            "lowercase": true,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {
            "type": "WordPiece",
            "unk_token": UNKNOWN,
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": vocabulary,
        },
    });
    serde_json::from_value(json).unwrap()
}

/// What we make of a text, in the reference's terms.
fn ours(text: &str) -> Vec<String> {
    let table = words::embedded().unwrap();
    let entries: Vec<&str> = table.entries().collect();
    let mut tokens = Vec::new();
    table.for_each_word(text, |pieces| {
        if pieces.is_empty() {
            tokens.push(UNKNOWN.to_owned());
        }
        tokens.extend(
            pieces
                .iter()
                .map(|piece| entries[usize::from(*piece)].to_owned()),
        );
    });
    tokens
}

fn assert_agrees(reference: &Tokenizer, text: &str) {
    let expected = reference.encode(text, false).unwrap();
    assert_eq!(ours(text), expected.get_tokens(), "{text:?}");
}

#[test]
fn on_awkward_texts() {
    let reference = reference();
    for text in [
        "",
        "Don't stop-believin', it's 10:30!",
        "Café Ångström naïve ﬁancé İstanbul ΑΣ straße",
        "東京タワーで会いましょう 한국어",
        "🙂👩‍👩‍👧 ok\u{200d}\u{feff}",
        "a\u{0}b\tc\r\nd\u{a0}e\u{2028}f\u{fffd}g",
        "https://example.org/path?x=1&y=[2] <b>bold</b> {\"k\": 1}",
        "½ ² ① Ⅳ £5 €10 ±3 × ÷ § ¶ • … — ‘quoted’ “double”",
        "supercalifragilisticexpialidocious antidisestablishmentarianism",
        "e\u{301}\u{327} क्षत्रिय שָׁלוֹם مرحبا Привет",
    ] {
        assert_agrees(&reference, text);
    }
    assert_agrees(&reference, &"x".repeat(100));
    assert_agrees(&reference, &"x".repeat(101));
}

#[test]
fn on_the_evaluation_texts() {
    let Some(folder) = skip_unless_set(
        "MEMU_EVAL_DATA",
        "reference_tokenizer::on_the_evaluation_texts",
    ) else {
        return;
    };
    let reference = reference();
    let mut compared = 0;
    for name in ["locomo-dev.json", "beam-dev.json"] {
        let file: Value =
            serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap();
        for conversation in file["conversations"].as_array().unwrap() {
            for message in conversation["messages"].as_array().unwrap() {
                assert_agrees(&reference, message["content"].as_str().unwrap());
                compared += 1;
            }
        }
    }
    assert!(compared > 3_000, "{compared}");
}
