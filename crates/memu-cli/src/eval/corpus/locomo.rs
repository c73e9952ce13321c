//! The layout of LoCoMo's public file (Maharana et al., *Evaluating Very Long-Term
//! Conversational Memory of LLM Agents*, 2024).

use memu::{Error, Result};
use serde_json::{Value, json};

use super::neutral::read_question;
use super::{Conversation, Corpus, field, list, scalar};

pub(super) fn fits(json: &Value) -> bool {
    let first = json.as_array().and_then(|samples| samples.first());
    first.is_some_and(|sample| sample.get("conversation").is_some() && sample.get("qa").is_some())
}

pub(super) fn read(json: &Value, stem: &str) -> Result<Corpus> {
    let samples = json.as_array().into_iter().flatten();
    Ok(Corpus {
        name: stem.to_owned(),
        conversations: samples
            .enumerate()
            .map(|(at, sample)| read_sample(sample, at))
            .collect::<Result<_>>()?,
    })
}

fn read_sample(json: &Value, at: usize) -> Result<Conversation> {
    let place = format!("/{at}");
    let id = json.get("sample_id").and_then(scalar);
    let id = id.unwrap_or_else(|| format!("conv-{at}"));
    let conversation = field(json, "conversation", &place)?
        .as_object()
        .ok_or_else(|| Error::input(format!("{place}/conversation is not an object")))?;
    let mut messages = Vec::new();
    for number in 1.. {
        let name = format!("session_{number}");
        let time = conversation.get(&format!("{name}_date_time"));
        match conversation.get(&name).and_then(Value::as_array) {
            Some(turns) => messages.extend(turns.iter().map(|turn| message(turn, number, time))),
            // A session may be planned but never held.
            None if time.is_some() => {}
            None => break,
        }
    }
    let questions = list(json, "qa", &place)?;
    Ok(Conversation {
        messages,
        questions: questions
            .iter()
            .enumerate()
            .map(|(at, question)| {
                read_question(question, &format!("{place}/qa/{at}"), || {
                    format!("{id}-q{at}")
                })
            })
            .collect::<Result<_>>()?,
        id,
    })
}

fn message(turn: &Value, session: usize, time: Option<&Value>) -> Value {
    let mut message = json!({
        "id": turn.get("dia_id"),
        "session": session,
        "name": turn.get("speaker"),
        "content": turn.get("text"),
        "created_at": time,
    });
    if let (Some(caption), Some(message)) = (turn.get("blip_caption"), message.as_object_mut()) {
        message.insert("caption".to_owned(), caption.clone());
    }
    message
}
