//! Vectors that memU 1.x stored say not whose they are. A model of their dimension uses them.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use memu::core::provider::Embedder;
use memu::core::records::{
    EmbedderIdentity, Embedding, EmbeddingSet, Id, MemoryItem, Meta, OwnedEmbedding, OwnerKind,
    SetState,
};
use memu::core::scope::ScopeSchema;
use memu::core::store::{Store, Write, WriteBatch};
use memu::core::time::Timestamp;
use memu::sqlite::{Options, SqliteStore};
use memu::{MemoryServiceBuilder, Result};

/// A model over HTTP, which nobody asks here.
#[derive(Debug)]
struct Model(EmbedderIdentity);

#[async_trait]
impl Embedder for Model {
    fn identity(&self) -> &EmbedderIdentity {
        &self.0
    }

    async fn embed(&self, _: &[&str]) -> Result<Vec<Option<Embedding>>> {
        Err(memu::Error::model("nobody asks"))
    }
}

fn identity(provider: &str, dimension: u32) -> EmbedderIdentity {
    EmbedderIdentity {
        provider: provider.to_owned(),
        model: "small".to_owned(),
        dimension,
    }
}

/// A file with a memory whose vector of three numbers is an unknown embedder's.
async fn stored(file: &Path) {
    let store = SqliteStore::open(Options::file(file)).await.unwrap();
    let scope = ScopeSchema::default().scope([("user_id", "ann")]).unwrap();
    let id = Id::from("tea");
    let mut batch = WriteBatch::new(scope.clone(), None);
    let vector = OwnedEmbedding {
        kind: OwnerKind::Item,
        owner: id.clone(),
        vector: Embedding::checked(vec![1.0, 2.0, 3.0], 3).unwrap(),
    };
    batch.writes = vec![
        Write::Item(MemoryItem {
            meta: Meta::new(id, scope, Timestamp::from_micros(7)),
            resource_id: None,
            memory_type: "profile".to_owned(),
            summary: "Ann likes tea".to_owned(),
            happened: None,
            extra: serde_json::Map::new(),
            segment_ids: Vec::new(),
        }),
        Write::Embeddings(EmbedderIdentity::unknown(3), vec![vector]),
    ];
    store.commit(batch).await.unwrap();
    store.close().await.unwrap();
}

/// The sets once a service was opened with an embedder.
async fn sets_after(file: &Path, embedder: EmbedderIdentity) -> Vec<EmbeddingSet> {
    let service = MemoryServiceBuilder::new()
        .database(&file.display().to_string())
        .embedder(Arc::new(Model(embedder)))
        .build()
        .await
        .unwrap();
    service.close().await.unwrap();
    let store = SqliteStore::open(Options::file(file)).await.unwrap();
    let sets = store.embedding_sets().await.unwrap();
    store.close().await.unwrap();
    sets
}

#[tokio::test]
async fn a_model_of_their_dimension_takes_them_into_use() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memu.db");
    stored(&file).await;
    let unknown = |sets: Vec<EmbeddingSet>| {
        assert_eq!(sets.len(), 1, "{sets:?}");
        assert_eq!(sets[0].identity, EmbedderIdentity::unknown(3));
        assert_eq!(sets[0].state, SetState::Retired);
    };
    // Neither one of another dimension nor one in this process, which memU 1.x did not know.
    unknown(sets_after(&file, identity("openai", 4)).await);
    unknown(sets_after(&file, identity("local", 3)).await);
    let sets = sets_after(&file, identity("openai", 3)).await;
    assert_eq!(sets.len(), 1, "{sets:?}");
    assert_eq!(sets[0].identity, identity("openai", 3));
    assert_eq!(sets[0].state, SetState::Active);
}
