use std::collections::HashSet;

use memu_core::analysis::Analyzer;

use super::task::NumberedMessage;

/// The fewest terms that a memory must share with a message to be placed there.
const LEAST_SHARED: usize = 2;

/// The least share of a memory's terms.
const LEAST_SHARE: f32 = 0.3;

/// Messages that share at least this much of what the best one shares are cited, too.
const NEARLY: f32 = 0.8;

/// At most so many messages are cited by their words.
const MOST: usize = 3;

/// Finds the messages that a memory was drawn from by the words that they share.
pub(super) struct Locator {
    analyzer: Analyzer,
    messages: Vec<HashSet<String>>,
}

impl Locator {
    pub(super) fn of(messages: &[NumberedMessage]) -> Self {
        let analyzer = Analyzer::default();
        let terms = |message: &NumberedMessage| {
            // The speaker of a message is in most memories of it.
            [
                Some(&message.text),
                message.speaker.as_ref(),
                message.caption.as_ref(),
            ]
            .into_iter()
            .flatten()
            .flat_map(|text| analyzer.terms(text))
            .collect()
        };
        let messages = messages.iter().map(terms).collect();
        Self { analyzer, messages }
    }

    /// The indexes of the messages, ascending; empty when no message is near enough.
    pub(super) fn find(&self, memory: &str) -> Vec<usize> {
        let terms: HashSet<String> = self.analyzer.terms(memory).into_iter().collect();
        let shared: Vec<usize> = self
            .messages
            .iter()
            .map(|message| terms.intersection(message).count())
            .collect();
        let best = shared.iter().copied().max().unwrap_or_default();
        let enough = best == terms.len() || best as f32 >= LEAST_SHARE * terms.len() as f32;
        if best < LEAST_SHARED.min(terms.len()).max(1) || !enough {
            return Vec::new();
        }
        let mut near: Vec<usize> = (0..shared.len())
            .filter(|at| {
                shared
                    .get(*at)
                    .is_some_and(|count| *count as f32 >= NEARLY * best as f32)
            })
            .collect();
        near.sort_by_key(|at| std::cmp::Reverse(shared.get(*at).copied()));
        near.truncate(MOST);
        near.sort_unstable();
        near
    }
}
