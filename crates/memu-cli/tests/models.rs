//! `memu models`: which providers there are, and whether the configured ones answer.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use memu_testkit::models::{Asked, FakeProvider, Fault, Recorded};
use serde_json::json;
use support::Home;

const KEY: &str = "sk-secret-of-nora";

/// A home whose profile `default` is this server.
fn home(server: &FakeProvider) -> Home {
    let home = Home::new();
    let settings = format!(
        "[llm_profiles.default]\nbase_url = \"{}/v1\"\napi_key = \"{KEY}\"\nchat_model = \"one\"\n\
         embed_model = \"two\"\nmax_retries = 0\n",
        server.base_url()
    );
    home.write("memu.toml", settings);
    home
}

#[test]
fn providers_are_listed_with_what_they_need() {
    let home = Home::new();
    let listed = home.ok(&["models"]);
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!("models", listed) });
    assert!(listed.lines().all(|line| line.chars().count() <= 100));
    let all = home.json(&["models"]);
    let names: Vec<&str> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|preset| preset["name"].as_str().unwrap())
        .collect();
    let openai = all
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "openai");
    assert_eq!(openai.unwrap()["base_url"], "https://api.openai.com/v1");
    for name in ["anthropic", "gemini", "ollama", "voyage", "cohere", "azure"] {
        assert!(names.contains(&name), "{names:?}");
    }
}

#[test]
fn a_model_that_answers_is_shown_with_its_dimension() {
    let server = FakeProvider::builder().dimension(12).start();
    let home = home(&server);
    let tested = home.json(&["models", "test"]);
    let tested = tested.as_array().unwrap();
    assert_eq!(tested.len(), 2);
    assert_eq!(
        (&tested[0]["what"], &tested[0]["model"]),
        (&"chat".into(), &"openai/one".into())
    );
    assert_eq!(tested[1]["dimension"], 12);
    assert!(tested.iter().all(|one| one["milliseconds"].is_f64()));
    let authorised = format!("Bearer {KEY}");
    let requests = server.requests();
    assert!(!requests.is_empty());
    assert!(
        requests
            .iter()
            .all(|one| one.header("authorization") == Some(&*authorised))
    );
}

#[test]
fn a_model_that_does_not_answer_is_a_failure_that_shows_no_key() {
    let server = FakeProvider::builder()
        .fault_when(|_| Some(Fault::status(401).saying(KEY)))
        .start();
    let home = home(&server);
    let run = home.run(&["models", "test"]);
    assert_eq!(run.code, Some(1));
    let told = format!("{}{}", run.stdout, run.stderr);
    assert!(told.contains("401"), "{told}");
    assert!(told.contains("2 of 2 models did not answer"), "{told}");
    assert!(!told.contains(KEY), "{told}");
}

#[test]
fn without_a_profile_there_is_nothing_to_test() {
    let home = Home::new();
    let run = home.run(&["models", "test"]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr.contains("no model is configured"),
        "{}",
        run.stderr
    );
}

#[test]
fn what_needs_no_model_works_without_key_and_network() {
    let home = Home::new();
    // Nobody listens there, and the dimension of its model is not known.
    let settings = "[llm_profiles.default]\nbase_url = \"http://127.0.0.1:9/v1\"\n\
                    api_key = \"NOT_THERE_KEY\"\nembed_model = \"two\"\nmax_retries = 0\n";
    home.write("memu.toml", settings);
    assert_eq!(home.json(&["stats", "--user", "nora"])["items"], 0);
    assert_eq!(
        home.json(&["list", "items", "--user", "nora"])["items"],
        serde_json::json!([])
    );
    let run = home.run(&["add", "Nora sails", "--user", "nora"]);
    assert_eq!(run.code, Some(2));
    for part in ["llm_profiles.default", "NOT_THERE_KEY is not set"] {
        assert!(run.stderr.contains(part), "{}", run.stderr);
    }
    assert_eq!(home.json(&["stats", "--user", "nora"])["items"], 0);
}

