//! `memu eval recall`: its shape on a tiny corpus, and its figures on public ones.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod support;

use memu_testkit::skip_unless_set;
use serde_json::{Value, json};
use support::Home;

fn tiny() -> Value {
    json!({"name": "tiny", "conversations": [{
    "id": "boats",
    "messages": [
        {"id": "1", "session": 1, "role": null, "name": "Nora",
         "content": "I sold the kayak to my neighbour.", "created_at": "2026-03-01T10:00:00"},
        {"id": "2", "session": 1, "role": null, "name": "Theo",
         "content": "My violin needs new strings.", "created_at": "2026-03-01T10:01:00"},
    ],
    "questions": [
        {"id": "a", "question": "Who bought the kayak?", "answer": "the neighbour",
         "category": "one", "evidence": ["1"]},
        {"id": "b", "question": "What does the violin need?", "answer": "strings",
         "category": "two", "evidence": ["2"]},
    ]}]})
}

fn recall(home: &Home, arguments: &[&str]) -> Value {
    home.json(&[&["eval", "recall", "--data"], arguments].concat())
}

#[test]
fn figures_have_the_documented_shape() {
    let home = Home::new();
    home.write("tiny.json", tiny().to_string());
    let measured = recall(&home, &["tiny.json"]);
    let mut figures = json!({
        "questions": 2,
        "recall": {"5": 1.0, "10": 1.0, "20": 1.0, "50": 1.0},
        "hit": {"10": 1.0}, "all": {"10": 1.0}, "mrr": 1.0, "ndcg": {"10": 1.0},
    });
    for part in ["items", "baseline"] {
        assert_eq!(measured[part], figures, "{part}");
    }
    for key in ["questions", "recall", "hit", "all", "mrr", "ndcg"] {
        assert_eq!(measured[key], figures[key], "{key}");
    }
    figures["questions"] = json!(1);
    assert_eq!(
        measured["categories"],
        json!({"one": figures, "two": figures})
    );
    assert_eq!(measured["corpus"], "tiny");
    assert!(measured["messages_per_second"].as_f64().unwrap() > 0.0);
    assert!(measured["ms_per_question"]["p99"].as_f64().unwrap() > 0.0);
    assert!(!home.path("memu.db").exists(), "nothing is kept");
}

#[test]
fn categories_can_be_chosen_and_unknown_ones_are_named() {
    let home = Home::new();
    home.write("tiny.json", tiny().to_string());
    let measured = recall(&home, &["tiny.json", "--categories", "two"]);
    assert_eq!(measured["questions"], 1);
    let run = home.run(&[
        "eval",
        "recall",
        "--data",
        "tiny.json",
        "--categories",
        "six",
    ]);
    assert_eq!(run.code, Some(1));
    assert_eq!(
        run.stderr,
        "error: no question has the category \"six\"; there are one, two\n"
    );
}

#[test]
fn misses_are_explained() {
    let home = Home::new();
    let mut corpus = tiny();
    corpus["conversations"][0]["questions"][0]["evidence"] = json!(["1", "gone"]);
    home.write("tiny.json", corpus.to_string());
    let text = home.ok(&["eval", "recall", "--data", "tiny.json", "--explain-misses"]);
    assert!(
        text.contains(
            "boats [one] Who bought the kayak?\n  missed  gone (not among the first 50)\n"
        ),
        "{text}"
    );
}

#[test]
fn a_file_of_another_layout_is_named() {
    let home = Home::new();
    home.write("other.json", "{\"weather\": \"fine\"}");
    let run = home.run(&["eval", "recall", "--data", "other.json"]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr
            .starts_with("error: other.json is none of the known layouts: "),
        "{run:?}"
    );
}

