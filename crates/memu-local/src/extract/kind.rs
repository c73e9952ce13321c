//! Which type of memory a sentence is.

use std::ops::Range;

use memu_core::time::{Precision, When};

use super::lexicon::{COMMON, VAGUE_TIMES};
use super::rewrite::is_adverb;
use super::shape::{Elided, Shape};
use crate::temporal::Mention;
use crate::temporal::tense::is_past;
use crate::temporal::tokens::Tokens;

/// The types that the local extractor tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum MemoryKind {
    Profile,
    Event,
    Knowledge,
    Behavior,
    Skill,
}

impl MemoryKind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Event => "event",
            Self::Knowledge => "knowledge",
            Self::Behavior => "behavior",
            Self::Skill => "skill",
        }
    }

    /// The configured type that comes nearest: itself, else `knowledge`, else the
    /// first.
    pub(super) fn among(self, types: &[String]) -> Option<&str> {
        [self.as_str(), Self::Knowledge.as_str()]
            .into_iter()
            .find_map(|wanted| types.iter().find(|name| *name == wanted))
            .or_else(|| types.first())
            .map(String::as_str)
    }
}

/// The type of what the tokens in `range` say.
pub(super) fn kind(
    tokens: &Tokens<'_>,
    range: Range<usize>,
    shape: &Shape,
    mentions: &[Mention],
) -> MemoryKind {
    if is_habit(tokens, range.clone()) {
        return MemoryKind::Behavior;
    }
    if is_ability(tokens, range.clone()) {
        return MemoryKind::Skill;
    }
    let verb = main_verb(tokens, range.clone(), shape);
    let word = tokens.word(verb);
    let happens = is_past(word)
        && !is_participle(tokens, verb)
        && !matches!(word, "used" | "thought" | "felt" | "knew" | "meant")
        || is_plan(tokens, range.clone())
        || shape.elided == Some(Elided::Is) && word.ends_with("ing");
    if happens || !mentions.is_empty() && !is_stance(word) {
        return MemoryKind::Event;
    }
    if shape.own_subject || shape.elided.is_some() {
        return own_kind(tokens, verb);
    }
    if matches!(tokens.word(range.start), "my" | "our") {
        return MemoryKind::Profile;
    }
    MemoryKind::Knowledge
}

/// "I think", "I believe": an opinion; anything else in the present is who
/// somebody is.
fn own_kind(tokens: &Tokens<'_>, verb: usize) -> MemoryKind {
    match tokens.word(verb) {
        "think" | "believe" | "guess" | "agree" | "know" | "find" | "realize" | "suppose" => {
            MemoryKind::Knowledge
        }
        word if word.ends_with("ing") && !matches!(word, "working" | "living" | "feeling") => {
            MemoryKind::Event
        }
        _ => MemoryKind::Profile,
    }
}

fn is_stance(word: &str) -> bool {
    matches!(
        word,
        "love" | "like" | "prefer" | "think" | "believe" | "am" | "enjoy" | "hate"
    )
}

/// The verb after the speaker's first "I" or "we", else the first verb there is.
fn main_verb(tokens: &Tokens<'_>, range: Range<usize>, shape: &Shape) -> usize {
    let start = range
        .clone()
        .find(|&at| {
            matches!(
                tokens.word(at),
                "i" | "we" | "i'm" | "i've" | "we're" | "we've" | "i'd" | "i'll"
            )
        })
        .map_or(range.start, |at| at + 1);
    let from = if shape.elided.is_some() {
        range.start
    } else {
        start
    };
    let mut at = from;
    while at < range.end && (is_adverb(tokens.word(at)) || tokens.word(at) == "been") {
        at += 1;
    }
    if shape.own_subject || shape.elided.is_some() {
        return at;
    }
    range
        .clone()
        .find(|&at| {
            is_present(tokens.word(at)) || is_past(tokens.word(at)) && !is_participle(tokens, at)
        })
        .unwrap_or(at)
}

/// Verbs of the present that decide the tense of their sentence when they come
/// first.
fn is_present(word: &str) -> bool {
    matches!(
        word,
        "is" | "are"
            | "has"
            | "have"
            | "can"
            | "will"
            | "do"
            | "does"
            | "it's"
            | "that's"
            | "there's"
            | "isn't"
            | "aren't"
            | "means"
            | "makes"
            | "helps"
            | "gives"
            | "includes"
            | "needs"
            | "keeps"
            | "takes"
            | "works"
            | "lets"
            | "shows"
            | "should"
            | "must"
    )
}

/// "Has made", "was so blessed", "I'm swamped": not the simple past.
fn is_participle(tokens: &Tokens<'_>, at: usize) -> bool {
    if tokens.before(at).ends_with("ing") {
        return true;
    }
    (1..=3).any(|back| {
        matches!(
            tokens.word(at.wrapping_sub(back)),
            "has"
                | "have"
                | "been"
                | "is"
                | "are"
                | "be"
                | "it's"
                | "that's"
                | "i'm"
                | "i've"
                | "we've"
                | "we're"
                | "they've"
                | "get"
                | "getting"
                | "being"
                | "hasn't"
        )
    })
}

