//! Exit codes: 0 done, 1 failed, 2 wrong usage, 3 nothing found where something was
//! named.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod support;

use support::Home;

fn code(home: &Home, arguments: &[&str]) -> Option<i32> {
    home.run(arguments).code
}

#[test]
fn what_is_named_but_not_there_is_three() {
    let home = Home::new();
    home.ok(&["add", "Ann likes tea", "--user", "alice"]);
    let unknown = "0a1b2c3d";
    for arguments in [
        &["show", unknown, "--user", "alice"][..],
        &["edit", unknown, "--text", "x", "--user", "alice"],
        &["delete", unknown, "--user", "alice"],
        &["forget", "--yes", "--user", "nobody"],
    ] {
        let run = home.run(arguments);
        assert_eq!(run.code, Some(3), "{arguments:?}: {run:?}");
        assert_eq!(run.stdout, "");
        assert!(run.stderr.starts_with("error: "), "{run:?}");
    }
}

#[test]
fn another_users_memory_is_not_there() {
    let home = Home::new();
    let added = home.json(&["add", "Ann likes tea", "--user", "alice"]);
    let id = added["memory_item"]["id"].as_str().unwrap();
    for arguments in [
        &["show", id, "--user", "bob"][..],
        &["edit", id, "--text", "x", "--user", "bob"],
        &["delete", id, "--user", "bob"],
    ] {
        let before = home.everything();
        assert_eq!(code(&home, arguments), Some(3), "{arguments:?}");
        assert_eq!(home.everything(), before);
    }
    assert_eq!(code(&home, &["show", id, "--user", "alice"]), Some(0));
}

#[test]
fn wrong_usage_is_two() {
    let home = Home::new();
    for arguments in [
        &["remember"][..],
        &["memorize"],
        &["retrieve"],
        &["list", "everything"],
        &["list", "items", "--limit", "many"],
        &["add", "x", "--scope", "user_id"],
        &["completions", "tcsh-like"],
        &["forget", "--yes"],
    ] {
        let run = home.run(arguments);
        assert_eq!(run.code, Some(2), "{arguments:?}: {run:?}");
        assert_eq!(run.stdout, "", "{arguments:?}");
    }
}

#[test]
fn forgetting_asks_and_takes_no_silence_for_yes() {
    let home = Home::new();
    home.ok(&["add", "Ann likes tea", "--user", "alice"]);
    let before = home.everything();
    let run = home.run(&["forget", "--user", "alice"]);
    assert_eq!(run.code, Some(2));
    assert_eq!(
        run.stderr,
        "error: nobody is there to ask; pass --yes to forget\n"
    );
    assert_eq!(home.everything(), before);
}

#[test]
fn a_question_without_a_scope_is_refused_where_several_are() {
    let home = Home::new();
    home.ok(&["add", "Ann likes tea", "--user", "alice"]);
    assert_eq!(code(&home, &["retrieve", "tea?"]), Some(0));
    home.ok(&["add", "Ben likes beer", "--user", "bob"]);
    let run = home.run(&["retrieve", "tea?"]);
    assert_eq!(run.code, Some(2));
    assert_eq!(
        run.stderr,
        "error: the store holds 2 scopes and none was named; pass user_id, or ask for all scopes\n"
    );
    let all = home.ok(&["retrieve", "Who likes what to drink?", "--all-scopes"]);
    assert!(all.contains("tea") && all.contains("beer"), "{all}");
}
