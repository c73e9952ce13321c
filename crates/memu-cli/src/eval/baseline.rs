use std::collections::HashMap;

use memu::core::analysis::Analyzer;
use serde_json::Value;

use super::corpus::Conversation;

/// Lucene's constants.
const K1: f64 = 1.2;
const B: f64 = 0.75;

/// Plain BM25 over whole messages, each with its speaker's name in front: what any
/// search engine gives.
pub(crate) struct Baseline {
    ids: Vec<String>,
    /// By term: the messages that hold it, with how often.
    postings: HashMap<String, Vec<(usize, usize)>>,
    lengths: Vec<usize>,
    analyzer: Analyzer,
}

impl Baseline {
    pub(crate) fn new(conversation: &Conversation) -> Self {
        let mut baseline = Self {
            ids: Vec::new(),
            postings: HashMap::new(),
            lengths: Vec::new(),
            analyzer: Analyzer::default(),
        };
        for message in &conversation.messages {
            baseline.add(message);
        }
        baseline
    }

    fn add(&mut self, message: &Value) {
        let text = |name| {
            message
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let number = self.ids.len();
        let id = match message.get("id") {
            Some(Value::String(id)) => id.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let terms = self
            .analyzer
            .terms(&[text("name"), text("content"), text("caption")].join(" "));
        self.ids.push(id);
        self.lengths.push(terms.len());
        for term in terms {
            let postings = self.postings.entry(term).or_default();
            match postings.last_mut() {
                Some((last, count)) if *last == number => *count += 1,
                _ => postings.push((number, 1)),
            }
        }
    }

    /// Ids of the messages that match, best first; equal ones in order.
    pub(crate) fn rank(&self, question: &str) -> Vec<&str> {
        let count = self.ids.len() as f64;
        let average = self.lengths.iter().sum::<usize>() as f64 / count.max(1.0);
        let mut scores = vec![0.0; self.ids.len()];
        let mut terms = self.analyzer.terms(question);
        terms.sort();
        terms.dedup();
        for postings in terms.iter().filter_map(|term| self.postings.get(term)) {
            let holding = postings.len() as f64;
            let idf = ((count - holding + 0.5) / (holding + 0.5)).ln_1p();
            for (message, frequency) in postings {
                let length = self.lengths.get(*message).copied().unwrap_or_default() as f64;
                let frequency = *frequency as f64;
                let norm = K1 * (1.0 - B + B * length / average.max(1.0));
                if let Some(score) = scores.get_mut(*message) {
                    *score += idf * frequency * (K1 + 1.0) / (frequency + norm);
                }
            }
        }
        let mut order: Vec<(f64, &str)> = scores
            .into_iter()
            .zip(self.ids.iter().map(String::as_str))
            .filter(|(score, _)| *score > 0.0)
            .collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0));
        order.into_iter().map(|(_, id)| id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rare_words_in_short_messages_come_first() {
        let conversation = Conversation {
            id: "c".to_owned(),
            messages: vec![
                json!({"id": 1, "content": "The cats sleep, and the dog watches the long road"}),
                json!({"id": "b", "content": "A dog", "name": "Ann"}),
                json!({"id": "c", "content": "The dog chased a cat"}),
                json!({"id": "d", "content": "Nothing"}),
            ],
            questions: Vec::new(),
        };
        let baseline = Baseline::new(&conversation);
        assert_eq!(baseline.rank("Which dogs chase cats?"), ["c", "1", "b"]);
        assert_eq!(baseline.rank("What did Ann say?"), ["b"]);
        assert!(baseline.rank("the of").is_empty());
    }
}
