//! Words with what was found out about them, a line of the processor's cache each: the
//! words of a scope that is opened lie anywhere among those of all scopes, and each line
//! that is not in the processor takes longer to get than all that is done with it.

use std::borrow::Cow;
use std::fmt;
use std::hint::black_box;

use super::interner::Hashed;
use crate::analysis::Analyzer;

/// How many words the table begins with; a power of two, as ever after.
const FIRST_SLOTS: usize = 1 << 10;

/// How long a word and its term may be, in bytes. Longer ones are not remembered.
const ROOM: usize = 48;

/// What is known about a word.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(super) struct KnownWord {
    /// The word and, where that is no beginning of it, its term.
    text: [u8; ROOM],
    /// How long the word is; 0 for no word.
    word: u8,
    /// Where its term begins and how long it is; 0 for a stop word, which has none.
    term: (u8, u8),
    hash: u32,
    vector: Remembered,
}

/// Where the vector of a word is remembered, as long as nothing is forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Remembered {
    /// How often everything was forgotten before, and one: 0 is nowhere.
    pub(super) generation: u32,
    /// Its number.
    pub(super) vector: u32,
}

impl KnownWord {
    /// A word with its term, `None` for a stop word; `None` if it is too long.
    pub(super) fn new(word: Hashed<'_>, term: Option<&str>) -> Option<Self> {
        let (bytes, term) = (word.text.as_bytes(), term.unwrap_or_default().as_bytes());
        let begins = bytes.starts_with(term);
        let parts = bytes.iter().chain(if begins { &[] } else { term });
        let length = |part: &[u8]| u8::try_from(part.len()).ok();
        let mut known = Self {
            word: length(bytes).filter(|length| *length > 0)?,
            term: (if begins { 0 } else { length(bytes)? }, length(term)?),
            hash: word.hash(),
            ..Self::default()
        };
        let mut room = known.text.iter_mut();
        for byte in parts {
            *room.next()? = *byte;
        }
        Some(known)
    }

    /// The same with where its vector is.
    pub(super) fn with_vector(self, vector: Remembered) -> Self {
        Self { vector, ..self }
    }

    /// The term of `word`, which this is about; `None` for a stop word.
    pub(super) fn term<'k>(&'k self, word: &'k str, analyzer: &Analyzer) -> Option<Cow<'k, str>> {
        if self.word == 0 {
            return analyzer.term(word);
        }
        let (start, length) = (usize::from(self.term.0), usize::from(self.term.1));
        let term = self.text.get(start..start + length)?;
        let term = str::from_utf8(term).ok().filter(|term| !term.is_empty())?;
        Some(Cow::Borrowed(term))
    }

    /// Where its vector is remembered.
    pub(super) fn vector(&self) -> Remembered {
        self.vector
    }

    fn is(&self, word: Hashed<'_>) -> bool {
        self.hash == word.hash()
            && self.text.get(..usize::from(self.word)) == Some(word.text.as_bytes())
    }
}

/// No word: nothing is known.
impl Default for KnownWord {
    fn default() -> Self {
        Self {
            text: [0; ROOM],
            word: 0,
            term: (0, 0),
            hash: 0,
            vector: Remembered::default(),
        }
    }
}

impl fmt::Debug for KnownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.text.get(..usize::from(self.word));
        f.debug_struct("KnownWord")
            .field("word", &String::from_utf8_lossy(word.unwrap_or_default()))
            .field("vector", &self.vector)
            .finish_non_exhaustive()
    }
}

/// A table of words, at most half full: a word lies at its hash or where the next place
/// was free.
#[derive(Debug, Default)]
pub(super) struct KnownWords {
    slots: Vec<KnownWord>,
    count: usize,
}

