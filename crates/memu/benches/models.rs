//! How long 100 messages take to memorize by a model that takes 200 ms for every answer, beside
//! the calls that memU 1.x makes for the same: 25 chats and 65 embeddings in 12 rounds one after
//! another.
//!
//! `cargo bench -p memu-rs --bench models`; `--json` prints one object per row.

// A benchmark stops at the first surprise, and prints what it found.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use memu::core::provider::{ChatMessage, ChatModel, ChatRequest, Embedder};
use memu::core::records::Role;
use memu::providers::{Connection, Profile, Surroundings};
use memu::settings::Layers;
use memu::{MemorizeRequest, MemoryServiceBuilder, Modality};
use memu_testkit::models::{Asked, FakeProvider};
use serde_json::{Value, json};

const LATENCY: Duration = Duration::from_millis(200);
/// What it is to take at most.
const MOST_SECONDS: f64 = 1.5;
const TOPICS: [&str; 5] = [
    "the harbour and the boats in it",
    "a violin that needs new strings",
    "the garden with its old apple trees",
    "a train journey over the mountains",
    "bread, flour and the oven that smokes",
];
/// What memU 1.5.1 was measured to do for 100 messages in 5 segments, with 2 types of memory.
const ORIGINAL: (usize, usize, usize) = (25, 65, 12);

#[tokio::main]
async fn main() {
    let as_json = std::env::args().any(|argument| argument == "--json");
    let server = FakeProvider::builder()
        .chat(answer)
        .dimension(8)
        .latency(LATENCY);
    let server = server.start();
    let base_url = format!("{}/v1", server.base_url());
    let ours = memorize(&base_url).await;
    let (mut chats, mut embeddings) = (0, 0);
    for request in server.requests() {
        let count = if request.asked().is_embedding() {
            &mut embeddings
        } else {
            &mut chats
        };
        *count += 1;
    }
    let rounds = server.rounds();
    let theirs = original(&base_url).await;
    let (their_chats, their_embeddings, their_rounds) = ORIGINAL;
    for (name, value, unit, baseline) in [
        ("seconds", ours, "s", theirs),
        ("chats", f64::from(chats), "calls", their_chats as f64),
        (
            "embeddings",
            f64::from(embeddings),
            "calls",
            their_embeddings as f64,
        ),
        ("rounds", rounds as f64, "", their_rounds as f64),
    ] {
        let ratio = baseline / value;
        if as_json {
            let row = json!({
                "name": format!("memorize 100 messages, 200 ms a call: {name}"),
                "value": value,
                "unit": unit,
                "baselines": {"calls of memU 1.x": {"value": baseline, "ratio": ratio}},
            });
            println!("{row}");
        } else {
            println!("{name:<12}{value:>8.2} {unit:<6}{ratio:>6.1}× memU 1.x ({baseline:.2})");
        }
    }
    let reached = ours < MOST_SECONDS;
    if as_json {
        let name = format!("memorize 100 messages, 200 ms a call: under {MOST_SECONDS} s");
        println!("{}", json!({"name": name, "value": reached}));
    } else {
        let word = if reached { "yes" } else { "no" };
        println!("under {MOST_SECONDS} s: {word}");
    }
}

async fn memorize(base_url: &str) -> f64 {
    let settings = json!({
        "llm_profiles": {"default": {
            "base_url": base_url, "api_key": "none", "chat_model": "one", "embed_model": "two",
            "dimension": 8,
        }},
        "memorize_config": {"memory_types": ["profile", "event"]},
    });
    let folder = tempfile::tempdir().unwrap();
    let service = MemoryServiceBuilder::new()
        .settings(Layers::new().value(settings).settings().unwrap())
        .database(&folder.path().join("memu.db").display().to_string())
        .build()
        .await
        .unwrap();
    let messages = (0..100).map(|number| {
        json!({
            "role": if number % 2 == 0 { "user" } else { "assistant" },
            "content": format!("Number {number} is about {}", TOPICS[number / 20]),
            // Sessions are a day apart: five segments.
            "created_at": format!("2026-03-{:02}T09:{:02}:00", 1 + number / 20, number % 20),
        })
    });
    let bytes = json!(messages.collect::<Vec<_>>()).to_string().into_bytes();
    let request = MemorizeRequest::content(bytes, "talk.json", Modality::Conversation);
    let started = Instant::now();
    let done = service
        .memorize(request.user("user_id", "nora"))
        .await
        .unwrap();
    let seconds = started.elapsed().as_secs_f64();
    assert_eq!(done.items.len(), 100);
    service.close().await.unwrap();
    seconds
}

/// The calls that memU 1.x makes, spread over its rounds.
async fn original(base_url: &str) -> f64 {
    let profile = Profile {
        base_url: Some(base_url.to_owned()),
        api_key: Some(memu::settings::Secret::new("none")),
        chat_model: Some("one".to_owned()),
        embed_model: Some("two".to_owned()),
        dimension: Some(8),
        max_concurrency: 64,
        ..Profile::default()
    };
    let connection = Connection::new("original", &profile, &Surroundings::default()).unwrap();
    let (chat, embedder) = (
        connection.chat_model().unwrap(),
        connection.embedder().await.unwrap(),
    );
    let request = ChatRequest {
        messages: vec![ChatMessage::new(Role::User, "What is in it?")],
        format: None,
        temperature: None,
        max_tokens: None,
    };
    let (chats, embeddings, rounds) = ORIGINAL;
    let share = |all: usize, round: usize| all * (round + 1) / rounds - all * round / rounds;
    let started = Instant::now();
    for round in 0..rounds {
        let chats = (0..share(chats, round)).map(|_| chat.chat(&request));
        let texts: Vec<String> = (0..share(embeddings, round))
            .map(|number| format!("text {number}"))
            .collect();
        let vectors = texts.iter().map(async |text| embedder.embed(&[text]).await);
        let (chats, vectors) = join(join_all(chats), join_all(vectors)).await;
        assert!(chats.iter().all(Result::is_ok) && vectors.iter().all(Result::is_ok));
    }
    started.elapsed().as_secs_f64()
}

/// One memory of every message, and summaries.
fn answer(asked: &Asked) -> String {
    let schema = asked.schema.clone().unwrap_or_default();
    let properties = &schema["properties"];
    if properties.get("caption").is_some() {
        let items = asked.prompt.lines().filter_map(|line| {
            let (number, text) = line.strip_prefix('[')?.split_once("] ")?;
            let number: u32 = number.parse().ok()?;
            Some(json!({
                "memory_type": "event",
                "content": format!("Somebody said {text}"),
                "message_numbers": [number],
                "categories": ["activities"],
                "happened_at": null,
            }))
        });
        return json!({"caption": "a talk", "items": items.collect::<Vec<_>>()}).to_string();
    }
    let names = properties["summaries"]["items"]["properties"]["category"]["enum"].as_array();
    let summaries = names.into_iter().flatten();
    let summaries: Vec<Value> = summaries
        .map(|name| json!({"category": name, "summary": "What was said, in short."}))
        .collect();
    json!({ "summaries": summaries }).to_string()
}
