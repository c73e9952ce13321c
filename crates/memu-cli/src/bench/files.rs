//! The memories that are measured on.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use memu::settings::{EmbeddingFormat, Settings};
use memu::{CreateItems, Error, MemoryService, MemoryServiceBuilder, NewItem, Result};
use serde_json::{Map, Value};

use super::texts::{Language, Random};
use super::vectors::{BenchEmbedder, Vectors};

/// A folder for the files of one run, removed with it unless they are to be kept.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    keep: bool,
}

impl Folder {
    pub(super) fn new(parent: &Path, keep: bool) -> Result<Self> {
        let path = parent.join(format!("memu-bench-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|cause| {
            Error::storage("the folder for benchmarks cannot be made")
                .with("folder", path.display())
                .caused_by(cause)
        })?;
        Ok(Self { path, keep })
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.keep {
            // What is left is in the folder for temporary files.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

pub(super) async fn open(path: &Path, vectors: Vectors) -> Result<MemoryService> {
    open_with(path, Arc::new(BenchEmbedder::new(vectors)?)).await
}

pub(super) async fn open_with(path: &Path, embedder: Arc<BenchEmbedder>) -> Result<MemoryService> {
    open_as(path, embedder, EmbeddingFormat::F32).await
}

pub(super) async fn open_as(
    path: &Path,
    embedder: Arc<BenchEmbedder>,
    format: EmbeddingFormat,
) -> Result<MemoryService> {
    let mut settings = Settings::default();
    settings.database_config.metadata_store.embedding_format = format;
    MemoryServiceBuilder::new()
        .settings(settings)
        .database(&path.display().to_string())
        .embedder(embedder)
        .build()
        .await
}

/// A memory on a server.
pub(super) async fn open_at(dsn: &str, embedder: Arc<BenchEmbedder>) -> Result<MemoryService> {
    let builder = MemoryServiceBuilder::new().database(dsn);
    builder.embedder(embedder).build().await
}

/// A memory of whatever kind whose vectors are compared with those of questions; up to so many
/// are held in memory.
pub(super) async fn open_comparing(
    dsn: &str,
    vectors: Vectors,
    in_memory: Option<usize>,
) -> Result<MemoryService> {
    let mut settings = Settings::default();
    if let Some(most) = in_memory {
        settings.retrieve_config.ranking.embedded_in_memory = most;
    }
    let embedder = BenchEmbedder::new(vectors)?.comparing();
    MemoryServiceBuilder::new()
        .settings(settings)
        .database(dsn)
        .embedder(Arc::new(embedder))
        .build()
        .await
}

pub(super) fn user(name: &str) -> Map<String, Value> {
    Map::from_iter([("user_id".to_owned(), name.into())])
}

/// The type of one memory in ten.
pub(super) const RARE_TYPE: &str = "event";

/// So many memories, as a request.
pub(super) fn items(
    language: &Language,
    random: &mut Random,
    count: usize,
    user_name: &str,
) -> CreateItems {
    CreateItems {
        items: (0..count)
            .map(|number| NewItem {
                memory_type: (if number % 10 == 0 {
                    RARE_TYPE
                } else {
                    "knowledge"
                })
                .to_owned(),
                content: language.message(random),
                categories: Vec::new(),
                extra: Map::new(),
            })
            .collect(),
        user: user(user_name),
        propagate: false,
    }
}
