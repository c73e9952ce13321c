//! Questions, and statements that lead up to one: "I'm new to this, can you help?"

use std::ops::Range;

use crate::temporal::tokens::Tokens;

/// The statement that leads up to a question; the whole range when there is no
/// question, and an empty one when there is nothing else.
pub(super) fn statement(tokens: &Tokens<'_>, range: Range<usize>) -> Range<usize> {
    let asks = tokens.word(last_mark(tokens, &range)) == "?";
    if opens_question(tokens, range.start) {
        return range.start..range.start;
    }
    let cut = (range.start + 1..range.end).find(|&at| {
        let pause = matches!(
            tokens.word(at),
            "," | "-" | "—" | "–" | ";" | ":" | "." | "?" | "…"
        ) && !(tokens.touches_next(at) && tokens.word(at) == "-");
        let joint = matches!(tokens.word(at), "and" | "so" | "but");
        (pause || joint)
            && (after_joint(tokens, at + 1)
                || asks
                    && (is_tag(tokens, at + 1, &range)
                        || tokens.word(at) == ","
                            && (matches!(tokens.word(at + 1), "what" | "how" | "why")
                                || is_auxiliary(tokens.word(at + 1)))))
    });
    match cut {
        Some(cut) => range.start..cut,
        // A question without any statement before it.
        None if asks && !tells_of_self(tokens, &range) => range.start..range.start,
        None => range,
    }
}

fn last_mark(tokens: &Tokens<'_>, range: &Range<usize>) -> usize {
    let mut at = range.end;
    while at < tokens.len() && !tokens.is_word(at) {
        if tokens.word(at) == "?" {
            return at;
        }
        at += 1;
    }
    range.end.saturating_sub(1)
}

/// "I had a call with Ann and she liked it?"
fn tells_of_self(tokens: &Tokens<'_>, range: &Range<usize>) -> bool {
    range.len() > 6
        && matches!(
            tokens.word(range.start),
            "i" | "i'm" | "i've" | "my" | "we" | "we're" | "we've" | "i'd"
        )
}

/// Whether a question begins at `at`, perhaps after "so" or "and".
fn after_joint(tokens: &Tokens<'_>, at: usize) -> bool {
    let skip = usize::from(matches!(
        tokens.word(at),
        "so" | "and" | "but" | "maybe" | "also" | "then"
    ));
    let first = tokens.word(at + skip);
    if skip == 0 && matches!(first, "who" | "who's" | "which" | "where" | "when") {
        // ", who is a nurse" goes on about the one just named.
        return false;
    }
    let wonders = matches!(first, "i'm" | "i" | "we're" | "we")
        && (1..4).any(|ahead| matches!(tokens.word(at + skip + ahead), "wondering" | "wonder"));
    let asks_back = first == "let"
        && tokens.word(at + skip + 1) == "me"
        && tokens.word(at + skip + 2) == "know";
    if wonders || asks_back {
        return true;
    }
    let presents = tokens.word(at) == "here's"
        || tokens.word(at) == "here" && matches!(tokens.word(at + 1), "is" | "are");
    presents || opens_question(tokens, at) || skip == 1 && opens_question(tokens, at + 1)
}

/// ", right?" and ", you know?"
fn is_tag(tokens: &Tokens<'_>, at: usize, range: &Range<usize>) -> bool {
    range.end.saturating_sub(at) <= 3
        && matches!(
            tokens.word(at),
            "right"
                | "okay"
                | "ok"
                | "you"
                | "huh"
                | "isn't"
                | "don't"
                | "aren't"
                | "eh"
                | "yeah"
                | "any"
        )
}

/// Whether the words at `at` open a question: "can you", "what's", "how do".
fn opens_question(tokens: &Tokens<'_>, at: usize) -> bool {
    let next = tokens.word(at + 1);
    match tokens.word(at) {
        "can" | "could" | "would" | "will" | "should" | "shall" | "may" | "do" | "does" | "did"
        | "is" | "are" | "am" | "was" | "were" | "have" | "has" | "don't" | "isn't" | "aren't"
        | "wouldn't" | "couldn't" | "can't" | "didn't" => is_asked_about(next),
        "what's" | "how's" | "where's" | "who's" | "when's" | "what're" | "how're" | "whats" => {
            true
        }
        "what" | "how" | "why" | "where" | "when" | "who" | "which" => {
            is_auxiliary(next)
                || next == "about"
                || next == "if" && tokens.word(at) == "what"
                || is_auxiliary(tokens.word(at + 2))
                    && is_asked_about(tokens.word(at + 3))
                    && tokens.word(at) != "when"
                    && tokens.word(at) != "where"
        }
        "any" => matches!(
            next,
            "ideas"
                | "suggestions"
                | "tips"
                | "advice"
                | "thoughts"
                | "plans"
                | "recommendations"
                | "chance"
                | "news"
        ),
        "guess" => matches!(next, "what" | "who" | "where" | "how" | "which" | "when"),
        "wanna" | "care" => at + 2 < tokens.len() && next != "for",
        _ => false,
    }
}

fn is_asked_about(word: &str) -> bool {
    matches!(
        word,
        "you"
            | "i"
            | "we"
            | "it"
            | "there"
            | "this"
            | "that"
            | "they"
            | "he"
            | "she"
            | "these"
            | "those"
            | "your"
            | "my"
            | "the"
            | "anyone"
            | "anything"
    )
}

fn is_auxiliary(word: &str) -> bool {
    matches!(
        word,
        "is" | "are"
            | "was"
            | "were"
            | "do"
            | "does"
            | "did"
            | "can"
            | "could"
            | "would"
            | "will"
            | "should"
            | "have"
            | "has"
            | "had"
            | "am"
            | "might"
    )
}