fn is_habit(tokens: &Tokens<'_>, range: Range<usize>) -> bool {
    range.clone().any(|at| match tokens.word(at) {
        "whenever" | "usually" | "often" | "regularly" | "daily" | "weekly" | "routine"
        | "habit" | "habits" | "typically" | "mornings" | "evenings" | "weekends" | "mondays"
        | "tuesdays" | "wednesdays" | "thursdays" | "fridays" | "saturdays" | "sundays"
        | "nightly" => true,
        "always" => {
            !matches!(tokens.word(at + 1), "been" | "wanted" | "dreamed")
                && !matches!(
                    tokens.before(at),
                    "isn't" | "not" | "aren't" | "don't" | "will"
                )
        }
        "each" if tokens.word(at + 1) == "other" => false,
        "every" | "each" | "most" => matches!(
            tokens.word(at + 1),
            "day"
                | "morning"
                | "evening"
                | "night"
                | "week"
                | "weekend"
                | "month"
                | "year"
                | "summer"
                | "time"
                | "monday"
                | "tuesday"
                | "wednesday"
                | "thursday"
                | "friday"
                | "saturday"
                | "sunday"
                | "days"
                | "nights"
                | "few"
                | "other"
        ),
        "tend" => tokens.word(at + 1) == "to",
        "once" | "twice" | "times" => matches!(tokens.word(at + 1), "a" | "per"),

        _ => false,
    })
}

fn is_ability(tokens: &Tokens<'_>, range: Range<usize>) -> bool {
    range.clone().any(|at| {
        let next = tokens.word(at + 1);
        match tokens.word(at) {
            "learned" | "learnt" => matches!(next, "to" | "how"),
            "know" | "knows" => next == "how" && tokens.word(at + 2) == "to",
            "fluent" | "certified" | "mastered" | "skilled" | "proficient" => true,
            "good" | "great" => next == "at" && tokens.before(at) != "not",
            "can" => {
                matches!(
                    next,
                    "play"
                        | "speak"
                        | "cook"
                        | "sing"
                        | "draw"
                        | "swim"
                        | "code"
                        | "program"
                        | "ride"
                        | "sew"
                        | "knit"
                        | "juggle"
                        | "paint"
                        | "bake"
                ) && tokens.before(at) == "i"
            }
            _ => false,
        }
    })
}

fn is_plan(tokens: &Tokens<'_>, range: Range<usize>) -> bool {
    range.clone().take(14).any(|at| {
        let word = tokens.word(at);
        let next = tokens.word(at + 1);
        match word {
            "i'll" | "we'll" | "gonna" | "planning" | "planned" | "scheduled" | "upcoming" => true,
            "going" => next == "to" && COMMON.has(tokens.word(at + 2)),

            "will" => matches!(tokens.before(at), "i" | "we"),
            "plan" | "hope" | "aim" | "intend" => next == "to",
            _ => false,
        }
    })
}

/// When what the sentence says happened: the time it names, else the day on which
/// it is told, for what is told in the simple past as news.
pub(super) fn happened(
    tokens: &Tokens<'_>,
    range: Range<usize>,
    shape: &Shape,
    mentions: &[Mention],
    day: Option<jiff::civil::Date>,
) -> Option<When> {
    if let Some(mention) = most_telling(tokens, &range, mentions) {
        return Some(mention.when);
    }
    let verb = main_verb(tokens, range.clone(), shape);
    let past = is_past(tokens.word(verb))
        && !is_participle(tokens, verb)
        && !matches!(
            tokens.word(verb),
            "used" | "had" | "was" | "were" | "hadn't"
        );
    let dated_elsewhere = range.clone().any(|at| VAGUE_TIMES.has(tokens.word(at)));
    let when_clause = range.clone().any(|at| tokens.word(at) == "when");
    if past && !dated_elsewhere && !when_clause {
        return day.map(When::day);
    }
    None
}

/// The most exact of the times that the sentence names, the first of equals.
fn most_telling<'m>(
    tokens: &Tokens<'_>,
    range: &Range<usize>,
    mentions: &'m [Mention],
) -> Option<&'m Mention> {
    let start = tokens.get(range.start)?.start;
    let end = tokens.get(range.end.checked_sub(1)?)?.end;
    mentions
        .iter()
        .filter(|mention| mention.range.start >= start && mention.range.end <= end)
        .min_by_key(|mention| match mention.when.precision {
            Precision::Minute | Precision::Day => 0,
            Precision::Week => 1,
            Precision::Month => 2,
            Precision::Season => 3,
            Precision::Year => 4,
        })
}
