//! How fast content becomes memories: messages and bytes per second through the whole
//! pipeline into a SQLite file, beside a baseline that only parses the same JSON and
//! inserts the messages into a table, with one commit per conversation as well.
//!
//! `cargo bench -p memu-rs --bench memorize` measures on a generated corpus; with
//! `MEMU_EVAL_DATA` naming a folder of evaluation files, on `locomo-dev.json` and
//! `beam-dev.json` too. `--json` prints one object per row.

// A benchmark stops at the first surprise, and prints what it found.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr
)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use memu::{MemorizeRequest, Modality};
use serde_json::{Value, json};

/// How often each corpus is memorized; the median counts.
const RUNS: usize = 5;

struct Corpus {
    name: String,
    conversations: Vec<Vec<u8>>,
    messages: usize,
    text_bytes: usize,
}

fn main() {
    let json = std::env::args().any(|argument| argument == "--json");
    let mut corpora = vec![generated()];
    match std::env::var("MEMU_EVAL_DATA") {
        Ok(folder) => corpora.extend(
            ["locomo-dev.json", "beam-dev.json"].map(|name| read(&Path::new(&folder).join(name))),
        ),
        Err(_) => eprintln!("MEMU_EVAL_DATA is not set: only the generated corpus is measured"),
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    for corpus in &corpora {
        let mut ours = Vec::new();
        let mut baseline = Vec::new();
        let mut memory = 0;
        for _ in 0..RUNS {
            let watch = MemoryWatch::start();
            ours.push(runtime.block_on(memorize(corpus)));
            memory = memory.max(watch.stop());
            baseline.push(insert_only(corpus));
        }
        report(corpus, median(ours), median(baseline), memory, json);
    }
}

fn report(corpus: &Corpus, ours: Duration, baseline: Duration, memory: u64, json: bool) {
    let ratio = ours.as_secs_f64() / baseline.as_secs_f64();
    let messages = corpus.messages as f64 / ours.as_secs_f64();
    let megabytes = corpus.text_bytes as f64 / 1e6 / ours.as_secs_f64();
    for (name, value, unit) in [
        ("messages", messages, "1/s"),
        ("text", megabytes, "MB/s"),
        ("anonymous memory", memory as f64 / 1024.0, "MiB"),
    ] {
        if json {
            let row = json!({
                "name": format!("memorize {}: {name}", corpus.name),
                "value": value,
                "unit": unit,
                "baselines": {"parse and insert only": {"ratio": ratio}},
            });
            println!("{row}");
        } else {
            println!(
                "memorize {:<12} {name:<18}{value:>10.1} {unit}",
                corpus.name
            );
        }
    }
    if !json {
        println!(
            "memorize {:<12} {:<18}{ratio:>10.1} x parsing and inserting only ({:.0} ms, {:.0} ms)",
            corpus.name,
            "time",
            ours.as_secs_f64() * 1e3,
            baseline.as_secs_f64() * 1e3,
        );
    }
}

/// The whole pipeline, each conversation into a scope of its own.
async fn memorize(corpus: &Corpus) -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memu.db");
    let service = memu::open(&file.display().to_string()).await.unwrap();
    let started = Instant::now();
    for (number, conversation) in corpus.conversations.iter().enumerate() {
        let url = format!("{number}.json");
        let request =
            MemorizeRequest::content(conversation.as_slice(), url, Modality::Conversation);
        let request = request.user("user_id", &number.to_string());
        service.memorize(request).await.unwrap();
    }
    let elapsed = started.elapsed();
    service.close().await.unwrap();
    elapsed
}

/// The least that storing takes: parse, insert each message, commit.
fn insert_only(corpus: &Corpus) -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = rusqlite::Connection::open(folder.path().join("plain.db")).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE messages (conversation INTEGER, name TEXT, content TEXT)",
        )
        .unwrap();
    let started = Instant::now();
    for (number, conversation) in corpus.conversations.iter().enumerate() {
        let parsed: Value = serde_json::from_slice(conversation).unwrap();
        let transaction = connection.transaction().unwrap();
        for message in parsed["messages"].as_array().unwrap() {
            transaction
                .prepare_cached("INSERT INTO messages VALUES (?1, ?2, ?3)")
                .unwrap()
                .execute((
                    i64::try_from(number).unwrap(),
                    message["name"].as_str(),
                    message["content"].as_str(),
                ))
                .unwrap();
        }
        transaction.commit().unwrap();
    }
    started.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn read(file: &Path) -> Corpus {
    let all: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    corpus(
        all["name"].as_str().unwrap(),
        all["conversations"].as_array().unwrap(),
    )
}

fn corpus(name: &str, conversations: &[Value]) -> Corpus {
    let messages = || {
        conversations
            .iter()
            .flat_map(|c| c["messages"].as_array().unwrap())
    };
    Corpus {
        name: name.to_owned(),
        messages: messages().count(),
        text_bytes: messages()
            .map(|m| m["content"].as_str().unwrap().len())
            .sum(),
        conversations: conversations
            .iter()
            .map(|c| {
                serde_json::to_vec(&json!({"id": c["id"], "messages": c["messages"]})).unwrap()
            })
            .collect(),
    }
}

/// Five conversations of 600 messages: sentences put together from word lists by a
/// seeded generator.
fn generated() -> Corpus {
    let mut state = 42_u64;
    let mut pick = |words: &[&'static str]| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        words[(state >> 33) as usize % words.len()]
    };
    let conversations: Vec<Value> = (0..5)
        .map(|conversation| {
            let messages: Vec<Value> = (0..600)
                .map(|at| {
                    let text = format!(
                        "{} I {} a {} {} with my {} {}. It was {} and I want to do it again {}.",
                        pick(&["Yes!", "Hey,", "You know,", "Well,", "Guess what:"]),
                        pick(&["bought", "painted", "repaired", "lost", "sold", "found", "borrowed"]),
                        pick(&["red", "wooden", "tiny", "heavy", "broken", "golden", "striped"]),
                        pick(&["kayak", "violin", "lantern", "teapot", "bicycle", "telescope", "quilt", "drum"]),
                        pick(&["sister", "neighbour", "colleague", "grandfather", "teacher", "friend"]),
                        pick(&["yesterday", "last week", "on Friday", "in June", "two months ago"]),
                        pick(&["wonderful", "exhausting", "cheap", "loud", "surprising"]),
                        pick(&["next year", "tomorrow", "in the spring", "with the children"]),
                    );
                    json!({
                        "id": format!("m{at}"),
                        "name": pick(&["Nora", "Theo"]),
                        "content": text,
                        "created_at": format!("2026-{:02}-{:02}T{:02}:{:02}:00", 1 + at / 60, 1 + at / 20 % 28, 9 + at / 10 % 10, at % 60),
                    })
                })
                .collect();
            json!({"id": format!("generated-{conversation}"), "messages": messages})
        })
        .collect();
    corpus("generated", &conversations)
}

/// The most anonymous memory of this process while it runs, in KiB; Linux only.
struct MemoryWatch {
    stop: Arc<AtomicBool>,
    most: Arc<AtomicU64>,
    thread: std::thread::JoinHandle<()>,
}

impl MemoryWatch {
    fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let most = Arc::new(AtomicU64::new(0));
        let (stopped, greatest) = (stop.clone(), most.clone());
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                greatest.fetch_max(anonymous_kib(), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        Self { stop, most, thread }
    }

    fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        self.most.load(Ordering::Relaxed)
    }
}

fn anonymous_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))
        .and_then(|rest| rest.trim().strip_suffix(" kB"))
        .and_then(|kib| kib.trim().parse().ok())
        .unwrap_or(0)
}
