//! Whole folders: round trips.

use super::*;

#[test]
fn an_unedited_folder_changes_nothing() {
    let home = home();
    home.write("chat.json", long_conversation(30));
    home.ok(&["memorize", "chat.json", "--user", "bob"]);
    export(&home, "dir");
    let before = home.everything();
    assert_eq!(home.ok(&["import", "dir"]), "Nothing to change\n");
    let imported = home.json(&["import", "dir", "--format", "markdown", "--delete-missing"]);
    assert_eq!(imported["changes"], json!([]));
    assert_eq!(home.everything(), before);
    // And an export gives the same bytes.
    let first = files(&home.path("dir"));
    export(&home, "dir");
    export(&home, "other");
    assert_eq!(files(&home.path("dir")), first);
    assert_eq!(files(&home.path("other")), first);
    let mut names = first.keys();
    assert!(names.any(|name| name.starts_with("bob/resources/chat-")));
}

#[test]
fn an_empty_memory_gets_what_the_folder_holds_with_the_same_ids() {
    let home = home();
    home.ok(&["add", "Theo sails", "--user", "bob"]);
    export(&home, "dir");
    let into = ["--db", "new.db"];
    let run = home.ok(&[&into[..], &["import", "dir", "--dry-run"]].concat());
    assert!(
        run.ends_with("would be made; nothing was changed\n"),
        "{run}"
    );
    assert!(!home.path("new.db").exists());
    home.ok(&[&into[..], &["import", "dir"]].concat());
    home.ok(&[
        &into[..],
        &["export", "again", "--format", "markdown", "--all-scopes"],
    ]
    .concat());
    // All but how often a record was written.
    let without_revisions = |folder: &str| {
        let mut files = files(&home.path(folder));
        for text in files.values_mut() {
            let kept = text.lines().filter(|line| !line.starts_with("revision: "));
            *text = kept.collect::<Vec<_>>().join("\n");
        }
        files
    };
    assert_eq!(without_revisions("again"), without_revisions("dir"));
    let known = |items: Vec<Value>| {
        let mut items: Vec<_> = items
            .iter()
            .map(|item| {
                [
                    &item["id"],
                    &item["summary"],
                    &item["created_at"],
                    &item["extra"],
                ]
                .map(Clone::clone)
            })
            .collect();
        items.sort_by_key(|item| item[0].to_string());
        items
    };
    assert_eq!(known(items(&home, &into)), known(items(&home, &[])));
    // They are embedded, so that questions find them.
    let ask = [&into[..], &["retrieve", "green tea", "-w", "user_id=alice"]].concat();
    let found = home.json(&ask);
    assert_eq!(found["items"][0]["summary"], "Nora likes green tea");
    home.ok(&[&into[..], &["doctor"]].concat());
}

#[test]
fn what_came_from_conversations_comes_without_them_and_that_is_said() {
    let home = Home::new();
    home.write("chat.json", long_conversation(30));
    home.ok(&["memorize", "chat.json", "--user", "bob"]);
    export(&home, "dir");
    let text = home.ok(&["--db", "new.db", "import", "dir"]);
    assert!(
        text.contains("memories came from conversations or documents"),
        "{text}"
    );
    let old = items(&home, &[]);
    let new = items(&home, &["--db", "new.db"]);
    assert_eq!(old.len(), new.len());
    for found in &new {
        assert_eq!(
            found["id"],
            item(&old, found["summary"].as_str().unwrap())["id"]
        );
        assert_eq!(found["resource_id"], Value::Null);
    }
}

/// Users whose names no file should have.
fn users() -> Vec<String> {
    let long = "ü".repeat(150);
    let users = [
        "..",
        "../../etc",
        "a/b",
        "A",
        "a",
        "CON",
        "🦀",
        "日本語",
        "index.md",
        &long,
        "a\\b:c*?",
    ];
    users.map(str::to_owned).to_vec()
}

