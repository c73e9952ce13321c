//! A memory as a folder of Markdown, its edits, and what is refused.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use support::{Home, Run, long_conversation};

const ALICE: [&str; 2] = ["--user", "alice"];

/// A memory of Alice's in `memu.db`, and its folder `dir`.
fn home() -> Home {
    let home = Home::new();
    for (text, category) in [
        ("Nora likes green tea", "preferences"),
        ("Nora rows on Sundays", "habits"),
        ("Nora works at the harbour", "work_life"),
    ] {
        home.ok(&[&["add", text, "-c", category], &ALICE[..]].concat());
    }
    home.ok(&[
        "add",
        "Nora met Theo",
        "-t",
        "event",
        "-c",
        "relationships",
        "-u",
        "alice",
    ]);
    export(&home, "dir");
    home
}

fn export(home: &Home, folder: &str) -> String {
    home.ok(&["export", folder, "--format", "markdown", "--all-scopes"])
}

fn page(home: &Home, name: &str) -> String {
    std::fs::read_to_string(home.path(&format!("dir/alice/{name}"))).unwrap()
}

/// Edits a page of Alice's, and demands that there was something to edit.
fn edit(home: &Home, name: &str, from: &str, to: &str) {
    let text = page(home, name);
    assert!(text.contains(from), "{from} in {text}");
    home.write(&format!("dir/alice/{name}"), text.replacen(from, to, 1));
}

/// The line of a page that holds a text.
fn line(home: &Home, name: &str, text: &str) -> String {
    let page = page(home, name);
    let found = page.lines().find(|line| line.contains(text));
    found
        .unwrap_or_else(|| panic!("{text} in {page}"))
        .to_owned()
}

/// The files below a folder with what they hold, but for the list of files, whose times differ.
fn files(folder: &Path) -> BTreeMap<String, String> {
    fn walk(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, files);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap();
                files.insert(name.to_owned(), std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut files = BTreeMap::new();
    walk(folder, folder, &mut files);
    files.remove("memu.json").expect("there is a list of files");
    files
}

/// The items of a memory, as text, type, time and names of categories.
fn items(home: &Home, arguments: &[&str]) -> Vec<Value> {
    let list = ["list", "items", "--all-scopes", "--limit", "10000"];
    let list = [arguments, &list[..]].concat();
    home.json(&list)["items"].as_array().unwrap().clone()
}

fn item<'i>(items: &'i [Value], text: &str) -> &'i Value {
    let found = items.iter().find(|item| item["summary"] == text);
    found.unwrap_or_else(|| panic!("{text} in {items:?}"))
}

/// The texts of the items of a category.
fn filed(home: &Home, category: &str) -> Vec<String> {
    let condition = format!("category={category}");
    let page = home.json(&["list", "items", "--all-scopes", "-w", &condition]);
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|item| item["summary"].as_str().unwrap().to_owned())
        .collect()
}

fn category(home: &Home, name: &str) -> Value {
    let page = home.json(&["list", "categories", "--all-scopes"]);
    let categories = page["categories"].as_array().unwrap();
    categories
        .iter()
        .find(|one| one["name"] == name)
        .unwrap()
        .clone()
}

/// What an import changes, as pairs of what and text.
fn changes(imported: &Value) -> Vec<(String, String)> {
    let text = |change: &Value, key: &str| change[key].as_str().unwrap().to_owned();
    let changes = imported["changes"].as_array().unwrap().iter();
    changes
        .map(|change| (text(change, "what"), text(change, "text")))
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(what, text): &(&str, &str)| ((*what).to_owned(), (*text).to_owned());
    expected.iter().map(own).collect()
}

/// Demands that an import fails with this message and changes nothing.
fn refused(home: &Home, arguments: &[&str], code: i32, expected: &[&str]) -> Run {
    let before = home.everything();
    let run = home.run(&[&["import"], arguments].concat());
    assert_eq!(run.code, Some(code), "{run:?}");
    for expected in expected {
        assert!(run.stderr.contains(expected), "{expected}: {run:?}");
    }
    assert_eq!(home.everything(), before);
    run
}

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

