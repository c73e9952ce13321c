//! Text into words, terms, sentences and passages, for ranking and for the local
//! provider.
//!
//! A *word* is a run of letters and digits, lower-cased, without a possessive
//! `'s`. A *term* is the Snowball (English) stem of a word that is not a stop
//! word. Scripts without spaces yield one word per run.

mod known;
mod passages;
mod stop_words;

pub use known::{Hashed, KnownWord, KnownWords};
pub use passages::{passages, sentences};
pub use stop_words::is_stop_word;

use std::borrow::Cow;

use frostem::{Algorithm, Stemmer};

/// Calls `visit` with each word of `text`, in order: lower-cased, possessives and
/// apostrophes dropped (`don't` → `dont`).
pub fn for_each_word(text: &str, mut visit: impl FnMut(&str)) {
    let mut word = String::new();
    let mut characters = text.chars().peekable();
    let mut flush = |word: &mut String| {
        if !word.is_empty() {
            visit(word);
            word.clear();
        }
    };
    while let Some(character) = characters.next() {
        if character.is_ascii_alphanumeric() {
            word.push(character.to_ascii_lowercase());
        } else if character.is_alphanumeric() {
            word.extend(character.to_lowercase());
        } else if matches!(character, '\'' | '\u{2019}') && !word.is_empty() {
            // Inside a word: `Anna's` is Anna, `don't` is a contraction.
            let ends_possessive = matches!(characters.peek(), Some('s' | 'S')) && {
                let mut ahead = characters.clone();
                ahead.next();
                !ahead.next().is_some_and(char::is_alphanumeric)
            };
            if ends_possessive {
                characters.next();
                flush(&mut word);
            }
        } else {
            flush(&mut word);
        }
    }
    flush(&mut word);
}

/// The words of `text`, in order.
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for_each_word(text, |word| words.push(word.to_owned()));
    words
}

/// Turns words into terms. Making one is cheap.
pub struct Analyzer {
    stemmer: Stemmer,
}

impl Default for Analyzer {
    fn default() -> Self {
        Self {
            stemmer: Stemmer::new(Algorithm::English),
        }
    }
}

impl Analyzer {
    /// The term of a word in the form that [`for_each_word`] yields; `None` for a
    /// stop word.
    pub fn term<'w>(&self, word: &'w str) -> Option<Cow<'w, str>> {
        (!is_stop_word(word)).then(|| self.stemmer.stem(word))
    }

    /// Calls `visit` with each term of `text`, in order.
    pub fn for_each_term(&self, text: &str, mut visit: impl FnMut(&str)) {
        for_each_word(text, |word| {
            if let Some(term) = self.term(word) {
                visit(&term);
            }
        });
    }

    /// The terms of `text`, in order.
    pub fn terms(&self, text: &str) -> Vec<String> {
        let mut terms = Vec::new();
        self.for_each_term(text, |term| terms.push(term.to_owned()));
        terms
    }
}

impl std::fmt::Debug for Analyzer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Analyzer(English)")
    }
}

/// The text on one line: a space for every run of white space and control characters.
pub fn one_line(text: &str) -> String {
    let parts = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_drop_possessives_case_and_punctuation() {
        assert_eq!(
            words("Caroline's dogs don't like O'Brien\u{2019}s café, 3 AM!"),
            [
                "caroline", "dogs", "dont", "like", "obrien", "café", "3", "am"
            ]
        );
        assert!(words(" …—  ").is_empty());
    }

    #[test]
    fn terms_are_stems_without_stop_words() {
        assert_eq!(
            Analyzer::default().terms("I don't know what the dogs were chasing"),
            ["know", "dog", "chase"]
        );
    }
}