/// An export of their memories, of which no name, text, type or id is ordinary.
fn strange_lines(users: &[String]) -> String {
    let texts = [
        "---\nname: x\n---",
        "## Memories\n\n- not one *(event)* ^34d51528",
        "<!-- <script>",
        "```\nopen",
        "a *(event, 2026)* ^34d51528",
        "[link](x.md)",
        "- a\n- b\n\n\n  c",
        "`\"quoted\"`",
        "tab\tin\u{7f}\u{0}it",
        "a\r\nb",
        "# 🦀",
    ];
    let mut lines = vec![json!({"memu": "memory", "version": 1, "scope_fields": ["user_id"]})];
    let meta = json!({"created_at": "2026-11-28 22:09:47.345468", "updated_at": "2026-11-28 22:09:47.345468", "revision": 1});
    let mut records = 0;
    for user in users {
        let mut add = |kind: &str, mut record: Value| {
            for (key, value) in meta.as_object().unwrap() {
                record[key] = value.clone();
            }
            records += 1;
            lines.push(json!({"kind": kind, "scope": {"user_id": user}, "record": record}));
        };
        for (at, text) in texts.iter().enumerate() {
            add(
                "item",
                json!({"id": format!("I / {at} é"), "memory_type": "odd, *(type)*", "summary": text}),
            );
        }
        let names = [
            "../x",
            "Tea",
            "tea",
            "TEA",
            "tea",
            "CON",
            "con",
            "a: b",
            "---",
            "🦀",
            ".",
            &"n".repeat(300),
            "index",
            "x\ny",
        ];
        for (at, name) in names.iter().enumerate() {
            let text = texts[at % texts.len()];
            add(
                "category",
                json!({"id": format!("C:{at}"), "name": name, "description": text, "summary": text}),
            );
        }
        for at in 0..texts.len() {
            add(
                "relation",
                json!({"id": format!("r{at}"), "item_id": format!("I / {at} é"), "category_id": format!("C:{at}")}),
            );
        }
    }
    lines.push(json!({"records": records}));
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    text.join("\n") + "\n"
}

#[test]
fn strange_names_and_texts_come_back_exactly() {
    let home = Home::new();
    let users = users();
    let lines = strange_lines(&users);
    home.write("all.jsonl", lines);
    home.ok(&["import", "all.jsonl"]);
    export(&home, "dir");
    let first = files(&home.path("dir"));
    let mut folded: Vec<String> = first.keys().map(|name| name.to_lowercase()).collect();
    folded.sort();
    folded.dedup();
    assert_eq!(folded.len(), first.len());
    assert!(
        first.keys().all(|name| name
            .split('/')
            .all(|part| part.len() <= 90 && !part.starts_with('.'))),
        "{:?}",
        first.keys()
    );
    assert_eq!(home.ok(&["import", "dir"]), "Nothing to change\n");

    // With the line ends of Windows, too.
    for (name, text) in &first {
        home.write(&format!("dir/{name}"), text.replace('\n', "\r\n"));
    }
    assert_eq!(home.ok(&["import", "dir"]), "Nothing to change\n");

    home.ok(&["--db", "new.db", "import", "dir"]);
    let told = |arguments: &[&str]| {
        let mut told = Vec::new();
        for (kind, keys) in [
            ("items", ["id", "summary", "memory_type"]),
            ("categories", ["name", "description", "summary"]),
        ] {
            let list = ["list", kind, "--all-scopes", "--limit", "10000"];
            let list = [arguments, &list[..]].concat();
            for record in home.json(&list)[kind].as_array().unwrap() {
                let user = record["user_id"].to_string();
                told.push((user, keys.map(|key| record[key].to_string())));
            }
        }
        told.sort();
        told
    };
    // The new memory has the configured categories in addition.
    let (old, new) = (told(&[]), told(&["--db", "new.db"]));
    for record in &old {
        let same: Vec<_> = new.iter().filter(|one| one.0 == record.0).collect();
        assert!(new.contains(record), "{record:?} in {same:#?}");
    }
    assert_eq!(new.len(), old.len() + 10 * users.len());
}
