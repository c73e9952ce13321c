//! Services to test with, over every store that this crate has.

#![allow(dead_code)] // Every test file uses its own part of this.

pub(crate) mod dice;
pub(crate) mod media;
pub(crate) mod models;
pub(crate) mod original;
pub(crate) mod shared_words;

use std::sync::Arc;

use memu::core::environment::{FixedClock, SeededIds};
use memu::core::time::Timestamp;
use memu::settings::{Layers, Settings};
use memu::{
    CreateItem, ListRequest, MemorizeRequest, MemorizeResponse, MemoryService,
    MemoryServiceBuilder, Modality,
};
use memu_testkit::postgres::{Database, database};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// A service and the folder that its file is in, or the database.
pub(crate) struct Fixture {
    pub(crate) service: MemoryService,
    pub(crate) folder: TempDir,
    _database: Option<Database>,
}

impl Fixture {
    /// Memorizes a conversation of a user.
    pub(crate) async fn memorize(&self, bytes: Vec<u8>, user: &str) -> MemorizeResponse {
        self.service.memorize(memorize(bytes, user)).await.unwrap()
    }
}

/// The stores to test: their names. Where there is no server, that part of the test is
/// recorded as skipped.
pub(crate) fn stores() -> Vec<&'static str> {
    let mut stores = vec!["inmemory", "sqlite"];
    if database(&this_test()).is_some() {
        stores.push("postgres");
    }
    stores
}

/// The name of the test that runs on this thread.
fn this_test() -> String {
    std::thread::current().name().unwrap_or("a test").to_owned()
}

/// A service over a new store, with reproducible ids and a clock that stands still.
pub(crate) async fn service(store: &str) -> Fixture {
    service_with(store, json!({})).await
}

/// The same with settings.
pub(crate) async fn service_with(store: &str, settings: Value) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let server = (store == "postgres").then(|| database(&this_test()).expect("a server"));
    let database = match &server {
        Some(server) => server.dsn().to_owned(),
        None if store == "sqlite" => folder.path().join("memu.db").display().to_string(),
        None => store.to_owned(),
    };
    let service = reproducible(&database, settings).build().await.unwrap();
    Fixture {
        service,
        folder,
        _database: server,
    }
}

/// A service that is being made, with reproducible ids and a clock that stands still.
pub(crate) fn reproducible(database: &str, settings: Value) -> MemoryServiceBuilder {
    let settings: Settings = Layers::new().value(settings).settings().unwrap();
    MemoryServiceBuilder::new()
        .settings(settings)
        .database(database)
        .ids(Arc::new(SeededIds::new(7)))
        .clock(Arc::new(FixedClock(
            Timestamp::parse("2026-03-01 12:00:00").unwrap(),
        )))
}

/// A conversation in a messages layout, with an id.
pub(crate) fn conversation(id: &str, messages: &[(&str, &str)]) -> Vec<u8> {
    let messages: Vec<Value> = messages
        .iter()
        .enumerate()
        .map(|(at, (name, text))| {
            json!({
                "id": format!("m{at}"),
                "name": name,
                "content": text,
                "created_at": format!("2026-02-{:02} 10:{:02}:00", 1 + at / 20, at % 20),
            })
        })
        .collect();
    serde_json::to_vec(&json!({"id": id, "messages": messages})).unwrap()
}

/// What two people tell each other.
pub(crate) const TALK: [(&str, &str); 8] = [
    ("Nora", "I adopted a greyhound called Pixel last week."),
    (
        "Theo",
        "How wonderful! I moved to Lisbon in January and started a new job as an archivist.",
    ),
    (
        "Nora",
        "I'm allergic to walnuts, so please bake without them.",
    ),
    (
        "Theo",
        "Noted. My sister Ines passed her nursing exam yesterday.",
    ),
    ("Nora", "I run six kilometres every morning before work."),
    ("Theo", "I want to learn the cello this year."),
    ("Nora", "I think that museums should be free for everyone."),
    ("Theo", "Beatriz, my supervisor, speaks five languages."),
];

pub(crate) fn memorize(bytes: Vec<u8>, user: &str) -> MemorizeRequest {
    MemorizeRequest::content(bytes, "chat.json", Modality::Conversation).user("user_id", user)
}

pub(crate) fn user(name: &str) -> Map<String, Value> {
    let Value::Object(object) = json!({"user_id": name}) else {
        unreachable!()
    };
    object
}

/// A memory in somebody's own words.
pub(crate) fn created(content: &str, name: &str) -> CreateItem {
    CreateItem {
        memory_type: "profile".to_owned(),
        content: content.to_owned(),
        categories: Vec::new(),
        user: user(name),
        propagate: true,
        extra: Map::new(),
    }
}

/// Everything that a user can see of a scope, as JSON.
pub(crate) async fn everything(service: &MemoryService, name: &str) -> Value {
    let request = ListRequest {
        filter: user(name),
        ..ListRequest::default()
    };
    json!({
        "items": service.list_memory_items(request.clone()).await.unwrap().records,
        "categories": service.list_memory_categories(request.clone()).await.unwrap().records,
        "resources": service.list_resources(request).await.unwrap().records,
    })
}
