//! How long a question takes in a scope of 10,000 messages, beside a plain BM25 over
//! the same texts and a scan of 10,000 vectors of 384 numbers (f32).
//!
//! `cargo bench -p memu-rs --bench retrieve`; `--json` prints one object per row.

// A benchmark stops at the first surprise, and prints what it found.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::collections::HashMap;
use std::time::Instant;

use memu::core::analysis::Analyzer;
use memu::{MemorizeRequest, Modality, RetrieveRequest};
use serde_json::json;

const CONVERSATIONS: usize = 20;
const MESSAGES: usize = 500;
const QUESTIONS: usize = 300;
const DIMENSION: usize = 384;
const USER: &str = "nora";

#[tokio::main]
async fn main() {
    let json = std::env::args().any(|argument| argument == "--json");
    let mut pick = Pick(42);
    let texts: Vec<Vec<String>> = (0..CONVERSATIONS)
        .map(|_| (0..MESSAGES).map(|_| pick.message()).collect())
        .collect();
    let questions: Vec<String> = (0..QUESTIONS).map(|_| pick.question()).collect();
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("memu.db").display().to_string();
    memorize(&database, &texts).await;
    let first = first_question(&database, &questions[0]).await;
    let warm = warm_questions(&database, &questions).await;
    let all: Vec<&str> = texts.iter().flatten().map(String::as_str).collect();
    let bm25 = median(plain_bm25(&all, &questions));
    let scan = median(vector_scan(all.len()));
    for (name, milliseconds) in [
        ("first question, new service", first),
        ("p50", percentile(&warm, 0.50)),
        ("p99", percentile(&warm, 0.99)),
    ] {
        let (of_bm25, of_scan) = (milliseconds / bm25, milliseconds / scan);
        if json {
            let row = json!({
                "name": format!("retrieve, 10,000 messages: {name}"),
                "value": milliseconds,
                "unit": "ms",
                "baselines": {
                    "plain BM25": {"ratio": of_bm25},
                    "f32 scan, 384 dimensions": {"ratio": of_scan},
                },
            });
            println!("{row}");
        } else {
            println!(
                "retrieve {name:<28}{milliseconds:>9.2} ms {of_bm25:>8.1} x plain BM25 \
                 {of_scan:>8.2} x f32 scan"
            );
        }
    }
}

async fn memorize(database: &str, texts: &[Vec<String>]) {
    let service = memu::open(database).await.unwrap();
    for (number, messages) in texts.iter().enumerate() {
        let messages: Vec<_> = messages
            .iter()
            .enumerate()
            .map(|(at, text)| {
                json!({
                    "name": (if at % 2 == 0 { "Nora" } else { "Theo" }),
                    "content": text,
                    "created_at": format!("2026-{:02}-{:02}T{:02}:{:02}:00", 1 + number % 12, 1 + at / 20 % 28, 9 + at / 10 % 10, at % 60),
                })
            })
            .collect();
        let bytes = serde_json::to_vec(&json!({"id": number, "messages": messages})).unwrap();
        let url = format!("{number}.json");
        let request = MemorizeRequest::content(bytes, url, Modality::Conversation);
        service
            .memorize(request.user("user_id", USER))
            .await
            .unwrap();
    }
    service.close().await.unwrap();
}

/// Opening the file and asking, in milliseconds.
async fn first_question(database: &str, question: &str) -> f64 {
    let started = Instant::now();
    let service = memu::open(database).await.unwrap();
    ask(&service, question).await;
    started.elapsed().as_secs_f64() * 1e3
}

