//! How fast memories are stored.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use memu::settings::EmbeddingFormat;
use memu::{CreateItem, Error, Result};
use rusqlite::Connection;

use super::files::{Folder, items, open_as, open_with};
use super::row::Row;
use super::texts::{Language, Random};
use super::vectors::{BenchEmbedder, Vectors};
use super::{in_batches_name, one_by_one_name};

/// One memory after the other, each durable before the next. Texts and vectors are there before,
/// as they are for the stand-in.
pub(super) async fn one_by_one(folder: &Folder, language: &Language, count: usize) -> Result<Row> {
    let path = folder.file("one-by-one.db");
    let embedder = Arc::new(BenchEmbedder::new(Vectors::Words)?);
    let service = open_with(&path, embedder.clone()).await?;
    let mut random = Random::new(3);
    // The first one makes the scope and its categories.
    service
        .create_memory_items(items(language, &mut random, 1, "nora"))
        .await?;
    let request = items(language, &mut random, count, "nora");
    embedder.prepare_items(&request).await?;
    let user = request.user;
    let requests: Vec<CreateItem> = request
        .items
        .into_iter()
        .map(|new| CreateItem {
            memory_type: new.memory_type,
            content: new.content,
            categories: new.categories,
            user: user.clone(),
            propagate: false,
            extra: new.extra,
        })
        .collect();
    let started = Instant::now();
    for request in requests {
        service.create_memory_item(request).await?;
    }
    let rate = count as f64 / started.elapsed().as_secs_f64();
    service.close().await?;
    let stand_in = stand_in(&folder.file("stand-in.db"), language, count)
        .map_err(|cause| Error::storage("the stand-in failed").caused_by(cause))?;
    Ok(
        Row::new(one_by_one_name(), rate, "items/s")
            .beside("stand-in for memU 1.x", Some(stand_in)),
    )
}

/// Batches of 1,000, and what the file weighs for each.
pub(super) async fn in_batches(
    folder: &Folder,
    language: &Language,
    count: usize,
) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (format, name) in [(EmbeddingFormat::F32, "f32"), (EmbeddingFormat::F16, "f16")] {
        let path = folder.file(&format!("batches-{name}.db"));
        let rate = batches(&path, format, language, count).await?;
        let what = format!("{}, {name}", in_batches_name());
        rows.push(Row::new(what, rate, "items/s"));
        let what = format!("file per item with its category, 384 dimensions, {name}");
        rows.push(Row::new(what, size(&path) / count as f64, "bytes"));
    }
    Ok(rows)
}

/// Items per second.
async fn batches(
    path: &Path,
    format: EmbeddingFormat,
    language: &Language,
    count: usize,
) -> Result<f64> {
    let embedder = Arc::new(BenchEmbedder::new(Vectors::Words)?);
    let service = open_as(path, embedder.clone(), format).await?;
    let mut random = Random::new(4);
    service
        .create_memory_items(items(language, &mut random, 1, "nora"))
        .await?;
    let mut seconds = 0.0;
    for _ in 0..count / 1_000 {
        let request = items(language, &mut random, 1_000, "nora");
        embedder.prepare_items(&request).await?;
        let started = Instant::now();
        service.create_memory_items(request).await?;
        seconds += started.elapsed().as_secs_f64();
    }
    service.close().await?;
    Ok((count / 1_000 * 1_000) as f64 / seconds)
}

fn size(path: &Path) -> f64 {
    std::fs::metadata(path).map_or(0.0, |metadata| metadata.len() as f64)
}

/// What memU 1.x does on SQLite, without its Python: a rollback journal, vectors as JSON
/// text, one commit for each row, of which there are two: the item, and its category.
fn stand_in(path: &Path, language: &Language, count: usize) -> rusqlite::Result<f64> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "CREATE TABLE memu_memory_items (id VARCHAR NOT NULL, created_at DATETIME NOT NULL,
         updated_at DATETIME NOT NULL, resource_id VARCHAR, memory_type VARCHAR NOT NULL,
         summary TEXT NOT NULL, happened_at DATETIME, extra JSON, embedding_json TEXT,
         user_id VARCHAR, PRIMARY KEY (id));
         CREATE INDEX ix_memu_memory_items__scope ON memu_memory_items (user_id);
         CREATE INDEX ix_memu_memory_items_id ON memu_memory_items (id);
         CREATE TABLE memu_category_items (id VARCHAR NOT NULL, created_at DATETIME NOT NULL,
         updated_at DATETIME NOT NULL, item_id VARCHAR NOT NULL, category_id VARCHAR NOT NULL,
         user_id VARCHAR, PRIMARY KEY (id));
         CREATE UNIQUE INDEX idx_sqlite_category_items_unique
         ON memu_category_items (item_id, category_id);
         CREATE INDEX ix_memu_category_items__scope ON memu_category_items (user_id);
         CREATE INDEX ix_memu_category_items_id ON memu_category_items (id);",
    )?;
    let mut random = Random::new(3);
    let texts: Vec<(String, String)> = (0..count)
        .map(|_| {
            let vector: Vec<String> = (0..super::vectors::DIMENSION)
                .map(|_| f64::from(random.normal()).to_string())
                .collect();
            (
                language.message(&mut random),
                format!("[{}]", vector.join(", ")),
            )
        })
        .collect();
    let started = Instant::now();
    for (number, (text, vector)) in texts.iter().enumerate() {
        let id = format!("{number:08}-0000-4000-8000-{:012x}", random.number() >> 16);
        connection.execute(
            "INSERT INTO memu_memory_items VALUES (?1, '2026-11-22 12:26:07.575130',
             '2026-11-22 12:26:07.575130', NULL, 'knowledge', ?2, NULL, '{}', ?3, 'nora')",
            (&id, text, vector),
        )?;
        connection.execute(
            "INSERT INTO memu_category_items VALUES (?1, '2026-11-22 12:26:07.575130',
             '2026-11-22 12:26:07.575130', ?1, 'e429c8f7-479a-413b-8371-3a8780b52127', 'nora')",
            [&id],
        )?;
    }
    Ok(count as f64 / started.elapsed().as_secs_f64())
}