impl KnownWords {
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Begins to bring all that is known about these words into the processor, at once.
    pub(super) fn bring_near(&self, words: &[Hashed<'_>]) {
        let hashes = words.iter().filter_map(|word| {
            let slot = self.slots.get(self.place(word.hash()))?;
            Some(slot.hash)
        });
        black_box(hashes.fold(0, u32::wrapping_add));
    }

    pub(super) fn get(&self, word: Hashed<'_>) -> Option<&KnownWord> {
        let mut slots = self.slots_from(self.place(word.hash()));
        slots.find_map(|(_, slot)| match slot.word {
            0 => Some(None),
            _ => slot.is(word).then_some(Some(slot)),
        })?
    }

    /// Adds a word that is not there.
    pub(super) fn insert(&mut self, word: KnownWord) {
        if self.count * 2 >= self.slots.len() {
            let more = (self.slots.len() * 2).max(FIRST_SLOTS);
            let known = std::mem::replace(&mut self.slots, vec![KnownWord::default(); more]);
            for word in known.into_iter().filter(|slot| slot.word > 0) {
                self.put(word);
            }
        }
        self.put(word);
        self.count += 1;
    }

    fn put(&mut self, word: KnownWord) {
        let free = self
            .slots_from(self.place(word.hash))
            .find_map(|(place, slot)| (slot.word == 0).then_some(place));
        if let Some(slot) = free.and_then(|place| self.slots.get_mut(place)) {
            *slot = word;
        }
    }

    /// Where a word of this hash lies if nothing is in its way.
    fn place(&self, hash: u32) -> usize {
        hash as usize & self.slots.len().saturating_sub(1)
    }

    /// All places with what lies there, from this one on.
    fn slots_from(&self, place: usize) -> impl Iterator<Item = (usize, &KnownWord)> {
        let (before, from) = self.slots.split_at_checked(place).unwrap_or_default();
        (place..).zip(from).chain((0..).zip(before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_takes_one_line() {
        assert_eq!(size_of::<KnownWord>(), 64);
    }

    #[test]
    fn words_are_found_with_their_terms_and_vectors() {
        let mut words = KnownWords::default();
        let text = |number: u32| format!("word{number}");
        assert!(words.get(Hashed::new("word1")).is_none());
        for number in 1..5_000 {
            let (text, term) = (text(number), format!("wird{number}"));
            let term = match number % 3 {
                0 => None,
                1 => text.get(..3),
                _ => Some(term.as_str()),
            };
            let vector = Remembered {
                generation: 1,
                vector: number,
            };
            let known = KnownWord::new(Hashed::new(&text), term).unwrap();
            words.insert(known.with_vector(vector));
        }
        assert_eq!(words.len(), 4_999);
        let analyzer = Analyzer::default();
        for number in 1..5_000 {
            let text = text(number);
            let known = words.get(Hashed::new(&text)).unwrap();
            let expected = match number % 3 {
                0 => None,
                1 => Some("wor".to_owned()),
                _ => Some(format!("wird{number}")),
            };
            assert_eq!(known.term(&text, &analyzer).as_deref(), expected.as_deref());
            assert_eq!(known.vector().vector, number);
        }
        assert!(words.get(Hashed::new("word0")).is_none());
        assert!(words.get(Hashed::new("")).is_none());
    }

    #[test]
    fn what_is_too_long_is_not_remembered_and_has_its_term_all_the_same() {
        let fits = "b".repeat(ROOM);
        let known = KnownWord::new(Hashed::new(&fits), Some("c")).is_some();
        assert!(!known, "the term does not fit beside it");
        assert!(KnownWord::new(Hashed::new(&fits), Some(&fits)).is_some());
        let long = fits + "oats";
        assert!(KnownWord::new(Hashed::new(&long), Some(&long)).is_none());
        let analyzer = Analyzer::default();
        let nothing = KnownWord::default();
        let term = nothing.term("boats", &analyzer);
        assert_eq!(term.as_deref(), Some("boat"));
    }

    #[test]
    fn words_of_the_same_hash_are_told_apart() {
        let mut words = KnownWords::default();
        let hashed = |text| Hashed::with_hash(text, u32::MAX);
        for text in ["a", "b", "c"] {
            words.insert(KnownWord::new(hashed(text), Some(text)).unwrap());
        }
        let analyzer = Analyzer::default();
        for text in ["a", "b", "c"] {
            let known = words.get(hashed(text)).unwrap();
            assert_eq!(known.term(text, &analyzer).as_deref(), Some(text));
        }
        assert!(words.get(hashed("d")).is_none());
    }
}