/// The milliseconds of each question but the first, sorted.
async fn warm_questions(database: &str, questions: &[String]) -> Vec<f64> {
    let service = memu::open(database).await.unwrap();
    ask(&service, &questions[0]).await;
    let mut times = Vec::new();
    for question in questions {
        let started = Instant::now();
        ask(&service, question).await;
        times.push(started.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    times
}

async fn ask(service: &memu::MemoryService, question: &str) {
    let request = RetrieveRequest::question(question).matching("user_id", USER);
    let answer = service.retrieve(request).await.unwrap();
    assert!(!answer.segments.is_empty(), "{question}");
}

/// Postings in a map, every message scored for every term.
fn plain_bm25(texts: &[&str], questions: &[String]) -> Vec<f64> {
    let analyzer = Analyzer::default();
    let mut postings: HashMap<String, Vec<(usize, f32)>> = HashMap::new();
    let mut lengths = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        let terms = analyzer.terms(text);
        lengths.push(terms.len() as f32);
        for term in terms {
            let list = postings.entry(term).or_default();
            match list.last_mut() {
                Some((last, count)) if *last == number => *count += 1.0,
                _ => list.push((number, 1.0)),
            }
        }
    }
    let average = lengths.iter().sum::<f32>() / lengths.len() as f32;
    let ask = |question: &String| {
        let mut scores = vec![0.0_f32; texts.len()];
        for list in analyzer
            .terms(question)
            .iter()
            .filter_map(|term| postings.get(term))
        {
            let holding = list.len() as f32;
            let idf = ((texts.len() as f32 - holding + 0.5) / (holding + 0.5)).ln_1p();
            for (message, count) in list {
                let norm = 1.2 * (0.25 + 0.75 * lengths[*message] / average);
                scores[*message] += idf * count * 2.2 / (count + norm);
            }
        }
        let mut order: Vec<usize> = (0..texts.len()).filter(|at| scores[*at] > 0.0).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
        order.truncate(5);
        order
    };
    questions
        .iter()
        .map(|question| {
            let started = Instant::now();
            std::hint::black_box(ask(question));
            started.elapsed().as_secs_f64() * 1e3
        })
        .collect()
}

/// The dot product of one vector with `count` others, in 16 lanes.
fn vector_scan(count: usize) -> Vec<f64> {
    let vectors: Vec<f32> = (0..count * DIMENSION).map(|at| (at % 97) as f32).collect();
    let query: Vec<f32> = (0..DIMENSION).map(|at| (at % 31) as f32).collect();
    (0..50)
        .map(|_| {
            let started = Instant::now();
            let mut best = f32::MIN;
            for vector in vectors.chunks_exact(DIMENSION) {
                let mut lanes = [0.0_f32; 16];
                for (a, b) in vector.chunks_exact(16).zip(query.chunks_exact(16)) {
                    for lane in 0..16 {
                        lanes[lane] += a[lane] * b[lane];
                    }
                }
                best = best.max(lanes.iter().sum());
            }
            std::hint::black_box(best);
            started.elapsed().as_secs_f64() * 1e3
        })
        .collect()
}

fn percentile(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    percentile(&times, 0.5)
}

/// Sentences put together from word lists by a seeded generator, with a long tail of
/// made-up names, so that the vocabulary grows as that of people does.
struct Pick(u64);

const VERBS: [&str; 8] = [
    "bought", "painted", "repaired", "lost", "sold", "found", "borrowed", "carved",
];
const THINGS: [&str; 12] = [
    "kayak",
    "violin",
    "lantern",
    "teapot",
    "bicycle",
    "telescope",
    "quilt",
    "drum",
    "anchor",
    "garden",
    "bridge",
    "harbour",
];
const PEOPLE: [&str; 6] = [
    "sister",
    "neighbour",
    "colleague",
    "grandfather",
    "teacher",
    "friend",
];

impl Pick {
    fn number(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }

    fn of(&mut self, words: &[&'static str]) -> &'static str {
        words[self.number(words.len())]
    }

    /// One of some 8,000 names; the first are far more frequent than the last.
    fn name(&mut self) -> String {
        const PARTS: [&str; 20] = [
            "ka", "lo", "mi", "ren", "sta", "vo", "du", "har", "el", "bin", "tor", "ash", "mar",
            "quo", "fen", "gil", "ros", "wen", "yar", "zel",
        ];
        let number = self.number(8_000).min(self.number(8_000));
        format!(
            "{}{}{}",
            PARTS[number % 20],
            PARTS[number / 20 % 20],
            PARTS[number / 400]
        )
    }

    fn message(&mut self) -> String {
        format!(
            "I {} a {} with my {} near {} {}. {} told me about {} and it was wonderful{}",
            self.of(&VERBS),
            self.of(&THINGS),
            self.of(&PEOPLE),
            self.name(),
            self.of(&[
                "yesterday",
                "last week",
                "on Friday",
                "in June",
                "two months ago"
            ]),
            self.name(),
            self.of(&THINGS),
            self.of(&[".", "!", ", what do you think?"]),
        )
    }

    fn question(&mut self) -> String {
        format!(
            "When did Nora {} the {} with her {} near {}?",
            self.of(&[
                "buy", "paint", "repair", "lose", "sell", "find", "borrow", "carve"
            ]),
            self.of(&THINGS),
            self.of(&PEOPLE),
            self.name(),
        )
    }
}
