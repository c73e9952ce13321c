//! How vectors are stored: four bytes a number, two, or as JSON text beside them.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::path::Path;

use memu::core::records::{Embedding, OwnerKind};
use memu::core::store::{Severity, VectorQuery};
use memu::settings::Layers;
use memu::{CreateItems, MemoryService, MemoryServiceBuilder, NewItem};
use rusqlite::Connection;
use serde_json::json;
use support::{everything, user};

async fn open(path: &Path, format: &str) -> MemoryService {
    let settings = json!({"database_config": {"metadata_store": {"embedding_format": format}}});
    MemoryServiceBuilder::new()
        .settings(Layers::new().value(settings).settings().unwrap())
        .database(path.to_str().unwrap())
        .build()
        .await
        .unwrap()
}

async fn create(service: &MemoryService, numbers: std::ops::Range<usize>) {
    let items = numbers.map(|number| NewItem {
        memory_type: "profile".to_owned(),
        content: format!("Ann owns {number} red kayaks and a quilt"),
        categories: Vec::new(),
        extra: serde_json::Map::new(),
    });
    let request = CreateItems {
        items: items.collect(),
        user: user("ann"),
        propagate: false,
    };
    service.create_memory_items(request).await.unwrap();
}

/// Numbers of bytes of vectors, and how many vectors have so many.
fn lengths(path: &Path) -> Vec<(i64, i64)> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection
        .prepare("SELECT length(vector), count(*) FROM memu_embeddings GROUP BY 1 ORDER BY 1")
        .unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

#[tokio::test]
async fn every_format_is_read_whatever_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memu.db");
    for (round, format) in ["f32", "f16", "json", "f16"].iter().enumerate() {
        let service = open(&path, format).await;
        create(&service, round * 300..(round + 1) * 300).await;
        let report = service.check(false).await.unwrap();
        assert_eq!(report.severity(), Severity::Ok, "{format}: {report:?}");
        service.close().await.unwrap();
    }
    // 256 numbers; the ten categories came with the first items.
    assert_eq!(lengths(&path), [(513, 600), (1024, 610)]);

    let service = open(&path, "f32").await;
    let identity = service.context().parts().embedder.identity().clone();
    let scope = service
        .store()
        .schema()
        .scope([("user_id", "ann")])
        .unwrap();
    let store = service.store();
    for number in [100, 350, 700, 1_000] {
        let text = format!("Ann owns {number} red kayaks and a quilt");
        let query = VectorQuery {
            scopes: vec![scope.clone()],
            kind: OwnerKind::Item,
            identity: identity.clone(),
            vector: embedded(&service, &text).await,
            top_k: 1,
            filter: memu::core::filter::Filter::default(),
        };
        let hits = store.search(&query).await.unwrap();
        assert!(hits[0].score > 0.999, "{number}: {hits:?}");
    }
    service.close().await.unwrap();
}

async fn embedded(service: &MemoryService, text: &str) -> Embedding {
    let vectors = service.context().parts().embedder.embed(&[text]).await;
    vectors.unwrap().remove(0).unwrap()
}

#[tokio::test]
async fn json_tells_what_the_original_reads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memu.db");
    let service = open(&path, "json").await;
    create(&service, 0..2).await;
    let text = "Ann owns 1 red kayaks and a quilt";
    let expected = embedded(&service, text).await;
    let all = everything(&service, "ann").await;
    service.close().await.unwrap();

    let connection = Connection::open(&path).unwrap();
    // The columns that the original's models name, in each of its tables.
    for (table, columns) in [
        (
            "resources",
            "url, modality, local_path, caption, embedding_json",
        ),
        (
            "memory_categories",
            "name, description, summary, embedding_json",
        ),
        (
            "memory_items",
            "resource_id, memory_type, summary, happened_at, extra, embedding_json",
        ),
        ("category_items", "item_id, category_id"),
    ] {
        let sql =
            format!("SELECT id, created_at, updated_at, user_id, {columns} FROM memu_{table}");
        connection.prepare(&sql).unwrap();
    }
    let (json, extra): (String, String) = connection
        .query_row(
            "SELECT embedding_json, extra FROM memu_memory_items WHERE summary = ?1",
            [text],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    let numbers: Vec<f64> = serde_json::from_str(&json).unwrap();
    let numbers: Vec<f32> = numbers.into_iter().map(|number| number as f32).collect();
    assert_eq!(numbers, expected.as_slice());
    let extra: serde_json::Value = serde_json::from_str(&extra).unwrap();
    assert_eq!(extra, all["items"][1]["extra"]);
    let described: i64 = connection
        .query_row(
            "SELECT count(*) FROM memu_memory_categories WHERE embedding_json IS NOT NULL",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(described, 10);
    drop(connection);

    // Another format takes back what is no longer true.
    let service = open(&path, "f32").await;
    let id = all["items"][1]["id"].as_str().unwrap().into();
    let change = memu::UpdateItem {
        id,
        memory_type: None,
        content: Some("Ann sold her kayaks".to_owned()),
        categories: None,
        user: user("ann"),
        propagate: false,
        extra: serde_json::Map::new(),
    };
    service.update_memory_item(change).await.unwrap();
    service.close().await.unwrap();
    let told: Vec<bool> = {
        let connection = Connection::open(&path).unwrap();
        let mut statement = connection
            .prepare("SELECT embedding_json IS NOT NULL FROM memu_memory_items ORDER BY row")
            .unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    assert_eq!(told, [true, false]);
}

#[test]
fn an_unknown_format_is_refused() {
    let settings = json!({"database_config": {"metadata_store": {"embedding_format": "int8"}}});
    let error = Layers::new().value(settings).settings().unwrap_err();
    assert_eq!(
        error.message(),
        "database_config.metadata_store.embedding_format has an unusable value; it must be one of \
         `f32`, `f16`, `json`"
    );
}
