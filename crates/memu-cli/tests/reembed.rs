//! `memu reembed`: moving a memory to another embedder while others use it.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
#![cfg(unix)]

mod support;

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, RandomState};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use memu::core::provider::Embedder;
use memu::core::records::{EmbedderIdentity, Embedding};
use memu::{CreateItems, MemoryService, MemoryServiceBuilder, NewItem, Result};
use support::Home;

const ROUNDS: u32 = 12;

/// An embedder of somebody else: how often some letters come.
#[derive(Debug)]
struct Letters(EmbedderIdentity);

impl Letters {
    fn new() -> Self {
        Self(EmbedderIdentity {
            provider: "elsewhere".into(),
            model: "letters".into(),
            dimension: 8,
        })
    }
}

#[async_trait]
impl Embedder for Letters {
    fn identity(&self) -> &EmbedderIdentity {
        &self.0
    }

    async fn embed(&self, texts: &[&str]) -> Result<Vec<Option<Embedding>>> {
        let embed = |text: &&str| {
            let count = |letter| text.chars().filter(|c| *c == letter).count() as f32 + 0.1;
            Embedding::checked("etaoinsr".chars().map(count).collect(), 8).map(Some)
        };
        texts.iter().map(embed).collect()
    }
}

async fn opened(home: &Home) -> MemoryService {
    MemoryServiceBuilder::new()
        .database(&home.path("memu.db").display().to_string())
        .embedder(Arc::new(Letters::new()))
        .build()
        .await
        .unwrap()
}

fn items(from: usize, count: usize) -> CreateItems {
    let content = |at: usize| {
        format!(
            "Nora keeps teapot number {at} in the cupboard of town {}",
            at / 7
        )
    };
    let item = |at| NewItem {
        memory_type: "knowledge".into(),
        content: content(at),
        categories: vec!["knowledge".into()],
        extra: serde_json::Map::new(),
    };
    let serde_json::Value::Object(user) = serde_json::json!({"user_id": "alice"}) else {
        unreachable!()
    };
    CreateItems {
        items: (from..from + count).map(item).collect(),
        user,
        propagate: false,
    }
}

/// Fills a memory by the embedder of somebody else.
async fn filled(count: usize) -> Home {
    let home = Home::new();
    let service = opened(&home).await;
    service.create_memory_items(items(0, count)).await.unwrap();
    service.close().await.unwrap();
    home
}

fn sets(home: &Home) -> Vec<(String, String, i64)> {
    let database = rusqlite::Connection::open(home.path("memu.db")).unwrap();
    let mut statement = database
        .prepare(
            "SELECT provider, state, (SELECT count(*) FROM memu_embeddings v WHERE v.set_id = e.set_id)
             FROM memu_embedding_sets e ORDER BY set_id",
        )
        .unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    rows.unwrap().map(std::result::Result::unwrap).collect()
}

