//! Files of memU 1.x: they are upgraded in place, after a backup, and lose nothing.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod odd_rows;
#[path = "../support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};

use memu::sqlite::preview_upgrade;
use memu::{ListRequest, MemoryServiceBuilder, RetrieveRequest};
use memu_core::conformance::block_on;
use memu_core::records::{EmbedderIdentity, Id, OwnerKind, SetState};
use memu_core::scope::{Scope, ScopeSchema};
use memu_core::store::{Query, Severity, Store, StoreExt};
use memu_testkit::skip_unless_set;
use serde_json::json;
use support::original::{
    T, assert_sound, insert, item, items, open, original, rows, scope, upgraded,
};
use support::{TALK, conversation, memorize, user};

/// What is to be equal before and after, per table.
const SAME: [(&str, &str); 4] = [
    (
        "resources",
        "id, created_at, updated_at, url, modality, local_path, caption",
    ),
    (
        "memory_items",
        "id, created_at, updated_at, resource_id, memory_type, summary, happened_at",
    ),
    (
        "memory_categories",
        "id, created_at, updated_at, name, description, summary",
    ),
    (
        "category_items",
        "id, created_at, updated_at, item_id, category_id",
    ),
];

#[test]
fn the_sample_files_lose_nothing() {
    let name = "the_sample_files_lose_nothing";
    let Some(data) = skip_unless_set("MEMU_SAMPLE_DATA", name) else {
        return;
    };
    for (file, fields, counts) in [
        ("sample.db", "user_id", [4, 44, 20, 40]),
        ("scoped.db", "user_id, agent_id", [6, 66, 30, 60]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(file);
        std::fs::write(
            &path,
            std::fs::read(data.join("memu-1.5.1").join(file)).unwrap(),
        )
        .unwrap();
        let what_stays = || -> Vec<_> {
            let selects = SAME.iter().map(|(table, columns)| {
                format!("SELECT {columns}, {fields} FROM memu_{table} ORDER BY id")
            });
            selects.map(|select| rows(&path, &select)).collect()
        };
        let before = what_stays();
        let extra = "SELECT id, extra, embedding_json FROM memu_memory_items ORDER BY id";
        let details = rows(&path, extra);

        let (store, report) = upgraded(&path);
        assert_eq!(
            [
                report.resources,
                report.items,
                report.categories,
                report.relations
            ],
            counts
        );
        assert_eq!(report.unread, [], "{file}");
        assert_sound(&store);

        // The vectors are those of the JSON, bit by bit once they are f32.
        for row in &details {
            let [Some(id), Some(extra), json] = row.as_slice() else {
                panic!("{row:?}")
            };
            let owner = Id::from(id.as_str());
            let page = rows(
                &path,
                &format!("SELECT {fields} FROM memu_memory_items WHERE id = '{id}'"),
            );
            let values: Vec<(&str, &str)> = fields
                .split(", ")
                .zip(&page[0])
                .filter_map(|(field, value)| Some((field, value.as_deref()?)))
                .collect();
            let scope = store.schema().scope(values).unwrap();
            let stored = block_on(store.item(&scope, &owner)).unwrap().unwrap();
            let expected: serde_json::Value = serde_json::from_str(extra).unwrap();
            assert_eq!(serde_json::Value::Object(stored.extra), expected);
            let identity = EmbedderIdentity::unknown(384);
            let owners = [owner];
            let found = store.embeddings(&scope, &identity, OwnerKind::Item, &owners);
            let found = block_on(found).unwrap();
            assert_eq!(found.len(), usize::from(json.is_some()));
            if let (Some(found), Some(json)) = (found.first(), json) {
                let numbers: Vec<f64> = serde_json::from_str(json).unwrap();
                let numbers: Vec<f32> = numbers.into_iter().map(|number| number as f32).collect();
                assert_eq!(found.vector.as_slice(), numbers);
            }
        }
        block_on(store.close()).unwrap();

        assert_eq!(before, what_stays(), "{file}");
        let backup = report.backup.unwrap();
        assert_eq!(
            rows(Path::new(&backup), extra),
            details,
            "the backup is the file as it was"
        );
    }
}

#[test]
fn an_upgraded_file_answers_and_learns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memu.db");
    let connection = original(&path, "memu_", &["user_id"]);
    let resource = json!({"id": "r", "user_id": "alice", "url": "chat.json", "modality": "conversation",
                          "local_path": "data/resources/chat.json"});
    insert(&connection, "memu_resources", &resource);
    let mut tea = item("tea", "alice");
    tea["resource_id"] = "r".into();
    tea["summary"] = "She drinks jasmine tea in the evening".into();
    tea["embedding_json"] = "[0.5, -0.25, 1e-3]".into();
    insert(&connection, "memu_memory_items", &tea);
    insert(&connection, "memu_memory_items", &item("football", "bob"));
    drop(connection);

    block_on(async {
        let service = MemoryServiceBuilder::new()
            .database(path.to_str().unwrap())
            .build()
            .await
            .unwrap();
        let question = RetrieveRequest::question("Which tea does she drink?");
        let answer = service
            .retrieve(question.matching("user_id", "alice"))
            .await
            .unwrap();
        assert_eq!(answer.items.len(), 1);
        assert_eq!(answer.items[0].item.meta.id.as_str(), "tea");
        // The source of the same name is a new resource, beside the one whose content
        // was never in the file.
        let added = service
            .memorize(memorize(conversation("talk", &TALK), "alice"))
            .await
            .unwrap();
        assert!(!added.items.is_empty());
        let request = ListRequest {
            filter: user("alice"),
            ..ListRequest::default()
        };
        let resources = service.list_resources(request).await.unwrap().records;
        assert_eq!(resources.len(), 2);
        assert_eq!(resources[0].local_path, "data/resources/chat.json");
        let report = service.check(true).await.unwrap();
        assert_eq!(report.severity(), Severity::Ok, "{report:?}");
        service.close().await.unwrap();
    });
}

