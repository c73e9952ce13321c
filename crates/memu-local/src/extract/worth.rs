//! What is worth remembering, and what is only talk.

use std::ops::Range;

use memu_core::analysis::is_stop_word;

use super::lexicon::{ADJECTIVES, BLAND, NUMBERS};
use super::party::Parties;
use super::rewrite::is_adverb;
use super::shape::Shape;
use crate::temporal::tense::is_past;
use crate::temporal::tokens::{Kind, Tokens};

/// A sentence with at least this worth is kept.
pub(super) const KEPT: i32 = 4;

/// How much a sentence tells; at least [`KEPT`] where it should be remembered.
pub(super) fn worth(
    tokens: &Tokens<'_>,
    range: Range<usize>,
    shape: &Shape,
    has_time: bool,
    parties: &Parties,
) -> i32 {
    if is_small_talk(tokens, &range) || shape.opens_with_you {
        return 0;
    }
    let mut worth = 0;
    let mut content = 0;
    let mut names = 0;
    for index in range.clone() {
        let word = tokens.word(index);
        if !tokens.is_word(index) {
            continue;
        }
        let number = tokens
            .get(index)
            .is_some_and(|token| token.kind == Kind::Number);
        let is_name = index > range.start
            && tokens.is_capital(index)
            && !word.starts_with("i'")
            && word != "i"
            && !parties.any_answers_to(word);
        if number || word.starts_with(|c: char| c.is_ascii_digit()) {
            worth += 1;
            content += 1;
        } else if is_name {
            names += 1;
            worth += 1;
            content += 1;
        } else if NUMBERS.has(word) || is_content(word) {
            content += 1;
        }
    }
    let addressed = || range.clone().any(|at| tokens.word(at).starts_with("you"));
    if content == 0 || content <= 1 && worth == 0 && addressed() {
        return 0;
    }
    let told = if shape.elided.is_some() || shape.own_subject && shape.single {
        2
    } else if shape.own_subject {
        if is_of_mankind(tokens, range.clone()) {
            -2
        } else {
            2
        }
    } else if shape.single {
        1
    } else {
        let event = |at| is_past(tokens.word(at)) && !matches!(tokens.word(at), "was" | "were");
        if range.clone().any(event) { 1 } else { -1 }
    };
    let fragment = if shape.finite || has_time || names > 1 {
        0
    } else {
        3
    };
    worth.min(3) - fragment
        + content.min(6)
        + told
        + i32::from(has_time) * 2
        + identity(tokens, range.start)
}

/// "We can all make a difference": everybody rather than the speaker.
fn is_of_mankind(tokens: &Tokens<'_>, mut range: Range<usize>) -> bool {
    range.any(|at| {
        tokens.word(at) == "we"
            && matches!(
                tokens.word(at + 1),
                "can" | "all" | "should" | "need" | "must" | "just" | "gotta" | "got" | "could"
            )
    })
}

/// Whether a word, in lower case, says what a sentence is about.
pub(super) fn is_content(word: &str) -> bool {
    word.len() > 1
        && !is_stop_word(word)
        && !BLAND.has(word)
        && !word.contains('\'')
        && !is_adverb(word)
}

/// How many words of `range` say what it is about.
pub(super) fn content_words(tokens: &Tokens<'_>, range: Range<usize>) -> usize {
    range
        .filter(|&index| tokens.is_word(index) && is_content(tokens.word(index)))
        .count()
}

/// "I'm a nurse", "My name is Ann": few words, much said.
fn identity(tokens: &Tokens<'_>, at: usize) -> i32 {
    if matches!(
        tokens.word(at + usize::from(is_adverb(tokens.word(at)))),
        "want" | "need"
    ) {
        return 1;
    }
    let identity = matches!(
        (tokens.word(at), tokens.word(at + 1)),
        ("i'm", "a" | "an")
            | (
                "i",
                "am" | "have"
                    | "own"
                    | "work"
                    | "live"
                    | "love"
                    | "hate"
                    | "prefer"
                    | "want"
                    | "need",
            )
            | ("my", _)
    );
    i32::from(identity)
}

