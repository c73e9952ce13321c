//! A store moves to another embedder while others use it.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use async_trait::async_trait;
use memu::core::provider::Embedder;
use memu::core::records::{EmbedderIdentity, Embedding, SetState};
use memu::core::store::{Severity, Write, WriteBatch};
use memu::settings::Layers;
use memu::{
    CreateItems, Error, ErrorKind, MemoryService, MemoryServiceBuilder, NewItem, Reembed,
    ReembedStatus, Result, RetrieveRequest, UpdateItem,
};
use serde_json::{Value, json};
use support::{TALK, conversation, memorize, user};

/// Counts letters, and how many texts it was given. Texts about Pixel mean nothing to it.
#[derive(Debug)]
struct Letters {
    identity: EmbedderIdentity,
    alphabet: &'static str,
    given: AtomicUsize,
    /// After so many texts it fails.
    breaks_after: usize,
}

impl Letters {
    fn new(letters: &'static str) -> Self {
        Self {
            identity: EmbedderIdentity {
                provider: "test".into(),
                model: letters.into(),
                dimension: u32::try_from(letters.len()).unwrap(),
            },
            alphabet: letters,
            given: AtomicUsize::new(0),
            breaks_after: usize::MAX,
        }
    }

    fn given(&self) -> usize {
        self.given.load(SeqCst)
    }
}

#[async_trait]
impl Embedder for Letters {
    fn identity(&self) -> &EmbedderIdentity {
        &self.identity
    }

    fn embeds_segments(&self) -> bool {
        true
    }

    async fn embed(&self, texts: &[&str]) -> Result<Vec<Option<Embedding>>> {
        if self.given() + texts.len() > self.breaks_after {
            return Err(Error::model("the model is gone"));
        }
        self.given.fetch_add(texts.len(), SeqCst);
        let embed = |text: &&str| {
            if text.contains("Pixel") {
                return Ok(None);
            }
            let count = |letter| text.chars().filter(|c| *c == letter).count() as f32 + 0.1;
            let values = self.alphabet.chars().map(count).collect();
            Embedding::checked(values, self.identity.dimension).map(Some)
        };
        texts.iter().map(embed).collect()
    }
}

async fn open_with(
    file: &Path,
    embedder: Letters,
    settings: Value,
) -> (MemoryService, Arc<Letters>) {
    let embedder = Arc::new(embedder);
    let service = MemoryServiceBuilder::new()
        .settings(Layers::new().value(settings).settings().unwrap())
        .database(&file.display().to_string())
        .embedder(embedder.clone())
        .changing_embedder()
        .build()
        .await
        .unwrap();
    (service, embedder)
}

async fn open(file: &Path, letters: &'static str) -> (MemoryService, Arc<Letters>) {
    open_with(file, Letters::new(letters), json!({})).await
}

async fn answers(service: &MemoryService) -> Value {
    let questions = [
        "Who has an allergy?",
        "What does Theo learn?",
        "Where is the museum?",
    ];
    let mut all = Vec::new();
    for question in questions {
        let question = RetrieveRequest::question(question).matching("user_id", "alice");
        all.push(serde_json::to_value(service.retrieve(question).await.unwrap()).unwrap());
    }
    Value::Array(all)
}

async fn reembed(service: &MemoryService) -> Result<memu::ReembedResponse> {
    service.reembed(Reembed::default(), &|_, _| {}).await
}

