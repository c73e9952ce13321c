//! What a person tells an assistant to do from now on, and what they prefer: such
//! messages matter to questions that share few words with them.

use crate::analysis::{sentences, words};

/// How a standing instruction begins, after "please". Words are as
/// [`words`] yields them, without apostrophes.
const OPENINGS: [&str; 6] = [
    "always",
    "never",
    "from now on",
    "in future",
    "in the future",
    "dont ever",
];

/// What a standing instruction may say anywhere.
const CONDITIONS: [&str; 4] = [
    "whenever i ask",
    "when i ask",
    "every time i ask",
    "if i ask",
];

const PREFERENCES: [&str; 6] = [
    "prefer",
    "preferred",
    "preference",
    "preferences",
    "id rather",
    "i like",
];

/// Words that ask for help rather than for what happened.
const REQUESTS: [&str; 15] = [
    "can you",
    "could you",
    "would you",
    "help me",
    "show me",
    "walk me",
    "tell me how",
    "explain",
    "suggest",
    "recommend",
    "should i",
    "how do i",
    "how can i",
    "how would i",
    "what would be",
];

/// Words that ask for what was said before, however politely: "Can you summarize what
/// I told you?"
const RECALLS: [&str; 18] = [
    "summary",
    "summarize",
    "summarise",
    "recap",
    "overview",
    "remind me",
    "order in which",
    "in order",
    "our conversation",
    "our conversations",
    "our discussion",
    "our discussions",
    "we discussed",
    "we talked",
    "i told you",
    "i mentioned",
    "i brought up",
    "i said",
];

/// Whether a message of a person tells an assistant what to do from now on:
/// "Always give units when I ask about sizes."
pub(super) fn instructs(text: &str) -> bool {
    let all = words(text);
    if CONDITIONS.iter().any(|condition| holds(&all, condition)) {
        return true;
    }
    // Reading sentences costs more than reading words.
    OPENINGS.iter().any(|opening| holds(&all, opening))
        && sentences(text)
            .into_iter()
            .filter_map(|range| text.get(range))
            .any(opens_as_instruction)
}

fn opens_as_instruction(sentence: &str) -> bool {
    let words = words(sentence);
    let rest = words.strip_prefix(&["please".to_owned()]).unwrap_or(&words);
    OPENINGS.iter().any(|opening| {
        let count = opening.split(' ').count();
        rest.get(..count).is_some_and(|first| holds(first, opening))
    })
}

/// Whether a message of a person says what they prefer.
pub(super) fn prefers(text: &str) -> bool {
    let words = words(text);
    PREFERENCES
        .iter()
        .any(|preference| holds(&words, preference))
}

/// Whether a question, given by its words, asks for help rather than for what
/// happened: "Can you suggest a tent?"
pub(super) fn asks_for_help(words: &[String]) -> bool {
    REQUESTS.iter().any(|request| holds(words, request))
        && !RECALLS.iter().any(|recall| holds(words, recall))
}

/// Whether these words hold those of `phrase`, side by side.
pub(super) fn holds(words: &[String], phrase: &str) -> bool {
    let count = phrase.split(' ').count();
    words
        .windows(count)
        .any(|window| window.iter().zip(phrase.split(' ')).all(|(a, b)| a == b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standing_instructions_are_told_from_habits() {
        for text in [
            "Always answer in metric units.",
            "Thanks. Please never use emoji with me!",
            "From now on, call me Sam",
            "Give the price when I ask about trains.",
        ] {
            assert!(instructs(text), "{text}");
        }
        for text in [
            "I always forget my keys.",
            "When I asked, she laughed.",
            "You never know",
            "From now",
        ] {
            assert!(!instructs(text), "{text}");
        }
    }

    #[test]
    fn preferences_and_requests() {
        assert!(prefers("I\u{2019}d rather take the train"));
        assert!(!prefers("It looks like rain"));
        assert!(asks_for_help(&words("How do I repair a sail?")));
        assert!(!asks_for_help(&words("When did I repair the sail?")));
        assert!(!asks_for_help(&words("Can you summarize our discussions?")));
    }
}
