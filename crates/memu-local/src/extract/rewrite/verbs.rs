//! English verbs after another subject: "I go" and "Caroline goes".

use std::borrow::Cow;

use memu_core::analysis::is_stop_word;

use crate::extract::lexicon::{ADVERBS, UNCHANGED_PAST};
use crate::temporal::tense::is_past;

/// The form of the verb `word`, which followed "I", after a name. `habitual` says
/// that the sentence speaks of what is usual, so that "read" is not the past.
pub(super) fn after_name(word: &str, habitual: bool) -> Cow<'_, str> {
    let form = match word {
        "am" => "is",
        "have" => "has",
        "haven't" | "havent" => "hasn't",
        "do" => "does",
        "don't" | "dont" => "doesn't",
        "ain't" => "isn't",
        "gotta" => "has to",
        "wanna" => "wants to",
        "gonna" => "is going to",
        _ if is_fixed(word) || UNCHANGED_PAST.has(word) && !habitual => word,
        _ => return Cow::Owned(third_person(word)),
    };
    Cow::Borrowed(form)
}

/// The form of the verb `word`, which followed "I", after "they".
pub(super) fn after_they(word: &str) -> &str {
    match word {
        "am" => "are",
        "was" => "were",
        "wasn't" | "wasnt" => "weren't",
        "ain't" => "aren't",
        "gotta" => "have to",
        "wanna" => "want to",
        "gonna" => "are going to",
        _ => word,
    }
}

/// Whether the word keeps its form: past tense, participle, modal, or no verb.
fn is_fixed(word: &str) -> bool {
    is_past(word)
        || word.ends_with("ing") && word.len() > 5
        || !word.bytes().all(|byte| byte.is_ascii_lowercase())
        || word.len() < 2
        || is_stop_word(word)
        || matches!(
            word,
            "might"
                | "may"
                | "must"
                | "shall"
                | "need't"
                | "been"
                | "gone"
                | "done"
                | "ought"
                | "better"
                | "cant"
                | "wont"
                | "didnt"
                | "couldnt"
                | "wouldnt"
        )
}

/// The third person singular of a verb's base form.
pub(super) fn third_person(base: &str) -> String {
    let es = ["s", "x", "z", "ch", "sh", "o"];
    if es.iter().any(|ending| base.ends_with(ending)) {
        return format!("{base}es");
    }
    match base.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
        _ => format!("{base}s"),
    }
}

/// Whether the word may stand between a subject and its verb.
pub(in crate::extract) fn is_adverb(word: &str) -> bool {
    ADVERBS.has(word)
        || word.len() > 4
            && word.ends_with("ly")
            && !matches!(
                word,
                "reply"
                    | "apply"
                    | "supply"
                    | "rely"
                    | "multiply"
                    | "comply"
                    | "bully"
                    | "imply"
                    | "rally"
                    | "tally"
                    | "family"
            )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_agree_with_a_name() {
        let cases = [
            ("go", "goes"),
            ("watch", "watches"),
            ("study", "studies"),
            ("play", "plays"),
            ("fix", "fixes"),
            ("love", "loves"),
            ("am", "is"),
            ("have", "has"),
            ("don't", "doesn't"),
            ("went", "went"),
            ("painted", "painted"),
            ("need", "needs"),
            ("can", "can"),
            ("will", "will"),
            ("put", "put"),
            ("wanna", "wants to"),
        ];
        for (word, expected) in cases {
            assert_eq!(after_name(word, false), expected);
        }
        assert_eq!(after_name("read", true), "reads");
        assert_eq!(after_they("was"), "were");
        assert_eq!(after_they("go"), "go");
    }
}
