use async_trait::async_trait;

use super::RetrieveState;
use super::by_model;
use super::follow_up::carried;
use crate::analysis::words;
use crate::error::Result;
use crate::pipeline::Step;
use crate::records::Role;
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

/// Decides whether the question needs memory at all, and which of the words before it
/// it refers to.
pub(super) struct RouteIntention;

#[async_trait]
impl Step<RetrieveState> for RouteIntention {
    async fn run(&self, context: &Context, state: &mut RetrieveState) -> Result<()> {
        if !state.config.route_intention {
            return Ok(());
        }
        let question = state.response.original_query.clone();
        state.response.needs_retrieval = !is_small_talk(&question);
        if !state.response.needs_retrieval || by_model::route(context, state).await? {
            return Ok(());
        }
        state.carried = carried(&earlier_questions(state, &question), &question);
        if !state.carried.is_empty() {
            state.response.rewritten_query = format!("{question} ({})", state.carried.join(" "));
        }
        Ok(())
    }
}

/// What was asked before the question.
fn earlier_questions<'s>(state: &'s RetrieveState, question: &str) -> Vec<&'s str> {
    let queries = &state.request.queries;
    let asked = queries.iter().filter(|query| query.role == Role::User);
    let mut earlier: Vec<&str> = asked.map(|query| query.text.as_str()).collect();
    // The last one is the question itself.
    if earlier.last().is_some_and(|last| last.trim() == question) {
        earlier.pop();
    }
    earlier
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