#[test]
fn two_runs_are_compared_question_by_question() {
    let home = Home::new();
    let mut corpus = tiny();
    home.write("tiny.json", corpus.to_string());
    let keep = |name: &str, data: &str| {
        let measured = recall(&home, &[data, "--per-question"]);
        home.write(name, measured.to_string());
    };
    keep("before.json", "tiny.json");
    // The same questions, of which one can no longer be answered in full.
    corpus["conversations"][0]["questions"][0]["evidence"] = json!(["1", "gone"]);
    home.write("tiny.json", corpus.to_string());
    keep("after.json", "tiny.json");
    let arguments = [
        "eval",
        "compare",
        "--before",
        "before.json",
        "--after",
        "after.json",
    ];
    let compared = home.json(&arguments);
    assert_eq!(
        (&compared["questions"], &compared["conversations"]),
        (&json!(2), &json!(1))
    );
    let recall_at_10 = &compared["segments"]["recall@10"];
    assert_eq!(recall_at_10["before"], 1.0);
    assert_eq!(recall_at_10["after"], 0.75);
    assert_eq!(recall_at_10["change"], -0.25);
    assert_eq!(compared["categories"]["tiny one"]["after"], 0.5);
    let text = home.ok(&arguments);
    assert!(text.contains("segments recall@10"), "{text}");

    corpus["conversations"][0]["questions"][1]["id"] = json!("c");
    home.write("tiny.json", corpus.to_string());
    keep("other.json", "tiny.json");
    let run = home.run(&[
        "eval",
        "compare",
        "--before",
        "before.json",
        "--after",
        "other.json",
    ]);
    assert_eq!(run.code, Some(1));
    assert_eq!(
        run.stderr,
        "error: the question b about boats of tiny is missing from the runs after\n"
    );
    let plain = recall(&home, &["tiny.json"]);
    home.write("plain.json", plain.to_string());
    let run = home.run(&[
        "eval",
        "compare",
        "--before",
        "plain.json",
        "--after",
        "other.json",
    ]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("add --per-question"), "{run:?}");
}

#[test]
fn longmemeval_is_measured_by_its_own_figures() {
    let home = Home::new();
    let session = |text: &str, answers: bool| {
        json!([{"role": "user", "content": text, "has_answer": answers},
               {"role": "assistant", "content": "I see, thank you for telling me."}])
    };
    let corpus = json!([{
        "question_id": "q1", "question_type": "single-session-user",
        "question": "Where did I plant the fig tree?", "answer": "behind the shed",
        "haystack_dates": ["2023/05/20 (Sat) 02:21", "2023/05/21 (Sun) 10:00"],
        "haystack_session_ids": ["noise_1", "answer_7f3_1"],
        "answer_session_ids": ["answer_7f3_1"],
        "haystack_sessions": [
            session("My violin needs new strings.", false),
            session("I planted the fig tree behind the shed.", true)]}]);
    home.write("longmemeval_s.json", corpus.to_string());
    let measured = recall(&home, &["longmemeval_s.json"]);
    for level in ["session", "turn"] {
        let figures = &measured["longmemeval"][level];
        assert_eq!(figures["recall_all@1"], 1.0, "{level}");
        assert_eq!(figures["ndcg_any@10"], 1.0, "{level}");
    }
    let text = home.ok(&["eval", "recall", "--data", "longmemeval_s.json"]);
    assert!(text.contains("session recall_all@5"), "{text}");
}

/// The floor that the ranking must hold, and plain BM25 beside it, in percent: recall
/// at 5, 10, 20 and 50. Nothing here depends on time, so nothing wavers.
fn assert_holds(file: &str, categories: &[&str], floor: [f64; 4], plain: Option<[f64; 4]>) {
    let name = format!("eval::{file}");
    let Some(folder) = skip_unless_set("MEMU_EVAL_DATA", &name) else {
        return;
    };
    let path = folder.join(file);
    let measured = recall(
        &Home::new(),
        &[&[path.to_str().unwrap()], categories].concat(),
    );
    let percent = |figures: &Value| {
        ["5", "10", "20", "50"].map(|k| figures["recall"][k].as_f64().unwrap() * 100.0)
    };
    let found = percent(&measured);
    let holds = found
        .iter()
        .zip(floor)
        .all(|(found, floor)| *found >= floor);
    assert!(holds, "{file}: {found:?} is below {floor:?}");
    let baseline = percent(&measured["baseline"]);
    let near = |(found, plain): (&f64, f64)| (found - plain).abs() <= 1.0;
    if let Some(plain) = plain {
        assert!(
            baseline.iter().zip(plain).all(near),
            "{file}: the baseline is {baseline:?}, not {plain:?}"
        );
    }
}

#[test]
fn friends_chatting() {
    assert_holds(
        "locomo-dev.json",
        &["--categories", "1,2,3,4"],
        [72.0, 80.0, 84.0, 90.0],
        Some([54.0, 62.3, 67.9, 75.7]),
    );
}

#[test]
fn friends_chatting_asked_about_what_the_other_did() {
    assert_holds(
        "locomo-dev.json",
        &["--categories", "5"],
        [0.0, 87.0, 0.0, 0.0],
        None,
    );
}

#[test]
fn the_public_layout_gives_the_same() {
    assert_holds(
        "locomo-dev-native.json",
        &["--categories", "1,2,3,4"],
        [72.0, 80.0, 84.0, 90.0],
        None,
    );
}

#[test]
fn long_answers_of_an_assistant() {
    assert_holds(
        "beam-dev.json",
        &[],
        [47.0, 57.0, 64.0, 78.0],
        Some([37.5, 46.1, 52.4, 69.5]),
    );
}