#[test]
fn what_models_took_is_shown_with_what_it_cost() {
    let server = FakeProvider::start();
    let home = Home::new();
    let settings = format!(
        "[llm_profiles.embedding]\nprovider = \"openai\"\nbase_url = \"{}/v1\"\n\
         api_key = \"{KEY}\"\nembed_price = 1000.0\ndimension = 8\n",
        server.base_url()
    );
    home.write("memu.toml", settings);
    home.ok(&["add", "Nora sails", "--user", "nora"]);
    home.ok(&["retrieve", "Who sails?", "--user", "nora"]);
    let shown = home.ok(&["stats", "--user", "nora"]);
    let line = |step: &str| shown.lines().find(|line| line.contains(step)).unwrap();
    assert!(
        line("embed_memories").contains("openai/text-embedding-3-small"),
        "{shown}"
    );
    assert!(line("embed_memories").contains("cost 0.0010"), "{shown}");
    assert!(line("embed_question").contains("1 calls"), "{shown}");
    let told = home.json(&["stats", "--user", "nora"]);
    assert_eq!(told["model_calls"][1]["step"], "embed_question");
    assert_eq!(told["model_calls"][1]["calls"], 1);
}

/// An answer about the message "I keep bees".
fn answer() -> String {
    let item = json!({
        "memory_type": "profile",
        "content": "Nora keeps bees",
        "message_numbers": [1],
        "categories": ["activities"],
        "happened_at": null,
    });
    json!({"caption": "bees", "items": [item]}).to_string()
}

/// A server that answers nonsense until it is told otherwise, and a home that asks it.
fn babbling() -> (FakeProvider, Arc<AtomicBool>, Home) {
    let sane = Arc::new(AtomicBool::new(false));
    let is_sane = sane.clone();
    let server = FakeProvider::builder()
        .chat(move |asked: &Asked| {
            let schema = asked.schema.clone().unwrap_or_default();
            if !is_sane.load(Ordering::SeqCst) {
                return "Bees, certainly.".to_owned();
            }
            let properties = &schema["properties"];
            if properties.get("caption").is_some() {
                answer()
            } else if properties.get("needs_retrieval").is_some() {
                json!({"needs_retrieval": true, "rewritten_query": "bees"}).to_string()
            } else if properties.get("sufficient").is_some() {
                json!({"sufficient": false, "next_query": null}).to_string()
            } else {
                json!({"summaries": [{"category": "activities", "summary": "Bees."}]}).to_string()
            }
        })
        .dimension(8)
        .start();
    let home = home(&server);
    let settings = std::fs::read_to_string(home.path("memu.toml")).unwrap();
    home.write("memu.toml", format!("{settings}dimension = 8\n"));
    home.write(
        "chat.json",
        r#"[{"role": "user", "content": "I keep bees"}]"#,
    );
    (server, sane, home)
}

#[test]
fn what_was_cut_off_goes_on_by_itself_and_pays_only_for_what_failed() {
    let (server, sane, home) = babbling();
    let run = home.run(&["memorize", "chat.json", "--user", "nora"]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr.contains("memu memorize --resume"),
        "{}",
        run.stderr
    );
    assert_eq!(home.json(&["stats", "--user", "nora"])["resources"], 0);
    sane.store(true, Ordering::SeqCst);
    server.forget_requests();
    let resumed = home.json(&["memorize", "--resume"]);
    assert_eq!(resumed["items"][0]["summary"], "Nora keeps bees");
    assert_eq!(resumed["resource"]["user_id"], "nora");
    // One for the memories, one for the summary, one for the vectors.
    assert_eq!(server.request_count(), 3);
    let again = home.run(&["memorize", "--resume"]);
    assert_eq!((again.code, again.stdout.as_str()), (Some(0), ""));
    assert!(
        again.stderr.contains("Nothing was cut off"),
        "{}",
        again.stderr
    );
}

