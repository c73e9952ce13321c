use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::posting::{Posting, packed, unpacked};
use crate::analysis::Analyzer;
use crate::error::Result;
use crate::ranking::framed::{damaged, framed, unframed};

/// Changes with the format, and with whatever turns texts into words or words into terms.
const VERSION: u8 = 1;

/// The postings of some words of a [`Part`](super::Part): all words of a term lie in one bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bucket(BTreeMap<String, Vec<Posting>>);

impl Bucket {
    /// In which of so many buckets the words of a term lie, 0 for the first; the number is a
    /// power of two.
    pub fn of_term(term: &str, buckets: u32) -> u32 {
        hash(term) & (buckets.max(1) - 1)
    }

    /// The same of a word.
    pub(super) fn of_word(word: &str, buckets: u32, analyzer: &Analyzer) -> u32 {
        Self::of_term(&analyzer.term(word).unwrap_or_default(), buckets)
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Its words, in order.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Its words and their postings.
    pub(super) fn into_lists(self) -> impl Iterator<Item = (String, Vec<Posting>)> {
        self.0.into_iter()
    }

    /// Appends postings of a word, which come after those that are there.
    pub(super) fn append(&mut self, word: &str, postings: &[Posting]) {
        match self.0.get_mut(word) {
            Some(list) => list.extend_from_slice(postings),
            None => drop(self.0.insert(word.to_owned(), postings.to_vec())),
        }
    }

    /// Puts a posting in its place.
    pub(super) fn insert(&mut self, word: String, posting: Posting) {
        let list = self.0.entry(word).or_default();
        if let Err(at) = list.binary_search(&posting) {
            list.insert(at, posting);
        }
    }

    /// Removes a posting, and its word with the last one.
    pub(super) fn remove(&mut self, word: String, posting: Posting) {
        if let Entry::Occupied(mut list) = self.0.entry(word) {
            if let Ok(at) = list.get().binary_search(&posting) {
                list.get_mut().remove(at);
            }
            if list.get().is_empty() {
                list.remove();
            }
        }
    }

    /// Its words as bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) when they cannot be written, which has
    /// no known cause.
    pub fn words_to_bytes(&self) -> Result<Vec<u8>> {
        let words: Vec<&String> = self.0.keys().collect();
        framed(VERSION, &words)
    }

    /// Its lists of postings as bytes, in the order of the words.
    ///
    /// # Errors
    /// As [`Self::words_to_bytes`].
    pub fn lists_to_bytes(&self) -> Result<Vec<u8>> {
        let lists: Result<Vec<Vec<u8>>> = self.0.values().map(|list| packed(list)).collect();
        framed(VERSION, &lists?)
    }

    /// The bucket of these bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) when they are damaged or of another
    /// version; a bucket can be made anew from its records.
    pub fn from_bytes(words: &[u8], lists: &[u8]) -> Result<Self> {
        let lists = Self::read(words, lists, |word| Some(word.to_owned()))?;
        Ok(Self(lists.into_iter().collect()))
    }

    /// The words of these bytes.
    ///
    /// # Errors
    /// As [`Self::from_bytes`].
    pub fn words_of(words: &[u8]) -> Result<Vec<&str>> {
        let body = unframed(VERSION, words)?;
        postcard::from_bytes(body).map_err(|cause| damaged().caused_by(cause))
    }

    /// The postings of the words of these bytes for which `choose` returns something, with that.
    ///
    /// # Errors
    /// As [`Self::from_bytes`].
    pub fn read<C>(
        words: &[u8],
        lists: &[u8],
        mut choose: impl FnMut(&str) -> Option<C>,
    ) -> Result<Vec<(C, Vec<Posting>)>> {
        let words = Self::words_of(words)?;
        let body = unframed(VERSION, lists)?;
        let lists: Vec<&[u8]> =
            postcard::from_bytes(body).map_err(|cause| damaged().caused_by(cause))?;
        if words.len() != lists.len() {
            return Err(damaged());
        }
        let mut chosen = Vec::new();
        for (word, list) in words.into_iter().zip(lists) {
            if let Some(choice) = choose(word) {
                chosen.push((choice, unpacked(list)?));
            }
        }
        Ok(chosen)
    }
}

/// FNV-1a (Fowler, Noll and Vo), folded to 32 bits: what is stored must not depend on anything
/// that may change.
fn hash(term: &str) -> u32 {
    let bytes = term.bytes().map(u64::from);
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ byte).wrapping_mul(0x0100_0000_01b3)
    });
    (hash >> 32) as u32 ^ hash as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn posting(place: u64) -> Posting {
        Posting {
            place,
            which: 0,
            count: 1,
            length: 5,
        }
    }

    fn bucket() -> Bucket {
        let mut bucket = Bucket::default();
        bucket.append("boat", &[posting(1), posting(3)]);
        bucket.insert("boats".to_owned(), posting(7));
        bucket.insert("boat".to_owned(), posting(2));
        bucket
    }

    #[test]
    fn a_bucket_comes_back_and_single_words_are_read() {
        let bucket = bucket();
        let bytes = [bucket.words_to_bytes(), bucket.lists_to_bytes()].map(Result::unwrap);
        let [words, lists] = bytes.each_ref().map(Vec::as_slice);
        assert_eq!(Bucket::from_bytes(words, lists).unwrap(), bucket);
        assert_eq!(Bucket::words_of(words).unwrap(), ["boat", "boats"]);
        let one = Bucket::read(words, lists, |word| (word == "boat").then_some(4)).unwrap();
        assert_eq!(one, [(4, [1, 2, 3].map(posting).to_vec())]);
    }

    #[test]
    fn damage_is_found_wherever_it_is() {
        let bucket = bucket();
        let (words, lists) = (
            bucket.words_to_bytes().unwrap(),
            bucket.lists_to_bytes().unwrap(),
        );
        let broken = |bytes: &[u8], at: usize| {
            let mut bytes = bytes.to_vec();
            bytes[at] ^= 1;
            bytes
        };
        for at in 0..words.len() {
            let error = Bucket::from_bytes(&broken(&words, at), &lists).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
        }
        for at in 0..lists.len() {
            assert!(Bucket::from_bytes(&words, &broken(&lists, at)).is_err());
        }
        let none = Bucket::default().lists_to_bytes().unwrap();
        assert!(
            Bucket::from_bytes(&words, &none).is_err(),
            "fewer lists than words"
        );
    }

    #[test]
    fn a_word_goes_with_its_last_posting() {
        let mut bucket = bucket();
        bucket.remove("boats".to_owned(), posting(7));
        bucket.remove("boat".to_owned(), posting(9));
        let words = bucket.words_to_bytes().unwrap();
        assert_eq!(Bucket::words_of(&words).unwrap(), ["boat"]);
        for place in 1..=3 {
            bucket.remove("boat".to_owned(), posting(place));
        }
        assert!(bucket.is_empty());
    }

    #[test]
    fn all_words_of_a_term_lie_in_one_bucket() {
        let analyzer = Analyzer::default();
        let of = |word| Bucket::of_word(word, 64, &analyzer);
        assert_eq!(of("boats"), of("boat"));
        assert_eq!(of("boat"), Bucket::of_term("boat", 64));
        // What is stored is found by these.
        let hashes = [193_548_256, 3_068_592_300, 1_339_080_641];
        assert_eq!(["boat", "sail", ""].map(hash), hashes);
    }
}
