//! `MEMU_RECORD` and `MEMU_REPLAY`: a run that asked models, again without them.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod support;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use memu_testkit::models::{FakeProvider, obliging};
use serde_json::Value;
use support::{Home, Run, compare_with_readme, finished};

const KEY: &str = "key-of-nora-that-nobody-may-see";
const FRIENDS: &[u8] = include_bytes!("../samples/friends.json");

/// What needs the most requests: references in summaries, and models that judge and choose.
const SETTINGS: &str = r#"
[llm_profiles.default]
provider = "openai"
chat_model = "fake-provider/chat"
embed_model = "fake-provider/embed"
max_retries = 1

[memorize_config]
enable_item_references = true

[retrieve_config]
method = "llm"
"#;

fn home() -> Home {
    let home = Home::new();
    home.write("memu.toml", SETTINGS);
    home.write("friends.json", FRIENDS);
    home.write(
        "assistant.json",
        include_bytes!("../samples/assistant.json"),
    );
    home
}

fn server() -> FakeProvider {
    FakeProvider::builder().chat(obliging).start()
}

/// Runs a command that records what it asks.
fn record(home: &Home, server: &FakeProvider, tape: &Path, arguments: &[&str]) -> Run {
    let mut command = home.command(arguments);
    command.env("MEMU_RECORD", tape).env("OPENAI_API_KEY", KEY);
    command.env("OPENAI_BASE_URL", format!("{}/proxy/v1", server.base_url()));
    finished(command.output().unwrap())
}

/// Runs a command by a recording, without a key or an address.
fn replay(home: &Home, tape: &Path, arguments: &[&str]) -> Run {
    let mut command = home.command(arguments);
    command.env("MEMU_REPLAY", tape);
    command
        .env_remove("OPENAI_API_KEY")
        .env_remove("OPENAI_BASE_URL");
    finished(command.output().unwrap())
}

const RUN: [&[&str]; 7] = [
    &["--json", "memorize", "friends.json", "--user", "alice"],
    // Summaries are written anew, from those that cite memories.
    &["--json", "memorize", "assistant.json", "--user", "alice"],
    &[
        "--json",
        "retrieve",
        "What is Nora allergic to?",
        "--user",
        "alice",
    ],
    &["--json", "add", "Nora likes figs", "--user", "alice"],
    &[
        "--json",
        "retrieve",
        "What does Nora like?",
        "--user",
        "alice",
    ],
    &["--json", "list", "categories", "--user", "alice"],
    &["--json", "models", "test"],
];

fn outcome(run: &Run) -> Value {
    assert_eq!(run.code, Some(0), "{run:?}");
    let mut response = serde_json::from_str(&run.stdout).unwrap();
    mask(&mut response, &mut HashMap::new());
    response
}

/// Takes out what differs between runs: times, and ids, which are numbered.
fn mask(value: &mut Value, ids: &mut HashMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match name.as_str() {
                    "created_at" | "updated_at" | "milliseconds" | "ref_id" => *value = Value::Null,
                    _ => mask(value, ids),
                }
            }
        }
        Value::Array(all) => all.iter_mut().for_each(|one| mask(one, ids)),
        Value::String(text) if is_uuid(text) => {
            let number = format!("id {}", ids.len());
            let short = text[..6].to_owned();
            let known = ids.entry(short).or_insert(number);
            known.clone_into(text);
        }
        Value::String(text) => {
            let mut parts = text.split("[ref:");
            let mut masked = parts.next().unwrap().to_owned();
            for part in parts {
                let (short, rest) = part.split_once(']').unwrap();
                assert!(short.len() == 6, "{text}");
                masked.push_str("[ref]");
                masked.push_str(rest);
            }
            *text = masked;
        }
        _ => {}
    }
}

fn is_uuid(text: &str) -> bool {
    let mut groups = text.split('-').map(str::len);
    [8, 4, 4, 4, 12].into_iter().eq(groups.by_ref())
}

#[test]
fn a_run_is_the_same_without_models_a_network_or_a_key() {
    let first = home();
    let tape = first.path("run.jsonl");
    let server = server();
    let recorded: Vec<Value> = RUN
        .iter()
        .map(|arguments| outcome(&record(&first, &server, &tape, arguments)))
        .collect();
    let asked = server.request_count();
    drop(server);
    let text = std::fs::read_to_string(&tape).unwrap();
    assert_eq!(text.lines().count(), asked);
    assert!(!text.contains(KEY), "{text}");
    assert!(
        recorded[1].to_string().contains("in short [ref]."),
        "{}",
        recorded[1]
    );
    let second = home();
    for (arguments, recorded) in RUN.iter().zip(&recorded) {
        assert_eq!(
            outcome(&replay(&second, &tape, arguments)),
            *recorded,
            "{arguments:?}"
        );
    }
}

