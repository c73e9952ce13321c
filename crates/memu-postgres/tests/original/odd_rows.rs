//! Rows that memU 1.x cannot have meant.

use super::*;

/// What was kept of a row: the reason and the content.
fn kept(database: &Database, id: &str) -> Vec<(String, Value)> {
    let id = literal(id);
    database
        .rows(&format!(
            "SELECT reason, content FROM memu_unread WHERE id = {id} ORDER BY number"
        ))
        .into_iter()
        .map(|row| {
            let content = serde_json::from_str(row[1].as_ref().unwrap()).unwrap();
            (row[0].clone().unwrap(), content)
        })
        .collect()
}

/// Every oddity that such tables may hold.
fn odd_rows(database: &Database) {
    original(database, &["user_id"]);
    let crowd = literal(&"x".repeat(600));
    // What the original's own constraints would keep out came through a restored dump.
    database.rows(
        "ALTER TABLE category_items DROP CONSTRAINT category_items_item_id_fkey, \
           DROP CONSTRAINT category_items_category_id_fkey; \
         ALTER TABLE memory_items DROP CONSTRAINT memory_items_resource_id_fkey; \
         ALTER TABLE memory_items ALTER summary DROP NOT NULL; \
         ALTER TABLE memory_items ADD note TEXT;",
    );
    let rows: [(&str, &[(&str, &str)]); 16] = [
        ("zeros", &[("embedding", "'[0,0]'")]),
        ("short", &[("embedding", "'[1,2]'")]),
        ("long", &[("embedding", "'[1,2,3]'")]),
        ("none", &[("embedding", "NULL")]),
        (
            "undated",
            &[
                ("created_at", "'infinity'"),
                ("updated_at", "'2026-11-23 00:00:00+00'"),
            ],
        ),
        ("ancient", &[("created_at", "'0044-03-15 12:00:00+00 BC'")]),
        ("ides", &[("happened_at", "'0044-03-15 12:00:00 BC'")]),
        ("never", &[("happened_at", "'-infinity'")]),
        ("list", &[("extra", "'[1, 2]'")]),
        ("null", &[("extra", "'null'")]),
        (
            "huge",
            &[("extra", "'{\"n\": 123456789012345678901234567890}'")],
        ),
        ("lost", &[("resource_id", "'gone'")]),
        ("crowd", &[("user_id", &crowd)]),
        ("mute", &[("summary", "NULL")]),
        ("noted", &[("note", "'by hand'")]),
        ("escape", &[("summary", "U&'\\FDD0\\0030 \\FDD0'")]),
    ];
    for (id, more) in rows {
        item(database, id, "alice", more);
    }
    item(database, "", "alice", &[]);
    item(database, "blank", "", &[]);
    let relations = [
        ("'r1'", "'gone'", "'c'"),
        ("'r2'", "'long'", "'gone'"),
        ("'r3'", "'long'", "'c'"),
    ];
    for (id, item, category) in relations {
        let row = [
            ("id", id),
            ("user_id", "'alice'"),
            ("item_id", item),
            ("category_id", category),
        ];
        insert(database, "category_items", &row);
    }
    for id in ["'c'", "'c2'"] {
        let row = [
            ("id", id),
            ("user_id", "'alice'"),
            ("name", "'twice'"),
            ("description", "''"),
        ];
        insert(database, "memory_categories", &row);
    }
    let smell = [
        ("id", "'m'"),
        ("user_id", "'alice'"),
        ("url", "'x'"),
        ("modality", "'smell'"),
        ("local_path", "''"),
    ];
    insert(database, "resources", &smell);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_kept_and_named() {
    let Some(database) = database("what_cannot_be_read_is_kept_and_named") else {
        return;
    };
    odd_rows(&database);
    let before = support::catalog(&database);
    let rows = everything(&database, "public");
    let preview = preview_upgrade(&options(&database)).await.unwrap().unwrap();
    assert_eq!(
        support::catalog(&database),
        before,
        "a preview changes nothing"
    );
    assert_eq!(everything(&database, "public"), rows);

    let (store, report) = upgraded(&database).await;
    assert_eq!(
        report.unread, preview.unread,
        "the preview tells what is done"
    );
    assert_eq!(report.backup, preview.backup);
    assert_eq!(
        (report.items, report.categories, report.relations),
        (17, 2, 1)
    );
    assert_eq!(report.same_names, 1);
    let dimensions: Vec<_> = report
        .vectors
        .iter()
        .map(|one| (one.dimension, one.count))
        .collect();
    assert_eq!(dimensions, [(2, 1), (3, 1)]);
    let alice = scope(&[("user_id", "alice")]);
    let found = store.all_items(&Query::scope(&alice)).await.unwrap();
    let by_id = |id: &str| {
        found
            .iter()
            .find(|item| item.meta.id.as_str() == id)
            .unwrap()
    };
    let created = |id: &str| by_id(id).meta.created_at.to_string();
    assert_eq!(created("undated"), "2026-11-23 00:00:00.000000");
    assert_eq!(
        created("ancient"),
        "2026-11-22 12:26:07.575130",
        "when it was changed"
    );
    assert_eq!(
        (&by_id("ides").happened, &by_id("never").happened),
        (&None, &None)
    );
    assert_eq!(by_id("lost").resource_id, None);
    assert_eq!(by_id("mute").summary, "");
    let nameless = found
        .iter()
        .find(|item| item.meta.id.as_str().starts_with("memory_items-"));
    assert_eq!(nameless.unwrap().summary, "alice likes ");
    assert_eq!(by_id("escape").summary, "\u{fdd0}0 \u{fdd0}");
    let nobody = ScopeSchema::default().empty_scope();
    assert_eq!(ids(&store, &nobody).await, ["blank"]);
    let sets = store.embedding_sets().await.unwrap();
    assert_eq!(sets.len(), 2);
    assert!(
        sets.iter().all(|set| set.state == SetState::Retired),
        "{sets:?}"
    );
    assert_sound(&store, true).await;

    for (id, column, content) in [
        ("zeros", "embedding", json!("[0,0]")),
        ("undated", "created_at", json!("infinity")),
        ("ancient", "created_at", json!("0044-03-15 12:00:00+00 BC")),
        ("ides", "happened_at", json!("0044-03-15 12:00:00 BC")),
        ("never", "happened_at", json!("-infinity")),
        ("list", "extra", json!("[1, 2]")),
        (
            "huge",
            "extra",
            json!("{\"n\": 123456789012345678901234567890}"),
        ),
        ("lost", "resource_id", json!("gone")),
        ("crowd", "summary", json!("alice likes crowd")),
        ("mute", "summary", Value::Null),
        ("noted", "note", json!("by hand")),
        ("blank", "user_id", json!("")),
        ("r1", "item_id", json!("gone")),
        ("r2", "category_id", json!("gone")),
        ("m", "modality", json!("smell")),
    ] {
        let kept = kept(&database, id);
        let named = |(_, value): &(String, Value)| value.get(column) == Some(&content);
        assert!(kept.iter().any(named), "{id}: {kept:?}");
        assert!(report.unread.iter().any(|unread| unread.id == id), "{id}");
    }
    for id in ["null", "none", "short"] {
        assert_eq!(kept(&database, id), [], "{id} is no defect");
    }
    // Whoever is forgotten is forgotten there as well.
    store.clear(&[alice, nobody]).await.unwrap();
    store.close().await.unwrap();
    let left = database.rows("SELECT id FROM memu_unread");
    assert_eq!(left, [[Some("crowd".to_owned())]], "only what nobody's is");
}
