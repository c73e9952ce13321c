//! Tables of memU 1.x become ours in place, and lose nothing.

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

use memu_core::filter::Filter;
use memu_core::records::{EmbedderIdentity, Embedding, Id, OwnerKind, SetState};
use memu_core::scope::{Scope, ScopeSchema};
use memu_core::store::{Query, Store, StoreExt, VectorQuery};
use memu_postgres::{PostgresStore, preview_upgrade};
use memu_testkit::postgres::{Database, database};
use serde_json::{Value, json};
use support::{
    SAME, T, assert_sound, everything, insert, item, literal, open, options, original, scope,
    upgraded,
};

/// Rows of all tables, with what each column may hold. The scope columns have `values`.
fn fill(database: &Database, fields: &[(&str, &str)]) {
    let of = |row: &[(&'static str, &'static str)]| {
        let scope = fields.iter().copied();
        row.iter()
            .copied()
            .chain(scope)
            .collect::<Vec<(&str, &str)>>()
    };
    insert(
        database,
        "resources",
        &of(&[
            ("id", "'r'"),
            ("created_at", "'2024-02-29 23:59:59.999999+05:30'"),
            ("url", "'it''s.json'"),
            ("modality", "'conversation'"),
            ("local_path", "'data/resources/its.json'"),
            ("caption", "U&'\\2615 \\+01F980'"),
            (
                "embedding",
                "(SELECT array_agg(sin(n * 0.7) * 1e-3)::vector FROM generate_series(1, 384) n)",
            ),
        ]),
    );
    insert(
        database,
        "memory_categories",
        &of(&[
            ("id", "'c'"),
            ("name", "'preferences'"),
            ("description", "''"),
            ("summary", "'Tea.'"),
            (
                "embedding",
                "(SELECT array_agg(cos(n * 1.3) / 3)::vector FROM generate_series(1, 384) n)",
            ),
        ]),
    );
    insert(
        database,
        "memory_items",
        &of(&[
            ("id", "'b40356ee-f4c7-4e18-872c-6afd267affac'"),
            ("updated_at", "'2026-11-23 00:00:00+00'"),
            ("resource_id", "'r'"),
            ("memory_type", "'event'"),
            ("summary", "E'Drinks jasmine tea\\nin the evening'"),
            ("happened_at", "'2023-05-08 13:56:00.25'"),
            (
                "extra",
                "'{\"n\": 1.5, \"ref_id\": \"b40356\", \"deep\": [{\"a\": null}, true, \"\\u00e9\"]}'",
            ),
            // Every float that vectors hold comes over bit by bit, the smallest included.
            (
                "embedding",
                "(SELECT array_agg(x)::vector FROM (SELECT (random() - 0.5) * power(10, -(n % 30)) \
              FROM generate_series(1, 381) n UNION ALL VALUES (1e-45), (3.4028235e38), (0.1)) v (x))",
            ),
        ]),
    );
    insert(
        database,
        "memory_items",
        &of(&[
            ("id", "'plain'"),
            ("memory_type", "'profile'"),
            ("summary", "'Is called Ann'"),
            ("extra", "NULL"),
        ]),
    );
    insert(
        database,
        "category_items",
        &of(&[
            ("id", "'x'"),
            ("item_id", "'b40356ee-f4c7-4e18-872c-6afd267affac'"),
            ("category_id", "'c'"),
        ]),
    );
}