/// Whether the sentence thanks, praises, agrees, encourages or says goodbye.
pub(super) fn is_small_talk(tokens: &Tokens<'_>, range: &Range<usize>) -> bool {
    let mut at = range.start;
    if tokens.word(at) == "always" && tokens.word(at + 1) == "good" {
        at += 1;
    }
    if range
        .clone()
        .any(|at| tokens.word(at) == "we" && tokens.word(at + 1) == "last")
    {
        return true;
    }
    let first = tokens.word(at);
    match first {
        "i" | "i'm" | "i'd" | "i'll" | "i've" => own_small_talk(tokens, range),
        "it's" | "it" | "that" | "that's" | "this" => praise(tokens, range),
        "sounds" | "looks" | "seems" | "congrats" | "congratulations" | "thanks" | "thank"
        | "cheers" | "welcome" | "bye" | "goodbye" | "kudos" | "way" | "let's" | "yours"
        | "looking" | "sending" | "fingers" => first != "looking" || tokens.word(at + 1) == "good",
        "loving" | "wishing" | "best" | "digging" => range.len() < 12,
        "love" | "loved" => matches!(
            tokens.word(at + 1),
            "the" | "that" | "this" | "it" | "your" | "how"
        ),
        "for" => tokens.word(at + 1).ends_with("ing"),
        "here's" | "here" => content_words(tokens, range.clone()) <= 2,
        "glad" | "happy" | "nice" | "good" | "great" | "excited" | "sorry" | "proud" | "lovely"
        | "awesome" | "cool" | "amazing" | "wonderful" | "so" | "super" | "really" => {
            cheer(tokens, range)
        }
        "keep" | "take" | "have" | "see" | "talk" | "catch" | "hang" | "believe" | "check"
        | "tell" | "enjoy" | "stay" | "go" | "let" | "don't" | "imagine" | "remember" | "just"
        | "hope" | "wish" | "come" | "trust" | "feel" | "give" | "bet" | "count" => {
            wishes(tokens, range)
        }
        "can't" | "cant" => {
            matches!(tokens.word(at + 1), "wait")
                && mentions_you_or_it(tokens, at + 2..range.end)
                && range.len() < 9
        }
        "what" => !tokens.is_word(range.end) && tokens.word(at + 1) == "a" && range.len() < 7,
        _ => false,
    }
}

/// "I'm so happy for you", "I totally agree", "I hope it goes well".
fn own_small_talk(tokens: &Tokens<'_>, range: &Range<usize>) -> bool {
    let mut at = range.start + 1;
    while at < range.end && is_adverb(tokens.word(at)) {
        at += 1;
    }
    if tokens.word(at) == "100" {
        return true;
    }
    let verb = tokens.word(at);
    let next = tokens.word(at + 1);
    match verb {
        "agree" | "understand" | "see" | "bet" | "guess" | "appreciate" | "relate" | "admire"
        | "hear" => range.len() < 12,
        "get" => matches!(next, "it" | "that" | "you" | "what"),
        "hope" | "wish" => {
            matches!(
                next,
                "you" | "it" | "so" | "that" | "your" | "everything" | "to"
            ) && { next != "to" || matches!(tokens.word(at + 2), "hear" | "see") }
                && !own_again(tokens, at + 1..range.end)
        }
        "can" | "can't" | "could" => match next {
            "imagine" | "tell" | "see" | "relate" | "understand" | "agree" => true,
            "wait" | "only" => range.len() < 10 && mentions_you_or_it(tokens, at + 1..range.end),
            _ => false,
        },
        "know" | "do" | "did" | "will" | "am" | "think" | "love" | "like" => {
            let rest = range.end.saturating_sub(at + 1);
            rest == 0
                || rest < 3
                    && matches!(next, "so" | "it" | "that" | "what" | "how" | "you" | "this")
                || matches!(next, "your")
                || matches!(verb, "know" | "think")
                    && matches!(
                        next,
                        "you" | "you'll" | "you're" | "you'd" | "you've" | "that's" | "it's"
                    )
        }
        _ if ADJECTIVES.has(verb) || matches!(verb, "sure" | "here" | "sorry") => {
            let rest = at + 1..range.end;
            let glad = matches!(
                verb,
                "glad" | "happy" | "proud" | "excited" | "stoked" | "sorry"
            );
            rest.is_empty()
                || verb == "glad" && range.len() < 14
                || rest.clone().any(|at| tokens.word(at).starts_with("you"))
                || glad && range.len() < 9 && mentions_you_or_it(tokens, rest)
                || matches!(next, "to") && matches!(tokens.word(at + 2), "hear" | "see" | "help")
        }
        "off" => matches!(next, "to") && range.len() < 6,
        "got" => matches!(next, "your" | "it"),
        _ => false,
    }
}

