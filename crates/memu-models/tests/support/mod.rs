//! What the tests of clients share.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "every test file uses a part of it"
)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use memu_core::environment::FixedClock;
use memu_core::provider::{Ask, Calls, ChatMessage, ChatReply, ChatRequest, ReplyFormat};
use memu_core::records::{ContentHash, Role};
use memu_core::time::Timestamp;
use memu_core::{Result, Secret};
use memu_models::{ChatClient, Connection, Pause, Profile, Surroundings, Variables};
use memu_testkit::models::FakeProvider;
use serde_json::json;

pub const KEY: &str = "sk-test-0123456789abcdef";

/// Does not wait, and remembers for how long it should have.
#[derive(Debug, Default)]
pub struct NoPause(Mutex<Vec<Duration>>);

impl NoPause {
    pub fn asked(&self) -> Vec<Duration> {
        self.0.lock().unwrap().clone()
    }
}

#[async_trait]
impl Pause for NoPause {
    async fn pause(&self, time: Duration) {
        self.0.lock().unwrap().push(time);
        tokio::task::yield_now().await;
    }
}

/// A profile of a provider that the server plays.
pub fn profile(provider: &str, server: &FakeProvider) -> Profile {
    Profile {
        provider: provider.to_owned(),
        base_url: Some(server.base_url()),
        api_key: Some(Secret::new(KEY)),
        max_retries: 2,
        ..Profile::default()
    }
}

/// A connection that does not wait between attempts.
pub fn connect(profile: &Profile) -> Connection {
    connect_and_watch(profile).0
}

/// The same, with what tells how long it should have waited.
pub fn connect_and_watch(profile: &Profile) -> (Connection, Arc<NoPause>) {
    let pause = Arc::new(NoPause::default());
    let surroundings = Surroundings {
        variables: Variables::fixed([]),
        pause: pause.clone(),
        // Sun, 06 Nov 1994 08:49:37 GMT
        clock: Arc::new(FixedClock(Timestamp::from_micros(784_111_777_000_000))),
        seed: 7,
        ..Surroundings::default()
    };
    let connection = Connection::new("main", profile, &surroundings).unwrap();
    (connection, pause)
}

/// A question with instructions.
pub fn question(text: &str) -> ChatRequest {
    ChatRequest {
        messages: vec![
            ChatMessage::new(Role::System, "Be brief."),
            ChatMessage::new(Role::User, text),
        ],
        format: None,
        temperature: None,
        max_tokens: None,
    }
}

/// A form for answers.
pub fn format() -> ReplyFormat {
    ReplyFormat {
        name: "facts".to_owned(),
        schema: json!({
            "type": "object",
            "properties": {"facts": {"type": "array", "items": {"type": "string"}}},
            "required": ["facts"],
            "additionalProperties": false,
        }),
    }
}

/// What the model says, by calls that ask again where a reply cannot be read.
pub async fn asked(client: &ChatClient) -> Result<String> {
    let ask = Ask {
        step: "test",
        profile: "main",
        model: client,
        prompt_hash: ContentHash::of(b""),
        request: question("Hello"),
    };
    let read = |reply: &ChatReply| Ok(reply.text.clone());
    Calls::unkept().ask(ask, read).await
}
