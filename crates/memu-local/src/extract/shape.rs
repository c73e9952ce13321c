//! How a sentence is built: whose it is, and what it leaves out.

use std::ops::Range;

use super::lexicon::{ADJECTIVES, AUXILIARIES, COMMON, STATIVE};
use super::rewrite::is_adverb;
use super::worth;
use crate::temporal::tense::is_past;
use crate::temporal::tokens::Tokens;
use crate::temporal::words::{Words, words};

/// What has to be supplied where the subject was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Elided {
    /// "Excited to start", "Working on it": the subject and "is".
    Is,
    /// "Been busy": the subject and "has".
    Has,
    /// "Went home", "Love dogs": the subject alone.
    Verb,
}

/// Forms of the past that lead a sentence in another sense, or with another
/// subject.
static OTHERWISE: Words =
    words!("did was were used lay left ground wound meant said based compared given made felt");

/// The build of a sentence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// Whether it has "I" or "we" in it.
    pub(super) own_subject: bool,
    /// Whether it has any word for the speaker in it.
    pub(super) own: bool,
    /// Whether it has "we" in it.
    pub(super) plural: bool,
    /// Whether it has "I", "me" or "my" in it.
    pub(super) single: bool,
    /// Whether it begins with the other speaker.
    pub(super) opens_with_you: bool,
    /// Whether its beginning points back to another sentence.
    pub(super) dangling: bool,
    /// What it leaves out.
    pub(super) elided: Option<Elided>,
    /// Whether it has a verb that makes it a sentence.
    pub(super) finite: bool,
    /// Whether it tells somebody to do something.
    pub(super) imperative: bool,
}

/// Reads the build of the tokens in `range`.
pub(super) fn shape(tokens: &Tokens<'_>, range: Range<usize>) -> Shape {
    let mut shape = Shape::default();
    for index in range.clone() {
        let word = tokens.word(index);
        match word {
            "i" | "i'm" | "i've" | "i'd" | "i'll" | "im" | "ive" => {
                shape.own_subject = true;
                shape.single = true;
            }
            "we" | "we're" | "we've" | "we'll" | "we'd" => {
                shape.own_subject = true;
                shape.plural = true;
            }
            "me" | "my" | "mine" | "myself" => {
                shape.own = true;
                shape.single = true;
            }
            "our" | "us" | "ours" => shape.own = true,
            _ => {}
        }
        let noon = word == "am" && index > range.start && tokens.number(index - 1).is_some();
        shape.finite |= AUXILIARIES.has(word) && !noon
            || is_past(word) && !is_determiner(tokens.before(index))
            || is_finite_form(word);
    }
    shape.own |= shape.own_subject;
    let first = tokens.word(range.start);
    shape.opens_with_you = first.starts_with("you");
    shape.dangling = is_dangling(first, tokens.word(range.start + 1));
    let opens_otherwise = shape.opens_with_you || shape.dangling || opens_with_subject(first);
    if !opens_otherwise {
        shape.elided = elided(tokens, range.clone());
        shape.imperative = shape.elided.is_none() && is_imperative(tokens, range);
    }
    shape.finite |= shape.elided.is_some() || shape.own_subject;
    shape
}

fn opens_with_subject(word: &str) -> bool {
    matches!(
        word,
        "i" | "i'm"
            | "i've"
            | "i'd"
            | "i'll"
            | "we"
            | "we're"
            | "we've"
            | "we'll"
            | "we'd"
            | "my"
            | "our"
            | "im"
            | "ive"
            | "the"
            | "a"
            | "an"
    )
}

fn is_dangling(word: &str, next: &str) -> bool {
    match word {
        "because" | "cause" | "including" | "especially" | "it" | "it's" | "it'll" | "it'd"
        | "its" | "that's" | "that'll" | "he" | "she" | "they" | "he's" | "she's" | "they're"
        | "they've" | "they'll" | "which" | "those" | "these" | "his" | "her" | "their"
        | "both" | "then" => true,
        "something" | "someone" => matches!(next, "that" | "who" | "to" | "like"),

        "that" | "this" => !matches!(
            next,
            "morning" | "week" | "weekend" | "month" | "year" | "summer"
        ),
        _ => false,
    }
}

/// "A rented one": no verb follows these.
fn is_determiner(word: &str) -> bool {
    matches!(
        word,
        "a" | "an" | "the" | "my" | "our" | "your" | "his" | "her" | "their" | "some"
    )
}

/// Present forms that people use all the time.
fn is_finite_form(word: &str) -> bool {
    word.len() > 3
        && (word.strip_suffix('s').is_some_and(|base| COMMON.has(base))
            || word.strip_suffix("es").is_some_and(|base| COMMON.has(base)))
}