#[test]
fn every_kind_of_edit_is_taken_in() {
    let home = home();
    // A text, a type and a date.
    edit(
        &home,
        "categories/preferences.md",
        "Nora likes green tea *(knowledge)*",
        "Nora likes *black* tea\n  with milk *(profile, May 2026)*",
    );
    // A new line, and one that is there twice.
    let habits = page(&home, "categories/habits.md");
    home.write(
        "dir/alice/categories/habits.md",
        format!("{habits}\n- Nora swims\n- Nora knits *(behavior, 2026-02-28)*\n"),
    );
    let goals = page(&home, "categories/goals.md");
    home.write(
        "dir/alice/categories/goals.md",
        format!("{goals}\n* Nora swims\n"),
    );
    // One that moves.
    let moved = line(&home, "categories/work_life.md", "harbour *(");
    edit(&home, "categories/work_life.md", &moved, "");
    let experiences = page(&home, "categories/experiences.md");
    home.write(
        "dir/alice/categories/experiences.md",
        format!("{experiences}\n{moved}\n"),
    );
    // A category's description and summary, and a new category.
    edit(
        &home,
        "categories/opinions.md",
        "Opinions, viewpoints, and perspectives",
        "What Nora thinks",
    );
    edit(
        &home,
        "categories/opinions.md",
        "## Memories",
        "Nora thinks well of boats.\n\n## Memories",
    );
    home.write(
        "dir/alice/categories/Boats & ships.md",
        "## Memories\n\n- The boat is called Gull\n",
    );

    let told = home.ok(&["import", "dir", "--dry-run"]);
    assert!(
        told.contains("changed  alice/categories/preferences.md:"),
        "{told}"
    );
    assert!(
        told.ends_with("8 changes would be made; nothing was changed\n"),
        "{told}"
    );
    let before = items(&home, &[]);
    assert_eq!(before.len(), 4);

    let imported = home.json(&["import", "dir"]);
    let expected = pairs(&[
        ("category_changed", "opinions"),
        ("category_added", "Boats & ships"),
        ("memory_changed", "Nora likes *black* tea\nwith milk"),
        ("taken_out", "Nora works at the harbour"),
        ("filed", "Nora works at the harbour"),
        ("memory_added", "Nora swims"),
        ("memory_added", "Nora knits"),
        ("memory_added", "The boat is called Gull"),
    ]);
    let mut found = changes(&imported);
    found.sort();
    let mut expected = expected;
    expected.sort();
    assert_eq!(found, expected);
    let after = items(&home, &[]);
    let tea = item(&after, "Nora likes *black* tea\nwith milk");
    assert_eq!(tea["id"], item(&before, "Nora likes green tea")["id"]);
    assert_eq!(
        [&tea["memory_type"], &tea["happened_at"]],
        ["profile", "2026-05-01T00:00:00"]
    );
    let knits = item(&after, "Nora knits");
    assert_eq!(
        [&knits["memory_type"], &knits["happened_at"]],
        ["behavior", "2026-02-28T00:00:00"]
    );
    assert_eq!(item(&after, "Nora swims")["memory_type"], "knowledge");
    assert_eq!(filed(&home, "work_life"), Vec::<String>::new());
    assert_eq!(filed(&home, "experiences"), ["Nora works at the harbour"]);
    assert_eq!(filed(&home, "goals"), ["Nora swims"]);
    assert_eq!(filed(&home, "Boats & ships"), ["The boat is called Gull"]);
    let opinions = category(&home, "opinions");
    assert_eq!(
        [&opinions["description"], &opinions["summary"]],
        ["What Nora thinks", "Nora thinks well of boats."]
    );
    // Summaries that nobody wrote follow.
    let summary = category(&home, "preferences")["summary"].to_string();
    assert!(
        summary.contains("black") && !summary.contains("green"),
        "{summary}"
    );
    assert!(
        category(&home, "Boats & ships")["summary"]
            .to_string()
            .contains("Gull")
    );
    assert!(
        imported["summaries"]
            .as_array()
            .unwrap()
            .contains(&json!("preferences"))
    );

    // Once more changes nothing, and the next export writes over what was taken in.
    assert_eq!(home.ok(&["import", "dir"]), "Nothing to change\n");
    export(&home, "dir");
    assert!(!home.path("dir/alice/categories/Boats & ships.md").exists());
    assert!(
        line(&home, "categories/habits.md", "Nora knits *(")
            .contains("*(behavior, 28 February 2026)* ^")
    );
    assert_eq!(home.ok(&["import", "dir"]), "Nothing to change\n");
    home.ok(&["doctor"]);
}

