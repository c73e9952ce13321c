//! Questions that need the ones before them: "And where did she go after that?"

use crate::analysis::{is_stop_word, words};

/// Words that point back to what was said before.
const POINTERS: [&str; 20] = [
    "he", "she", "it", "they", "him", "her", "his", "hers", "its", "their", "theirs", "them",
    "that", "this", "those", "these", "there", "then", "else", "too",
];

/// Beginnings that go on from what was said before.
const CONTINUATIONS: [&[&str]; 5] = [
    &["and"],
    &["but"],
    &["also"],
    &["what", "about"],
    &["how", "about"],
];

/// At most so many words are carried over.
const MOST_CARRIED: usize = 24;

/// The words of earlier questions that the last one refers to, in order; empty when
/// it stands on its own. Each earlier question may itself refer to those before it.
pub(super) fn carried(earlier: &[&str], question: &str) -> Vec<String> {
    let mut carried = Vec::new();
    for text in earlier {
        if !refers_back(text) {
            carried.clear();
        }
        carried.extend(content_words(text));
    }
    if !refers_back(question) {
        return Vec::new();
    }
    let own: Vec<String> = content_words(question);
    let mut kept: Vec<String> = Vec::new();
    for word in carried {
        if !own.contains(&word) && !kept.contains(&word) {
            kept.push(word);
        }
    }
    kept.truncate(MOST_CARRIED);
    kept
}

/// Whether a question means something only with the one before it.
fn refers_back(text: &str) -> bool {
    let words = words(text);
    let begins = |beginning: &&[&str]| {
        let first = words.iter().map(String::as_str).take(beginning.len());
        first.eq(beginning.iter().copied())
    };
    CONTINUATIONS.iter().any(begins)
        || words.iter().any(|word| POINTERS.contains(&word.as_str()))
        || !words.iter().any(|word| !is_stop_word(word))
}

fn content_words(text: &str) -> Vec<String> {
    let mut words = words(text);
    words.retain(|word| !is_stop_word(word));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_follow_up_carries_what_it_refers_to() {
        let first = "When did Caroline visit the lighthouse?";
        assert_eq!(
            carried(&[first], "And where did she go after that?"),
            ["caroline", "visit", "lighthouse"]
        );
        assert_eq!(
            carried(&[first, "And where did she sleep?"], "Why there?"),
            ["caroline", "visit", "lighthouse", "sleep"]
        );
        assert_eq!(
            carried(&["What does Ben eat?", first], "What about Tuesday?"),
            ["caroline", "visit", "lighthouse"],
            "a question of its own begins anew"
        );
    }

    #[test]
    fn a_question_of_its_own_carries_nothing() {
        let first = "When did Caroline visit the lighthouse?";
        assert!(carried(&[first], "Who repaired the boat?").is_empty());
        assert!(carried(&[], "And where did she go after that?").is_empty());
    }
}
