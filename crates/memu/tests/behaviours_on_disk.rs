//! What the original got wrong about files and vectors, with the opposite outcome, on
//! SQLite. The other lines of the table are in `behaviours_of_the_original.rs`.

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
use memu::core::filter::Filter;
use memu::core::provider::Embedder;
use memu::core::records::{EmbedderIdentity, Embedding, OwnerKind};
use memu::core::store::{Severity, VectorQuery};
use memu::settings::Layers;
use memu::{
    ErrorKind, MemorizeStatus, MemoryService, MemoryServiceBuilder, Result, RetrieveRequest,
};
use serde_json::json;
use support::{TALK, conversation, created, everything, memorize};

/// Embeds by the length of a text, and counts the texts.
#[derive(Debug)]
struct Lengths {
    identity: EmbedderIdentity,
    texts: AtomicUsize,
}

impl Lengths {
    fn of_dimension(dimension: u32) -> Arc<Self> {
        Arc::new(Self {
            identity: EmbedderIdentity {
                provider: "test".into(),
                model: "lengths".into(),
                dimension,
            },
            texts: AtomicUsize::new(0),
        })
    }
}

#[async_trait]
impl Embedder for Lengths {
    fn identity(&self) -> &EmbedderIdentity {
        &self.identity
    }

    async fn embed(&self, texts: &[&str]) -> Result<Vec<Option<Embedding>>> {
        self.texts.fetch_add(texts.len(), SeqCst);
        let embed = |text: &&str| {
            let mut values = vec![1.0; self.identity.dimension as usize];
            values[0] = text.len() as f32;
            Embedding::checked(values, self.identity.dimension).map(Some)
        };
        texts.iter().map(embed).collect()
    }
}

async fn open(file: &Path) -> MemoryService {
    memu::open(&file.display().to_string()).await.unwrap()
}

async fn open_with(file: &Path, embedder: Arc<Lengths>) -> Result<MemoryService> {
    let builder = MemoryServiceBuilder::new().database(&file.display().to_string());
    builder.embedder(embedder).build().await
}

#[tokio::test]
async fn sqlite_starts_with_the_tables_of_the_documentation_under_names_it_allows() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new/folder/memu.db");
    let service = open(&file).await;
    service
        .create_memory_item(created("Ann likes tea", "alice"))
        .await
        .unwrap();
    service.close().await.unwrap();
    let database = rusqlite::Connection::open(&file).unwrap();
    for table in [
        "resources",
        "memory_items",
        "memory_categories",
        "category_items",
    ] {
        let sql = format!("SELECT count(*) FROM memu_{table}");
        let count: i64 = database.query_row(&sql, [], |row| row.get(0)).unwrap();
        assert!(count > 0 || table == "resources", "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_writers_and_a_reader_of_one_file_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memu.db");
    let mut writers = Vec::new();
    for writer in 0..8 {
        let file = file.clone();
        writers.push(tokio::spawn(async move {
            // Its own connections, as in a process of its own.
            let service = open(&file).await;
            for number in 0..10 {
                let content = format!("Writer {writer} likes tea number {number}");
                service
                    .create_memory_item(created(&content, "alice"))
                    .await
                    .unwrap();
            }
            service.close().await.unwrap();
        }));
    }
    let reader = open(&file).await;
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        let question = RetrieveRequest::question("tea").matching("user_id", "alice");
        reader.retrieve(question).await.unwrap();
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let all = everything(&reader, "alice").await;
    assert_eq!(all["items"].as_array().unwrap().len(), 80);
}

#[tokio::test]
async fn the_same_file_memorized_twice_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memu.db");
    let chat = folder.path().join("chat.json");
    std::fs::write(&chat, conversation("c", &TALK)).unwrap();
    let path = chat.display().to_string();
    let request =
        || memu::MemorizeRequest::url(&path, memu::Modality::Conversation).user("user_id", "alice");
    let service = open(&file).await;
    service.memorize(request()).await.unwrap();
    let before = everything(&service, "alice").await;
    service.close().await.unwrap();
    let service = open(&file).await;
    let again = service.memorize(request()).await.unwrap();
    assert_eq!(again.status, MemorizeStatus::Unchanged);
    assert_eq!(everything(&service, "alice").await, before);
}

