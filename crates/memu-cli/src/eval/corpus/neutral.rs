//! `{"name", "conversations": [{"id", "messages", "questions"}]}`.

use memu::Result;
use serde_json::Value;

use super::{Conversation, Corpus, Question, list, scalar, text};

pub(super) fn fits(json: &Value) -> bool {
    json.get("conversations").is_some_and(Value::is_array)
}

pub(super) fn read(json: &Value, stem: &str) -> Result<Corpus> {
    let conversations = list(json, "conversations", "the file")?;
    Ok(Corpus {
        name: json.get("name").and_then(scalar).unwrap_or(stem.to_owned()),
        conversations: conversations
            .iter()
            .enumerate()
            .map(|(at, conversation)| read_conversation(conversation, at))
            .collect::<Result<_>>()?,
    })
}

fn read_conversation(json: &Value, at: usize) -> Result<Conversation> {
    let place = format!("/conversations/{at}");
    let id = text(json, "id", &place)?;
    let questions = list(json, "questions", &place)?;
    Ok(Conversation {
        messages: list(json, "messages", &place)?.to_vec(),
        questions: questions
            .iter()
            .enumerate()
            .map(|(at, question)| {
                read_question(question, &format!("{place}/questions/{at}"), || {
                    format!("{id}-q{at}")
                })
            })
            .collect::<Result<_>>()?,
        id,
    })
}

/// A question; `fallback` names one without an id.
pub(super) fn read_question(
    json: &Value,
    place: &str,
    fallback: impl FnOnce() -> String,
) -> Result<Question> {
    Ok(Question {
        id: json.get("id").and_then(scalar).unwrap_or_else(fallback),
        text: text(json, "question", place)?,
        category: text(json, "category", place)?,
        evidence: list(json, "evidence", place)?
            .iter()
            .filter_map(scalar)
            .collect(),
        evidence_sessions: Vec::new(),
    })
}
