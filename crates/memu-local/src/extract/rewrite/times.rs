//! Relative times in a summary: "yesterday" becomes "on 7 May 2023".

use jiff::civil::Date;

use crate::temporal::tokens::Tokens;
use crate::temporal::{Mention, bare, in_context};

/// The words that take the place of `mention`, which begins at token `index` and
/// ends before token `end`; `None` where the words should stay.
pub(super) fn replacement(
    tokens: &Tokens<'_>,
    mention: &Mention,
    index: usize,
    end: usize,
    anchor: Option<Date>,
) -> Option<String> {
    if !mention.relative {
        return None;
    }
    let words = tokens.text().get(mention.range.clone())?;
    if mention.vague {
        return vague(words, mention, anchor?);
    }
    let before = tokens.before(index);
    // "May 10, 12 and 15" is a list.
    let list = tokens.word(end) == "," && tokens.number(end + 1).is_some();
    if list || is_determiner(before) || names_a_thing(tokens, end) {
        return None;
    }
    let named_roughly = matches!(before, "early" | "late" | "mid")
        && mention.when.precision != memu_core::time::Precision::Day;
    if takes_bare(before) || named_roughly || is_subject(tokens, index, end) {
        return Some(bare(words, &mention.when));
    }
    Some(in_context(words, &mention.when))
}

/// "a few years ago" → "a few years before 2023": what was said, and no more.
fn vague(words: &str, mention: &Mention, anchor: Date) -> Option<String> {
    let said = if words.contains("year") {
        anchor.year().to_string()
    } else if words.contains("month") {
        let full = crate::temporal::day(anchor);
        full.split_once(' ')?.1.to_owned()
    } else {
        crate::temporal::day(anchor)
    };
    if let Some(amount) = words.strip_suffix(" ago") {
        return Some(format!("{amount} before {said}"));
    }
    if let Some(amount) = words.strip_prefix("in ") {
        return Some(format!("{amount} after {said}"));
    }
    let duration = words
        .strip_suffix(" now")
        .or_else(|| words.strip_suffix(" already"))?;
    Some(format!(
        "{duration} (since about {})",
        bare(words, &mention.when)
    ))
}

fn is_determiner(word: &str) -> bool {
    matches!(
        word,
        "the" | "a" | "an" | "my" | "our" | "your" | "his" | "her" | "their" | "its" | "that"
    )
}

/// After these the time stands without a preposition of its own.
fn takes_bare(word: &str) -> bool {
    matches!(
        word,
        "since"
            | "until"
            | "till"
            | "by"
            | "for"
            | "from"
            | "of"
            | "before"
            | "after"
            | "to"
            | "than"
            | "about"
            | "around"
            | "between"
            | "through"
            | "("
            | "except"
            | "starting"
            | "beginning"
            | "'s"
            | "it's"
            | "is"
            | "was"
    )
}

/// "last night's", "last year - end": whether a possessive or a compound follows.
fn names_a_thing(tokens: &Tokens<'_>, end: usize) -> bool {
    end > 0 && tokens.word(end) == "-" && tokens.touches_next(end - 1)
}

/// "Yesterday was great": the time is what the sentence is about.
fn is_subject(tokens: &Tokens<'_>, index: usize, end: usize) -> bool {
    let opens = index == 0
        || !tokens.is_word(index - 1)
        || matches!(
            tokens.before(index),
            "and" | "but" | "so" | "if" | "that" | "then" | "when" | "because"
        );
    opens
        && matches!(
            tokens.word(end),
            "was"
                | "is"
                | "has"
                | "will"
                | "had"
                | "felt"
                | "went"
                | "feels"
                | "marks"
                | "marked"
                | "seems"
                | "would"
                | "wasn't"
                | "isn't"
                | "brought"
                | "works"
        )
}
