//! The same conversation and the same questions give the same answers: on every store,
//! run after run, whatever the number of threads.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod support;

use memu::{MemorizeRequest, Modality, RetrieveRequest};
use serde_json::Value;
use support::dice::Dice;
use support::{conversation, service, stores};

const PEOPLE: [&str; 3] = ["Nora", "Theo", "Ines"];
const VERBS: [&str; 6] = ["bought", "painted", "sold", "lost", "repaired", "found"];
const THINGS: [&str; 9] = [
    "kayak",
    "violin",
    "lantern",
    "teapot",
    "bicycle",
    "telescope",
    "quilt",
    "drum",
    "anchor",
];
const PLACES: [&str; 5] = ["Porto", "the harbour", "the attic", "Bergen", "the market"];

/// What a service over this store answers to twenty random questions, the first fifty
/// of everything, about a random conversation. Ids and the clock are reproducible.
async fn answers(store: &str, seed: u64) -> Vec<Value> {
    let mut dice = Dice::new(seed);
    let texts: Vec<(&str, String)> = (0..200)
        .map(|_| {
            let (verb, thing, place) = (dice.pick(&VERBS), dice.pick(&THINGS), dice.pick(&PLACES));
            let end = dice.pick(&[".", "!", ", and you?", " last week."]);
            (
                dice.pick(&PEOPLE),
                format!("I {verb} a {thing} in {place}{end}"),
            )
        })
        .collect();
    let messages: Vec<(&str, &str)> = texts.iter().map(|(who, text)| (*who, &**text)).collect();
    let fixture = service(store).await;
    let bytes = conversation("random", &messages);
    let request = MemorizeRequest::content(bytes, "random.json", Modality::Conversation);
    fixture
        .service
        .memorize(request.user("user_id", "alice"))
        .await
        .unwrap();
    let mut answers = Vec::new();
    for _ in 0..20 {
        let (who, verb, thing) = (dice.pick(&PEOPLE), dice.pick(&VERBS), dice.pick(&THINGS));
        let request = RetrieveRequest {
            top_k: Some(50),
            explain: true,
            ..RetrieveRequest::question(format!("Where has {who} {verb} the {thing}?"))
        };
        let answer = fixture.service.retrieve(request).await.unwrap();
        assert_eq!(answer.segments.len(), 50);
        answers.push(serde_json::to_value(answer).unwrap());
    }
    answers
}

#[tokio::test]
async fn every_store_gives_the_answers_of_the_plain_one() {
    for seed in 1..4 {
        let expected = answers("inmemory", seed).await;
        for store in stores() {
            assert!(
                answers(store, seed).await == expected,
                "{store}, seed {seed}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_number_of_threads_makes_no_difference() {
    let here = answers("sqlite", 7).await;
    let single = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(answers("sqlite", 7))
    });
    assert!(single.join().unwrap() == here);
}
