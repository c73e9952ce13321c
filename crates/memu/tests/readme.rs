//! The program of the README, as it stands there.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

const README: &str = include_str!("../../../README.md");
const THIS: &str = include_str!("readme.rs");

/// How lines are broken does not matter.
fn without_spaces(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn it_is_the_program_that_runs_here() {
    let (_, rest) = README.split_once("```rust\n").unwrap();
    let (program, _) = rest.split_once("```").unwrap();
    let (used, program) = program.split_once("\n\n").unwrap();
    assert!(THIS.lines().any(|line| line == used));
    let (_, here) = THIS.rsplit_once("async fn program()").unwrap();
    let (_, here) = here.split_once("{\n").unwrap();
    assert!(without_spaces(here).starts_with(&without_spaces(program)));
}

use memu::{MemorizeRequest, Modality, RetrieveRequest};

async fn program() -> memu::Result<()> {
    let memory = memu::open("sqlite:///memu.db").await?;
    let chat = MemorizeRequest::url("chat.json", Modality::Conversation);
    memory.memorize(chat.user("user_id", "alice")).await?;

    let question = RetrieveRequest::question("What is Nora allergic to?");
    let answer = memory
        .retrieve(question.matching("user_id", "alice"))
        .await?;
    for hit in answer.items {
        println!("{:.2}  {}", hit.score, hit.item.summary);
    }
    memory.close().await
}

#[tokio::test]
async fn it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let chat = include_bytes!("../../memu-cli/samples/friends.json");
    std::fs::write(folder.path().join("chat.json"), chat).unwrap();
    // Each test of this file is a process of its own, and the other one reads no file.
    std::env::set_current_dir(folder.path()).unwrap();
    program().await.unwrap();
    // What it printed.
    let memory = memu::open("sqlite:///memu.db").await.unwrap();
    let question = RetrieveRequest::question("What is Nora allergic to?");
    let answer = memory.retrieve(question.matching("user_id", "alice")).await;
    let mut items = answer.unwrap().items.into_iter();
    assert!(items.any(|hit| hit.item.summary.contains("walnuts")));
}
