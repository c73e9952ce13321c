//! What is refused, by which message, and that nothing changes.

use super::*;

const TEA: &str = "categories/preferences.md";

/// A page, what is replaced there by what, the line that is named (0: it does not matter), and what
/// is said.
const CASES: &[(&str, &str, &str, usize, &str)] = &[
    (
        TEA,
        "name: preferences",
        "name: preferences\ncolour: red",
        6,
        "the front matter is not understood",
    ),
    (
        TEA,
        "name: preferences",
        "name: [",
        5,
        "the front matter is not understood",
    ),
    (TEA, "\n---\n\n", "\n", 1, "the front matter is not closed"),
    (TEA, "name: preferences\n", "", 1, "name is missing"),
    (TEA, "id: ", "id: x", 4, "was exported with the id"),
    (
        TEA,
        "revision: 1",
        "revision: 9",
        9,
        "the revision is 1 and not for editing",
    ),
    (
        TEA,
        "version: 1",
        "version: 2",
        3,
        "the page is of version 2",
    ),
    (
        TEA,
        "memu: category",
        "memu: tea",
        2,
        "a page here is of the kind category",
    ),
    (
        TEA,
        "user_id: alice",
        "user_id: bob",
        7,
        "of another scope than its folder",
    ),
    (
        TEA,
        "name: preferences",
        "name: habits",
        5,
        "another category of the name",
    ),
    (
        TEA,
        "## Memories",
        "## Tea",
        0,
        "the heading \"## Memories\" is missing",
    ),
    (
        TEA,
        "- Nora likes green tea *(",
        "Nora likes green tea *(",
        0,
        "this line is no memory",
    ),
    (
        TEA,
        "*(knowledge)*",
        "",
        0,
        "the type of the memory is missing",
    ),
    (
        TEA,
        "*(knowledge)*",
        "*(knowledge, soon)*",
        0,
        "no type with a date",
    ),
    (TEA, "*(knowledge)*", "*(wisdom)*", 0, "unknown memory type"),
    (
        TEA,
        "- Nora likes green tea *(",
        "- *(",
        0,
        "the memory is empty",
    ),
    (
        TEA,
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

#[test]
fn what_is_not_understood_is_named_by_file_and_line_and_changes_nothing() {
    let home = home();
    for (name, from, to, line, expected) in CASES {
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
    let twice = line(&home, TEA, "green tea *(").replace("green", "red");
    let habits = page(&home, "categories/habits.md");
    home.write(
        "dir/alice/categories/habits.md",
        format!("{habits}{twice}\n"),
    );
    edit(&home, TEA, "green tea *(", "white tea *(");
    refused(&home, &["dir"], 1, &["was edited in two ways"]);
    home.write("dir/alice/categories/copy.md", page(&home, TEA));
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
        &["dir", "--db", "inmemory"],
        1,
        &["is in this process and goes with it"],
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
