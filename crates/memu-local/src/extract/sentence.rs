//! A sentence of a message, read.

use std::ops::Range;

use jiff::civil::DateTime;

use super::party::Parties;
use super::shape::{Shape, shape};
use super::{foreign, lead, question, worth};
use crate::temporal::tokens::Tokens;
use crate::temporal::{Mention, find_in};

/// More of a sentence than this, in bytes, is not read: nobody speaks so long, and
/// what was pasted is kept in its segment.
const LONGEST: usize = 1_200;

/// More words than this are cut off at a pause, so that a memory stays a sentence.
const MOST_WORDS: usize = 45;

/// A sentence and what the rules found in it.
#[derive(Debug)]
pub(super) struct Sentence<'t> {
    pub(super) tokens: Tokens<'t>,
    /// The tokens that say something.
    pub(super) range: Range<usize>,
    pub(super) shape: Shape,
    pub(super) mentions: Vec<Mention>,
    pub(super) worth: i32,
    /// Whether it is in a language that the rules do not know.
    pub(super) foreign: bool,
    /// Whether it asks, and says nothing.
    pub(super) asks: bool,
}

impl<'t> Sentence<'t> {
    /// Reads `text`, said at `anchor`.
    pub(super) fn read(text: &'t str, anchor: Option<DateTime>, parties: &Parties) -> Self {
        let tokens = Tokens::of(head(text));
        let foreign = foreign::is_foreign(&tokens);
        let whole = lead::core(&tokens, 0..tokens.len(), parties);
        let stated = if foreign {
            whole.clone()
        } else {
            question::statement(&tokens, whole.clone())
        };
        let asks = stated.is_empty() && !whole.is_empty();
        let range = bounded(&tokens, lead::core(&tokens, stated, parties));
        let mut sentence = Self {
            shape: shape(&tokens, range.clone()),
            mentions: Vec::new(),
            worth: 0,
            tokens,
            range,
            foreign,
            asks,
        };
        sentence.weigh(anchor, parties, text);
        sentence
    }

    fn weigh(&mut self, anchor: Option<DateTime>, parties: &Parties, text: &str) {
        if self.range.is_empty() {
            return;
        }
        if self.foreign {
            self.worth = foreign::worth(&self.tokens);
            return;
        }
        // "Here is what I have so far:" leads up to something that is not there.
        let leads_up = self.tokens.word(self.range.end) == ":"
            && text.trim_end().ends_with(':')
            && self.range.end + 1 == self.tokens.len();
        if leads_up || breaks_off(&self.tokens, self.range.end) {
            return;
        }
        self.mentions = find_in(&self.tokens, anchor);
        self.worth = worth::worth(
            &self.tokens,
            self.range.clone(),
            &self.shape,
            !self.mentions.is_empty(),
            parties,
        );
    }

    /// The same sentence without its tokens before `start`.
    pub(super) fn starting_at(&self, start: usize) -> Sentence<'t> {
        let tokens = Tokens::of(self.tokens.text());
        let range = start.min(self.range.end)..self.range.end;
        Sentence {
            shape: shape(&tokens, range.clone()),
            mentions: self.mentions.clone(),
            worth: self.worth.max(worth::KEPT),
            tokens,
            range,
            foreign: self.foreign,
            asks: false,
        }
    }

    /// The words that say something, as they were said.
    pub(super) fn text(&self) -> &'t str {
        let start = self
            .tokens
            .get(self.range.start)
            .map_or(0, |token| token.start);
        let end = self
            .range
            .end
            .checked_sub(1)
            .and_then(|last| self.tokens.get(last))
            .map_or(start, |token| token.end);
        self.tokens.text().get(start..end).unwrap_or_default()
    }

    /// How many words there are.
    pub(super) fn words(&self) -> usize {
        self.range
            .clone()
            .filter(|&at| self.tokens.is_word(at))
            .count()
    }

    /// How many of them say what it is about.
    pub(super) fn content(&self) -> usize {
        worth::content_words(&self.tokens, self.range.clone())
    }

    /// Whether a relative time in it depends on the day on which it was said.
    pub(super) fn is_relative(&self) -> bool {
        self.mentions.iter().any(|mention| mention.relative)
    }

    /// Whether it is about the other speaker, or about hearing from them.
    pub(super) fn is_addressed(&self) -> bool {
        self.range.clone().any(|at| {
            let word = self.tokens.word(at);
            word.starts_with("you") || word == "hear"
        })
    }

    pub(super) fn is_small_talk(&self) -> bool {
        worth::is_small_talk(&self.tokens, &self.range)
    }

    /// The word at `offset` from the first, in lower case.
    pub(super) fn word(&self, offset: usize) -> &str {
        if offset < self.range.len() {
            self.tokens.word(self.range.start + offset)
        } else {
            ""
        }
    }
}

/// "When I relax I tend to…"
fn breaks_off(tokens: &Tokens<'_>, end: usize) -> bool {
    tokens.word(end) == "…"
        && matches!(
            tokens.before(end),
            "to" | "the"
                | "a"
                | "and"
                | "or"
                | "of"
                | "is"
                | "are"
                | "for"
                | "with"
                | "but"
                | "because"
                | "that"
                | "i"
                | "my"
                | "so"
        )
}

fn head(text: &str) -> &str {
    if text.len() <= LONGEST {
        return text;
    }
    let end = (0..=LONGEST)
        .rev()
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or_default();
    let cut = text.get(..end).unwrap_or_default();
    cut.rsplit_once(' ').map_or(cut, |(whole, _)| whole)
}

/// The range up to the last pause before it grows too long.
fn bounded(tokens: &Tokens<'_>, range: Range<usize>) -> Range<usize> {
    let mut words = 0;
    let mut pause = None;
    for at in range.clone() {
        if tokens.is_word(at) {
            words += 1;
        }
        let inside_number =
            at > range.start && tokens.touches_next(at - 1) && tokens.touches_next(at);
        let joint = !inside_number && matches!(tokens.word(at), "," | ";" | ":" | "—" | "–" | "(")
            || matches!(
                tokens.word(at),
                "and" | "but" | "so" | "because" | "which" | "since" | "while"
            );
        if joint && words > MOST_WORDS / 3 {
            pause = Some(at);
        }
        if words > MOST_WORDS {
            return range.start..pause.unwrap_or(at);
        }
    }
    range
}
