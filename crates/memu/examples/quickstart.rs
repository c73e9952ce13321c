//! Remembers two messages and asks a question: `cargo run --example quickstart`.

#![allow(clippy::print_stdout, reason = "an example shows what it found")]

use memu::{MemorizeRequest, Modality, RetrieveRequest};

#[tokio::main]
async fn main() -> memu::Result<()> {
    // A file would be `memu::open("sqlite:///memu.db")`.
    let memory = memu::open("sqlite:///:memory:").await?;
    let chat = "Nora: My sister Ines is allergic to walnuts.\nTheo: Then no almond cake with nuts!";
    let request = MemorizeRequest::content(chat.as_bytes(), "chat.txt", Modality::Conversation);
    memory.memorize(request.user("user_id", "alice")).await?;

    let question = RetrieveRequest::question("What can Ines not eat?");
    let answer = memory
        .retrieve(question.matching("user_id", "alice"))
        .await?;
    for hit in answer.items {
        println!("{:.2}  {}", hit.score, hit.item.summary);
        for message in hit.evidence {
            println!("      “{}”", message.text);
        }
    }
    memory.close().await
}