#[tokio::test]
async fn readers_keep_the_old_vectors_until_the_new_ones_are_complete() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memu.db");
    let (old, _) = open(&file, "etao").await;
    old.memorize(memorize(conversation("c", &TALK), "alice"))
        .await
        .unwrap();
    let before = answers(&old).await;

    // The model of the new embedder is gone after some texts.
    let broken = Letters {
        breaks_after: 9,
        ..Letters::new("inshrd")
    };
    let (breaking, embedder) = open_with(&file, broken, json!({})).await;
    assert_eq!(
        reembed(&breaking).await.unwrap_err().kind(),
        ErrorKind::Model
    );
    let given = embedder.given();
    assert!(given > 0);
    assert_eq!(answers(&old).await, before);
    let (reader, _) = open(&file, "etao").await;
    assert_eq!(answers(&reader).await, before, "in a new process, too");
    let question = RetrieveRequest::question("Who?").matching("user_id", "alice");
    let error = breaking.retrieve(question).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.message().contains("memu reembed"), "{error}");

    let (new, embedder) = open(&file, "inshrd").await;
    let done = reembed(&new).await.unwrap();
    assert_eq!(done.status, ReembedStatus::Switched);
    // What was embedded already is not paid for again, what means nothing is.
    assert_eq!(
        embedder.given() as u64,
        done.embedded.total() + done.without_vector
    );
    assert!(done.kept.total() > 0 && done.without_vector > 0, "{done:?}");
    assert!(
        done.embedded.items > 0 && done.kept.segments > 0,
        "{done:?}"
    );
    for service in [&old, &reader] {
        let question = RetrieveRequest::question("Who?").matching("user_id", "alice");
        let error = service.retrieve(question).await.unwrap_err();
        assert!(
            error.message().contains("this memory now uses test/inshrd"),
            "{error}"
        );
    }
    // The same as if it had been the embedder from the beginning.
    let fresh = folder.path().join("fresh.db");
    let (from_the_beginning, _) = open(&fresh, "inshrd").await;
    from_the_beginning
        .memorize(memorize(conversation("c", &TALK), "alice"))
        .await
        .unwrap();
    assert_eq!(
        scores(&answers(&new).await),
        scores(&answers(&from_the_beginning).await)
    );
}

/// What was found and how well it fits, without ids and times.
fn scores(answers: &Value) -> Vec<String> {
    let lists = answers.as_array().unwrap().iter();
    let hits = lists.flat_map(|answer| answer["segments"].as_array().unwrap());
    hits.map(|hit| format!("{} {}", hit["segment"]["text"], hit["score"]))
        .collect()
}

#[tokio::test]
async fn a_store_moves_back_and_forth_and_keeps_one_set() {
    for store in support::stores() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("memu.db");
        if store == "inmemory" {
            // One service only can see a store in memory, so it has one embedder.
            let (only, _) = open(Path::new("inmemory"), "etao").await;
            only.memorize(memorize(conversation("c", &TALK), "alice"))
                .await
                .unwrap();
            let done = reembed(&only).await.unwrap();
            assert_eq!(done.status, ReembedStatus::Unchanged);
            assert_eq!(done.embedded.total(), 0);
            continue;
        }
        let (first, _) = open(&file, "etao").await;
        first
            .memorize(memorize(conversation("c", &TALK), "alice"))
            .await
            .unwrap();
        let before = answers(&first).await;
        let vectors = first.check(false).await.unwrap().embeddings;
        for letters in ["inshrd", "etao", "inshrd", "etao"] {
            let (service, _) = open(&file, letters).await;
            let done = reembed(&service).await.unwrap();
            assert_eq!(
                (done.status, done.removed),
                (ReembedStatus::Switched, vectors)
            );
            let report = service.check(false).await.unwrap();
            assert_eq!(report.embeddings, vectors);
            assert!(
                report
                    .findings
                    .iter()
                    .all(|found| found.severity == Severity::Ok),
                "{report:?}"
            );
            let sets = service.store().embedding_sets().await.unwrap();
            let active = sets.iter().filter(|set| set.state == SetState::Active);
            assert_eq!(active.count(), 1, "{sets:?}");
        }
        let (back, _) = open(&file, "etao").await;
        assert_eq!(answers(&back).await, before);
        assert_eq!(
            answers(&first).await,
            before,
            "and for who was there all the time"
        );
    }
}

