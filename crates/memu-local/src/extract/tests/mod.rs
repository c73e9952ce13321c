//! What is drawn from messages, in sentences of our own.

mod answers;
mod passages;
mod properties;
mod rewriting;
mod selection;
mod types;

use std::sync::Arc;

use jiff::civil::{DateTime, datetime};
use memu_core::provider::{ExtractRequest, ExtractedItem};
use memu_core::records::{Id, Meta, Modality, Role, Segment};
use memu_core::scope::ScopeSchema;
use memu_core::time::Timestamp;

use super::extract;

/// Wednesday, 10 May 2023, in the afternoon.
const SAID: DateTime = datetime(2023, 5, 10, 14, 15, 0, 0);

/// A message of a named person.
fn by(name: &str, text: &str) -> Segment {
    Segment {
        speaker: Some(name.to_owned()),
        role: None,
        ..from(Role::User, text)
    }
}

/// A message of a role.
fn from(role: Role, text: &str) -> Segment {
    let scope = ScopeSchema::new(["user_id"]).unwrap().empty_scope();
    Segment {
        meta: Meta::new(Id::from("s".to_owned()), scope, Timestamp::from_micros(0)),
        resource_id: Id::from("r".to_owned()),
        ordinal: 0,
        session: 0,
        topic: 0,
        role: Some(role),
        speaker: None,
        message_id: None,
        text: text.to_owned(),
        caption: None,
        topic_caption: None,
        span: None,
        happened_at: Some(SAID),
        happened_at_text: None,
    }
}

fn request(segments: Vec<Segment>, modality: Modality) -> ExtractRequest {
    let types = ["profile", "event", "knowledge", "behavior", "skill"].map(str::to_owned);
    ExtractRequest {
        modality,
        segments: segments.into(),
        first: 0,
        memory_types: Arc::new(types),
        categories: Arc::new([]),
    }
}

fn drawn(segments: Vec<Segment>) -> Vec<ExtractedItem> {
    extract(&request(segments, Modality::Conversation))
}

fn summaries(segments: Vec<Segment>) -> Vec<String> {
    drawn(segments)
        .into_iter()
        .map(|item| item.summary)
        .collect()
}

/// What Nora says to Ben.
fn nora(text: &str) -> Vec<ExtractedItem> {
    drawn(vec![by("Ben", "Hey Nora."), by("Nora", text)])
}

/// What a user says to an assistant.
fn user(text: &str) -> Vec<ExtractedItem> {
    drawn(vec![
        from(Role::Assistant, "Hello."),
        from(Role::User, text),
    ])
}

fn joined(items: Vec<ExtractedItem>) -> String {
    items
        .into_iter()
        .map(|item| item.summary)
        .collect::<Vec<_>>()
        .join(" | ")
}
