//! Words with what was found out about them, a line of the processor's cache each: the
//! words of a text lie anywhere among those that are known, and each line that is not in the
//! processor takes longer to get than all that is done with it.

use std::fmt;
use std::hash::Hasher;
use std::hint::black_box;

use rustc_hash::FxHasher;

/// A text with its hash, which several tables may need.
#[derive(Clone, Copy, Debug)]
pub struct Hashed<'t> {
    text: &'t str,
    hash: u32,
}

impl<'t> Hashed<'t> {
    /// A text with its hash.
    pub fn new(text: &'t str) -> Self {
        let mut hasher = FxHasher::default();
        hasher.write(text.as_bytes());
        // The better half of it.
        let hash = hasher.finish() as u32;
        Self { text, hash }
    }

    /// The text.
    pub fn text(self) -> &'t str {
        self.text
    }

    /// Its hash.
    pub fn hash(self) -> u32 {
        self.hash
    }

    #[cfg(test)]
    pub(crate) fn with_hash(text: &'t str, hash: u32) -> Self {
        Self { text, hash }
    }
}

/// How many places a table begins with; a power of two, as ever after.
const FIRST_SLOTS: usize = 1 << 6;

/// How far from its place a word may lie. One that would lie farther is not kept: whoever
/// makes up words of the same hash makes nothing slow but those.
const FARTHEST: usize = 1 << 6;

/// How long a word and its term may be, in bytes. Longer ones are not remembered.
const ROOM: usize = 48;

/// What is known about a word: its term, and whatever `T` says; of 8 bytes or less, for all of
/// it to lie in one line.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub struct KnownWord<T> {
    /// The word and, where that is no beginning of it, its term.
    text: [u8; ROOM],
    /// How long the word is; 0 for no word.
    word: u8,
    /// Where its term begins and how long it is; 0 for a stop word, which has none.
    term: (u8, u8),
    hash: u32,
    more: T,
}

impl<T> KnownWord<T> {
    /// A word with its term, `None` for a stop word; `None` if the two are longer than 48
    /// bytes, of which a term that the word begins with takes none, or there is no word.
    pub fn new(word: Hashed<'_>, term: Option<&str>, more: T) -> Option<Self> {
        let (bytes, term) = (word.text.as_bytes(), term.unwrap_or_default().as_bytes());
        let begins = bytes.starts_with(term);
        let parts = bytes.iter().chain(if begins { &[] } else { term });
        let length = |part: &[u8]| u8::try_from(part.len()).ok();
        let mut known = Self {
            text: [0; ROOM],
            word: length(bytes).filter(|length| *length > 0)?,
            term: (if begins { 0 } else { length(bytes)? }, length(term)?),
            hash: word.hash,
            more,
        };
        let mut room = known.text.iter_mut();
        for byte in parts {
            *room.next()? = *byte;
        }
        Some(known)
    }

    /// The word; empty for no word.
    pub fn word(&self) -> &str {
        self.part(0, self.word)
    }

    /// Its term; `None` for a stop word.
    pub fn term(&self) -> Option<&str> {
        let (start, length) = self.term;
        Some(self.part(start, length)).filter(|term| !term.is_empty())
    }

    /// The same word, of which this is known as well.
    #[must_use]
    pub fn with(self, more: T) -> Self {
        Self { more, ..self }
    }

    /// What else is known.
    pub fn more(&self) -> &T {
        &self.more
    }

    fn part(&self, start: u8, length: u8) -> &str {
        let start = usize::from(start);
        let part = self.text.get(start..start + usize::from(length));
        str::from_utf8(part.unwrap_or_default()).unwrap_or_default()
    }

    fn is(&self, word: Hashed<'_>) -> bool {
        self.hash == word.hash
            && self.text.get(..usize::from(self.word)) == Some(word.text.as_bytes())
    }
}