#[test]
fn summaries_stay_when_that_is_asked_for() {
    let home = home();
    edit(
        &home,
        "categories/preferences.md",
        "green tea *(",
        "black tea *(",
    );
    let before = category(&home, "preferences")["summary"].clone();
    home.ok(&["import", "dir", "--no-propagate"]);
    assert_eq!(filed(&home, "preferences"), ["Nora likes black tea"]);
    assert_eq!(category(&home, "preferences")["summary"], before);
}

#[test]
fn a_line_that_is_gone_is_named_and_kept_unless_it_is_to_be_removed() {
    let home = home();
    let gone = line(&home, "categories/habits.md", "rows on Sundays *(");
    edit(&home, "categories/habits.md", &gone, "");
    std::fs::remove_file(home.path("dir/alice/categories/work_life.md")).unwrap();
    let before = home.everything();
    let text = home.ok(&["import", "dir"]);
    assert!(text.contains("kept, though its line is gone (--delete-missing removes it)  alice/categories/habits.md  Nora rows"), "{text}");
    assert!(
        text.contains("kept, though its page is gone  alice/categories/work_life.md  work_life"),
        "{text}"
    );
    assert!(text.ends_with("Nothing to change\n"), "{text}");
    assert_eq!(home.everything(), before);
    let imported = home.json(&["import", "dir", "--delete-missing"]);
    let expected = [
        ("memory_removed", "Nora rows on Sundays"),
        ("memory_removed", "Nora works at the harbour"),
    ];
    assert_eq!(changes(&imported), pairs(&expected));
    assert_eq!(items(&home, &[]).len(), 2);
    assert_eq!(category(&home, "work_life")["summary"], Value::Null);

    // What the memory removed is not brought back, and a scope without a folder stays.
    let text = home.ok(&["import", "dir"]);
    assert!(text.ends_with("Nothing to change\n"), "{text}");
    let id = items(&home, &[])[0]["id"].as_str().unwrap().to_owned();
    home.ok(&["delete", &id, "--user", "alice"]);
    let text = home.ok(&["import", "dir"]);
    assert!(
        text.contains("not brought back: removed from the memory"),
        "{text}"
    );
    std::fs::remove_dir_all(home.path("dir/alice")).unwrap();
    let text = home.ok(&["import", "dir", "--delete-missing"]);
    assert!(
        text.contains("the folder alice is missing; its memories are kept"),
        "{text}"
    );
    assert_eq!(items(&home, &[]).len(), 1);
}

#[test]
fn what_both_changed_is_a_conflict_and_changes_nothing() {
    let home = home();
    let id = item(&items(&home, &[]), "Nora likes green tea")["id"]
        .as_str()
        .unwrap()
        .to_owned();
    edit(
        &home,
        "categories/preferences.md",
        "green tea *(",
        "black tea *(",
    );
    edit(&home, "categories/habits.md", "Sundays *(", "Mondays *(");
    edit(
        &home,
        "categories/relationships.md",
        "Information about relationships with others",
        "Friends",
    );
    home.ok(&[
        "edit",
        &id,
        "--text",
        "Nora likes white tea",
        "--user",
        "alice",
    ]);
    let reference = &id[..8];
    let at = page(&home, "categories/preferences.md");
    let at = at
        .lines()
        .position(|line| line.contains(reference))
        .unwrap()
        + 1;
    let conflict = format!("changed twice: alice/categories/preferences.md:{at} ({reference})");
    let run = refused(&home, &["dir"], 1, &["were both changed", &conflict]);
    assert!(!run.stderr.contains("habits"), "{run:?}");
    refused(&home, &["dir", "--dry-run"], 1, &[&conflict]);
    // Saying what the memory says settles it. What it changed alone is left as it is.
    edit(
        &home,
        "categories/preferences.md",
        "black tea *(",
        "white tea *(",
    );
    let imported = home.json(&["import", "dir"]);
    let expected = [
        ("category_changed", "relationships"),
        ("memory_changed", "Nora rows on Mondays"),
    ];
    assert_eq!(changes(&imported), pairs(&expected));

    // A memory that was changed is not removed, nor one that was edited and is gone brought back.
    export(&home, "dir");
    home.ok(&[
        "edit",
        &id,
        "--text",
        "Nora likes mint tea",
        "--user",
        "alice",
    ]);
    let gone = line(&home, "categories/preferences.md", "white tea *(");
    edit(&home, "categories/preferences.md", &gone, "");
    refused(
        &home,
        &["dir", "--delete-missing"],
        1,
        &["were both changed", reference],
    );
    edit(
        &home,
        "categories/preferences.md",
        "## Memories\n",
        &format!("## Memories\n\n{}\n", gone.replace("white", "red")),
    );
    home.ok(&["delete", &id, "--user", "alice"]);
    refused(&home, &["dir"], 1, &["were both changed", reference]);
}

