//! A service remembers what categories a scope has while it files one memory after the other;
//! what others do to them in the meantime is seen at once.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use memu::core::provider::Embedder;
use memu::core::records::{EmbedderIdentity, Embedding, Id, MemoryCategory, Meta};
use memu::core::scope::{Scope, ScopeSchema};
use memu::core::store::{Query, Store, StoreExt, Write, WriteBatch};
use memu::core::time::Timestamp;
use memu::{CreateItem, ErrorKind, MemoryService, MemoryServiceBuilder, Result};
use support::{service, stores, user};

/// Embeds, and remembers what.
#[derive(Debug)]
struct Remembering {
    identity: EmbedderIdentity,
    texts: Mutex<Vec<String>>,
}

#[async_trait]
impl Embedder for Remembering {
    fn identity(&self) -> &EmbedderIdentity {
        &self.identity
    }

    async fn embed(&self, texts: &[&str]) -> Result<Vec<Option<Embedding>>> {
        let mut known = self.texts.lock().unwrap();
        known.extend(texts.iter().map(ToString::to_string));
        let embed = |text: &&str| Embedding::checked(vec![text.len() as f32, 1.0], 2).map(Some);
        texts.iter().map(embed).collect()
    }
}

/// One of two services over the same store.
async fn open(store: &Arc<dyn Store>) -> (MemoryService, Arc<Remembering>) {
    let embedder = Arc::new(Remembering {
        identity: EmbedderIdentity {
            provider: "test".into(),
            model: "remembering".into(),
            dimension: 2,
        },
        texts: Mutex::default(),
    });
    let builder = MemoryServiceBuilder::new().store(store.clone());
    let service = builder.embedder(embedder.clone()).build().await.unwrap();
    (service, embedder)
}

async fn create(service: &MemoryService, content: &str, category: &str) -> Result<Id> {
    let request = CreateItem {
        memory_type: "event".to_owned(),
        content: content.to_owned(),
        categories: vec![category.to_owned()],
        user: user("nora"),
        propagate: false,
        extra: serde_json::Map::new(),
    };
    let created = service.create_memory_item(request).await?;
    Ok(created.memory_item.meta.id)
}

fn scope() -> Scope {
    ScopeSchema::default().scope([("user_id", "nora")]).unwrap()
}

async fn write(store: &dyn Store, write: Write) {
    let mut batch = WriteBatch::new(scope(), None);
    batch.writes.push(write);
    store.commit(batch).await.unwrap();
}

/// The summaries of what is filed under a category of this name, in order.
async fn filed_under(store: &dyn Store, name: &str) -> Vec<String> {
    let all = Query::scope(&scope());
    let categories = store.all_categories(&all).await.unwrap();
    let mut named = categories.iter().filter(|category| category.name == name);
    let category = named.next().expect("a category of this name");
    assert_eq!(named.next(), None);
    let relations = store.relations(&all).await.unwrap().records;
    let items = store.items(&all).await.unwrap().records;
    let filed = items.into_iter().filter(|item| {
        let filed = |relation: &memu::core::records::CategoryItem| {
            relation.category_id == category.meta.id && relation.item_id == item.meta.id
        };
        relations.iter().any(filed)
    });
    filed.map(|item| item.summary).collect()
}

#[tokio::test]
async fn categories_that_others_add_or_remove_are_seen_at_once() {
    for kind in stores() {
        let fixture = service(kind).await;
        let store = fixture.service.store();
        let (ours, _) = open(store).await;
        create(&ours, "Nora rows", "goals").await.unwrap();
        create(&ours, "Nora rows on Mondays", "goals")
            .await
            .unwrap();
        let boats = Id::from("c-boats");
        let category = MemoryCategory {
            meta: Meta::new(boats.clone(), scope(), Timestamp::from_micros(7)),
            name: "boats".to_owned(),
            description: "Boats and their names".to_owned(),
            summary: None,
        };
        write(&**store, Write::Category(category)).await;
        create(&ours, "Nora's boat is called Puffin", "boats")
            .await
            .unwrap();
        let found = filed_under(&**store, "boats").await;
        assert_eq!(found, ["Nora's boat is called Puffin"], "{kind}");
        create(&ours, "Nora has a canoe", "boats").await.unwrap();

        write(&**store, Write::DeleteCategory(boats)).await;
        let refused = create(&ours, "Nora has a kayak", "boats").await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Input, "{kind}");
        assert!(refused.to_string().contains("boats"), "{kind}: {refused}");
        create(&ours, "Nora swims", "goals").await.unwrap();
        let found = filed_under(&**store, "goals").await;
        let expected = ["Nora rows", "Nora rows on Mondays", "Nora swims"];
        assert_eq!(found, expected, "{kind}");
        let items = store.items(&Query::scope(&scope())).await.unwrap().records;
        assert_eq!(items.len(), 5, "{kind}: the kayak is not stored");
    }
}

#[tokio::test]
async fn what_was_embedded_is_not_embedded_again_because_others_wrote() {
    for kind in stores() {
        let fixture = service(kind).await;
        let store = fixture.service.store();
        let ((ours, embedded), (theirs, _)) = (open(store).await, open(store).await);
        let mut expected = Vec::new();
        for turn in 0..6 {
            let (mine, other) = (format!("mine, {turn}"), format!("theirs, {turn}"));
            create(&ours, &mine, "goals").await.unwrap();
            create(&theirs, &other, "goals").await.unwrap();
            expected.extend([mine, other]);
        }
        assert_eq!(filed_under(&**store, "goals").await, expected, "{kind}");
        let embedded = embedded.texts.lock().unwrap();
        let mine = embedded.iter().filter(|text| text.starts_with("mine"));
        assert_eq!(mine.count(), 6, "{kind}: {embedded:?}");
    }
}