#[test]
fn an_answer_that_can_be_understood_now_is_stored_without_asking_again() {
    let (server, _, home) = babbling();
    home.run(&["memorize", "chat.json", "--user", "nora"]);
    server.forget_requests();
    let waiting = home.json(&["replay"]);
    assert_eq!(waiting[0]["status"], "waiting");
    assert!(
        waiting[0]["error"]
            .as_str()
            .unwrap()
            .contains("no kept reply"),
        "{waiting}"
    );
    assert_eq!(server.request_count(), 0);
    // As if this version understood what the one before did not.
    let body = json!({
        "choices": [{"message": {"role": "assistant", "content": answer()}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 5},
    });
    let database = rusqlite::Connection::open(home.path("memu.db")).unwrap();
    let changed = database.execute(
        "UPDATE memu_model_replies SET reply_text = ?1 WHERE step_name = 'extract_items'",
        [body.to_string()],
    );
    assert_eq!(changed.unwrap(), 3);
    drop(database);
    let planned = home.json(&["replay", "--dry-run"]);
    assert_eq!(planned[0]["status"], "memorized", "{planned}");
    assert_eq!(planned[0]["items"][0]["summary"], "Nora keeps bees");
    assert_eq!(home.json(&["stats", "--user", "nora"])["resources"], 0);
    let replayed = home.json(&["replay"]);
    assert_eq!(replayed[0]["status"], "memorized", "{replayed}");
    assert_eq!(replayed[0]["items"][0]["summary"], "Nora keeps bees");
    assert!(
        server
            .requests()
            .iter()
            .all(|one| one.asked().is_embedding())
    );
    let stored = home.json(&["list", "items", "--user", "nora"]);
    assert_eq!(stored["items"][0]["summary"], "Nora keeps bees");
    assert_eq!(home.json(&["replay"]), json!([]));
}

#[test]
fn what_was_overlooked_in_an_answer_is_added_on_demand() {
    let (_server, sane, home) = babbling();
    sane.store(true, Ordering::SeqCst);
    home.ok(&["memorize", "chat.json", "--user", "nora"]);
    let nothing = home.json(&["replay", "--all"]);
    assert_eq!(nothing[0]["status"], "unchanged", "{nothing}");
    assert_eq!(nothing[0]["error"], json!(null));
    // As if this version found more in the answer.
    let database = rusqlite::Connection::open(home.path("memu.db")).unwrap();
    let changed = database.execute(
        "UPDATE memu_model_replies SET reply_text = replace(reply_text, 'keeps bees', 'owns a smoker and a veil')
         WHERE step_name = 'extract_items'",
        [],
    );
    assert_eq!(changed.unwrap(), 1);
    drop(database);
    let planned = home.json(&["replay", "--all", "--dry-run"]);
    assert_eq!(planned[0]["status"], "extended");
    assert_eq!(home.json(&["stats", "--user", "nora"])["items"], 1);
    home.ok(&["replay", "--all"]);
    let items = home.json(&["list", "items", "--user", "nora"]);
    let told: Vec<&str> = items["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["summary"].as_str().unwrap())
        .collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.contains(&"Nora owns a smoker and a veil"), "{told:?}");
}

#[test]
fn what_was_cut_off_is_found_from_another_folder_and_refused_when_it_has_changed() {
    let (_server, sane, home) = babbling();
    home.run(&["memorize", "chat.json", "--user", "nora"]);
    let stats = home.json(&["stats", "--user", "nora"]);
    assert_eq!(
        (&stats["unfinished"], &stats["resources"]),
        (&json!(1), &json!(0))
    );
    sane.store(true, Ordering::SeqCst);
    let elsewhere = home.path("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let others = r#"[{"role": "user", "content": "Nobody is to see this"}]"#;
    std::fs::write(elsewhere.join("chat.json"), others).unwrap();
    let resume = || {
        let mut command = home.command(&["memorize", "--resume", "--db", "../memu.db"]);
        command.args(["--config", "../memu.toml"]);
        command.current_dir(&elsewhere).output().unwrap()
    };
    let original = std::fs::read(home.path("chat.json")).unwrap();
    home.write(
        "chat.json",
        r#"[{"role": "user", "content": "I keep goats"}]"#,
    );
    let changed = resume();
    assert_eq!(changed.status.code(), Some(1));
    let told = String::from_utf8(changed.stderr).unwrap();
    assert!(told.contains("another one now"), "{told}");
    assert_eq!(home.json(&["stats", "--user", "nora"])["resources"], 0);
    home.write("chat.json", original);
    assert!(resume().status.success());
    let items = home.json(&["list", "items", "--user", "nora"]);
    assert_eq!(items["items"][0]["summary"], "Nora keeps bees");
    let resources = home.json(&["list", "resources", "--user", "nora"]);
    assert_eq!(resources["resources"][0]["url"], "chat.json");
    assert_eq!(home.json(&["stats", "--user", "nora"])["unfinished"], 0);
}

#[test]
fn what_cannot_go_on_does_not_hold_up_the_rest_and_can_be_let_go() {
    let (_server, sane, home) = babbling();
    home.write(
        "gone.json",
        r#"[{"role": "user", "content": "I had bees"}]"#,
    );
    home.run(&["memorize", "gone.json", "--user", "nora"]);
    home.run(&["memorize", "chat.json", "--user", "nora"]);
    std::fs::remove_file(home.path("gone.json")).unwrap();
    sane.store(true, Ordering::SeqCst);
    let run = home.run(&["memorize", "--resume"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stdout.contains("Memorized chat.json"), "{}", run.stdout);
    assert!(run.stderr.contains("gone.json"), "{}", run.stderr);
    assert!(
        run.stderr.contains("1 of 2 could not go on"),
        "{}",
        run.stderr
    );
    let unknown = home.run(&["memorize", "--give-up", "other.json"]);
    assert_eq!(unknown.code, Some(3));
    home.ok(&["memorize", "--give-up", "gone.json"]);
    let rest = home.run(&["memorize", "--resume"]);
    assert!(
        rest.stderr.contains("Nothing was cut off"),
        "{}",
        rest.stderr
    );
}

#[test]
fn a_limit_of_costs_without_prices_is_refused() {
    let server = FakeProvider::start();
    let home = home(&server);
    let settings = std::fs::read_to_string(home.path("memu.toml")).unwrap();
    home.write(
        "memu.toml",
        format!("{settings}\n[budget]\nmax_cost = 1.0\n"),
    );
    let run = home.run(&["stats"]);
    assert_eq!(run.code, Some(2));
    assert!(
        run.stderr.contains("budget.max_cost limits nothing"),
        "{}",
        run.stderr
    );
}

#[test]
fn help_tells_what_a_verb_reads() {
    let home = Home::new();
    let help = home.ok(&["memorize", "--help"]);
    for part in ["JSON Lines", "--resume", "--give-up"] {
        assert!(help.contains(part), "{help}");
    }
    assert!(
        home.ok(&["replay", "--help"])
            .contains("kept before it is read")
    );
}

/// The superuser may write anything, so that the binary runs as somebody who may not.
#[cfg(unix)]
#[test]
fn a_memory_that_can_only_be_read_is_asked_by_models_too() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::os::unix::process::CommandExt as _;

    const NOBODY: u32 = 65_534;

    let (server, sane, home) = babbling();
    sane.store(true, Ordering::SeqCst);
    home.ok(&["memorize", "chat.json", "--user", "nora"]);
    for (name, mode) in [("memu.db", 0o444), ("memu.toml", 0o444), (".", 0o555)] {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(home.path(name), mode).unwrap();
    }
    server.forget_requests();
    let mut command = home.command(&["--json", "retrieve", "Who keeps bees?", "--user", "nora"]);
    if std::fs::metadata(home.path("memu.db")).unwrap().uid() == 0 {
        command.uid(NOBODY).gid(NOBODY);
    }
    let ran = command.output();
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(home.path("."), mode).unwrap();
    let ran = match ran {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            let test = "models::a_memory_that_can_only_be_read_is_asked_by_models_too";
            memu_testkit::skip(
                test,
                "another user may not run the binary where it is built",
            );
            return;
        }
        ran => ran.unwrap(),
    };
    let told = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success(), "{told}");
    let found: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(found["items"][0]["summary"], "Nora keeps bees");
    let asked: Vec<Asked> = server.requests().iter().map(Recorded::asked).collect();
    assert!(asked.iter().any(Asked::is_embedding), "{asked:?}");
    assert!(!asked.iter().all(Asked::is_embedding), "{asked:?}");
}
