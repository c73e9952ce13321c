//! The beginning and the end of a sentence, where people greet, agree, exclaim and
//! call each other by name.

use std::ops::Range;

use super::lexicon::{ADJECTIVES, FILLERS, INTERJECTIONS};
use super::party::Parties;
use crate::temporal::tokens::Tokens;

/// Several words that open a sentence without adding to it, when a mark follows.
const PHRASES: [&[&str]; 34] = [
    &["thank", "you"],
    &["thank", "you", "so", "much"],
    &["thanks", "so", "much"],
    &["thanks", "a", "lot"],
    &["thanks", "a", "bunch"],
    &["thanks", "for", "asking"],
    &["of", "course"],
    &["for", "sure"],
    &["you", "know"],
    &["i", "mean"],
    &["guess", "what"],
    &["by", "the", "way"],
    &["to", "be", "honest"],
    &["no", "way"],
    &["oh", "my"],
    &["oh", "my", "god"],
    &["me", "too"],
    &["same", "here"],
    &["no", "worries"],
    &["no", "problem"],
    &["i", "see"],
    &["i", "know"],
    &["i", "know", "right"],
    &["i", "agree"],
    &["got", "it"],
    &["long", "time", "no", "see"],
    &["good", "to", "see", "you"],
    &["sounds", "good"],
    &["that's", "right"],
    &["totally", "agree"],
    &["not", "yet"],
    &["not", "really"],
    &["on", "a", "different", "note"],
    &["speaking", "of", "which"],
];

/// The tokens of `range` that say something.
pub(super) fn core(tokens: &Tokens<'_>, range: Range<usize>, parties: &Parties) -> Range<usize> {
    let start = skip_opening(tokens, range.clone(), parties);
    let end = skip_closing(tokens, start..range.end, parties);
    start..end
}

fn skip_opening(tokens: &Tokens<'_>, range: Range<usize>, parties: &Parties) -> usize {
    let mut at = range.start;
    while at < range.end {
        let next = opening(tokens, at, &range, parties);
        if next == at {
            break;
        }
        at = next;
    }
    at
}

/// One step over what opens the sentence at `at`.
fn opening(tokens: &Tokens<'_>, at: usize, range: &Range<usize>, parties: &Parties) -> usize {
    if !tokens.is_word(at) {
        // A sum of money or a quotation belongs to what follows.
        let belongs = matches!(tokens.word(at), "$" | "€" | "£" | "\"" | "(" | "'");
        return if belongs { at } else { at + 1 };
    }
    let word = tokens.word(at);
    if word == "speaking" && tokens.word(at + 1) == "of" {
        return comma_soon(tokens, at, range.end).unwrap_or(at);
    }
    if word == "since"
        && tokens.word(at + 1) == "we"
        && (2..5).any(|ahead| tokens.word(at + ahead) == "last")
    {
        return comma_soon(tokens, at, range.end).unwrap_or(at);
    }
    if let Some(length) = phrase(tokens, at, range, parties) {
        return at + length;
    }
    if INTERJECTIONS.has(word) {
        return at + 1;
    }
    let closes = |at: usize| {
        is_pause(tokens, at, range.end) || vocative(tokens, at, range, parties).is_some()
    };
    if FILLERS.has(word) && closes(at + 1) {
        return at + 1;
    }
    if let Some(length) = vocative(tokens, at, range, parties) {
        return at + length;
    }
    let next = tokens.word(at + 1);
    let connective = match word {
        "and" | "but" | "plus" | "hey" | "hi" | "hello" => true,
        "so" => opens_clause(next),
        "also" | "then" | "anyway" | "besides" | "btw" | "well" => {
            opens_clause(next) || next == ","
        }

        _ => false,
    };
    if connective { at + 1 } else { at }
}

/// The first comma within a few words of `at`.
fn comma_soon(tokens: &Tokens<'_>, at: usize, end: usize) -> Option<usize> {
    (at + 2..(at + 8).min(end)).find(|&pause| tokens.word(pause) == ",")
}

/// Words with which a clause goes on after "so" or "then".
fn opens_clause(word: &str) -> bool {
    matches!(
        word,
        "what"
            | "what's"
            | "how's"
            | "how"
            | "why"
            | "when"
            | "where"
            | "who"
            | "do"
            | "did"
            | "is"
            | "i"
            | "i'm"
            | "i've"
            | "i'll"
            | "i'd"
            | "we"
            | "we're"
            | "we've"
            | "we'll"
            | "my"
            | "our"
            | "the"
            | "a"
            | "it"
            | "it's"
            | "that"
            | "that's"
            | "he"
            | "she"
            | "they"
            | "there"
            | "then"
            | "now"
            | "far"
            | "yeah"
            | "you"
            | "he's"
            | "she's"
            | "they're"
            | "this"
            | "if"
    ) && !ADJECTIVES.has(word)
}

fn phrase(
    tokens: &Tokens<'_>,
    at: usize,
    range: &Range<usize>,
    parties: &Parties,
) -> Option<usize> {
    let first = tokens.word(at);
    PHRASES
        .iter()
        .filter(|phrase| phrase.first() == Some(&first))
        .filter(|phrase| {
            phrase
                .iter()
                .enumerate()
                .all(|(offset, word)| tokens.word(at + offset) == *word)
        })
        .map(|phrase| phrase.len())
        .filter(|length| {
            is_pause(tokens, at + length, range.end)
                || vocative(tokens, at + length, range, parties).is_some()
        })
        .max()
}

fn is_pause(tokens: &Tokens<'_>, at: usize, end: usize) -> bool {
    at >= end
        || matches!(
            tokens.word(at),
            "," | "!" | "." | "?" | "-" | "–" | "—" | "…" | ":" | ";"
        ) && !(tokens.word(at) == "-" && tokens.touches_next(at))
}

/// How many tokens at `at` call somebody here by name.
fn vocative(
    tokens: &Tokens<'_>,
    at: usize,
    range: &Range<usize>,
    parties: &Parties,
) -> Option<usize> {
    let named = at < range.end && tokens.is_capital(at) && parties.any_answers_to(tokens.word(at));
    let after_greeting = at > range.start
        && tokens.is_capital(at)
        && matches!(tokens.before(at), "hey" | "hi" | "hello" | "thanks" | "wow");
    ((named || after_greeting) && is_pause(tokens, at + 1, range.end)).then_some(1)
}

fn skip_closing(tokens: &Tokens<'_>, range: Range<usize>, parties: &Parties) -> usize {
    let mut end = range.end;
    while end > range.start {
        let last = end - 1;
        let word = tokens.word(last);
        let after_comma = tokens.before(last) == "," && last > range.start + 1;
        let closing = !tokens.is_word(last) && !matches!(word, ")" | "%" | "\"" | "$" | "°" | "+")
            || after_comma
                && (tokens.is_capital(last) && parties.any_answers_to(word)
                    || matches!(
                        word,
                        "right"
                            | "haha"
                            | "lol"
                            | "though"
                            | "too"
                            | "huh"
                            | "anyway"
                            | "ok"
                            | "okay"
                    ))
            || matches!(word, "lol" | "haha" | "hahaha" | "lmao");
        if !closing {
            break;
        }
        end = last;
    }
    end
}
