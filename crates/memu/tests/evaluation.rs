//! Questions of our own wording on conversations of public evaluation sets, whose
//! text is not ours to ship: they are read from the folder that `MEMU_EVAL_DATA`
//! names.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod support;

use std::path::Path;

use memu::{MemorizeRequest, MemoryService, Modality, RetrieveRequest};
use memu_testkit::skip_unless_set;
use serde_json::Value;

/// How many of the first results may be looked at.
const TOP_K: usize = 5;

#[tokio::test]
async fn five_questions_on_one_locomo_conversation() {
    let Some(folder) = skip_unless_set(
        "MEMU_EVAL_DATA",
        "evaluation::five_questions_on_one_locomo_conversation",
    ) else {
        return;
    };
    let fixture = support::service("sqlite").await;
    memorize(&fixture.service, &folder.join("locomo-dev.json"), "conv-30").await;
    for (question, evidence) in [
        ("What sort of floor does Jon want in his studio?", "D2:8"),
        ("What work did Jon do before he lost his job?", "D1:2"),
        ("What is the meaning of Gina's tattoo?", "D5:15"),
        (
            "How old was Gina when her team won at the regionals?",
            "D1:17",
        ),
        (
            "Who answered Gina after she emailed the wholesalers?",
            "D3:2",
        ),
    ] {
        expect(&fixture.service, question, evidence).await;
    }
}

#[tokio::test]
async fn five_questions_on_one_beam_chat() {
    let Some(folder) = skip_unless_set(
        "MEMU_EVAL_DATA",
        "evaluation::five_questions_on_one_beam_chat",
    ) else {
        return;
    };
    let fixture = support::service("sqlite").await;
    memorize(&fixture.service, &folder.join("beam-dev.json"), "5").await;
    for (question, evidence) in [
        (
            "How old is Craig, and what does he do as a colour technologist?",
            "2",
        ),
        (
            "By which date do I want to have solved ten problems, and how accurately?",
            "22",
        ),
        (
            "What should you always provide when I ask about probability concepts?",
            "64",
        ),
        (
            "How many hours have I spent on studying probability basics?",
            "44",
        ),
        (
            "How did my accuracy in conditional probability problems improve in two weeks?",
            "84",
        ),
    ] {
        expect(&fixture.service, question, evidence).await;
    }
}

#[tokio::test]
async fn when_the_user_went_to_bed_and_why() {
    let Some(folder) = skip_unless_set(
        "MEMU_SAMPLE_DATA",
        "evaluation::when_the_user_went_to_bed_and_why",
    ) else {
        return;
    };
    let fixture = support::service("sqlite").await;
    let file = folder.join("conversations/example_conversation.json");
    let request = MemorizeRequest::url(file.display().to_string(), Modality::Conversation);
    let request = request.user("user_id", "alice");
    fixture.service.memorize(request).await.unwrap();
    let question = RetrieveRequest::question("when did the user go to bed, and why?");
    let question = question.matching("user_id", "alice");
    let answer = fixture.service.retrieve(question).await.unwrap();
    let found: Vec<&str> = answer.items.iter().map(|hit| &*hit.item.summary).collect();
    for memory in ["stayed up too late", "hour later than", "1:30 AM"] {
        assert!(
            found.iter().any(|summary| summary.contains(memory)),
            "{memory} in {found:#?}"
        );
    }
    // The guess that was confirmed stands on the question, the guess and the answer.
    let confirmed = answer
        .items
        .iter()
        .find(|hit| hit.item.summary.contains("1:30 AM"));
    let evidence = &confirmed.unwrap().evidence;
    let ordinals: Vec<u32> = evidence.iter().map(|segment| segment.ordinal).collect();
    assert_eq!(ordinals, [10, 11, 12]);
}

/// Memorizes one conversation of a file through the ordinary pipeline.
async fn memorize(service: &MemoryService, file: &Path, id: &str) {
    let all: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let conversation = all["conversations"]
        .as_array()
        .unwrap()
        .iter()
        .find(|conversation| conversation["id"] == id)
        .unwrap();
    let bytes = serde_json::to_vec(&serde_json::json!({
        "id": conversation["id"],
        "messages": conversation["messages"],
    }))
    .unwrap();
    let request = MemorizeRequest::content(bytes, format!("{id}.json"), Modality::Conversation);
    service.memorize(request.user("user_id", id)).await.unwrap();
}

/// The message must be among the first segments, and behind one of the first items.
async fn expect(service: &MemoryService, question: &str, evidence: &str) {
    let request = RetrieveRequest {
        top_k: Some(TOP_K),
        ..RetrieveRequest::question(question)
    };
    let answer = service.retrieve(request).await.unwrap();
    let segments: Vec<&str> = answer
        .segments
        .iter()
        .filter_map(|hit| hit.segment.message_id.as_deref())
        .collect();
    assert!(
        segments.contains(&evidence),
        "{question}: segments {segments:?}"
    );
    let items: Vec<(&str, Vec<&str>)> = answer
        .items
        .iter()
        .map(|hit| {
            let cited = hit
                .evidence
                .iter()
                .filter_map(|segment| segment.message_id.as_deref());
            (hit.item.summary.as_str(), cited.collect())
        })
        .collect();
    assert!(
        items.iter().any(|(_, cited)| cited.contains(&evidence)),
        "{question}: items {items:#?}"
    );
}