#[test]
fn what_is_not_understood_is_named_by_file_and_line_and_changes_nothing() {
    let tea = "categories/preferences.md";
    let cases: &[(&str, &str, &str, usize, &str)] = &[
        (
            tea,
            "name: preferences",
            "name: preferences\ncolour: red",
            6,
            "the front matter is not understood",
        ),
        (
            tea,
            "name: preferences",
            "name: [",
            5,
            "the front matter is not understood",
        ),
        (tea, "\n---\n\n", "\n", 1, "the front matter is not closed"),
        (tea, "name: preferences\n", "", 1, "name is missing"),
        (tea, "id: ", "id: x", 4, "was exported with the id"),
        (
            tea,
            "revision: 1",
            "revision: 9",
            9,
            "the revision is 1 and not for editing",
        ),
        (
            tea,
            "version: 1",
            "version: 2",
            3,
            "the page is of version 2",
        ),
        (
            tea,
            "memu: category",
            "memu: tea",
            2,
            "a page here is of the kind category",
        ),
        (
            tea,
            "user_id: alice",
            "user_id: bob",
            7,
            "of another scope than its folder",
        ),
        (
            tea,
            "name: preferences",
            "name: habits",
            5,
            "another category of the name",
        ),
        (
            tea,
            "## Memories",
            "## Tea",
            0,
            "the heading \"## Memories\" is missing",
        ),
        (
            tea,
            "- Nora likes green tea *(",
            "Nora likes green tea *(",
            0,
            "this line is no memory",
        ),
        (
            tea,
            "*(knowledge)*",
            "",
            0,
            "the type of the memory is missing",
        ),
        (
            tea,
            "*(knowledge)*",
            "*(knowledge, soon)*",
            0,
            "no type with a date",
        ),
        (tea, "*(knowledge)*", "*(wisdom)*", 0, "unknown memory type"),
        (
            tea,
            "- Nora likes green tea *(",
            "- *(",
            0,
            "the memory is empty",
        ),
        (
            tea,
            "(knowledge)* ^",
            "(knowledge)* ^00000000",
            0,
            "no memory of this scope was exported with the reference",
        ),
        (
            "without-category.md",
            "## Memories",
            "Tea\n\n## Memories",
            0,
            "have no summary",
        ),
        (
            "without-category.md",
            "version: 1",
            "version: 1\nname: tea",
            4,
            "has no name",
        ),
        (
            "without-category.md",
            "## Memories\n",
            "## Memories\n\n- Tea *(wisdom)*\n",
            10,
            "unknown memory type",
        ),
    ];
    let home = home();
    for (name, from, to, line, expected) in cases {
        let whole = page(&home, name);
        edit(&home, name, from, to);
        // So that something would be changed if it were not for the mistake.
        let habits = page(&home, "categories/habits.md");
        edit(&home, "categories/habits.md", "Sundays *(", "Mondays *(");
        let run = refused(
            &home,
            &["dir"],
            1,
            &[expected, &format!("file: alice/{name}")],
        );
        if *line > 0 {
            assert!(
                run.stderr.contains(&format!("line: {line}\n")),
                "{expected}: {run:?}"
            );
        }
        home.write(&format!("dir/alice/{name}"), whole);
        home.write("dir/alice/categories/habits.md", habits);
    }
    // Two pages that contradict each other.
    let twice = line(&home, tea, "green tea *(").replace("green", "red");
    let habits = page(&home, "categories/habits.md");
    home.write(
        "dir/alice/categories/habits.md",
        format!("{habits}{twice}\n"),
    );
    edit(&home, tea, "green tea *(", "white tea *(");
    refused(&home, &["dir"], 1, &["was edited in two ways"]);
    home.write("dir/alice/categories/copy.md", page(&home, tea));
    refused(&home, &["dir"], 1, &["has the id of the category of"]);
    home.write("dir/alice/categories/copy.md", b"## Memories\n- \xff\n");
    refused(&home, &["dir"], 1, &["cannot be read as text"]);
}