#[test]
fn another_request_than_the_recorded_one_is_named_and_nothing_is_stored() {
    let first = home();
    let tape = first.path("run.jsonl");
    let server = server();
    let memorize = ["memorize", "friends.json", "--user", "alice"];
    assert_eq!(record(&first, &server, &tape, &memorize).code, Some(0));
    let second = home();
    let altered = str::from_utf8(FRIENDS)
        .unwrap()
        .replace("Biscuit", "Waffle");
    second.write("friends.json", altered);
    let run = replay(&second, &tape, &memorize);
    assert_eq!(run.code, Some(1), "{run:?}");
    for told in [
        "has no such request to /chat/completions; the nearest, in line ",
        ", differs at /messages/1/content: ",
        "Waffle is still hiding under the bed",
        "Biscuit is still hiding under the bed",
        "default",
        tape.to_str().unwrap(),
    ] {
        assert!(run.stderr.contains(told), "{told}: {}", run.stderr);
    }
    let stats = replay(&second, &tape, &["--json", "stats", "--user", "alice"]);
    assert_eq!(outcome(&stats)["items"], 0);
}

#[test]
fn variables_that_cannot_be_used_are_refused_before_anything_is_opened() {
    let home = home();
    let refused = |record: Option<&str>, replay: Option<&str>, why: &str| {
        let mut command = home.command(&["add", "Nora rows", "--user", "alice"]);
        for (name, value) in [("MEMU_RECORD", record), ("MEMU_REPLAY", replay)] {
            value.map(|value| command.env(name, value));
        }
        let run = finished(command.output().unwrap());
        assert_eq!(run.code, Some(2), "{run:?}");
        assert!(run.stderr.contains(why), "{why}: {}", run.stderr);
        assert!(!home.path("memu.db").exists());
    };
    home.write("bad.jsonl", "\n{\"recording\":1}\n");
    refused(
        Some("a"),
        Some("b"),
        "MEMU_RECORD and MEMU_REPLAY are both set",
    );
    refused(None, Some("nowhere.jsonl"), "file: nowhere.jsonl");
    refused(None, Some("bad.jsonl"), "line: 2");
    refused(Some("friends.json"), None, "is no recording");
    assert_eq!(std::fs::read(home.path("friends.json")).unwrap(), FRIENDS);
    assert!(!home.path("a").exists());
}

#[test]
fn processes_that_record_at_the_same_time_write_whole_lines() {
    let home = home();
    let tape = home.path("run.jsonl");
    let server = server();
    std::thread::scope(|threads| {
        for user in ["alice", "bob", "carol", "dora"] {
            let (home, server, tape) = (&home, &server, &tape);
            threads.spawn(move || {
                let arguments = ["memorize", "friends.json", "--user", user];
                assert_eq!(record(home, server, tape, &arguments).code, Some(0));
            });
        }
    });
    let text = std::fs::read_to_string(&tape).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), server.request_count());
    assert!(lines.iter().all(|line| line["status"] == 200));
}

/// The recording that is kept was made of a server that stands for a provider, by this test.
/// When prompts have changed, delete it, run this test twice, and commit what it wrote.
#[test]
fn the_example_conversation_is_memorized_by_the_recording_that_is_kept() {
    let kept =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/recordings/fake-provider.jsonl");
    let memorize = ["--json", "memorize", "friends.json", "--user", "alice"];
    if !kept.exists() {
        let run = record(&home(), &server(), &kept, &memorize);
        panic!("the recording was made anew: look at it and commit it ({run:?})");
    }
    let run = replay(&home(), &kept, &memorize);
    assert_eq!(run.code, Some(0), "{run:?}");
    let response: Value = serde_json::from_str(&run.stdout).unwrap();
    let items = response["items"].as_array().unwrap();
    let said = |text: &str| {
        items
            .iter()
            .any(|item| item["summary"].as_str().unwrap().contains(text))
    };
    assert!(said("I'm allergic to walnuts now"), "{response}");
    assert_eq!(
        items.len(),
        serde_json::from_slice::<Value>(FRIENDS).unwrap()["messages"]
            .as_array()
            .unwrap()
            .len()
    );
}

#[test]
fn the_readme_shows_what_a_replay_prints() {
    let server = server();
    let home = Home::new();
    let settings = format!("{SETTINGS}\n[llm_profiles.embedding]\nprovider = \"local\"\n");
    let address = format!(
        "base_url = \"{}/v1\"\napi_key = \"{KEY}\"\nmax_retries",
        server.base_url()
    );
    let settings = settings.replace("fake-provider/chat", "gpt-4o-mini");
    home.write("memu.toml", settings.replace("max_retries", &address));
    assert_eq!(compare_with_readme(&home, "## Recorded and replayed\n"), 3);
}
