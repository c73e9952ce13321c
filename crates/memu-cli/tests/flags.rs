//! Options and settings: where they may stand, and which of them wins.

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

fn count(home: &Home, arguments: &[&str]) -> usize {
    let page = home.json(arguments);
    page["items"].as_array().unwrap().len()
}

#[test]
fn global_options_stand_before_or_after_the_verb() {
    let home = Home::new();
    home.write("own.toml", "[retrieve_config.item]\ntop_k = 1\n");
    let options = [
        "--db", "own.db", "--user", "alice", "--config", "own.toml", "--quiet", "--color", "never",
        "--json",
    ];
    let before = [&options[..], &["add", "Ann likes tea"]].concat();
    assert_eq!(home.run(&before).code, Some(0));
    let after = [&["add", "Ann likes cake"][..], &options].concat();
    assert_eq!(home.run(&after).code, Some(0));
    assert!(home.path("own.db").is_file() && !home.path("memu.db").exists());
    assert_eq!(
        count(
            &home,
            &[
                "list",
                "items",
                "--db",
                "own.db",
                "--scope",
                "user_id=alice"
            ]
        ),
        2
    );
    let short = home.json(&["-u", "alice", "--db", "own.db", "list", "items"]);
    assert_eq!(short["items"].as_array().unwrap().len(), 2);
}

#[test]
fn a_flag_wins_over_a_variable_and_that_over_the_file() {
    let home = Home::new();
    for food in ["apples", "bread", "cherries", "dates"] {
        home.ok(&["add", &format!("Ann likes {food}"), "--user", "alice"]);
    }
    let ask = |variable: Option<&str>, flag: Option<&str>| {
        let mut arguments = vec![
            "--json",
            "retrieve",
            "What does Ann like?",
            "--user",
            "alice",
        ];
        if let Some(flag) = flag {
            arguments.extend(["-k", flag]);
        }
        let mut command = home.command(&arguments);
        if let Some(variable) = variable {
            command.env("MEMU_RETRIEVE_CONFIG__ITEM__TOP_K", variable);
        }
        let output = command.output().unwrap();
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        answer["items"].as_array().unwrap().len()
    };
    assert_eq!(ask(None, None), 4, "the default is 5");
    home.write("memu.toml", "[retrieve_config.item]\ntop_k = 3\n");
    assert_eq!(ask(None, None), 3);
    assert_eq!(ask(Some("2"), None), 2);
    assert_eq!(ask(Some("2"), Some("1")), 1);
}

#[test]
fn the_database_and_the_user_come_from_variables_too() {
    let home = Home::new();
    let mut command = home.command(&["add", "Ann likes tea"]);
    command
        .env("MEMU_DB", "sqlite:///deep/er/own.db")
        .env("MEMU_USER", "alice");
    assert!(command.output().unwrap().status.success());
    assert!(home.path("deep/er/own.db").is_file());
    let path = home.path("deep/er/own.db");
    let dsn = format!("sqlite:///{}", path.display());
    assert_eq!(
        count(&home, &["list", "items", "--db", &dsn, "--user", "alice"]),
        1
    );
    assert_eq!(
        count(&home, &["list", "items", "--db", &dsn, "--user", "bob"]),
        0
    );
}

#[test]
fn more_scope_fields_are_chosen_when_the_store_is_made() {
    let home = Home::new();
    home.ok(&[
        "add",
        "Ann likes tea",
        "--user",
        "ann",
        "--scope",
        "agent_id=butler",
    ]);
    home.ok(&[
        "add",
        "Ann likes rye",
        "--user",
        "ann",
        "--scope",
        "agent_id=baker",
    ]);
    let by = |scope: &str| count(&home, &["list", "items", "--user", "ann", "--scope", scope]);
    assert_eq!(
        (
            by("agent_id=butler"),
            by("agent_id=baker"),
            by("agent_id=cook")
        ),
        (1, 1, 0)
    );
    assert_eq!(
        count(&home, &["list", "items", "--user", "ann"]),
        2,
        "a part covers its scopes"
    );
}

#[test]
fn told_more_often_ranks_higher_when_that_is_configured() {
    let home = Home::new();
    home.write(
        "memu.toml",
        "[memorize_config]\nenable_item_reinforcement = true\n\
         [retrieve_config.item]\nranking = \"salience\"\n",
    );
    for (number, text) in [
        "I love black tea.",
        "I love green tea.",
        "I love green tea.",
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("{number}.json");
        // Each message is of another day, so that it is no repetition of the file.
        let chat = serde_json::json!([{
            "name": "Ann",
            "content": text,
            "created_at": format!("2026-03-0{}T10:00:00", number + 1),
        }]);
        home.write(&name, chat.to_string());
        home.ok(&["memorize", &name, "--user", "alice"]);
    }
    let answer = home.json(&["retrieve", "Which tea does Ann love?", "--user", "alice"]);
    let found: Vec<(&str, u64)> = answer["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            let count = item["extra"]["reinforcement_count"].as_u64().unwrap_or(1);
            (item["summary"].as_str().unwrap(), count)
        })
        .collect();
    assert_eq!(
        found,
        [("Ann loves green tea.", 2), ("Ann loves black tea.", 1)]
    );
}

#[test]
fn summaries_cite_their_memories_when_that_is_configured() {
    let home = Home::new();
    home.write(
        "memu.toml",
        "[memorize_config]\nenable_item_references = true\n",
    );
    home.write(
        "chat.txt",
        "Ann: My sister Ines lives in Porto.\nBen: Nice!\n",
    );
    home.ok(&[
        "memorize",
        "chat.txt",
        "--modality",
        "conversation",
        "--user",
        "alice",
    ]);
    let items = home.json(&["list", "items", "--user", "alice"]);
    let reference = items["items"][0]["extra"]["ref_id"].as_str().unwrap();
    let categories = home.json(&["list", "categories", "--user", "alice"]);
    let cites = |category: &serde_json::Value| {
        let summary = category["summary"].as_str().unwrap_or_default();
        summary.contains(&format!("[ref:{reference}]"))
    };
    assert!(
        categories["categories"]
            .as_array()
            .unwrap()
            .iter()
            .any(cites),
        "{categories}"
    );
}