/// The values that both have, in the tables of a schema.
fn same(database: &Database, schema: &str, fields: &[(&str, &str)]) -> Vec<Vec<Option<String>>> {
    let scope: Vec<String> = fields
        .iter()
        .map(|(name, _)| format!(", \"{name}\""))
        .collect();
    let scope = scope.concat();
    SAME.iter()
        .flat_map(|(table, columns)| {
            database.rows(&format!(
                "SELECT {columns}{scope} FROM {schema}.{table} ORDER BY id"
            ))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_value_arrives_whatever_the_user_model() {
    let test = "every_value_arrives_whatever_the_user_model";
    let models: [&[(&str, &str)]; 4] = [
        &[("user_id", "'alice'")],
        &[("user_id", "'alice'"), ("agent_id", "'a1'")],
        &[("user_id", "NULL")],
        &[],
    ];
    for fields in models {
        let Some(database) = database(test) else {
            return;
        };
        let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
        original(&database, &names);
        fill(&database, fields);
        let rows = everything(&database, "public");
        let before = same(&database, "public", fields);

        let (store, report) = upgraded(&database).await;
        let expected: &[&str] = if fields.is_empty() {
            &["user_id"]
        } else {
            &names
        };
        assert_eq!(report.scope_fields, expected);
        let counts = [
            report.resources,
            report.items,
            report.categories,
            report.relations,
        ];
        assert_eq!(counts, [1, 2, 1, 1]);
        assert_eq!((report.scopes, report.same_names), (1, 0));
        assert_eq!(report.unread, []);
        assert_eq!(report.vectors[0].dimension, 384);
        assert_eq!((report.vectors.len(), report.vectors[0].count), (1, 3));
        assert!(report.bytes_before > 0 && report.bytes_after > 0);
        assert!(
            report.place.ends_with(&format!("/{}", database.name())),
            "{report:?}"
        );
        assert!(!report.place.contains('@'), "{report:?}");
        assert_sound(&store, false).await;
        store.close().await.unwrap();

        assert_eq!(same(&database, "public", fields), before);
        for (table, kind) in [
            ("resources", 0),
            ("memory_items", 2),
            ("memory_categories", 3),
        ] {
            let vectors = |of: &str| {
                database.rows(&format!(
                    "SELECT t.id, v.embedding::text FROM {of} ORDER BY t.id"
                ))
            };
            let ours = vectors(&format!(
                "public.{table} t JOIN memu_vectors_1 v ON v.scope_key = t.scope_key \
                 AND v.owner_place = t.place AND v.owner_kind = {kind}"
            ));
            let theirs = vectors(&format!(
                "memu_1x.{table} t JOIN memu_1x.{table} v ON v.id = t.id \
                 AND v.embedding IS NOT NULL"
            ));
            assert_eq!(ours.len(), 1, "{table}");
            assert_eq!(ours, theirs, "{table}");
        }
        // The original's tables are as they were, in another schema.
        assert_eq!(report.backup.as_deref(), Some("memu_1x"));
        assert_eq!(everything(&database, "memu_1x"), rows);
        let indexes = "SELECT count(*) FROM pg_indexes WHERE schemaname = 'memu_1x'";
        let scope_indexes = if fields.is_empty() { 0 } else { 4 };
        assert_eq!(database.value(indexes), (11 + scope_indexes).to_string());
        database.rows("DROP SCHEMA memu_1x CASCADE");
        let again = open(&database).await;
        assert_eq!(again.upgraded(), None);
        assert_sound(&again, false).await;
        again.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_several_users_come_to_scopes_of_their_own() {
    let test = "rows_of_several_users_come_to_scopes_of_their_own";
    let Some(database) = database(test) else {
        return;
    };
    original(&database, &["user_id"]);
    for (id, user) in [("a1", "alice"), ("b1", "bob"), ("a2", "alice")] {
        item(&database, id, user, &[]);
    }
    item(&database, "n", "nobody", &[("user_id", "NULL")]);
    // One user's item in another's category: the original does that.
    let category = [
        ("id", "'c'"),
        ("user_id", "'alice'"),
        ("name", "'preferences'"),
        ("description", "'likes'"),
        ("summary", "'Alice likes a1.'"),
    ];
    insert(&database, "memory_categories", &category);
    for (id, item, user) in [("'r1'", "'a1'", "'alice'"), ("'r2'", "'b1'", "'bob'")] {
        let row = [
            ("id", id),
            ("item_id", item),
            ("category_id", "'c'"),
            ("user_id", user),
        ];
        insert(&database, "category_items", &row);
    }

    let (store, report) = upgraded(&database).await;
    let (alice, bob) = (scope(&[("user_id", "alice")]), scope(&[("user_id", "bob")]));
    assert_eq!(ids(&store, &alice).await, ["a1", "a2"]);
    assert_eq!(ids(&store, &bob).await, ["b1"]);
    assert_eq!(
        ids(&store, &ScopeSchema::default().empty_scope()).await,
        ["n"]
    );
    let categories = store.all_categories(&Query::scope(&bob)).await.unwrap();
    assert_eq!(categories.len(), 1);
    assert_eq!(categories[0].name, "preferences");
    assert_eq!(categories[0].summary, None, "alice's summary stays hers");
    let relations = store.all_relations(&Query::scope(&bob)).await.unwrap();
    assert_eq!(relations[0].category_id, categories[0].meta.id);
    assert_eq!((report.scopes, report.relations), (3, 2));
    assert_eq!(report.unread.len(), 1);
    assert!(
        report.unread[0]
            .reason
            .contains("category is of another scope")
    );
    assert_sound(&store, true).await;
    store.close().await.unwrap();
}

async fn ids(store: &PostgresStore, scope: &Scope) -> Vec<String> {
    let items = store.all_items(&Query::scope(scope)).await.unwrap();
    items
        .into_iter()
        .map(|item| item.meta.id.to_string())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_vectors_are_found() {
    let Some(database) = database("the_old_vectors_are_found") else {
        return;
    };
    original(&database, &["user_id"]);
    item(&database, "tea", "alice", &[("embedding", "'[0.6,0.8,0]'")]);
    item(
        &database,
        "football",
        "alice",
        &[("embedding", "'[0,0,-2]'")],
    );
    item(&database, "other", "alice", &[("embedding", "'[1,0]'")]);
    item(
        &database,
        "theirs",
        "bob",
        &[("embedding", "'[0.6,0.8,0]'")],
    );
    let (store, _) = upgraded(&database).await;
    let alice = scope(&[("user_id", "alice")]);
    let query = VectorQuery {
        scopes: vec![alice.clone()],
        filter: Filter::default(),
        kind: OwnerKind::Item,
        identity: EmbedderIdentity::unknown(3),
        vector: Embedding::checked(vec![0.6, 0.8, 0.0], 3).unwrap(),
        top_k: 5,
    };
    let hits = store.search(&query).await.unwrap();
    let found: Vec<(&str, f32)> = hits
        .iter()
        .map(|hit| (hit.id.as_str(), hit.score))
        .collect();
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].0, found[1].0), ("tea", "football"));
    assert!(found[0].1 > 0.9999 && found[1].1.abs() < 1e-6, "{found:?}");
    let owners = [Id::from("football")];
    let stored = store.embeddings(&alice, &query.identity, OwnerKind::Item, &owners);
    assert_eq!(stored.await.unwrap()[0].vector.as_slice(), [0.0, 0.0, -2.0]);
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_rows_come_page_by_page() {
    let Some(database) = database("many_rows_come_page_by_page") else {
        return;
    };
    original(&database, &["user_id"]);
    database.rows(&format!(
        "INSERT INTO memory_categories (id, created_at, updated_at, name, description, user_id) \
         SELECT 'c' || u || '-' || n, '{T}', '{T}', 'topic ' || n, '', 'user ' || u \
         FROM generate_series(1, 3) u, generate_series(1, 10) n; \
         INSERT INTO memory_items (id, created_at, updated_at, memory_type, summary, embedding, user_id) \
         SELECT 'i' || u || '-' || n, timestamptz '{T}' + n * interval '1 s', '{T}', 'event', \
         'walked ' || n || ' miles', ARRAY[n, u, 1]::real[]::vector, 'user ' || u \
         FROM generate_series(1, 3) u, generate_series(1, 1500) n; \
         INSERT INTO category_items (id, created_at, updated_at, item_id, category_id, user_id) \
         SELECT 'r' || u || '-' || n, '{T}', '{T}', 'i' || u || '-' || n, \
         'c' || u || '-' || 1 + n % 10, 'user ' || u \
         FROM generate_series(1, 3) u, generate_series(1, 1500) n;"
    ));
    let (store, report) = upgraded(&database).await;
    assert_eq!(
        (report.scopes, report.items, report.relations),
        (3, 4_500, 4_500)
    );
    assert_eq!(report.unread, []);
    assert_sound(&store, false).await;
    // In the order in which they were made.
    let found = ids(&store, &scope(&[("user_id", "user 2")])).await;
    let expected: Vec<String> = (1..=1500).map(|n| format!("i2-{n}")).collect();
    assert_eq!(found, expected);
    store.close().await.unwrap();
}
