//! The store below the verbs, as the documented code for export and migration uses it.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod refused;

use std::sync::Arc;

use memu::core::records::{EmbedderIdentity, Embedding};
use memu::core::scope::ScopeSchema;
use memu::core::store::{InMemoryStore, Severity};
use memu::database::{
    CreateCategory, CreateItem, CreateResource, Database, Object, Ranking, UpdateCategory,
    UpdateItem, VectorSearch,
};
use memu::sqlite::{Options, SqliteStore};
use memu::{ErrorKind, Id, MemoryServiceBuilder, Modality, RetrieveRequest};
use serde_json::json;

fn object(value: serde_json::Value) -> Object {
    match value {
        serde_json::Value::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}

fn of(user: &str) -> Object {
    object(json!({ "user_id": user }))
}

fn in_memory() -> Database {
    Database::new(Arc::new(InMemoryStore::new(ScopeSchema::default())))
}

async fn in_a_file(path: &std::path::Path) -> Database {
    Database::new(Arc::new(
        SqliteStore::open(Options::file(path)).await.unwrap(),
    ))
}

/// Two users with equal texts; alice's item is cited by a reference of its own.
async fn fill(database: &Database) {
    for user in ["alice", "bob"] {
        let mut resource = CreateResource::new("chat.json", Modality::Conversation, of(user));
        resource.id = Some(Id::from(format!("{user}-chat").as_str()));
        "/data/chat.json".clone_into(&mut resource.local_path);
        resource.caption = Some("about tea".to_owned());
        resource.embedding = Some(vec![1.0, 0.5, 0.0]);
        let resource = database
            .resource_repo
            .create_resource(resource)
            .await
            .unwrap();
        let category = database
            .memory_category_repo
            .get_or_create_category(CreateCategory {
                name: "preferences".to_owned(),
                description: "what they like".to_owned(),
                embedding: Some(vec![0.0, 1.0, 0.0]),
                user_data: of(user),
                ..CreateCategory::default()
            })
            .await
            .unwrap();
        for (place, text) in ["Likes tea", "Likes rain", "Likes maps"].iter().enumerate() {
            let item = database
                .memory_item_repo
                .create_item(CreateItem {
                    resource_id: Some(resource.meta.id.clone()),
                    memory_type: "profile".to_owned(),
                    summary: (*text).to_owned(),
                    embedding: Some(vec![1.0, place as f32, 0.1]),
                    extra: object(json!({ "ref_id": format!("{user}{place}") })),
                    user_data: of(user),
                    ..CreateItem::default()
                })
                .await
                .unwrap();
            database
                .category_item_repo
                .link_item_category(item.meta.id.clone(), category.meta.id.clone(), of(user))
                .await
                .unwrap();
        }
    }
}

/// As the documentation of memU 1.x goes through a store, with all four kinds.
async fn copy(from: &Database, to: &Database) {
    let loaded = from.load_existing().await.unwrap();
    let values =
        |embedding: &Option<Embedding>| embedding.as_ref().map(|one| one.as_slice().to_vec());
    let user = |meta: &memu::core::records::Meta| of(meta.scope.get("user_id").unwrap());
    for one in &loaded.resources {
        let mut new = CreateResource::new(&one.url, one.modality, user(&one.meta));
        new.id = Some(one.meta.id.clone());
        new.local_path.clone_from(&one.local_path);
        new.caption.clone_from(&one.caption);
        new.embedding = values(&one.embedding);
        to.resource_repo.create_resource(new).await.unwrap();
    }
    for one in &loaded.categories {
        let new = CreateCategory {
            id: Some(one.meta.id.clone()),
            name: one.name.clone(),
            description: one.description.clone(),
            summary: one.summary.clone(),
            embedding: values(&one.embedding),
            user_data: user(&one.meta),
        };
        to.memory_category_repo.create_category(new).await.unwrap();
    }
    for one in &loaded.items {
        let new = CreateItem {
            id: Some(one.meta.id.clone()),
            resource_id: one.resource_id.clone(),
            memory_type: one.memory_type.clone(),
            summary: one.summary.clone(),
            embedding: values(&one.embedding),
            extra: one.extra.clone(),
            user_data: user(&one.meta),
            ..CreateItem::default()
        };
        to.memory_item_repo.create_item(new).await.unwrap();
    }
    for one in &loaded.relations {
        let (item, category) = (one.item_id.clone(), one.category_id.clone());
        let linked = to
            .category_item_repo
            .link_item_category(item, category, user(&one.meta))
            .await;
        linked.unwrap();
    }
}

/// What two stores must have in common: all but the times.
async fn told(database: &Database) -> String {
    let loaded = database.load_existing().await.unwrap();
    let mut told = Vec::new();
    for one in &loaded.resources {
        let vector = vector(one.embedding.as_ref());
        told.push(format!("{} {} {vector:?}", one.meta.id, one.local_path));
    }
    for one in &loaded.items {
        let vector = vector(one.embedding.as_ref());
        told.push(format!(
            "{} {:?} {} {:?} {vector:?}",
            one.meta.id, one.resource_id, one.summary, one.extra
        ));
    }
    for one in &loaded.categories {
        let vector = vector(one.embedding.as_ref());
        told.push(format!("{} {} {vector:?}", one.meta.id, one.name));
    }
    for one in &loaded.relations {
        let (scope, item, category) = (&one.meta.scope, &one.item_id, &one.category_id);
        told.push(format!("{scope} {item} {category}"));
    }
    told.join("\n")
}

fn vector(embedding: Option<&Embedding>) -> Option<&[f32]> {
    embedding.map(Embedding::as_slice)
}

#[tokio::test]
async fn the_documented_copy_keeps_ids_vectors_and_relations() {
    let folder = tempfile::tempdir().unwrap();
    let source = in_memory();
    fill(&source).await;
    let file = in_a_file(&folder.path().join("memu.db")).await;
    copy(&source, &file).await;
    assert_eq!(told(&file).await, told(&source).await);
    assert!(told(&file).await.contains("Some([1.0, 2.0, 0.1])"));
    assert_eq!(file.items().await.unwrap().len(), 6);
    assert_eq!(file.categories().await.unwrap().len(), 2);
    assert_eq!(file.resources().await.unwrap().len(), 2);
    assert_eq!(file.relations().await.unwrap().len(), 6);
    let report = file.store().check(false).await.unwrap();
    assert_eq!(report.severity(), Severity::Ok, "{report:?}");
    file.close().await.unwrap();

    // The verbs find what was put below them.
    let path = folder.path().join("memu.db");
    let service = MemoryServiceBuilder::new()
        .database(path.to_str().unwrap())
        .build()
        .await
        .unwrap();
    let question = RetrieveRequest::question("Who likes maps?").matching("user_id", "bob");
    let answer = service.retrieve(question).await.unwrap();
    assert_eq!(answer.items[0].item.summary, "Likes maps");
    service.close().await.unwrap();
}

#[tokio::test]
async fn records_are_read_changed_and_removed() {
    let database = in_memory();
    fill(&database).await;
    let items = &database.memory_item_repo;
    let found = items
        .list_items_by_ref_ids(vec!["alice1".to_owned()], of("alice"))
        .await
        .unwrap();
    assert_eq!(found[0].summary, "Likes rain");
    let id = found[0].meta.id.clone();
    let nobody = items.list_items_by_ref_ids(vec!["alice1".to_owned()], of("bob"));
    assert!(nobody.await.unwrap().is_empty());

    let change = UpdateItem {
        summary: Some("Likes heavy rain".to_owned()),
        extra: object(json!({ "seen": 1 })),
        tool_record: object(json!({ "when_to_use": "In autumn", "other": 2 })),
        ..UpdateItem::default()
    };
    let changed = items.update_item(id.clone(), change).await.unwrap();
    assert_eq!(changed.embedding, found[0].embedding);
    let again = items.get_item(id.clone()).await.unwrap().unwrap();
    assert_eq!(again, changed);
    let expected = json!({ "ref_id": "alice1", "seen": 1, "when_to_use": "In autumn" });
    assert_eq!(json!(again.extra), expected);

    let relations = &database.category_item_repo;
    let of_item = relations.get_item_categories(id.clone()).await.unwrap();
    assert_eq!(of_item.len(), 1);
    let category = of_item[0].category_id.clone();
    let change = UpdateCategory {
        summary: Some("Alice likes three things".to_owned()),
        ..UpdateCategory::default()
    };
    let categories = &database.memory_category_repo;
    let changed = categories
        .update_category(category.clone(), change)
        .await
        .unwrap();
    assert_eq!(changed.name, "preferences");
    assert_eq!(changed.summary.as_deref(), Some("Alice likes three things"));
    relations
        .unlink_item_category(id.clone(), category.clone())
        .await
        .unwrap();
    relations
        .unlink_item_category(id.clone(), category)
        .await
        .unwrap();
    assert!(
        relations
            .get_item_categories(id.clone())
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        relations.list_relations(of("alice")).await.unwrap().len(),
        2
    );

    items.delete_item(id.clone()).await.unwrap();
    items.delete_item(id.clone()).await.unwrap();
    assert!(items.get_item(id).await.unwrap().is_none());
    assert_eq!(items.clear_items(of("alice")).await.unwrap().len(), 2);
    assert_eq!(
        categories
            .clear_categories(of("alice"))
            .await
            .unwrap()
            .len(),
        1
    );
    let resources = &database.resource_repo;
    assert_eq!(resources.clear_resources(of("bob")).await.unwrap().len(), 1);
    assert!(items.load_existing().await.unwrap().is_empty());
    assert_eq!(
        categories.list_categories(of("bob")).await.unwrap().len(),
        1
    );
}

#[tokio::test]
async fn many_items_are_told_with_their_own_vectors() {
    let database = in_memory();
    let items = &database.memory_item_repo;
    let new = |user: &str, embedding: Option<Vec<f32>>| CreateItem {
        id: Some(Id::from("same")),
        memory_type: "profile".to_owned(),
        summary: format!("of {user}"),
        embedding,
        user_data: of(user),
        ..CreateItem::default()
    };
    let given = vec![new("alice", None), new("bob", Some(vec![0.0, 1.0]))];
    let kept = items.create_items(given).await.unwrap();
    assert_eq!(kept[0].embedding, None);
    let bobs = kept[1].embedding.as_ref().map(Embedding::as_slice);
    assert_eq!(bobs, Some([0.0, 1.0].as_slice()));
    assert_eq!(items.load_existing().await.unwrap(), kept);
    let error = items.create_items(vec![new("alice", None)]).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(items.load_existing().await.unwrap(), kept);
}

#[tokio::test]
async fn equal_memories_are_counted_and_ranked_by_that() {
    let database = in_memory();
    fill(&database).await;
    let items = &database.memory_item_repo;
    let again = CreateItem {
        memory_type: "profile".to_owned(),
        summary: " likes  RAIN ".to_owned(),
        embedding: Some(vec![9.0, 9.0, 9.0]),
        reinforce: true,
        user_data: of("alice"),
        ..CreateItem::default()
    };
    for count in 2..5 {
        let met = items.create_item(again.clone()).await.unwrap();
        assert_eq!(met.summary, "Likes rain");
        assert_eq!(met.reinforcement_count(), count);
        assert_eq!(vector(met.embedding.as_ref()), Some(&[1.0, 1.0, 0.1][..]));
    }
    let mut search = VectorSearch::new(vec![1.0, 0.0, 0.1], 2, of("alice"));
    let names = |hits: Vec<(Id, f32)>| async move {
        let mut names = Vec::new();
        for (id, _) in hits {
            names.push(items.get_item(id).await.unwrap().unwrap().record.summary);
        }
        names
    };
    let hits = items.vector_search_items(search.clone()).await.unwrap();
    assert!((hits[0].1 - 1.0).abs() < 1e-6);
    assert_eq!(names(hits).await, ["Likes tea", "Likes rain"]);
    search.ranking = Ranking::Salience;
    let hits = items.vector_search_items(search).await.unwrap();
    assert_eq!(names(hits).await[0], "Likes rain");

    // Vectors of a known embedder are searched by the store's index.
    let identity = EmbedderIdentity {
        provider: "test".to_owned(),
        model: "three".to_owned(),
        dimension: 3,
    };
    let known = in_memory().embedder(identity);
    fill(&known).await;
    let search = VectorSearch::new(vec![1.0, 2.0, 0.1], 1, of("bob"));
    let hits = known
        .memory_item_repo
        .vector_search_items(search)
        .await
        .unwrap();
    assert!((hits[0].1 - 1.0).abs() < 1e-6);
}
