mod locomo;
mod longmemeval;
mod neutral;

use std::path::Path;

use memu::{Error, Result};
use serde_json::Value;

/// Conversations with questions whose evidence is known.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Corpus {
    pub(crate) name: String,
    pub(crate) conversations: Vec<Conversation>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Conversation {
    pub(crate) id: String,
    /// In the layout that `memu memorize` reads.
    pub(crate) messages: Vec<Value>,
    pub(crate) questions: Vec<Question>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Question {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) category: String,
    /// Ids of the messages that answer it.
    pub(crate) evidence: Vec<String>,
    /// Sessions that answer it, where the corpus tells them.
    pub(crate) evidence_sessions: Vec<String>,
}

impl Corpus {
    /// Reads a file of any known layout.
    ///
    /// # Errors
    /// `input` when the file cannot be read, is not JSON, or has another layout.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let bytes = std::fs::read(path)
            .map_err(|cause| Error::input(format!("{shown} cannot be read")).caused_by(cause))?;
        let json: Value = serde_json::from_slice(&bytes)
            .map_err(|cause| Error::input(format!("{shown} is not JSON: {cause}")))?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let corpus = if neutral::fits(&json) {
            neutral::read(&json, &stem)
        } else if locomo::fits(&json) {
            locomo::read(&json, &stem)
        } else if longmemeval::fits(&json) {
            longmemeval::read(&json, &stem)
        } else {
            return Err(Error::input(format!(
                "{shown} is none of the known layouts: {{\"conversations\": [{{\"messages\", \
                 \"questions\"}}]}}, LoCoMo's [{{\"conversation\", \"qa\"}}], \
                 or LongMemEval's [{{\"haystack_sessions\", \"question\"}}]"
            )));
        };
        corpus.map_err(|error| error.with("file", shown.to_string()))
    }

    /// Leaves only the questions of these categories.
    ///
    /// # Errors
    /// `input` for a category that no question has.
    pub(crate) fn retain_categories(&mut self, categories: &[String]) -> Result<()> {
        let known = self.categories();
        if let Some(unknown) = categories.iter().find(|name| !known.contains(name)) {
            return Err(Error::input(format!(
                "no question has the category {unknown:?}; there are {}",
                known.join(", ")
            )));
        }
        for conversation in &mut self.conversations {
            let questions = &mut conversation.questions;
            questions.retain(|question| categories.contains(&question.category));
        }
        Ok(())
    }

    /// Every category, in order.
    pub(crate) fn categories(&self) -> Vec<String> {
        let questions = self.conversations.iter().flat_map(|c| &c.questions);
        let mut names: Vec<String> = questions.map(|q| q.category.clone()).collect();
        names.sort();
        names.dedup();
        names
    }

    pub(crate) fn question_count(&self) -> usize {
        self.conversations.iter().map(|c| c.questions.len()).sum()
    }

    pub(crate) fn message_count(&self) -> usize {
        self.conversations.iter().map(|c| c.messages.len()).sum()
    }
}

/// A text or number as text.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn field<'v>(object: &'v Value, name: &str, place: &str) -> Result<&'v Value> {
    object
        .get(name)
        .ok_or_else(|| Error::input(format!("{place} has no {name:?}")))
}

fn list<'v>(object: &'v Value, name: &str, place: &str) -> Result<&'v [Value]> {
    let value = field(object, name, place)?;
    value
        .as_array()
        .map(Vec::as_slice)
        .ok_or_else(|| Error::input(format!("{place}/{name} is not a list")))
}

fn text(object: &Value, name: &str, place: &str) -> Result<String> {
    scalar(field(object, name, place)?)
        .ok_or_else(|| Error::input(format!("{place}/{name} is neither a text nor a number")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_layouts_say_the_same() {
        let neutral = json!({"name": "tiny", "conversations": [{
            "id": "c", "messages": [
                {"id": "D1:1", "session": 1, "name": "Ann", "content": "Hi",
                 "created_at": "1:56 pm on 8 May, 2023"},
            ],
            "questions": [{"id": "c-q0", "question": "Who?", "answer": "Ann",
                           "category": 4, "evidence": ["D1:1"]}]}]});
        let locomo = json!([{"sample_id": "c",
            "conversation": {"speaker_a": "Ann", "session_1_date_time": "1:56 pm on 8 May, 2023",
                "session_1": [{"speaker": "Ann", "dia_id": "D1:1", "text": "Hi"}],
                "session_2_date_time": "never said"},
            "qa": [{"question": "Who?", "answer": "Ann", "evidence": ["D1:1"], "category": 4}]}]);
        assert!(neutral::fits(&neutral) && !locomo::fits(&neutral));
        assert!(locomo::fits(&locomo) && !neutral::fits(&locomo));
        let (neutral, locomo) = (
            neutral::read(&neutral, "x").unwrap(),
            locomo::read(&locomo, "tiny").unwrap(),
        );
        assert_eq!(neutral, locomo);
    }

    #[test]
    fn a_fault_is_named_by_its_place() {
        let json = json!({"conversations": [{"id": 1, "messages": [], "questions": [{"id": 1}]}]});
        let error = neutral::read(&json, "x").unwrap_err();
        assert_eq!(
            error.message(),
            "/conversations/0/questions/0 has no \"question\""
        );
    }

    #[test]
    fn only_known_categories_can_be_chosen() {
        let json = json!({"conversations": [{"id": 1, "messages": [], "questions": [
            {"question": "a", "category": "x", "evidence": []},
            {"question": "b", "category": "y", "evidence": []}]}]});
        let mut corpus = neutral::read(&json, "x").unwrap();
        let error = corpus.retain_categories(&["z".to_owned()]).unwrap_err();
        assert_eq!(
            error.message(),
            "no question has the category \"z\"; there are x, y"
        );
        corpus.retain_categories(&["y".to_owned()]).unwrap();
        assert_eq!(corpus.question_count(), 1);
    }
}
