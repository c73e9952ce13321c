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
        for number in 0..count as u32 {
            let piece = texts.piece(number);
            let is_it = |other: &u32| texts.piece(*other) == piece;
            match numbers.entry(hash(piece), is_it, |other| hash(texts.piece(*other))) {
                Entry::Occupied(mut known) => *known.get_mut() = number,
                Entry::Vacant(place) => drop(place.insert(number)),
            }
        }
        Self { texts, numbers }
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

    /// The entry that is this beginning or continuation of a word.
    pub(super) fn number(&self, piece: &str, continues: bool) -> Option<u16> {
        let piece = (piece, continues);
        let is_it = |other: &u32| self.texts.piece(*other) == piece;
        let number = self.numbers.find(hash(piece), is_it)?;
        u16::try_from(*number).ok()
    }
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
