//! How many texts all-MiniLM-L6-v2 embeds in a second, beside the word table.
//!
//! `MEMU_MINILM_DIR=folder cargo bench -p memu-local --features minilm --bench minilm`

// A benchmark stops at the first surprise, and prints what it found.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use memu_core::conformance::block_on;
use memu_core::environment::{Executor, InlineExecutor};
use memu_core::provider::Embedder;
use memu_local::{LocalEmbedder, MiniLm};

const WORDS: [&str; 24] = [
    "boat",
    "garden",
    "sister",
    "yesterday",
    "painted",
    "the",
    "a",
    "we",
    "harbour",
    "violin",
    "found",
    "old",
    "letters",
    "and",
    "then",
    "walked",
    "home",
    "in",
    "rain",
    "my",
    "teacher",
    "said",
    "nothing",
    "about",
];

fn main() {
    let Some(folder) = std::env::var_os("MEMU_MINILM_DIR") else {
        println!("MEMU_MINILM_DIR names no folder with the model: nothing was measured");
        return;
    };
    let executor: Arc<dyn Executor> = Arc::new(InlineExecutor);
    let texts: Vec<String> = (0..512_usize)
        .map(|at| {
            let words = (0..12 + at % 29).map(|word| WORDS[(at * 7 + word * 11) % WORDS.len()]);
            words.collect::<Vec<_>>().join(" ")
        })
        .collect();
    let minilm = MiniLm::open(&PathBuf::from(folder), executor.clone()).unwrap();
    let table = LocalEmbedder::new(executor).unwrap();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let (minilm, table) = (per_second(&minilm, &texts), per_second(&table, &texts));
    println!(
        "minilm   {minilm:>10.0} texts of 12 to 40 words per second, {:.5} x the word table",
        minilm / table
    );
}

fn per_second(embedder: &dyn Embedder, texts: &[&str]) -> f64 {
    block_on(embedder.embed(&texts[..64])).unwrap();
    let started = Instant::now();
    let vectors = block_on(embedder.embed(texts)).unwrap();
    assert!(vectors.iter().all(Option::is_some));
    texts.len() as f64 / started.elapsed().as_secs_f64()
}