#[tokio::test]
async fn a_nan_that_another_program_wrote_never_ranks_first_and_is_mended() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memu.db");
    let embedder = Lengths::of_dimension(4);
    let service = open_with(&file, embedder.clone()).await.unwrap();
    let contents = ["Ann likes tea", "Ann likes very strong tea with milk"];
    let mut items = Vec::new();
    for content in contents {
        let item = service
            .create_memory_item(created(content, "alice"))
            .await
            .unwrap();
        items.push(item.memory_item);
    }
    let refused = Embedding::checked(vec![f32::NAN, 1.0, 1.0, 1.0], 4).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Model);
    service.close().await.unwrap();
    let database = rusqlite::Connection::open(&file).unwrap();
    let nan: Vec<u8> = [f32::NAN; 4]
        .iter()
        .flat_map(|one| one.to_le_bytes())
        .collect();
    let sql = "UPDATE memu_embeddings SET vector = ?1 WHERE owner_kind = 2 AND owner_row =
               (SELECT row FROM memu_memory_items WHERE id = ?2)";
    let changed = database
        .execute(sql, (nan, items[1].meta.id.as_str()))
        .unwrap();
    assert_eq!(changed, 1);
    drop(database);

    let service = open_with(&file, embedder.clone()).await.unwrap();
    let query = VectorQuery {
        scopes: vec![items[0].meta.scope.clone()],
        filter: Filter::default(),
        kind: OwnerKind::Item,
        identity: embedder.identity.clone(),
        vector: Embedding::checked(vec![13.0, 1.0, 1.0, 1.0], 4).unwrap(),
        top_k: 2,
    };
    let hits = service.store().search(&query).await;
    let first = hits.unwrap().remove(0);
    assert_eq!(first.id, items[0].meta.id);
    assert!(first.score.is_finite());
    let report = service.check(true).await.unwrap();
    let mended = report.findings.iter().filter(|finding| finding.repaired);
    assert!(mended.count() > 0, "{report:?}");
    let report = service.check(false).await.unwrap();
    assert_eq!(report.severity(), Severity::Ok, "{report:?}");
    // And it gets a vector again.
    let filled = service
        .reembed(memu::Reembed::default(), &|_, _| {})
        .await
        .unwrap();
    assert_eq!(filled.embedded.items, 1);
    let hits = service.store().search(&query).await.unwrap();
    assert_eq!(hits.len(), 2);
}

#[tokio::test]
async fn an_embedder_of_another_size_is_refused_before_anything_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memu.db");
    let service = open_with(&file, Lengths::of_dimension(4)).await.unwrap();
    service
        .memorize(memorize(conversation("c", &TALK), "alice"))
        .await
        .unwrap();
    let error = open_with(&file, Lengths::of_dimension(6))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(
        error.message(),
        "the store's vectors are from test/lengths (4 dimensions), but the configured embedder is \
         test/lengths (6 dimensions); configure the former, or run memu reembed"
    );
    let question = RetrieveRequest::question("Who learns the cello?");
    service
        .retrieve(question.matching("user_id", "alice"))
        .await
        .unwrap();
}

#[tokio::test]
async fn how_often_a_memory_was_met_is_there_after_reopening_and_ranks() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memu.db");
    let open = async || {
        let settings = json!({
            "memorize_config": {"enable_item_reinforcement": true},
            "retrieve_config": {"item": {"ranking": "salience"}},
        });
        let builder = MemoryServiceBuilder::new().database(&file.display().to_string());
        let settings = Layers::new().value(settings).settings().unwrap();
        builder.settings(settings).build().await.unwrap()
    };
    let service = open().await;
    let once = conversation("once", &[("Nora", "I love black tea with lemon.")]);
    service.memorize(memorize(once, "alice")).await.unwrap();
    for id in ["1", "2", "3"] {
        let bytes = conversation(id, &[("Nora", "I love green tea with honey.")]);
        service.memorize(memorize(bytes, "alice")).await.unwrap();
    }
    service.close().await.unwrap();
    let service = open().await;
    let question = RetrieveRequest::question("Which tea?").matching("user_id", "alice");
    let answer = service.retrieve(question).await.unwrap();
    let first = &answer.items[0].item;
    assert!(first.summary.contains("green tea"), "{first:?}");
    assert_eq!(first.reinforcement_count(), 3);
}

#[tokio::test]
async fn questions_embed_no_summary_and_no_memory_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memu.db");
    let embedder = Lengths::of_dimension(4);
    let service = open_with(&file, embedder.clone()).await.unwrap();
    service
        .memorize(memorize(conversation("c", &TALK), "alice"))
        .await
        .unwrap();
    service.close().await.unwrap();
    let service = open_with(&file, embedder.clone()).await.unwrap();
    let before = embedder.texts.load(SeqCst);
    assert!(before > 0);
    for _ in 0..5 {
        let question = RetrieveRequest::question("Who learns the cello?");
        service
            .retrieve(question.matching("user_id", "alice"))
            .await
            .unwrap();
    }
    let embedded = embedder.texts.load(SeqCst) - before;
    assert!(
        embedded <= 5,
        "{embedded} texts were embedded for 5 questions"
    );
}
