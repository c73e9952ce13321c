//! One file, many processes: the binary and the library, writing and reading at once.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::path::Path;
use std::process::{Child, Command, Stdio};

use memu::{CreateItem, CreateItems, MemoryService, NewItem, RetrieveRequest};
use serde_json::{Map, Value};
use support::Home;

/// Tells a child process of these tests what to do, and on which file.
const TASK: &str = "MEMU_TEST_TASK";
const FILE: &str = "MEMU_TEST_FILE";

/// How many memories each writer stores.
const EACH: usize = 25;

fn user(name: &str) -> Map<String, Value> {
    Map::from_iter([("user_id".to_owned(), name.into())])
}

fn content(writer: &str, number: usize) -> String {
    format!("{writer} owns {number} kayaks")
}

/// A child process: writes or reads through the library, as its task says.
#[tokio::test]
async fn child_with_a_task() {
    let (Ok(task), Ok(file)) = (std::env::var(TASK), std::env::var(FILE)) else {
        return;
    };
    let service = memu::open(&file).await.unwrap();
    match task.split_once(' ') {
        Some(("one-by-one", writer)) => one_by_one(&service, writer).await,
        Some(("at-once", writer)) => at_once(&service, writer).await,
        _ => read(&service, &task).await,
    }
    service.close().await.unwrap();
}

async fn one_by_one(service: &MemoryService, writer: &str) {
    for number in 0..EACH {
        let request = CreateItem {
            memory_type: "profile".to_owned(),
            content: content(writer, number),
            categories: Vec::new(),
            user: user("shared"),
            propagate: number % 5 == 0,
            extra: Map::new(),
        };
        service.create_memory_item(request).await.unwrap();
    }
}

async fn at_once(service: &MemoryService, writer: &str) {
    let items = (0..EACH).map(|number| NewItem {
        memory_type: "profile".to_owned(),
        content: content(writer, number),
        categories: Vec::new(),
        extra: Map::new(),
    });
    let request = CreateItems {
        items: items.collect(),
        user: user("shared"),
        propagate: true,
    };
    service.create_memory_items(request).await.unwrap();
}

/// Asks until the file `done` is there; what was once found is found again.
async fn read(service: &MemoryService, done: &str) {
    let mut found = 0;
    while !Path::new(done).exists() {
        let question = RetrieveRequest::question("Who owns kayaks?");
        let mut question = question.matching("user_id", "shared");
        question.top_k = Some(10_000);
        let answer = service.retrieve(question).await.unwrap();
        assert!(
            answer.items.len() >= found,
            "{} of {found}",
            answer.items.len()
        );
        found = answer.items.len();
    }
}

fn library(home: &Home, task: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_with_a_task", "--nocapture"])
        .env(TASK, task)
        .env(FILE, home.path("memu.db"))
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn shell(home: &Home, script: &str) -> Child {
    let mut shell = home.shell(&format!("set -e; {script}"));
    shell.stdout(Stdio::null()).spawn().unwrap()
}

#[test]
#[cfg(unix)]
fn eight_writers_and_four_readers_lose_nothing_and_see_no_error() {
    let home = Home::new();
    let done = home.path("done").display().to_string();
    // All of them at once on a file that is not there: the first ones make it.
    let mut writers = Vec::new();
    for writer in ["ann", "ben", "cem", "dora"] {
        let script = format!(
            "n=0; while [ $n -lt {EACH} ]; do \"$MEMU\" --quiet add \"{writer} owns $n kayaks\" \
             --type profile --user shared; n=$((n + 1)); done"
        );
        writers.push(shell(&home, &script));
    }
    for writer in ["emil", "fatma"] {
        writers.push(library(&home, &format!("one-by-one {writer}")));
    }
    for writer in ["gil", "hana"] {
        writers.push(library(&home, &format!("at-once {writer}")));
    }
    let ask = "while [ ! -e done ]; do \"$MEMU\" --json retrieve 'Who owns kayaks?' \
               --user shared; done";
    let readers = [
        library(&home, &done),
        library(&home, &done),
        shell(&home, ask),
        shell(&home, ask),
    ];
    for mut writer in writers {
        assert!(writer.wait().unwrap().success());
    }
    home.write("done", "");
    for mut reader in readers {
        assert!(reader.wait().unwrap().success());
    }

    let listed = home.json(&["list", "items", "--user", "shared", "--limit", "10000"]);
    let mut found: Vec<&str> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["summary"].as_str().unwrap())
        .collect();
    found.sort_unstable();
    let writers = ["ann", "ben", "cem", "dora", "emil", "fatma", "gil", "hana"];
    let mut expected: Vec<String> = writers
        .iter()
        .flat_map(|writer| (0..EACH).map(|number| content(writer, number)))
        .collect();
    expected.sort_unstable();
    assert_eq!(found, expected);
    let categories = home.json(&["list", "categories", "--user", "shared"]);
    assert_eq!(categories["categories"].as_array().unwrap().len(), 10);
    home.ok(&["doctor"]);
}

#[test]
fn readers_do_not_wait_for_a_writer_in_the_middle_of_its_work() {
    let home = Home::new();
    home.ok(&["add", "Ann likes tea", "--user", "ann"]);
    let writer = rusqlite::Connection::open(home.path("memu.db")).unwrap();
    writer
        .execute_batch("BEGIN IMMEDIATE; UPDATE memu_items SET summary = 'unfinished'")
        .unwrap();
    // The writer ends only after these have answered, so that waiting for it would fail.
    let answer = home.ok(&["retrieve", "What does Ann like?", "--user", "ann"]);
    assert!(answer.contains("Ann likes tea"), "{answer}");
    let listed = home.ok(&["list", "items", "--user", "ann"]);
    assert!(listed.contains("Ann likes tea"), "{listed}");
    writer.execute_batch("ROLLBACK").unwrap();
}