fn own_again(tokens: &Tokens<'_>, mut range: Range<usize>) -> bool {
    range.any(|index| matches!(tokens.word(index), "i" | "my" | "me" | "i'm"))
}

fn mentions_you_or_it(tokens: &Tokens<'_>, mut range: Range<usize>) -> bool {
    range.any(|index| {
        let word = tokens.word(index);
        word.starts_with("you") || matches!(word, "it" | "that" | "hear")
    })
}

/// "That's great", "It's great to hear that", "This is so cool".
fn praise(tokens: &Tokens<'_>, range: &Range<usize>) -> bool {
    let addressed = range
        .clone()
        .any(|index| tokens.word(index).starts_with("you"));
    let content = content_words(tokens, range.clone());
    content == 0
        || addressed
        || content <= 2 && !own_again(tokens, range.clone())
        || range.clone().skip(1).take(6).any(|index| {
            matches!(
                tokens.word(index),
                "hear" | "sounds" | "wonderful" | "awesome"
            ) && content <= 3
        })
}

/// "Glad to hear it", "So cool that you went", "Great job".
fn cheer(tokens: &Tokens<'_>, range: &Range<usize>) -> bool {
    if tokens.word(range.start) == "glad" {
        return true;
    }
    let addressed = range.clone().any(|index| {
        let word = tokens.word(index);
        word.starts_with("you") || matches!(word, "hear" | "job" | "idea" | "luck" | "choice")
    });
    addressed || content_words(tokens, range.clone()) <= 1 && range.len() < 6
}

/// "Keep it up", "Take care", "Don't give up", "Hope you like it".
fn wishes(tokens: &Tokens<'_>, range: &Range<usize>) -> bool {
    let at = range.start;
    let next = tokens.word(at + 1);
    match tokens.word(at) {
        "hope" | "wish" => {
            !matches!(next, "to" | "i" | "we" | "my")
                || matches!(tokens.word(at + 2), "hear" | "see")
        }
        "just" => matches!(next, "keep" | "remember" | "be" | "make" | "let" | "do"),
        "don't" => !matches!(
            next,
            "know" | "like" | "have" | "want" | "think" | "really" | "even" | "need" | "use"
        ),
        "have" => !matches!(next, "been" | "to" | "had" | "always" | "never"),
        "feel" => !matches!(next, "like" | "so" | "really" | "bad"),
        "check" | "let" | "see" => true,
        "take" if next == "a" => true,
        "keep" | "take" | "talk" | "catch" | "hang" | "believe" | "tell" | "enjoy" | "stay"
        | "imagine" | "remember" | "best" | "trust" | "count" | "bet" | "come" | "go" | "give" => {
            !own_again(tokens, range.clone()) || range.len() < 6
        }
        _ => false,
    }
}