fn rows(home: &Home, table: &str) -> i64 {
    let database = rusqlite::Connection::open(home.path("memu.db")).unwrap();
    let sql = format!("SELECT count(*) FROM {table}");
    database.query_row(&sql, [], |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_moves_to_the_configured_embedder_and_says_so() {
    let home = filled(600).await;
    let refused = home.run(&["retrieve", "teapot", "--user", "alice"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("memu reembed"), "{refused:?}");

    let planned = home.json(&["reembed", "--dry-run"]);
    assert_eq!(planned["status"], "planned");
    assert_eq!(planned["embedded"]["items"], 600);
    assert_eq!(planned["from"]["provider"], "elsewhere");
    assert_eq!(sets(&home).len(), 1);

    let shown = home.ok(&["reembed"]);
    assert!(
        shown.starts_with("Moved from elsewhere/letters (8 dimensions) to local/"),
        "{shown}"
    );
    assert!(
        shown.contains("embedded  0 segments, 600 items, 10 categories"),
        "{shown}"
    );
    assert!(shown.contains("removed   610 old vectors"), "{shown}");
    let expected = [("elsewhere", "retired", 0), ("local", "active", 610)];
    assert_eq!(
        sets(&home),
        expected.map(|(a, b, c)| (a.into(), b.into(), c))
    );
    assert_eq!(rows(&home, "memu_vector_codes"), 2);
    home.ok(&["retrieve", "teapot", "--user", "alice"]);
    home.ok(&["doctor"]);

    let again = home.json(&["reembed"]);
    assert_eq!(again["status"], "unchanged");
    assert_eq!(again["kept"]["items"], 600);
    let opened = MemoryServiceBuilder::new()
        .database(&home.path("memu.db").display().to_string())
        .embedder(Arc::new(Letters::new()))
        .build()
        .await;
    let error = opened.unwrap_err().to_string();
    assert!(error.contains("this memory now uses local/"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_many_moments_it_goes_on_where_it_was() {
    let undisturbed = filled(3_000).await;
    let started = Instant::now();
    undisturbed.ok(&["reembed"]);
    let takes = started.elapsed();

    let home = filled(3_000).await;
    let given = std::env::var("MEMU_REEMBED_SEED").ok();
    let seed: u64 = given.map_or_else(|| RandomState::new().hash_one(0), |it| it.parse().unwrap());
    // Shown when the test fails.
    eprintln!("MEMU_REEMBED_SEED={seed}");
    let mut killed = 0;
    for round in 0..ROUNDS {
        let mut child = home
            .command(&["reembed"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The same for the same seed.
        let hash = BuildHasherDefault::<DefaultHasher>::new().hash_one((seed, round));
        let random = hash as f64 / u64::MAX as f64;
        std::thread::sleep(takes.mul_f64(random * 0.5));
        child.kill().unwrap();
        child.wait().unwrap();
        let found = sets(&home);
        let active: Vec<_> = found.iter().filter(|set| set.1 == "active").collect();
        // Until it switches, the old one is whole; from then on, the new one.
        assert_eq!(active.len(), 1, "{found:?}");
        assert_eq!(active[0].2, 3_010, "{found:?}");
        killed += u32::from(active[0].0 == "elsewhere");
        let report = home.run(&["--json", "reembed", "--dry-run"]);
        assert_eq!(report.code, Some(0), "{report:?}");
    }
    assert!(killed > 0, "it was never killed in time");
    let kept = sets(&home)
        .iter()
        .find(|set| set.0 == "local")
        .map_or(0, |set| set.2);
    let report = home.json(&["reembed"]);
    assert_eq!(
        report["kept"]["items"].as_i64().unwrap() + report["kept"]["categories"].as_i64().unwrap(),
        kept
    );
    let expected = [("elsewhere", "retired", 0), ("local", "active", 3_010)];
    assert_eq!(
        sets(&home),
        expected.map(|(a, b, c)| (a.into(), b.into(), c))
    );
    home.ok(&["doctor"]);
    let asked = ["--json", "retrieve", "teapot number 77", "--user", "alice"];
    let scores = |home: &Home| {
        let answer: serde_json::Value = serde_json::from_str(&home.ok(&asked)).unwrap();
        let items = answer["items"].as_array().unwrap().clone();
        let told = items
            .iter()
            .map(|hit| (hit["item"]["summary"].clone(), hit["score"].clone()));
        told.collect::<Vec<_>>()
    };
    assert_eq!(scores(&home), scores(&undisturbed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_with_the_old_embedder_goes_on_until_the_switch() {
    let home = filled(3_000).await;
    let old = opened(&home).await;
    let child = home
        .command(&["--json", "reembed"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut written = 3_000;
    let refused = loop {
        let stored = old.create_memory_items(items(written, 5)).await;
        match stored {
            Ok(_) => written += 5,
            Err(error) => break error.to_string(),
        }
    };
    assert!(refused.contains("this memory now uses local/"), "{refused}");
    let run = support::finished(child.wait_with_output().unwrap());
    assert_eq!(run.code, Some(0), "{run:?}");
    let expected = [
        ("elsewhere", "retired", 0),
        ("local", "active", i64::try_from(written).unwrap() + 10),
    ];
    assert_eq!(
        sets(&home),
        expected.map(|(a, b, c)| (a.into(), b.into(), c))
    );
    let question = memu::RetrieveRequest::question("teapot").matching("user_id", "alice");
    let error = old.retrieve(question).await.unwrap_err().to_string();
    assert!(error.contains("this memory now uses local/"), "{error}");
    home.ok(&["doctor"]);
}
