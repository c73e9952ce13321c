//! The layout of LongMemEval (Wu et al., *LongMemEval: Benchmarking Chat Assistants on
//! Long-Term Interactive Memory*, 2024): a haystack of sessions for every question.

use memu::{Error, Result};
use serde_json::{Value, json};

use super::{Conversation, Corpus, Question, list, scalar, text};

pub(super) fn fits(json: &Value) -> bool {
    let first = json.as_array().and_then(|entries| entries.first());
    first.is_some_and(|entry| entry.get("haystack_sessions").is_some())
}

pub(super) fn read(json: &Value, stem: &str) -> Result<Corpus> {
    let entries = json.as_array().into_iter().flatten();
    Ok(Corpus {
        name: stem.to_owned(),
        conversations: entries
            .enumerate()
            .map(|(at, entry)| read_entry(entry, &format!("/{at}")))
            .collect::<Result<_>>()?,
    })
}

/// Sessions and turns are numbered: their own ids tell which of them hold the answer.
fn read_entry(entry: &Value, place: &str) -> Result<Conversation> {
    let id = text(entry, "question_id", place)?;
    let sessions = list(entry, "haystack_sessions", place)?;
    let names = list(entry, "haystack_session_ids", place)?;
    let dates = list(entry, "haystack_dates", place)?;
    let answering: Vec<String> = list(entry, "answer_session_ids", place)?
        .iter()
        .filter_map(scalar)
        .collect();
    if names.len() != sessions.len() || dates.len() != sessions.len() {
        return Err(Error::input(format!(
            "{place} has {} sessions, {} ids and {} dates",
            sessions.len(),
            names.len(),
            dates.len()
        )));
    }
    let mut messages = Vec::new();
    let (mut evidence, mut evidence_sessions) = (Vec::new(), Vec::new());
    for (number, ((session, name), date)) in sessions.iter().zip(names).zip(dates).enumerate() {
        if scalar(name).is_some_and(|name| answering.contains(&name)) {
            evidence_sessions.push(number.to_string());
        }
        for (turn, message) in session.as_array().into_iter().flatten().enumerate() {
            let message_id = format!("{number}:{turn}");
            if message.get("has_answer") == Some(&Value::Bool(true)) {
                evidence.push(message_id.clone());
            }
            messages.push(json!({
                "id": message_id,
                "session": number,
                "role": message.get("role"),
                "content": message.get("content"),
                "created_at": date,
            }));
        }
    }
    // A question whose answer was never said has no evidence, whatever is marked.
    if id.ends_with("_abs") {
        evidence.clear();
        evidence_sessions.clear();
    }
    let question = Question {
        id: id.clone(),
        text: text(entry, "question", place)?,
        category: text(entry, "question_type", place)?,
        evidence,
        evidence_sessions,
    };
    Ok(Conversation {
        id,
        messages,
        questions: vec![question],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str) -> Value {
        json!([{
            "question_id": id, "question_type": "single-session-user",
            "question": "What did I plant?", "answer": "a fig tree",
            "haystack_dates": ["2023/05/20 (Sat) 02:21", "2023/05/21 (Sun) 10:00"],
            "haystack_session_ids": ["noise_1", "answer_7f3_1"],
            "answer_session_ids": ["answer_7f3_1"],
            "haystack_sessions": [
                [{"role": "user", "content": "Hello"}],
                [{"role": "user", "content": "I planted a fig tree.", "has_answer": true},
                 {"role": "assistant", "content": "Lovely!", "has_answer": false}]]}])
    }

    #[test]
    fn what_tells_the_answer_away_is_hidden() {
        let corpus = read(&entry("q1"), "tiny").unwrap();
        let conversation = &corpus.conversations[0];
        let ids: Vec<&Value> = conversation.messages.iter().map(|m| &m["id"]).collect();
        assert_eq!(ids, ["0:0", "1:0", "1:1"]);
        let shown = Value::Array(conversation.messages.clone()).to_string();
        assert!(!shown.contains("answer"), "{shown}");
        let question = &conversation.questions[0];
        assert_eq!(question.evidence, ["1:0"]);
        assert_eq!(question.evidence_sessions, ["1"]);
    }

    #[test]
    fn a_question_without_an_answer_has_no_evidence() {
        let corpus = read(&entry("q1_abs"), "tiny").unwrap();
        let question = &corpus.conversations[0].questions[0];
        assert!(question.evidence.is_empty() && question.evidence_sessions.is_empty());
    }
}
