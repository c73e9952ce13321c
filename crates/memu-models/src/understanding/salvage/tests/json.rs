use serde_json::{Value, json};

use super::super::{Repair, Step, salvage};
use super::{repairs, values};

#[test]
fn plain_json_needs_no_repair() {
    let text = r#"{"items": [{"content": "Anna \"rows\" – \u00e9\ud83d\ude80", "n": [1, -2.5e3, true, null]}]}"#;
    let found = salvage(text);
    assert_eq!(found.roots.len(), 1);
    assert_eq!(found.roots[0].cut, None);
    assert_eq!(
        found.roots[0].value,
        serde_json::from_str::<Value>(text).unwrap()
    );
    assert!(found.repairs.is_empty(), "{}", found.repairs);
    assert_eq!(found.repairs.to_string(), "nothing was repaired");
}

#[test]
fn every_common_fault_is_repaired_and_named() {
    let value = json!({"a": "x", "b": [1, 2]});
    for (text, repair) in [
        (
            "\u{feff}{\"a\": \"x\", \"b\": [1, 2]}",
            Repair::StrayCharacters,
        ),
        ("{\"a\": \"x\0\", \"b\": [1, 2]}", Repair::StrayCharacters),
        ("```json\n{\"a\": \"x\", \"b\": [1, 2]}\n```", Repair::Fence),
        ("~~~\n{\"a\": \"x\", \"b\": [1, 2]}\n~~~", Repair::Fence),
        (
            "Sure {as asked} [see below]:\n{\"a\": \"x\", \"b\": [1, 2]}",
            Repair::Prose,
        ),
        (
            "{\"a\": \"x\", \"b\": [1, 2]}\nAnything else?",
            Repair::Prose,
        ),
        (
            "<think>{\"a\": 0}</think>{\"a\": \"x\", \"b\": [1, 2]}",
            Repair::Thoughts,
        ),
        (
            "First, {\"a\": 0}</think>\n{\"a\": \"x\", \"b\": [1, 2]}",
            Repair::Thoughts,
        ),
        (
            "<output>{\"a\": \"x\", \"b\": [1, 2]}</output>",
            Repair::Prose,
        ),
        (r#""{\"a\": \"x\", \"b\": [1, 2]}""#, Repair::Quoted),
        ("{\"a\": \"x\", \"b\": [1, 2,],}", Repair::StrayComma),
        ("{,\"a\": \"x\",, \"b\": [1,, 2]}", Repair::StrayComma),
        ("{\"a\": \"x\" \"b\": [1, 2]}", Repair::MissingComma),
        ("{\"a\": \"x\"\n \"b\": [1\n 2]}", Repair::MissingComma),
        ("{\"a\": \"x\", \"b\": [1, 2}", Repair::Unbalanced),
        ("{\"a\": \"x\"], \"b\": [1, 2]}", Repair::Unbalanced),
        (
            "{\"a\": \"x\", // why\n \"b\": /* because */ [1, 2] # end\n}",
            Repair::Comment,
        ),
        ("{\"a\": \"x\", \"b\": [1, 2, ...], ...}", Repair::Ellipsis),
        ("{'a': 'x', 'b': [1, 2]}", Repair::QuotationMarks),
        ("{“a”: “x”, “b”: [1, 2]}", Repair::QuotationMarks),
        ("{a: \"x\", b: [1, 2]}", Repair::Unquoted),
        ("{\"a\": x, \"b\": [1, 2]}", Repair::Unquoted),
        (
            "{\"a\": \"y\", \"b\": [1, 2], \"a\": \"x\"}",
            Repair::DuplicateKey,
        ),
        (
            "{\"a\": \"x\", \"b\": [1], \"b\": [2]}",
            Repair::DuplicateKey,
        ),
        (
            "{\"a\": \"x\", \"c\":, \"b\": [1, 2]}",
            Repair::MissingValue,
        ),
    ] {
        assert_eq!(values(text), std::slice::from_ref(&value), "{text}");
        assert!(
            repairs(text).contains(&repair),
            "{text}: {:?}",
            repairs(text)
        );
        assert!(!salvage(text).repairs.is_lossy(), "{text}");
    }
}

#[test]
fn literals_of_python_and_javascript_are_understood() {
    assert_eq!(
        values("{'a': True, 'b': False, 'c': None, 'd': NaN, 'e': undefined, 'f': 2023-05-08}"),
        [json!({"a": true, "b": false, "c": null, "d": null, "e": null, "f": "2023-05-08"})]
    );
}

#[test]
fn strings_keep_what_should_have_been_escaped() {
    assert_eq!(
        values("{\"a\": \"She said \"hi\", and left\", 'b': 'Anna's boat', \"c\": \"two\nlines\"}"),
        [json!({"a": "She said \"hi\", and left", "b": "Anna's boat", "c": "two\nlines"})]
    );
    assert_eq!(
        values("{\"a\": \"the \"#1\" team\", \"b\": \"x\" # why\n}"),
        [json!({"a": "the \"#1\" team", "b": "x"})]
    );
    assert_eq!(
        values(r#"{"path": "C:\dir", "formula": "\alpha", "half": "\ud83d."}"#),
        [json!({"path": "C:\\dir", "formula": "\\alpha", "half": "\u{fffd}."})]
    );
    assert_eq!(
        values("[\"“quoted” within\", \"it's\", \"a // b # c\"]"),
        [json!(["“quoted” within", "it's", "a // b # c"])]
    );
}

#[test]
fn several_roots_come_in_order() {
    assert_eq!(
        values("{\"a\": 1}\n{\"b\": 2}\n\nand\n```json\n[3]\n```\n```\n[4]\n```"),
        [json!({"a": 1}), json!({"b": 2}), json!([3]), json!([4])]
    );
}

#[test]
fn what_was_cut_off_is_left_out_and_what_is_complete_stays() {
    let found = salvage(
        "{\"caption\": \"x\", \"items\": [{\"content\": \"a\"}, {\"content\": \"b\", \"n\": [1, 2",
    );
    assert_eq!(found.repairs.count(Repair::CutOff), 1);
    assert!(found.repairs.is_lossy());
    assert_eq!(
        found.roots[0].value,
        json!({"caption": "x", "items": [{"content": "a"}, {"content": "b", "n": [1]}]})
    );
    let steps = [
        Step::Key("items".into()),
        Step::Index(1),
        Step::Key("n".into()),
    ];
    assert_eq!(found.roots[0].cut.as_deref(), Some(&steps[..]));
    // A word or number at the end may go on behind it.
    assert_eq!(values("[1, 12"), [json!([1])]);
    assert_eq!(values("{\"a\": 1, \"b\": tru"), [json!({"a": 1})]);
    assert_eq!(
        values("{\"a\": 1, \"b\": \"Anna rows on Sun"),
        [json!({"a": 1})]
    );
}

#[test]
fn a_fence_ends_what_was_cut_off_inside() {
    let found = salvage("```json\n[{\"a\": 1}, {\"a\": 2\n```\nI ran out of room.");
    assert_eq!(found.roots[0].value, json!([{"a": 1}, {"a": 2}]));
    assert!(found.roots[0].cut.is_some());
}

#[test]
fn what_follows_a_senseless_place_is_found_all_the_same() {
    assert_eq!(
        values("{\"items\": [{\"a\": 1}, oops! {\"a\": 2}, {\"a\": 3}]}"),
        [
            json!({"items": [{"a": 1}]}),
            json!({"a": 2}),
            json!({"a": 3})
        ]
    );
    // Several words without quotation marks are not cut to the first.
    assert_eq!(values("{\"n\": 1, \"a\": Anna rows}"), [json!({"n": 1})]);
}

#[test]
fn an_opening_in_prose_does_not_swallow_the_answer() {
    assert_eq!(
        values("I used [\"a list, as asked.\n{\"a\": 1}\n"),
        [json!({"a": 1})]
    );
}

#[test]
fn a_text_that_holds_the_tags_of_thoughts_is_not_cut() {
    let text = "{\"a\": \"<think>x</think> y\"}";
    assert_eq!(values(text), [json!({"a": "<think>x</think> y"})]);
    assert_eq!(
        values(&format!("Sure: {text}")),
        [json!({"a": "<think>x</think> y"})]
    );
}

#[test]
fn texts_without_values_have_no_roots() {
    for text in [
        "",
        " \n",
        "I'm sorry, but I can't help with that.",
        "{",
        "[[[",
        "<",
        "{\"a\": \"",
        "```json\n```",
        "<think>{\"a\": 1}",
        "5",
    ] {
        assert_eq!(values(text), [] as [Value; 0], "{text}");
    }
}

#[test]
fn a_long_run_of_anything_neither_hangs_nor_overflows() {
    drop(salvage(&"[".repeat(1 << 20)));
    for unit in [
        "[",
        "{",
        "<",
        "[{",
        "{\"a\":",
        "[\"",
        "\"",
        "{'",
        "<a>",
        "</a>",
        "<a",
        "<!--",
        "/*",
        "{/*",
        "[[],",
        "{\"a\":1}",
        "&",
        "\\",
        "[\"a\",",
        "[\"\" ",
        "{a:",
        "<a>{",
        "```",
        "“",
        "[\"#",
        "[\"a\"#",
        "[\"a\" /*",
        "{a:1 ",
        "<a></",
        "<a b='",
        "{\"\\u",
        "[1 #",
        "[.",
        "<a/>",
    ] {
        let text = unit.repeat((1 << 18) / unit.len());
        drop(salvage(&text));
    }
}
