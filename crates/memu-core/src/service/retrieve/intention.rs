use async_trait::async_trait;

use super::RetrieveState;
use crate::analysis::words;
use crate::error::Result;
use crate::pipeline::Step;
use crate::service::Context;

/// Words of greetings, thanks and partings; a message of nothing else needs no
/// memory.
const SMALL_TALK: [&str; 34] = [
    "a",
    "afternoon",
    "again",
    "and",
    "bye",
    "cool",
    "day",
    "evening",
    "fine",
    "good",
    "goodbye",
    "great",
    "have",
    "hello",
    "hey",
    "hi",
    "later",
    "lot",
    "lots",
    "morning",
    "much",
    "nice",
    "night",
    "ok",
    "okay",
    "please",
    "see",
    "so",
    "thank",
    "thanks",
    "there",
    "very",
    "welcome",
    "you",
];

/// Decides whether the question needs memory at all.
pub(super) struct RouteIntention;

#[async_trait]
impl Step<RetrieveState> for RouteIntention {
    async fn run(&self, _context: &Context, state: &mut RetrieveState) -> Result<()> {
        if state.config.route_intention {
            state.response.needs_retrieval = !is_small_talk(&state.response.original_query);
        }
        Ok(())
    }
}

fn is_small_talk(text: &str) -> bool {
    let words = words(text);
    !words.is_empty()
        && !text.contains('?')
        && words
            .iter()
            .all(|word| SMALL_TALK.binary_search(&word.as_str()).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greetings_need_no_memory_and_questions_do() {
        assert!(SMALL_TALK.is_sorted());
        for text in [
            "Hello!",
            "good morning",
            "Thanks a lot :)",
            "OK, see you later",
        ] {
            assert!(is_small_talk(text), "{text}");
        }
        for text in ["Good morning?", "tea", "When did Ann say hello", "…"] {
            assert!(!is_small_talk(text), "{text}");
        }
    }
}