fn elided(tokens: &Tokens<'_>, range: Range<usize>) -> Option<Elided> {
    let mut at = range.start;
    while at < range.end && is_adverb(tokens.word(at)) && tokens.word(at) != "kind" {
        at += 1;
    }
    let intensified = matches!(tokens.word(at), "super");
    at += usize::from(intensified);
    let word = tokens.word(at);
    let next = tokens.word(at + 1);
    if word == "been" && !matches!(next, "a" | "an" | "quite" | "the") {
        return Some(Elided::Has);
    }
    if word == "gonna" || ADJECTIVES.has(word) && !matches!(next, "news" | "people" | "to?") {
        return Some(Elided::Is);
    }
    if is_gerund(word) && tokens.is_word(at + 1) && !next.starts_with("you") {
        return (!is_gerund_subject(tokens, at..range.end)).then_some(Elided::Is);
    }
    if is_past(word) && !OTHERWISE.has(word) && tokens.is_word(at + 1) {
        // "Really made me think" leaves out another subject than the speaker.
        let of_another = matches!(next, "me" | "us");
        // "Distributed systems": a participle, not a verb.
        let participle = word.ends_with("ed") && worth::is_content(next) && !next.ends_with("ing");
        return (!of_another && !participle).then_some(Elided::Verb);
    }
    if matches!(word, "used" | "left") && !next.is_empty() && at == range.start {
        return (matches!(next, "to" | "the" | "my")).then_some(Elided::Verb);
    }
    (STATIVE.has(word) && tokens.is_word(at + 1)).then_some(Elided::Verb)
}

fn is_gerund(word: &str) -> bool {
    word.len() > 4
        && word.ends_with("ing")
        && !matches!(
            word,
            "something"
                | "anything"
                | "nothing"
                | "everything"
                | "morning"
                | "evening"
                | "during"
                | "spring"
                | "string"
                | "bring"
                | "according"
                | "thing"
                | "being"
                | "including"
        )
}

/// "Painting is fun": the word in -ing is what the sentence is about.
fn is_gerund_subject(tokens: &Tokens<'_>, range: Range<usize>) -> bool {
    // "Seeing how they cared was amazing."
    let near_end = range.end.saturating_sub(4).max(range.start + 2)..range.end;
    let weighs = |at: usize| {
        matches!(tokens.word(at), "is" | "was")
            && matches!(
                tokens.word(at + 1),
                "such"
                    | "so"
                    | "really"
                    | "amazing"
                    | "great"
                    | "fun"
                    | "awesome"
                    | "hard"
                    | "tough"
            )
    };
    if near_end
        .clone()
        .any(|at| matches!(tokens.word(at), "is" | "was"))
        || (range.start + 2..range.end).any(weighs)
    {
        return true;
    }
    if (range.start + 1..range.end)
        .any(|at| matches!(tokens.word(at), "looks" | "feels" | "sounds"))
    {
        return true;
    }
    for index in range.start + 1..range.end {
        let word = tokens.word(index);
        let next = tokens.word(index + 1);
        let contracted = word.ends_with("'s")
            && matches!(
                next,
                "a" | "an" | "the" | "so" | "not" | "been" | "really" | "key" | "hard"
            );
        let acts = word.ends_with('s') && matches!(next, "me" | "us" | "them");
        if contracted || acts || word == "need" {
            return true;
        }
        if word == "that" && index == range.start + 1 {
            continue;
        }
        if matches!(
            word,
            "that"
                | "which"
                | "who"
                | "because"
                | "when"
                | "but"
                | "so"
                | "-"
                | "—"
                | "–"
                | "how"
                | "what"
                | "cause"
                | "since"
                | "i"
                | "i'm"
                | "if"
                | "where"
                | "it's"
        ) {
            return false;
        }
        let verb = AUXILIARIES.has(word) && !matches!(word, "does" | "do")
            || is_finite_form(word) && !tokens.is_capital(index) && !is_plural_noun(word)
            || is_past(word) && index > range.start + 1;
        if verb {
            return true;
        }
    }
    false
}

/// Forms in -s that are nouns as often as verbs.
fn is_plural_noun(word: &str) -> bool {
    matches!(
        word,
        "cares"
            | "classes"
            | "books"
            | "plans"
            | "works"
            | "dreams"
            | "dances"
            | "paints"
            | "visits"
            | "shows"
            | "talks"
            | "walks"
            | "hikes"
            | "rides"
            | "drinks"
            | "trains"
            | "looks"
            | "likes"
            | "cooks"
            | "changes"
            | "challenges"
            | "designs"
            | "projects"
            | "updates"
            | "starts"
            | "ends"
            | "calls"
            | "drives"
            | "uses"
            | "meets"
            | "runs"
            | "tests"
            | "reports"
            | "reviews"
            | "supports"
            | "interests"
            | "photos"
            | "tracks"
            | "shares"
            | "experiences"
            | "records"
            | "offers"
            | "orders"
            | "values"
            | "points"
            | "plays"
            | "gardens"
            | "views"
            | "camps"
            | "turns"
            | "notes"
            | "lists"
            | "hits"
            | "moves"
            | "ways"
            | "sets"
            | "shops"
            | "posts"
            | "programs"
            | "practices"
            | "feels"
    ) && word != "feels"
}

/// "Try the soup": a verb's base form leads, and nobody is its subject.
fn is_imperative(tokens: &Tokens<'_>, range: Range<usize>) -> bool {
    let mut at = range.start;
    while at < range.end
        && (is_adverb(tokens.word(at)) || matches!(tokens.word(at), "please" | "," | "don't"))
    {
        at += 1;
    }
    let next = tokens.word(at + 1);
    COMMON.has(tokens.word(at))
        && !matches!(
            next,
            "is" | "are" | "was" | "has" | "makes" | "can" | "will"
        )
        || matches!(tokens.word(at), "ensure" | "use" | "be")
}
