use memu_core::analysis::{Analyzer, for_each_word};
use memu_core::provider::Draft;
use rustc_hash::{FxHashMap, FxHashSet};

use super::chatter::is_chatter;

/// A term, by number.
pub(super) type Term = u32;

/// Stands where a word is not a term, or where two words are not neighbours.
pub(super) const GAP: Term = Term::MAX;

/// The terms of all drafts by number, each word looked at once however often it
/// occurs.
#[derive(Debug, Default)]
pub(super) struct Vocabulary<'t> {
    /// The terms of all drafts, one draft after another, with gaps.
    tokens: Vec<Term>,
    /// Where the tokens of each draft end.
    ends: Vec<usize>,
    /// In how many drafts each term occurs.
    draft_counts: Vec<u32>,
    words: FxHashMap<&'t str, Word>,
    terms: FxHashMap<String, Term>,
}

/// A word as it is written.
#[derive(Clone, Copy, Debug)]
struct Word {
    term: Term,
    count: u32,
}

impl<'t> Vocabulary<'t> {
    pub(super) fn of(drafts: &'t [Draft]) -> Self {
        let mut vocabulary = Self::default();
        let mut reader = TermReader::new(drafts);
        let mut last_draft: Vec<usize> = Vec::new();
        for (index, draft) in (1..).zip(drafts) {
            let start = vocabulary.tokens.len();
            for_each_written(&draft.text, |written| {
                vocabulary.push(written, &mut reader);
            });
            vocabulary.ends.push(vocabulary.tokens.len());
            last_draft.resize(vocabulary.terms.len(), 0);
            vocabulary.draft_counts.resize(vocabulary.terms.len(), 0);
            for term in vocabulary.tokens.iter().skip(start) {
                let slot = *term as usize;
                if let (Some(last), Some(count)) = (
                    last_draft.get_mut(slot),
                    vocabulary.draft_counts.get_mut(slot),
                ) && *last != index
                {
                    *last = index;
                    *count += 1;
                }
            }
        }
        vocabulary
    }

    fn push(&mut self, written: Option<&'t str>, reader: &mut TermReader) {
        let Some(written) = written else {
            if self.tokens.last() != Some(&GAP) {
                self.tokens.push(GAP);
            }
            return;
        };
        let word = self.words.entry(written).or_insert_with(|| Word {
            term: reader.read(written, &mut self.terms),
            count: 0,
        });
        word.count += 1;
        self.tokens.push(word.term);
    }

    /// The terms of a draft in order, with gaps.
    pub(super) fn tokens(&self, draft: usize) -> &[Term] {
        let end = self.ends.get(draft).copied().unwrap_or_default();
        let start = draft
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .copied()
            .unwrap_or_default();
        self.tokens.get(start..end).unwrap_or_default()
    }

    /// How many terms there are.
    pub(super) fn len(&self) -> usize {
        self.draft_counts.len()
    }

    /// In how many drafts each term occurs, by term.
    pub(super) fn draft_counts(&self) -> &[u32] {
        &self.draft_counts
    }

    /// The commonest way in which each term is written, by term; of equally
    /// common ones the one in lower case, then the first by alphabet.
    pub(super) fn surfaces(&self) -> Vec<&'t str> {
        let mut best = vec![(0, ""); self.len()];
        for (written, word) in &self.words {
            if let Some(best) = best.get_mut(word.term as usize) {
                let rank = |count: u32, written: &'t str| {
                    let lower = written.starts_with(char::is_lowercase);
                    (count, lower, std::cmp::Reverse(written))
                };
                if rank(word.count, written) > rank(best.0, best.1) {
                    *best = (word.count, written);
                }
            }
        }
        best.into_iter().map(|(_, written)| written).collect()
    }
}

/// Turns written words into terms: no stop words, chatter, numbers or speakers.
struct TermReader {
    analyzer: Analyzer,
    speakers: FxHashSet<String>,
    lower: String,
}

impl TermReader {
    fn new(drafts: &[Draft]) -> Self {
        let mut speakers = FxHashSet::default();
        let mut last = None;
        for speaker in drafts.iter().filter_map(|draft| draft.speaker.as_deref()) {
            if last.replace(speaker) != Some(speaker) {
                for_each_word(speaker, |word| {
                    speakers.insert(word.to_owned());
                });
            }
        }
        Self {
            analyzer: Analyzer::default(),
            speakers,
            lower: String::new(),
        }
    }

    fn read(&mut self, written: &str, terms: &mut FxHashMap<String, Term>) -> Term {
        self.lower.clear();
        let lower = &mut self.lower;
        for_each_word(written, |word| lower.push_str(word));
        let is_speaker = self.speakers.contains(&self.lower);
        let is_number = !self.lower.contains(char::is_alphabetic);
        let short = self.lower.len() < 3;
        // `I'll` without its apostrophe would be a word of its own.
        let is_contraction = written
            .rsplit_once(['\'', '\u{2019}'])
            .is_some_and(|(_, end)| ["ll", "ve", "re", "d", "m", "t"].contains(&end));
        if is_speaker || is_number || short || is_contraction || is_chatter(&self.lower) {
            return GAP;
        }
        let Some(term) = self.analyzer.term(&self.lower) else {
            return GAP;
        };
        let next = terms.len() as Term;
        *terms.entry(term.into_owned()).or_insert(next)
    }
}

/// Calls `visit` with each word as it is written, without a possessive, and with
/// `None` where more than a space or a hyphen parts it from the word before.
fn for_each_written<'t>(text: &'t str, mut visit: impl FnMut(Option<&'t str>)) {
    let mut rest = text;
    visit(None);
    loop {
        let start = rest.find(char::is_alphanumeric).unwrap_or(rest.len());
        let Some((parting, words)) = rest.split_at_checked(start) else {
            return;
        };
        if words.is_empty() {
            return;
        }
        if !matches!(parting, "" | " " | "-") {
            visit(None);
        }
        let mut characters = words.char_indices().peekable();
        let mut end = words.len();
        while let Some((at, character)) = characters.next() {
            let inner = matches!(character, '\'' | '\u{2019}')
                && characters
                    .peek()
                    .is_some_and(|(_, next)| next.is_alphanumeric());
            if !character.is_alphanumeric() && !inner {
                end = at;
                break;
            }
        }
        let (word, after) = words.split_at_checked(end).unwrap_or((words, ""));
        let bare = ["'s", "'S", "\u{2019}s", "\u{2019}S"]
            .iter()
            .find_map(|possessive| word.strip_suffix(possessive))
            .unwrap_or(word);
        visit(Some(bare));
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_their_spelling_and_neighbours() {
        let mut seen = Vec::new();
        for_each_written("Anna’s blue-green car, the O'Brien's. (Ünder)", |word| {
            seen.push(word.unwrap_or("|"));
        });
        assert_eq!(
            seen,
            [
                "|", "Anna", "blue", "green", "car", "|", "the", "O'Brien", "|", "Ünder"
            ]
        );
    }
}
