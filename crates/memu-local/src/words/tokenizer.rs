use std::borrow::Cow;

use super::entries::Entries;
use super::normalise::{is_punctuation, normalised};

/// Longer words are unknown.
const MAX_CHARACTERS: usize = 100;

/// WordPiece (Schuster and Nakajima, *Japanese and Korean Voice Search*, 2012): the
/// longest known beginning of a word, then the longest known continuation, and so on;
/// a word that does not come out even is unknown.
#[derive(Debug)]
pub(super) struct Tokenizer {
    entries: Entries,
}

impl Tokenizer {
    /// A tokenizer of these entries, each followed by a line feed, of which continuations
    /// begin with `##`.
    pub(super) fn new(entries: &'static str) -> Self {
        Self {
            entries: Entries::new(entries),
        }
    }

    /// The entries that words are split into.
    pub(super) fn entries(&self) -> &Entries {
        &self.entries
    }

    /// Calls `visit` with the pieces of each word of `text`, in order; none for an
    /// unknown word.
    pub(super) fn for_each_word(&self, text: &str, mut visit: impl FnMut(&[u16])) {
        let text = if is_plain(text) {
            Cow::Borrowed(text)
        } else {
            Cow::Owned(normalised(text))
        };
        let mut pieces = Vec::new();
        for run in text.split_whitespace() {
            let mut rest = run;
            while let Some(first) = rest.chars().next() {
                let end = if is_punctuation(first) {
                    first.len_utf8()
                } else {
                    rest.find(is_punctuation).unwrap_or(rest.len())
                };
                let (word, after) = rest.split_at(end);
                pieces.clear();
                self.split(word, &mut pieces);
                visit(&pieces);
                rest = after;
            }
        }
    }

    /// Appends the pieces of one word; nothing when it is unknown.
    fn split(&self, word: &str, pieces: &mut Vec<u16>) {
        if let Some(piece) = self.entries.number(word, false) {
            pieces.push(piece);
            return;
        }
        if word.chars().nth(MAX_CHARACTERS).is_some() {
            return;
        }
        let mut rest = word;
        while !rest.is_empty() {
            let continues = rest.len() < word.len();
            let longest = self.entries.longest(rest, continues);
            let Some((piece, after)) = longest else {
                pieces.clear();
                return;
            };
            pieces.push(piece);
            rest = after;
        }
    }
}

/// Whether a text is its own normal form, which most words are.
fn is_plain(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b' '..=b'~') && !byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<Vec<u16>> {
        let entries = "un\n##aff\n##able\n!\na\n[UNK]\n##\n漢\naffable\n";
        let mut words = Vec::new();
        Tokenizer::new(entries).for_each_word(text, |pieces| words.push(pieces.to_vec()));
        words
    }

    #[test]
    fn the_longest_piece_comes_first_and_all_of_the_word_must_be_known() {
        assert_eq!(pieces("Unaffable a!"), [vec![0, 1, 2], vec![4], vec![3]]);
        assert_eq!(pieces("unaffably"), [Vec::<u16>::new()]);
        assert_eq!(pieces("affable漢a"), [vec![8], vec![7], vec![4]]);
        assert!(pieces(" \n").is_empty());
    }

    #[test]
    fn words_of_more_than_a_hundred_characters_are_unknown() {
        let word = format!("un{}", "aff".repeat(33));
        assert_eq!(pieces(&word), [Vec::<u16>::new()]);
        let word = format!("un{}", "aff".repeat(32));
        assert_eq!(pieces(&word)[0].len(), 33);
    }
}