/// No word: nothing is known.
impl<T: Default> Default for KnownWord<T> {
    fn default() -> Self {
        Self {
            text: [0; ROOM],
            word: 0,
            term: (0, 0),
            hash: 0,
            more: T::default(),
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for KnownWord<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownWord")
            .field("word", &self.word())
            .field("term", &self.term())
            .field("more", &self.more)
            .finish_non_exhaustive()
    }
}

/// A table of words, at most half full: a word lies at its hash or where the next place
/// was free.
#[derive(Debug, Default)]
pub struct KnownWords<T> {
    slots: Vec<KnownWord<T>>,
    count: usize,
}

impl<T: Copy + Default> KnownWords<T> {
    /// How many words are known.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Begins to bring all that is known about these words into the processor, at once.
    pub fn bring_near(&self, words: &[Hashed<'_>]) {
        let hashes = words.iter().filter_map(|word| {
            let slot = self.slots.get(self.place(word.hash))?;
            Some(slot.hash)
        });
        black_box(hashes.fold(0, u32::wrapping_add));
    }

    /// What is known about a word.
    pub fn get(&self, word: Hashed<'_>) -> Option<&KnownWord<T>> {
        self.slots.get(self.find(word)?)
    }

    /// What else is known about a word, to be changed.
    pub fn more_mut(&mut self, word: Hashed<'_>) -> Option<&mut T> {
        let place = self.find(word)?;
        Some(&mut self.slots.get_mut(place)?.more)
    }

    /// Adds a word that is not there; says whether there was room near its place.
    pub fn insert(&mut self, word: KnownWord<T>) -> bool {
        if self.count * 2 >= self.slots.len() {
            let more = (self.slots.len() * 2).max(FIRST_SLOTS);
            let known = std::mem::replace(&mut self.slots, vec![KnownWord::default(); more]);
            let known = known.into_iter().filter(|slot| slot.word > 0);
            self.count = known.map(|word| usize::from(self.put(word))).sum();
        }
        let kept = self.put(word);
        self.count += usize::from(kept);
        kept
    }

    fn find(&self, word: Hashed<'_>) -> Option<usize> {
        let mut slots = self.slots_from(self.place(word.hash));
        slots.find_map(|(place, slot)| match slot.word {
            0 => Some(None),
            _ => slot.is(word).then_some(Some(place)),
        })?
    }

    fn put(&mut self, word: KnownWord<T>) -> bool {
        let free = self
            .slots_from(self.place(word.hash))
            .find_map(|(place, slot)| (slot.word == 0).then_some(place));
        let slot = free.and_then(|place| self.slots.get_mut(place));
        let kept = slot.is_some();
        if let Some(slot) = slot {
            *slot = word;
        }
        kept
    }

    /// Where a word of this hash lies if nothing is in its way.
    fn place(&self, hash: u32) -> usize {
        hash as usize & self.slots.len().saturating_sub(1)
    }

    /// The places where a word may lie whose place this is, with what lies there.
    fn slots_from(&self, place: usize) -> impl Iterator<Item = (usize, &KnownWord<T>)> {
        let (before, from) = self.slots.split_at_checked(place).unwrap_or_default();
        (place..).zip(from).chain((0..).zip(before)).take(FARTHEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(word: &str, term: Option<&str>) -> Option<KnownWord<[u32; 2]>> {
        KnownWord::new(Hashed::new(word), term, [7, 8])
    }

    #[test]
    fn a_word_takes_one_line() {
        assert_eq!(size_of::<KnownWord<[u32; 2]>>(), 64);
        assert_eq!(size_of::<KnownWord<()>>(), 64);
    }

    #[test]
    fn words_are_found_with_their_terms_and_what_else_is_known() {
        let mut words = KnownWords::default();
        let text = |number: u32| format!("word{number}");
        let term = |number: u32| match number % 3 {
            0 => None,
            1 => Some("wor".to_owned()),
            _ => Some(format!("wird{number}")),
        };
        assert!(words.get(Hashed::new("word1")).is_none());
        for number in 1..5_000 {
            let (text, term) = (text(number), term(number));
            let known = KnownWord::new(Hashed::new(&text), term.as_deref(), number - 1);
            assert!(words.insert(known.unwrap()));
            *words.more_mut(Hashed::new(&text)).unwrap() += 1;
        }
        assert_eq!(words.len(), 4_999);
        assert!(words.more_mut(Hashed::new("word0")).is_none());
        for number in 1..5_000 {
            let text = text(number);
            let known = words.get(Hashed::new(&text)).unwrap();
            assert_eq!((known.word(), *known.more()), (text.as_str(), number));
            assert_eq!(known.term(), term(number).as_deref());
        }
        assert!(words.get(Hashed::new("word0")).is_none());
        assert!(words.get(Hashed::new("")).is_none());
    }

    #[test]
    fn what_is_too_long_does_not_fit() {
        let fits = "b".repeat(ROOM);
        let term = known(&fits, Some(&fits));
        assert_eq!(term.unwrap().term(), Some(fits.as_str()));
        assert!(known(&fits, Some("c")).is_none(), "the term does not fit");
        assert!(known(&(fits + "b"), None).is_none());
        assert!(known("", None).is_none());
        assert_eq!(KnownWord::<()>::default().word(), "");
    }

    #[test]
    fn words_of_the_same_hash_are_told_apart() {
        fn hashed(text: &str) -> Hashed<'_> {
            Hashed::with_hash(text, u32::MAX)
        }
        let mut words = KnownWords::default();
        for text in ["a", "b", "c"] {
            words.insert(KnownWord::new(hashed(text), Some(text), ()).unwrap());
        }
        for text in ["a", "b", "c"] {
            assert_eq!(words.get(hashed(text)).unwrap().term(), Some(text));
        }
        assert!(words.get(hashed("d")).is_none());
        let others: Vec<String> = (0..200).map(|number| number.to_string()).collect();
        let kept = others.iter().filter(|text| {
            let word = KnownWord::new(hashed(text), None, ()).unwrap();
            words.insert(word)
        });
        assert_eq!(
            kept.count(),
            FARTHEST - 3,
            "the others would be slow to find"
        );
        assert_eq!(words.len(), FARTHEST);
        assert!(words.get(hashed("0")).is_some() && words.get(hashed("199")).is_none());
    }
}