#[test]
fn what_is_no_folder_of_an_export_is_refused() {
    let home = home();
    std::fs::create_dir(home.path("notes")).unwrap();
    home.write("notes/a.md", "## Memories\n\n- Tea\n");
    home.write("lines.jsonl", "{}\n");
    refused(
        &home,
        &["notes"],
        1,
        &["this is no folder that memu export wrote", "memu.json"],
    );
    refused(
        &home,
        &["none", "--format", "markdown"],
        3,
        &["there is no such folder"],
    );
    refused(
        &home,
        &["dir", "--format", "jsonl"],
        1,
        &["a folder and no file of JSON Lines"],
    );
    refused(
        &home,
        &["lines.jsonl", "--format", "markdown"],
        1,
        &["a file and no folder"],
    );
    refused(
        &home,
        &["lines.jsonl", "--dry-run"],
        1,
        &["are for a folder of Markdown"],
    );
    for (manifest, code, expected) in [
        ("[]", 1, "no folder that memu export wrote"),
        ("{\"memu\":\"folder\",\"version\":2}", 1, "of version 2"),
        (
            "{\"memu\":\"folder\",\"version\":1,\"complete\":true,\"scope_fields\":[\"user_id\"],\"files\":{\"../a\":[]},\"scopes\":[]}",
            1,
            "names one outside of it",
        ),
        (
            "{\"memu\":\"folder\",\"version\":1,\"complete\":false,\"scope_fields\":[\"user_id\"],\"files\":{},\"scopes\":[]}",
            1,
            "was cut off",
        ),
        (
            "{\"memu\":\"folder\",\"version\":1,\"complete\":true,\"scope_fields\":[\"agent_id\"],\"files\":{},\"scopes\":[]}",
            2,
            "with the same scope fields",
        ),
    ] {
        home.write("notes/memu.json", manifest);
        refused(&home, &["notes"], code, &[expected]);
    }
}

#[test]
fn an_export_writes_over_nothing_but_its_own() {
    let home = home();
    let export =
        |folder: &str| home.run(&["export", folder, "--format", "markdown", "--all-scopes"]);
    std::fs::create_dir(home.path("notes")).unwrap();
    home.write("notes/a.md", "mine");
    home.write("file", "mine");
    for (folder, expected) in [
        ("notes", "holds something that memu export did not write"),
        ("file", "this is a file and no folder"),
        ("-", "name a folder"),
    ] {
        let run = export(folder);
        assert_eq!(run.code, Some(1), "{run:?}");
        assert!(run.stderr.contains(expected), "{run:?}");
    }
    assert_eq!(std::fs::read_dir(home.path("notes")).unwrap().count(), 1);

    // Edits that were not imported stay, and so does what is nobody's.
    let whole = page(&home, "categories/habits.md");
    edit(&home, "categories/habits.md", "Sundays *(", "Mondays *(");
    home.write("dir/my notes.md", "mine");
    home.ok(&["add", "Theo sails", "--user", "bob"]);
    let before = files(&home.path("dir"));
    let run = export("dir");
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(
        run.stderr
            .contains("edited since the export and not imported"),
        "{run:?}"
    );
    assert!(
        run.stderr.contains("files: alice/categories/habits.md"),
        "{run:?}"
    );
    assert_eq!(files(&home.path("dir")), before);
    home.write("dir/alice/categories/habits.md", whole);
    std::fs::create_dir_all(home.path("dir/bob")).unwrap();
    home.write("dir/bob/without-category.md", "mine");
    let run = export("dir");
    assert!(run.stderr.contains("files are in the way"), "{run:?}");
    std::fs::remove_file(home.path("dir/bob/without-category.md")).unwrap();
    assert_eq!(export("dir").code, Some(0));
    assert!(home.path("dir/bob/categories/habits.md").exists());

    // What is not there any more goes, and nothing else.
    home.write("dir/alice/my own.md", "mine");
    home.ok(&["forget", "--user", "alice", "--yes"]);
    assert_eq!(export("dir").code, Some(0));
    let kept: Vec<String> = files(&home.path("dir")).into_keys().collect();
    assert!(
        kept.iter()
            .all(|name| name.starts_with("bob/") || name.contains("my ") || name == "index.md"),
        "{kept:?}"
    );
    assert!(
        kept.contains(&"alice/my own.md".to_owned()) && kept.contains(&"my notes.md".to_owned())
    );
    let text = home.ok(&["import", "dir"]);
    assert!(
        text.contains("my notes.md is none of an export and was not read"),
        "{text}"
    );
}

