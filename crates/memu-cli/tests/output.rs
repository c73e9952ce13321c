//! What people see, whole: every verb on one small conversation.

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

/// A conversation of our own writing.
const CHAT: &str = r#"{"id": "harbour", "messages": [
    {"role": "user", "content": "Hi! I moved into the flat by the harbour last Saturday.", "created_at": "2026-03-02T09:14:00"},
    {"role": "assistant", "content": "How exciting! Did the piano survive?", "created_at": "2026-03-02T09:14:20"},
    {"role": "user", "content": "It did. My sister Ines carried it up with me. She is allergic to cats, so no pets for now.", "created_at": "2026-03-02T09:15:10"},
    {"role": "user", "content": "Always answer me in metric units.", "created_at": "2026-03-02T09:16:00"}
]}"#;

/// A home with the conversation in it, memorized for alice.
fn home() -> Home {
    let home = Home::new();
    home.write("chat.json", CHAT);
    home.ok(&["memorize", "chat.json", "--user", "alice"]);
    home
}

/// Compares with the snapshot, once ids and the time of storing are masked.
macro_rules! assert_output {
    ($output:expr, $name:literal) => {
        insta::with_settings!({
            filters => vec![
                (r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "[id]"),
                (r"(?m)^([0-9a-f]{6})  ", "[short] "),
                (r"(?m)^  [0-9a-f]{6}  ", "  [short]  "),
                (r"· [0-9a-f]{6}$", "· [short]"),
                (r"· [0-9a-f]{6}\n", "· [short]\n"),
                (r"(?m)^(Added|Changed|Deleted|Noted with) [0-9a-f]{6}", "$1 [short]"),
                (r"(stored +).*UTC", "$1[time]"),
                (r#"("(created_at|updated_at|valid_from)": )"[^"]+""#, "$1\"[time]\""),
                (r#""content_hash": "[0-9a-f]+""#, "\"content_hash\": \"[hash]\""),
                (r#""ref_id": "[0-9a-f]+""#, "\"ref_id\": \"[ref]\""),
                (r"[0-9]+ KiB", "[size] KiB"),
            ],
            omit_expression => true,
        }, { insta::assert_snapshot!($name, $output) });
    };
}

#[test]
fn memorize() {
    let home = Home::new();
    home.write("chat.json", CHAT);
    let first = home.ok(&["memorize", "chat.json", "--user", "alice"]);
    assert_output!(first, "memorize");
    let again = home.ok(&["memorize", "chat.json", "--user", "alice"]);
    assert_output!(again, "memorize_again");
    let more = r#"{"role": "user", "content": "I sold my kayak yesterday.", "created_at": "2026-03-04T20:00:00"}]}"#;
    home.write("chat.json", CHAT.replace("\n]}", &format!(",{more}")));
    let grown = home.ok(&["memorize", "chat.json", "--user", "alice"]);
    assert_output!(grown, "memorize_grown");
}

#[test]
fn retrieve() {
    let home = home();
    let question = "Why can the user have no pets?";
    let text = home.ok(&["retrieve", question, "--user", "alice", "-k", "2"]);
    assert_output!(text, "retrieve");
    let explained = home.ok(&[
        "retrieve",
        question,
        "--user",
        "alice",
        "-k",
        "1",
        "--explain",
    ]);
    assert_output!(explained, "retrieve_explain");
    let small_talk = home.ok(&["retrieve", "Good morning!", "--user", "alice"]);
    assert_eq!(small_talk, "That needs no memory.\n");
    let nothing = home.ok(&["retrieve", "zyxwv?", "--user", "alice"]);
    assert_eq!(nothing, "No memory speaks of that.\n");
}

#[test]
fn lists() {
    let home = home();
    let items = home.ok(&["list", "items", "--user", "alice"]);
    assert_output!(items, "list_items");
    let resources = home.ok(&["list", "resources", "--user", "alice"]);
    assert_output!(resources, "list_resources");
    let categories = home.ok(&["list", "categories", "--user", "alice"]);
    assert_output!(categories, "list_categories");
    let stats = home.ok(&["stats", "--user", "alice"]);
    assert_output!(stats, "stats");
}

#[test]
fn records() {
    let home = home();
    let id = |kind: &str, at: usize| {
        let page = home.json(&["list", kind, "--user", "alice"]);
        page[kind][at]["id"].as_str().unwrap().to_owned()
    };
    let show = |id: &str| home.ok(&["show", id, "--user", "alice"]);
    assert_output!(show(&id("items", 0)), "show_item");
    assert_output!(show(&id("resources", 0)), "show_resource");
    let relationships = home.json(&["list", "categories", "--user", "alice"]);
    let category = relationships["categories"]
        .as_array()
        .unwrap()
        .iter()
        .find(|category| category["name"] == "relationships")
        .unwrap();
    assert_output!(show(category["id"].as_str().unwrap()), "show_category");
    let answer = home.json(&["retrieve", "Who carried the piano?", "--user", "alice"]);
    let segment = answer["segments"][0]["id"].as_str().unwrap();
    assert_output!(show(segment), "show_segment");
}

#[test]
fn changes() {
    let home = home();
    let added = home.ok(&[
        "add",
        "Alice plays the cello",
        "--user",
        "alice",
        "--type",
        "profile",
    ]);
    assert_output!(added, "add");
    let items = home.json(&["list", "items", "--user", "alice"]);
    let items = items["items"].as_array().unwrap();
    let id = items.last().unwrap()["id"].as_str().unwrap().to_owned();
    let edited = home.ok(&[
        "edit",
        &id,
        "--text",
        "Alice plays the viola",
        "--user",
        "alice",
    ]);
    assert_output!(edited, "edit");
    let deleted = home.ok(&["delete", &id[..8], "--user", "alice"]);
    assert_output!(deleted, "delete");
    let forgotten = home.ok(&["forget", "--user", "alice", "--yes"]);
    assert_output!(forgotten, "forget");
    let doctor = home.ok(&["doctor"]);
    assert_output!(doctor, "doctor");
}

#[test]
fn tool_memory() {
    let home = Home::new();
    let added = home.json(&[
        "add",
        "The tide table is asked by harbour",
        "--type",
        "tool",
        "--when-to-use",
        "Before somebody sails",
        "--metadata",
        "tool_name=tides",
        "--metadata",
        "version=2",
        "--user",
        "alice",
    ]);
    let id = added["memory_item"]["id"].as_str().unwrap();
    let call = |more: &[&str]| {
        let start = ["add-tool-call", id, "--user", "alice", "--tool", "tides"];
        home.ok(&[&start[..], more].concat())
    };
    let input = "{\"harbour\": \"Brest\"}";
    call(&[
        "--input",
        input,
        "--output",
        "low at 6",
        "--seconds",
        "1.5",
        "--score",
        "0.8",
        "--tokens",
        "120",
    ]);
    let noted = call(&["--failed", "--seconds", "0.5", "--input", "Kiel"]);
    assert_output!(noted, "add_tool_call");
    let shown = home.ok(&["show", id, "--user", "alice"]);
    assert_output!(shown, "show_tool");
    let json = home.json(&["show", id, "--user", "alice"]);
    let calls = &json["item"]["extra"]["tool_calls"];
    assert_eq!(calls[0]["input"]["harbour"], "Brest");
    assert_eq!(calls[0]["token_cost"], 120);
    assert_eq!(calls[1]["input"], "Kiel");
    assert_eq!(calls[1]["success"], false);
    assert_eq!(json["tool_statistics"]["success_rate"], 0.5);
    home.ok(&[
        "edit",
        id,
        "--when-to-use",
        "",
        "--metadata",
        "a=b",
        "--user",
        "alice",
    ]);
    let json = home.json(&["show", id, "--user", "alice"]);
    assert_eq!(
        json["item"]["extra"]["when_to_use"],
        serde_json::Value::Null
    );
    assert_eq!(json["item"]["extra"]["metadata"]["a"], "b");
    assert_eq!(
        json["item"]["extra"]["metadata"].as_object().unwrap().len(),
        1
    );
}

#[test]
fn json() {
    let home = Home::new();
    home.write("chat.json", CHAT);
    let memorized = home.ok(&["memorize", "chat.json", "--user", "alice", "--json"]);
    assert_output!(memorized, "memorize_json");
    let found = home.ok(&[
        "retrieve",
        "Who carried the piano?",
        "--user",
        "alice",
        "-k",
        "1",
        "--json",
    ]);
    assert_output!(found, "retrieve_json");
}

#[test]
fn help() {
    let home = Home::new();
    let version = home.ok(&["--version"]);
    assert_eq!(version, format!("memu {}\n", env!("CARGO_PKG_VERSION")));
    assert_output!(home.ok(&["-h"]), "help");
    for verb in [
        "memorize",
        "retrieve",
        "list",
        "show",
        "add",
        "add-tool-call",
        "edit",
        "delete",
        "forget",
        "doctor",
        "demo",
        "eval",
        "completions",
    ] {
        let help = home.ok(&[verb, "--help"]);
        assert!(help.contains(&format!("Usage: memu {verb}")), "{help}");
        assert!(help.contains("--db <PATH|DSN>"), "{verb}: {help}");
    }
}
