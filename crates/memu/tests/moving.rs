//! Opening the two ends of a move.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::path::Path;

use memu::core::filter::Filter;
use memu::core::store::Severity;
use memu::core::transfer::Transfer;
use memu::moving::{End, open_source, open_target};
use memu::settings::{EmbeddingFormat, Settings};
use memu::{CreateItem, Dsn, MemoryServiceBuilder};

fn at(path: &Path) -> MemoryServiceBuilder {
    MemoryServiceBuilder::new().database(path.to_str().unwrap())
}

async fn source(path: &Path) -> End {
    let service = at(path).build().await.unwrap();
    let user = serde_json::json!({ "user_id": "nora" });
    let item = CreateItem {
        memory_type: "profile".to_owned(),
        content: "Nora likes tea".to_owned(),
        categories: Vec::new(),
        extra: serde_json::Map::new(),
        user: user.as_object().unwrap().clone(),
        propagate: true,
    };
    service.create_memory_item(item).await.unwrap();
    service.close().await.unwrap();
    open_source(at(path)).await.unwrap()
}

async fn moved(source: &End, target: &End) -> u64 {
    let transfer = Transfer {
        from: source.side.clone(),
        to: target.side.clone(),
        filter: Filter::default(),
    };
    let quiet = |_, _, _| {};
    let plan = transfer.plan(&quiet).await.unwrap();
    transfer.run(plan, &quiet).await.unwrap().put
}

/// A process that is killed while it makes the target leaves a file and a journal that says how
/// to take it back.
#[tokio::test]
async fn a_target_that_was_cut_off_when_it_was_made_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let source = source(&folder.path().join("old.db")).await;
    let (being_made, target) = (folder.path().join("made.db"), folder.path().join("new.db"));
    let connection = rusqlite::Connection::open(&being_made).unwrap();
    connection
        .execute_batch(
            "PRAGMA cache_size = 1; BEGIN; CREATE TABLE t (a);
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
             INSERT INTO t SELECT zeroblob(1000) FROM n;",
        )
        .unwrap();
    for ending in ["", "-journal"] {
        let name = |file: &Path| format!("{}{ending}", file.display());
        std::fs::copy(name(&being_made), name(&target)).unwrap();
    }
    assert!(std::fs::metadata(&target).unwrap().len() > 1_000_000);
    let target = open_target(at(&target), &source).await.unwrap();
    assert!(moved(&source, &target).await > 1);
    let report = target.side.store.check(false).await.unwrap();
    assert_eq!(report.severity(), Severity::Ok, "{report:?}");
}

/// Half of the bits of a vector would not be the same vector.
#[tokio::test]
async fn vectors_arrive_in_full_whatever_is_configured_for_new_ones() {
    let folder = tempfile::tempdir().unwrap();
    let source = source(&folder.path().join("old.db")).await;
    let mut settings = Settings::default();
    settings.database_config.metadata_store.embedding_format = EmbeddingFormat::F16;
    let path = folder.path().join("new.db");
    let target = open_target(at(&path).settings(settings), &source)
        .await
        .unwrap();
    assert_eq!(target.place, Dsn::Sqlite(path));
    assert!(moved(&source, &target).await > 1);
}
