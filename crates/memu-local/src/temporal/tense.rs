//! Whether the words around a time speak of the past or of the future: "we met on
//! Friday" and "we meet on Friday" are two different Fridays.

use super::tokens::Tokens;
use super::words::{Words, words};

/// Where a sentence looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tense {
    /// To what has happened.
    Past,
    /// To what is to come.
    Future,
}

/// What the nearest telling word says: first those before the token at `index`,
/// then those after it.
pub(super) fn around(tokens: &Tokens<'_>, index: usize) -> Option<Tense> {
    let start = index.saturating_sub(12);
    let back = (start..index).rev();
    let ahead = index..(index + 12).min(tokens.len());
    back.chain(ahead)
        .take_while(|&at| !matches!(tokens.word(at), ";"))
        .find_map(|at| of_word(tokens.word(at), tokens.word(at + 1)))
}

fn of_word(word: &str, next: &str) -> Option<Tense> {
    let future = match word {
        "will" | "gonna" | "plan" | "planning" | "plans" | "hope" | "hoping" | "hopefully"
        | "upcoming" | "shall" | "due" | "deadline" | "soon" | "wait" | "planned" | "scheduled"
        | "by" | "before" | "until" | "forward" | "should" | "can" | "tomorrow" | "coming"
        | "want" | "wants" | "won't" | "aim" | "aiming" | "starts" | "begins" => true,
        "going" => next == "to",
        _ => word.ends_with("'ll") || word.ends_with("\u{2019}ll"),
    };
    if future {
        return Some(Tense::Future);
    }
    (is_past(word) || matches!(word, "since" | "ago" | "last" | "back")).then_some(Tense::Past)
}

/// Whether the word is, in all likelihood, a verb in the past tense.
pub(crate) fn is_past(word: &str) -> bool {
    PAST.has(word)
        || word.len() > 4 && word.ends_with("ed") && !NOT_PAST.has(word) && !word.ends_with("eed")
}

/// Words in -ed that are no verbs in the past tense.
static NOT_PAST: Words = words!(
    "
    aged beloved biased embed gifted hundred kindred naked sacred talented wicked wretched
    "
);

/// Irregular verbs in the past tense, with those whose form is the same in the
/// present left out.
static PAST: Words = words!(
    "
    ate awoke beat became began bent bit blew bought bred broke brought built burnt came
    caught chose clung crept dealt did didn't died dove drank dreamt drew drove dug fed
    fell felt fled flew forbade forgave forgot fought found froze gave got grew ground had
    hadn't heard held hid hung kept knelt knew laid lay leant leapt learnt led left lent
    lied lit lost made meant met misread mistook misunderstood outdid overcame overheard
    overslept paid proved ran rang rebuilt redid reran rewrote rode rose said sang sank sat
    saw sent sewed shone shook shot showed shrank slept slid smelt snuck sold sought spat
    sped spelt spent spoilt spoke sprang spun stank stole stood struck strung stuck stung
    swam swapped swept swore swung taught thought threw tied told took tore tried
    understood undertook undid unwound upheld used was wasn't went wept were weren't
    withdrew woke won wore wound wove wrapped wrote wrung yelled zipped
    "
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn past_tense_is_told_from_adjectives_and_base_forms() {
        for word in ["went", "painted", "was", "swam", "adopted"] {
            assert!(is_past(word), "{word}");
        }
        for word in ["need", "hundred", "go", "feed", "proceed", "red", "gifted"] {
            assert!(!is_past(word), "{word}");
        }
    }
}
