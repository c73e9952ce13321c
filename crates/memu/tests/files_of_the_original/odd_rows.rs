//! Rows that memU 1.x cannot have meant.

use super::*;

/// What was kept of a row: the reason and the content.
fn kept(path: &Path, id: &str) -> Vec<(String, serde_json::Value)> {
    rows(
        path,
        &format!("SELECT reason, content FROM memu_unread WHERE id = '{id}' ORDER BY row"),
    )
    .into_iter()
    .map(|row| {
        (
            row[0].clone().unwrap(),
            serde_json::from_str(row[1].as_ref().unwrap()).unwrap(),
        )
    })
    .collect()
}

/// A file with every oddity that programs have left in such files.
fn odd_file(folder: &Path) -> PathBuf {
    let path = folder.join("memu.db");
    let connection = original(&path, "memu_", &["user_id"]);
    let odd = |id: &str, change: &[(&str, serde_json::Value)]| {
        let mut row = item(id, "alice");
        for (column, value) in change {
            row[*column] = value.clone();
        }
        insert(&connection, "memu_memory_items", &row);
    };
    odd("nan", &[("embedding_json", "[0.5, NaN]".into())]);
    odd("broken", &[("embedding_json", "[0.5, 1".into())]);
    odd("zeros", &[("embedding_json", "[0.0, 0.0]".into())]);
    odd("empty", &[("embedding_json", "[]".into())]);
    odd("null", &[("embedding_json", "null".into())]);
    odd("short", &[("embedding_json", "[1.0, 2.0]".into())]);
    odd("long", &[("embedding_json", "[1.0, 2.0, 3.0]".into())]);
    odd(
        "zulu",
        &[("created_at", "2026-11-22T12:26:07.575130Z".into())],
    );
    odd(
        "offset",
        &[("created_at", "2026-11-22 13:26:07+01:00".into())],
    );
    odd(
        "undated",
        &[
            ("created_at", "yesterday".into()),
            ("updated_at", "2026-11-23 00:00:00".into()),
        ],
    );
    odd("list", &[("extra", "[1, 2]".into())]);
    odd("extra", &[("extra", "{\"score\": NaN}".into())]);
    odd(
        "huge",
        &[("extra", "{\"n\": 123456789012345678901234567890}".into())],
    );
    odd("lost", &[("resource_id", "gone".into())]);
    odd("crowd", &[("user_id", "x".repeat(600).into())]);
    connection
        .execute(
            "UPDATE memu_memory_items SET summary = x'6f6bff' WHERE id = 'list'",
            [],
        )
        .unwrap();
    for (id, item, category) in [
        ("r1", "gone", "c"),
        ("r2", "nan", "gone"),
        ("r3", "nan", "c"),
    ] {
        let row = json!({"id": id, "user_id": "alice", "item_id": item, "category_id": category});
        insert(&connection, "memu_category_items", &row);
    }
    for id in ["c", "c2"] {
        let row = json!({"id": id, "user_id": "alice", "name": "twice", "description": ""});
        insert(&connection, "memu_memory_categories", &row);
    }
    insert(
        &connection,
        "memu_resources",
        &json!({"id": "m", "user_id": "alice", "url": "x",
        "modality": "smell", "local_path": ""}),
    );
    path
}

#[test]
fn what_cannot_be_read_is_kept_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = odd_file(folder.path());
    let preview = preview_upgrade(&path, None).unwrap().unwrap();
    let (store, report) = upgraded(&path);
    assert_eq!(
        report.unread, preview.unread,
        "the preview tells what is done"
    );
    assert_eq!(
        (report.items, report.categories, report.relations),
        (14, 2, 1)
    );
    let alice = scope(&[("user_id", "alice")]);
    let found = items(&store, &alice);
    let by_id = |id: &str| {
        found
            .iter()
            .find(|item| item.meta.id.as_str() == id)
            .unwrap()
    };
    assert_eq!(by_id("zulu").meta.created_at.to_string(), T);
    assert_eq!(
        by_id("offset").meta.created_at.to_string(),
        "2026-11-22 12:26:07.000000"
    );
    assert_eq!(
        by_id("undated").meta.created_at.to_string(),
        "2026-11-23 00:00:00.000000"
    );
    assert_eq!(by_id("list").summary, "ok\u{fffd}");
    assert_eq!(by_id("lost").resource_id, None);
    let sets = block_on(store.embedding_sets()).unwrap();
    let dimensions: Vec<u32> = sets.iter().map(|set| set.identity.dimension).collect();
    assert_eq!(dimensions, [2, 3]);
    assert!(
        sets.iter().all(|set| set.state == SetState::Retired),
        "{sets:?}"
    );
    assert_sound(&store);
    block_on(store.close()).unwrap();

    for (id, column, content) in [
        ("nan", "embedding_json", json!("[0.5, NaN]")),
        ("broken", "embedding_json", json!("[0.5, 1")),
        ("zeros", "embedding_json", json!("[0.0, 0.0]")),
        ("empty", "embedding_json", json!("[]")),
        ("undated", "created_at", json!("yesterday")),
        ("list", "summary", json!({"hex": "6f6bff"})),
        ("extra", "extra", json!("{\"score\": NaN}")),
        (
            "huge",
            "extra",
            json!("{\"n\": 123456789012345678901234567890}"),
        ),
        ("lost", "resource_id", json!("gone")),
        (
            "crowd",
            "summary",
            json!(format!("{} likes crowd", "alice")),
        ),
        ("r1", "item_id", json!("gone")),
        ("r2", "category_id", json!("gone")),
        ("m", "modality", json!("smell")),
    ] {
        let kept = kept(&path, id);
        assert!(
            kept.iter().any(|(_, value)| value[column] == content),
            "{id}: {kept:?}"
        );
        assert!(report.unread.iter().any(|unread| unread.id == id), "{id}");
    }
    assert_eq!(kept(&path, "null"), [], "no vector is no defect");
    // Whoever is forgotten is forgotten there as well.
    let store = open(&path);
    block_on(store.clear(&[alice])).unwrap();
    block_on(store.close()).unwrap();
    let left = rows(&path, "SELECT id FROM memu_unread");
    assert_eq!(left, [[Some("crowd".to_owned())]], "only what nobody's is");
}
