use super::guidance::holds;

/// Words by which a question asks for more than one thing.
const WORDS: [&str; 18] = [
    "across",
    "chronological",
    "different",
    "evolve",
    "evolved",
    "how many",
    "how often",
    "list",
    "order",
    "over time",
    "overview",
    "recap",
    "sequence",
    "summarize",
    "summary",
    "throughout",
    "timeline",
    "various",
];

/// What ends as a plural does, and is none.
const SINGULARS: [&str; 4] = ["does", "is", "was", "has"];

/// Whether a question, given by its words, asks for several things, which may have
/// been said on several days: "How many …", "What sports …", "Summarize …".
pub(super) fn asks_for_several(words: &[String]) -> bool {
    WORDS.iter().any(|phrase| holds(words, phrase)) || words.windows(2).any(asks_for_things)
}

/// "what" or "which" before a plural.
fn asks_for_things(pair: &[String]) -> bool {
    let [asking, thing] = pair else { return false };
    matches!(asking.as_str(), "what" | "which")
        && thing.ends_with('s')
        && !thing.ends_with("ss")
        && !thing.ends_with("'s")
        && !SINGULARS.contains(&thing.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::words;

    #[test]
    fn several_things_are_told_from_one() {
        for question in [
            "What sports does Nora play?",
            "Which books has she read?",
            "How many times did we sail?",
            "Can you summarize what I said about the boat?",
            "In what order did I buy the tools?",
        ] {
            assert!(asks_for_several(&words(question)), "{question}");
        }
        for question in [
            "What is her name?",
            "What does Nora play?",
            "What's the name of the boat?",
            "Which class did she take?",
            "Where did we sail in May?",
        ] {
            assert!(!asks_for_several(&words(question)), "{question}");
        }
    }
}