#[tokio::test]
async fn what_changes_while_the_set_is_built_is_embedded_as_it_is_then() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memu.db");
    let (old, _) = open(&file, "etao").await;
    let stored = old
        .memorize(memorize(conversation("c", &TALK), "alice"))
        .await
        .unwrap();
    let (new, embedder) = open(&file, "inshrd").await;
    let item = stored
        .items
        .iter()
        .find(|item| !item.summary.contains("Pixel"))
        .unwrap();
    let changed = std::sync::Mutex::new(None);
    // From within: the old embedder's program changes a memory after it was embedded.
    let tell = |done: u64, _: u64| {
        let mut changed = changed.lock().unwrap();
        if done > 8 && changed.is_none() {
            let (old, id) = (old.clone(), item.meta.id.clone());
            let update = UpdateItem {
                memory_type: None,
                content: Some("Zzz zzz zzz".into()),
                categories: None,
                id,
                user: user("alice"),
                propagate: true,
                extra: serde_json::Map::new(),
            };
            let runtime = tokio::runtime::Handle::current();
            let update = std::thread::spawn(move || {
                runtime.block_on(async { old.update_memory_item(update).await.unwrap() })
            });
            *changed = Some(update.join().unwrap());
        }
    };
    let done = new.reembed(Reembed::default(), &tell).await.unwrap();
    assert!(changed.lock().unwrap().is_some());
    assert_eq!(done.status, ReembedStatus::Switched);
    let scope = &item.meta.scope;
    let owners = [item.meta.id.clone()];
    let vector = new
        .store()
        .embeddings(
            scope,
            embedder.identity(),
            memu::core::records::OwnerKind::Item,
            &owners,
        )
        .await
        .unwrap();
    let expected = embedder.embed(&["Zzz zzz zzz"]).await.unwrap();
    assert_eq!(Some(vector[0].vector.clone()), expected[0]);
}

#[tokio::test]
async fn every_vector_is_told_as_json_where_that_is_what_is_written_now() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memu.db");
    let json = json!({"database_config": {"metadata_store": {"embedding_format": "json"}}});
    // The first conversation is not told as JSON yet.
    let (first, _) = open(&file, "etao").await;
    let talk = conversation("c", &TALK);
    first.memorize(memorize(talk, "alice")).await.unwrap();
    let (old, _) = open_with(&file, Letters::new("etao"), json.clone()).await;
    let talk = conversation("d", &[("Nora", "I bought a red kayak in Porto.")]);
    old.memorize(memorize(talk, "alice")).await.unwrap();
    let (new, _) = open_with(&file, Letters::new("inshrd"), json).await;
    reembed(&new).await.unwrap();
    let database = rusqlite::Connection::open(&file).unwrap();
    let count = |sql: &str| -> i64 { database.query_row(sql, [], |row| row.get(0)).unwrap() };
    let told = "SELECT count(*) FROM memu_memory_items
                WHERE json_array_length(embedding_json) = 6";
    let vectors = "SELECT count(*) FROM memu_embeddings WHERE owner_kind = 2";
    assert_eq!(count(told), count(vectors));
    assert!(count(told) > 5);
}

#[tokio::test]
async fn nothing_of_the_old_set_is_left_where_most_of_its_vectors_went_before() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memu.db");
    let (old, _) = open(&file, "etao").await;
    let item = |number: usize| NewItem {
        memory_type: "event".into(),
        content: format!("I saw ship number {number} leave the harbour."),
        categories: vec!["activities".into()],
        extra: serde_json::Map::new(),
    };
    let request = CreateItems {
        items: (0..20 * 256).map(item).collect(),
        user: user("alice"),
        propagate: false,
    };
    let created = old.create_memory_items(request).await.unwrap().memory_items;
    let scope = created[0].meta.scope.clone();
    let mut batch = WriteBatch::new(scope, None);
    // One of each block of codes stays.
    let gone = created.iter().enumerate().filter(|(at, _)| at % 256 != 0);
    let gone = gone.map(|(_, item)| Write::DeleteItem(item.meta.id.clone()));
    batch.writes.extend(gone);
    old.store().commit(batch).await.unwrap();
    let database = rusqlite::Connection::open(&file).unwrap();
    let count = |sql: &str| -> i64 { database.query_row(sql, [], |row| row.get(0)).unwrap() };
    let codes = "SELECT count(*) FROM memu_vector_codes";
    assert!(count(codes) >= 10, "{} blocks", count(codes));

    let (new, _) = open(&file, "inshrd").await;
    reembed(&new).await.unwrap();
    assert_eq!(count(codes), 0);
    assert_eq!(count("SELECT count(*) FROM memu_vector_low_bits"), 0);
    // Back to the embedder before, whose name is to be had again.
    let (again, _) = open(&file, "etao").await;
    reembed(&again).await.unwrap();
    let report = again.check(false).await.unwrap();
    assert_eq!(report.severity(), Severity::Ok, "{report:#?}");
}
