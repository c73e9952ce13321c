use std::hash::Hasher;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxHasher;

/// What continuations of words begin with.
const CONTINUES: &str = "##";

/// The entries of a vocabulary by number and by text. Every process makes this anew, so it
/// is a table of numbers beside the texts.
#[derive(Debug)]
pub(super) struct Entries {
    texts: Texts,
    numbers: HashTable<u32>,
    beginnings: Beginnings,
}

#[derive(Debug)]
struct Texts {
    /// Each followed by a line feed.
    all: &'static str,
    /// By entry: where it ends.
    ends: Vec<u32>,
}

impl Entries {
    pub(super) fn new(all: &'static str) -> Self {
        let line_feeds = (0..).zip(all.bytes()).filter(|(_, byte)| *byte == b'\n');
        let ends: Vec<u32> = line_feeds.map(|(at, _)| at).collect();
        let count = ends.len();
        let texts = Texts { all, ends };
        let mut numbers = HashTable::with_capacity(count);
        let mut beginnings = Beginnings::new();
        for number in 0..count as u32 {
            let piece = texts.piece(number);
            beginnings.insert(piece);
            let is_it = |other: &u32| texts.piece(*other) == piece;
            match numbers.entry(hash(piece), is_it, |other| hash(texts.piece(*other))) {
                Entry::Occupied(mut known) => *known.get_mut() = number,
                Entry::Vacant(place) => drop(place.insert(number)),
            }
        }
        Self {
            texts,
            numbers,
            beginnings,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.texts.ends.len()
    }

    /// By number: how many letters an entry stands for, at least one.
    pub(super) fn letters(&self) -> impl Iterator<Item = f32> {
        (0..self.len() as u32).map(|number| {
            let mut text = self.texts.get(number);
            while let Some(rest) = text.strip_prefix(CONTINUES) {
                text = rest;
            }
            text.chars().count().max(1) as f32
        })
    }

    /// The longest entry that this beginning or continuation of a word begins with, and the
    /// rest.
    pub(super) fn longest<'t>(&self, text: &'t str, continues: bool) -> Option<(u16, &'t str)> {
        let longest = self.beginnings.longest((text, continues));
        let ends = text.char_indices().rev().map(|(at, _)| at);
        let mut ends = std::iter::once(text.len()).chain(ends);
        ends.find_map(|end| {
            let (piece, rest) = text.split_at_checked(end)?;
            if piece.is_empty() || piece.len() > longest {
                return None;
            }
            Some((self.number(piece, continues)?, rest))
        })
    }

    /// The entry that is this beginning or continuation of a word.
    pub(super) fn number(&self, piece: &str, continues: bool) -> Option<u16> {
        let piece = (piece, continues);
        let is_it = |other: &u32| self.texts.piece(*other) == piece;
        let number = self.numbers.find(hash(piece), is_it)?;
        u16::try_from(*number).ok()
    }
}

/// How long the beginnings are that are known, in bytes.
const BEGINNINGS: [usize; 2] = [4, 6];

/// How many bits tell beginnings apart: some times as many as there are entries.
const BITS: u64 = 1 << 18;

/// What longer entries begin with. Whether there may be any is found out sooner than by
/// looking for each of them.
#[derive(Debug)]
struct Beginnings(Box<[u64]>);

impl Beginnings {
    fn new() -> Self {
        Self(vec![0; (BITS / 64) as usize].into())
    }

    fn insert(&mut self, piece: (&str, bool)) {
        for length in BEGINNINGS {
            if let Some((word, bit)) = bit_of(piece, length)
                && let Some(word) = self.0.get_mut(word)
            {
                *word |= bit;
            }
        }
    }

    /// No beginning of this text that is longer is an entry.
    fn longest(&self, text: (&str, bool)) -> usize {
        let unknown = |length: &usize| {
            let bit = bit_of(text, *length);
            bit.is_some_and(|(word, bit)| self.0.get(word).is_none_or(|bits| bits & bit == 0))
        };
        let unknown = BEGINNINGS.into_iter().find(unknown);
        unknown.map_or(usize::MAX, |length| length - 1)
    }
}

/// Which word and bit stand for the beginning of this length; `None` for a shorter text.
fn bit_of((text, continues): (&str, bool), length: usize) -> Option<(usize, u64)> {
    let mut hasher = FxHasher::default();
    hasher.write(text.as_bytes().get(..length)?);
    hasher.write_u8(u8::from(continues));
    let bit = hasher.finish() % BITS;
    Some(((bit / 64) as usize, 1 << (bit % 64)))
}

impl Texts {
    fn get(&self, number: u32) -> &'static str {
        let number = number as usize;
        let start = match number.checked_sub(1) {
            Some(before) => self.ends.get(before).map_or(0, |end| *end as usize + 1),
            None => 0,
        };
        let end = self.ends.get(number).map_or(0, |end| *end as usize);
        self.all.get(start..end).unwrap_or_default()
    }

    fn piece(&self, number: u32) -> (&'static str, bool) {
        split(self.get(number))
    }
}

fn hash((piece, continues): (&str, bool)) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(piece.as_bytes());
    hasher.write_u8(u8::from(continues));
    hasher.finish()
}

/// What an entry stands for, and whether it continues words.
fn split(entry: &str) -> (&str, bool) {
    match entry.strip_prefix(CONTINUES) {
        Some(rest) if !rest.is_empty() => (rest, true),
        _ => (entry, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_entry_is_found_however_long_it_is() {
        let all = "a\nabcd\nabcdef\nabcdefgh\n##ab\n##abcdefgh\nééé\n";
        let entries = Entries::new(all);
        let plainly = |text: &str, continues: bool| {
            let ends = (1..=text.len()).rev();
            let mut found = ends.filter_map(|end| {
                let (piece, rest) = text.split_at_checked(end)?;
                Some((entries.number(piece, continues)?, rest.to_owned()))
            });
            found.next()
        };
        let texts = [
            "",
            "a",
            "ab",
            "abc",
            "abcd",
            "abcde",
            "abcdef",
            "abcdefg",
            "abcdefgh",
            "abcdefghi",
            "axcdefgh",
            "abcdxfgh",
            "éééé",
            "éé",
            "b",
        ];
        let mut known = 0;
        for text in texts {
            for continues in [false, true] {
                let found = entries.longest(text, continues);
                let found = found.map(|(number, rest)| (number, rest.to_owned()));
                known += usize::from(found.is_some());
                assert_eq!(found, plainly(text, continues), "{text} {continues}");
            }
        }
        assert!(known > 15);
    }

    #[test]
    fn beginnings_are_told_from_continuations() {
        let entries = Entries::new("un\n##un\n##\né\nun\n");
        assert_eq!(entries.number("un", false), Some(4), "the last one counts");
        assert_eq!(entries.number("un", true), Some(1));
        assert_eq!(entries.number("##", false), Some(2));
        assert_eq!(entries.number("", true), None);
        assert_eq!(
            (entries.number("é", false), entries.number("é", true)),
            (Some(3), None)
        );
        let letters: Vec<f32> = entries.letters().collect();
        assert_eq!(letters, [2.0, 2.0, 1.0, 1.0, 2.0]);
        assert_eq!(Entries::new("").number("un", false), None);
    }
}
