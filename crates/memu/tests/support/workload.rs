//! Seeded changes to a memory, and what a memory must look like after them.
//!
//! A service in memory to which the same changes were made is the reference: it has no
//! file that anything could happen to.

#![allow(dead_code)] // Every test file uses its own part of this.

use memu::core::random::SplitMix;
use memu::{
    CreateItem, CreateItems, ListRequest, MemorizeRequest, MemoryService, Modality, NewItem,
    Result, UpdateItem,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Numbers that look random and follow from a seed.
#[derive(Clone, Debug)]
pub(crate) struct Random(SplitMix);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(SplitMix::new(seed))
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0.below(end)
    }

    /// True once in `often` times.
    pub(crate) fn once_in(&mut self, often: u64) -> bool {
        self.below(often) == 0
    }
}

/// A change that somebody makes to a memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Change {
    Create(String),
    CreateMany(Vec<String>),
    Update { old: String, new: String },
    Delete(String),
    Memorize { name: String, messages: Vec<String> },
    Forget,
}

/// More items than this in a scope, and it is forgotten.
const MANY: usize = 400;

/// The next change to the memory of `user`. `mark` makes its words unlike all others.
pub(crate) async fn next_change(
    service: &MemoryService,
    user: &str,
    random: &mut Random,
    mark: &str,
) -> Change {
    // A memory that cannot be read will not be written either.
    let known = contents(service, user).await.unwrap_or_default();
    if known.len() > MANY {
        return Change::Forget;
    }
    let any = |random: &mut Random| known[random.below(known.len() as u64) as usize].clone();
    match random.below(100) {
        0..15 => {
            let count = 2 + random.below(30);
            Change::CreateMany((0..count).map(|at| sentence(random, mark, at)).collect())
        }
        15..30 if !known.is_empty() => Change::Update {
            old: any(random),
            new: sentence(random, mark, 0),
        },
        30..40 if !known.is_empty() => Change::Delete(any(random)),
        40..57 => memorize(random, mark),
        57..60 if !known.is_empty() => Change::Forget,
        _ => Change::Create(sentence(random, mark, 0)),
    }
}

/// A conversation of a few messages.
pub(crate) fn memorize(random: &mut Random, mark: &str) -> Change {
    let count = 3 + random.below(10);
    Change::Memorize {
        name: format!("talk-{mark}.json"),
        messages: (0..count).map(|at| sentence(random, mark, at)).collect(),
    }
}

pub(crate) fn sentence(random: &mut Random, mark: &str, at: u64) -> String {
    const THINGS: [&str; 8] = [
        "teapot",
        "kayak",
        "lantern",
        "violin",
        "compass",
        "quilt",
        "telescope",
        "bicycle",
    ];
    let thing = THINGS[random.below(8) as usize];
    let town = random.below(100_000);
    format!("I bought the {thing} {mark}-{at} in town{town} last week.")
}

/// Makes a change.
pub(crate) async fn make(service: &MemoryService, user: &str, change: &Change) -> Result<()> {
    let whose = scope(user);
    match change {
        Change::Create(content) => {
            let request = CreateItem {
                memory_type: "profile".to_owned(),
                content: content.clone(),
                categories: Vec::new(),
                user: whose,
                propagate: false,
                extra: Map::new(),
            };
            service.create_memory_item(request).await?;
        }
        Change::CreateMany(contents) => {
            let item = |content: &String| NewItem {
                memory_type: "profile".to_owned(),
                content: content.clone(),
                categories: Vec::new(),
                extra: Map::new(),
            };
            let request = CreateItems {
                items: contents.iter().map(item).collect(),
                user: whose,
                propagate: false,
            };
            service.create_memory_items(request).await?;
        }
        Change::Update { old, new } => {
            let request = UpdateItem {
                id: id_of(service, user, old).await?,
                memory_type: None,
                content: Some(new.clone()),
                categories: None,
                user: whose,
                propagate: false,
                extra: Map::new(),
            };
            service.update_memory_item(request).await?;
        }
        Change::Delete(content) => {
            let id = id_of(service, user, content).await?;
            service.delete_memory_item(&id, &whose, false).await?;
        }
        Change::Memorize { name, messages } => {
            let bytes = conversation(name, messages);
            let request = MemorizeRequest::content(bytes, name, Modality::Conversation);
            service.memorize(request.user("user_id", user)).await?;
        }
        Change::Forget => {
            service.clear_memory(&whose, false).await?;
        }
    }
    Ok(())
}

/// A conversation in a messages layout.
pub(crate) fn conversation(name: &str, messages: &[String]) -> Vec<u8> {
    let messages: Vec<Value> = (0..)
        .zip(messages)
        .map(|(at, text)| message(at, text))
        .collect();
    serde_json::to_vec(&json!({"id": name, "messages": messages})).unwrap()
}

fn message(at: usize, text: &str) -> Value {
    json!({
        "id": format!("m{at}"),
        "name": if at.is_multiple_of(2) { "Nora" } else { "Theo" },
        "content": text,
        "created_at": format!("2026-02-01T10:{at:02}:00"),
    })
}

/// What a user has: the words of the items, and the resources with their segments.
pub(crate) async fn picture(
    service: &MemoryService,
    user: &str,
) -> Result<(Vec<String>, Vec<String>)> {
    let listed = service.list_resources(everything_of(user)).await?;
    let resource = |resource: memu::Resource| {
        format!("{} with {} segments", resource.url, resource.segment_count)
    };
    let mut resources: Vec<String> = listed.records.into_iter().map(resource).collect();
    resources.sort_unstable();
    Ok((contents(service, user).await?, resources))
}

async fn contents(service: &MemoryService, user: &str) -> Result<Vec<String>> {
    let items = service
        .list_memory_items(everything_of(user))
        .await?
        .records;
    let mut contents: Vec<String> = items.into_iter().map(|item| item.summary).collect();
    contents.sort_unstable();
    Ok(contents)
}

async fn id_of(service: &MemoryService, user: &str, content: &str) -> Result<memu::Id> {
    let items = service
        .list_memory_items(everything_of(user))
        .await?
        .records;
    let found = items.into_iter().find(|item| item.summary == content);
    Ok(found.expect("what is changed is there").meta.id)
}

fn everything_of(user: &str) -> ListRequest {
    ListRequest {
        filter: scope(user),
        ..ListRequest::default()
    }
}

pub(crate) fn scope(user: &str) -> Map<String, Value> {
    Map::from_iter([("user_id".to_owned(), user.into())])
}