#[cfg(unix)]
#[test]
fn an_export_does_not_follow_links_out_of_its_folder() {
    let home = home();
    std::fs::create_dir(home.path("elsewhere")).unwrap();
    std::fs::rename(
        home.path("dir/alice/categories"),
        home.path("elsewhere/categories"),
    )
    .unwrap();
    std::os::unix::fs::symlink(
        home.path("elsewhere/categories"),
        home.path("dir/alice/categories"),
    )
    .unwrap();
    let run = home.run(&["export", "dir", "--format", "markdown", "--all-scopes"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("this is a link"), "{run:?}");
}

#[test]
fn what_is_edited_in_pages_for_reading_is_said_not_to_be_taken_in() {
    let home = Home::new();
    home.write("chat.json", long_conversation(30));
    home.ok(&["memorize", "chat.json", "--user", "alice"]);
    export(&home, "dir");
    let all = files(&home.path("dir"));
    let chat = all
        .keys()
        .find(|name| name.contains("/resources/"))
        .unwrap();
    assert!(
        all[chat].contains("**Nora**, 1 January 2026 10:00 ^m0\n\n> I bought teapot"),
        "{}",
        all[chat]
    );
    home.write(
        &format!("dir/{chat}"),
        all[chat].replace("teapot", "kettle"),
    );
    let before = home.everything();
    let text = home.ok(&["import", "dir"]);
    assert!(
        text.contains(&format!(
            "{chat} is for reading; what was edited there is not taken in"
        )),
        "{text}"
    );
    assert_eq!(home.everything(), before);
}

#[test]
fn strange_names_and_texts_come_back_exactly() {
    let home = Home::new();
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
    home.write("all.jsonl", text.join("\n") + "\n");
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

const FORMATS: &str = include_str!("../../../docs/formats.md");

/// The first block of docs/formats.md that begins with this line.
fn documented(beginning: &str) -> &'static str {
    let blocks = FORMATS.split("\n```\n");
    let mut blocks = blocks.filter_map(|block| Some(block.rsplit_once("\n```")?.1));
    let mut texts = blocks
        .by_ref()
        .filter_map(|block| Some(block.split_once('\n')?.1));
    texts.find(|text| text.starts_with(beginning)).unwrap()
}

/// A text with the same digits for every id.
fn without_ids(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let is_id = |word: &str| {
        let digits = |c: char| c.is_ascii_hexdigit() && !c.is_ascii_uppercase();
        word.len() >= 8
            && word.chars().all(|c| digits(c) || c == '-')
            && word.contains(|c: char| c.is_ascii_digit())
    };
    let words: Vec<&str> = text.split_inclusive(|c| !is_part(c)).collect();
    let masked = words.iter().map(|word| {
        let (name, end) = match word.char_indices().last() {
            Some((at, last)) if !is_part(last) => word.split_at(at),
            _ => (*word, ""),
        };
        let (before, id) = name
            .rsplit_once("friends-")
            .map_or(("", name), |(_, id)| ("friends-", id));
        let id = id.trim_matches('"');
        // YAML wants quotes where an id begins with a digit.
        let shown = if is_id(id) { "ID" } else { id };
        format!("{before}{shown}{end}")
    });
    masked.collect::<String>().replace("\"ID\"", "ID")
}

#[test]
fn the_documented_pages_are_what_is_written() {
    let home = Home::new();
    home.write("friends.json", include_bytes!("../samples/friends.json"));
    home.ok(&["memorize", "friends.json", "--user", "alice"]);
    export(&home, "dir");
    let name = "categories/habits.md";
    let expected = documented("---\nmemu: category");
    assert_eq!(
        without_ids(page(&home, name).trim()),
        without_ids(expected.trim())
    );
    edit(&home, name, "six kilometres. *(", "seven kilometres. *(");
    let habits = page(&home, name);
    home.write(
        &format!("dir/alice/{name}"),
        format!("{habits}\n- Nora swims on Sundays *(behavior, May 2026)*\n"),
    );
    let told = home.ok(&["import", "dir"]);
    assert_eq!(told.trim(), documented("changed  alice").trim());
}