#[test]
fn every_prefix_and_a_user_model_of_any_fields_is_understood() {
    for prefix in ["memu_", "sqlite_", ""] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("memu.db");
        // SQLite keeps the prefix `sqlite_` for itself: such tables were made under
        // another name and renamed in the schema.
        let made = if prefix == "sqlite_" {
            "original_"
        } else {
            prefix
        };
        let fields = ["userId", "Tenant", "score"];
        let connection = original(&path, made, &fields);
        let mut row = item("tea", "");
        row.as_object_mut().unwrap().remove("user_id");
        row["userId"] = "alice".into();
        row["score"] = "7".into();
        insert(&connection, &format!("{made}memory_items"), &row);
        if prefix == "sqlite_" {
            connection
                .execute_batch(
                    "PRAGMA writable_schema = ON;
                     UPDATE sqlite_schema SET name = replace(name, 'original_', 'sqlite_'),
                       tbl_name = replace(tbl_name, 'original_', 'sqlite_'),
                       sql = replace(sql, 'original_', 'sqlite_');
                     PRAGMA writable_schema = RESET;",
                )
                .unwrap();
        }
        connection.close().unwrap();

        let (store, report) = upgraded(&path);
        assert_eq!(report.scope_fields, ["user_id", "tenant", "scope_score"]);
        assert_eq!((report.items, report.unread.len()), (1, 0));
        let schema = ScopeSchema::new(["user_id", "tenant", "scope_score"]).unwrap();
        let scope = schema
            .scope([("user_id", "alice"), ("scope_score", "7")])
            .unwrap();
        assert_eq!(items(&store, &scope).len(), 1, "{prefix}");
        assert_sound(&store);
        block_on(store.close()).unwrap();
        let left = rows(
            &path,
            "SELECT name FROM sqlite_schema WHERE name LIKE 'original%' OR name LIKE 'ix_%'
             OR name LIKE 'sqlite\\_memory%' ESCAPE '\\'",
        );
        assert_eq!(left, Vec::<Vec<Option<String>>>::new(), "{prefix}");
    }
}

#[test]
fn rows_of_several_users_come_to_scopes_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memu.db");
    let connection = original(&path, "memu_", &["user_id"]);
    for (id, user) in [("a1", "alice"), ("b1", "bob"), ("a2", "alice")] {
        insert(&connection, "memu_memory_items", &item(id, user));
    }
    insert(
        &connection,
        "memu_memory_items",
        &json!({"id": "n", "memory_type": "event", "summary": "nobody's"}),
    );
    // One user's item in another's category: the original does that.
    let category = json!({"id": "c", "user_id": "alice", "name": "preferences",
                          "description": "likes", "summary": "Alice likes a1."});
    insert(&connection, "memu_memory_categories", &category);
    for (id, item) in [("r1", "a1"), ("r2", "b1")] {
        insert(
            &connection,
            "memu_category_items",
            &json!({"id": id, "user_id": if item == "b1" { "bob" } else { "alice" },
                    "item_id": item, "category_id": "c"}),
        );
    }
    drop(connection);

    let (store, report) = upgraded(&path);
    let (alice, bob) = (scope(&[("user_id", "alice")]), scope(&[("user_id", "bob")]));
    let ids = |scope: &Scope| -> Vec<String> {
        let items = items(&store, scope).into_iter();
        items.map(|item| item.meta.id.to_string()).collect()
    };
    assert_eq!(ids(&alice), ["a1", "a2"]);
    assert_eq!(ids(&bob), ["b1"]);
    assert_eq!(ids(&ScopeSchema::default().empty_scope()), ["n"]);
    let categories = block_on(store.all_categories(&Query::scope(&bob))).unwrap();
    assert_eq!(categories.len(), 1);
    assert_eq!(categories[0].name, "preferences");
    assert_eq!(categories[0].summary, None, "alice's summary stays hers");
    let relations = block_on(store.all_relations(&Query::scope(&bob))).unwrap();
    assert_eq!(relations[0].category_id, categories[0].meta.id);
    assert_eq!(report.scopes, 3);
    assert_eq!(report.relations, 2);
    assert_eq!(report.unread.len(), 1);
    assert!(
        report.unread[0]
            .reason
            .contains("category is of another scope")
    );
    assert_sound(&store);
    block_on(store.close()).unwrap();
}
