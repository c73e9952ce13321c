//! What people say about time, resolved against the time at which they say it.
//!
//! Conventions: weeks begin on Monday; "last Friday" is the latest Friday strictly
//! before the anchor; "next Friday" is the one in the week after the anchor's; a
//! bare "Friday" or "May 7" follows the tense of its sentence, else it is the
//! coming Friday and the nearest 7 May; `05/07/2023` is May 7 (US order) unless
//! the first number cannot be a month; seasons are those of the northern
//! hemisphere.

mod absolute;
mod calendar;
mod clock;
mod format;
mod names;
mod relative;
pub(crate) mod tense;
pub(crate) mod tokens;
pub(crate) mod words;

use std::ops::Range;

use jiff::civil;
use memu_core::time::{Precision, When};

pub(crate) use format::{bare, day, in_context};

use tokens::Tokens;

/// A time that a text speaks of.
#[derive(Clone, Debug, PartialEq)]
pub struct Mention {
    /// The bytes that name it, with a leading "in", "on", "at", "during" or "over";
    /// a clock time in the same clause is not among them.
    pub range: Range<usize>,
    /// The time that is meant.
    pub when: When,
    /// Whether the anchor was needed to tell.
    pub relative: bool,
    /// Whether the words say roughly ("a few years ago"): then the interval is
    /// where it begins to be likely, and the words should be kept.
    pub vague: bool,
}

/// The times that `text` speaks of, in order. `anchor` is when it was said; without
/// it, expressions that need one are left out.
pub fn find(text: &str, anchor: Option<civil::DateTime>) -> Vec<Mention> {
    find_in(&Tokens::of(text), anchor)
}

/// As [`find`], in a text whose tokens are at hand.
pub(crate) fn find_in(tokens: &Tokens<'_>, anchor: Option<civil::DateTime>) -> Vec<Mention> {
    let reader = Reader {
        tokens,
        anchor: anchor.map(civil::DateTime::date),
    };
    let mut founds = Vec::new();
    let mut index = 0;
    while index < tokens.len() {
        match absolute::at(&reader, index).or_else(|| relative::at(&reader, index)) {
            Some(found) if found.tokens.end > index => {
                index = found.tokens.end;
                founds.push(found);
            }
            _ => index += 1,
        }
    }
    clock::attach(tokens, &mut founds);
    founds
        .into_iter()
        .filter_map(|found| found.into_mention(tokens))
        .collect()
}

/// What the rules read from.
struct Reader<'r, 't> {
    tokens: &'r Tokens<'t>,
    anchor: Option<civil::Date>,
}

/// A time, by tokens.
#[derive(Clone, Debug)]
struct Found {
    tokens: Range<usize>,
    when: When,
    relative: bool,
    vague: bool,
}

impl Found {
    fn absolute(tokens: Range<usize>, when: When) -> Self {
        Self {
            tokens,
            when,
            relative: false,
            vague: false,
        }
    }

    fn relative(tokens: Range<usize>, when: When) -> Self {
        Self {
            relative: true,
            ..Self::absolute(tokens, when)
        }
    }

    /// Whether it is a single day, so that a clock time can be added.
    fn is_single_day(&self) -> bool {
        self.when.precision == Precision::Day
            && self.when.end == When::day(self.when.start.date()).end
    }

    fn into_mention(self, tokens: &Tokens<'_>) -> Option<Mention> {
        let first = widened(tokens, self.tokens.start);
        let start = tokens.get(first)?.start;
        let end = tokens.get(self.tokens.end.checked_sub(1)?)?.end;
        Some(Mention {
            range: start..end,
            when: self.when,
            relative: self.relative,
            vague: self.vague,
        })
    }
}

/// Takes in the preposition, so that a phrase can be replaced as a whole.
fn widened(tokens: &Tokens<'_>, start: usize) -> usize {
    let mut start = start;
    if matches!(tokens.before(start), "earlier" | "later") {
        start -= 1;
    }
    let article = usize::from(tokens.before(start) == "the");
    let preposition = start - article;
    match tokens.before(preposition) {
        "in" if tokens.before(preposition - 1) == "back" => preposition - 2,
        "in" | "on" | "at" | "during" | "over" => preposition - 1,
        // "the May 7 meeting": without a preposition the article is the noun's.
        _ => start,
    }
}

#[cfg(test)]
mod tests;
