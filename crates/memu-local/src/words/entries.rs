use std::hash::Hasher;

use rustc_hash::FxHasher;

/// Where no entry is.
const EMPTY: u32 = u32::MAX;
/// What continuations of words begin with.
const CONTINUES: &str = "##";

/// The entries of a vocabulary by number and by text. Every process makes this anew, so it
/// is a plain table of numbers beside the texts.
#[derive(Debug)]
pub(super) struct Entries {
    /// Each followed by a line feed.
    texts: &'static str,
    /// By entry: where it ends.
    ends: Vec<u32>,
    /// Open places for the entries by their hashes: a power of two.
    places: Vec<u32>,
}

impl Entries {
    pub(super) fn new(texts: &'static str) -> Self {
        let line_feeds = (0..).zip(texts.bytes()).filter(|(_, byte)| *byte == b'\n');
        let ends: Vec<u32> = line_feeds.map(|(at, _)| at).collect();
        let places = vec![EMPTY; (2 * ends.len() + 1).next_power_of_two()];
        let mut entries = Self {
            texts,
            ends,
            places,
        };
        for number in 0..entries.len() as u32 {
            let (piece, continues) = split(entries.text(number));
            let at = entries.find(piece, continues);
            if let Some(place) = at.and_then(|at| entries.places.get_mut(at)) {
                *place = number;
            }
        }
        entries
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// By number: how many letters an entry stands for, at least one.
    pub(super) fn letters(&self) -> impl Iterator<Item = f32> {
        (0..self.len() as u32).map(|number| {
            let mut text = self.text(number);
            while let Some(rest) = text.strip_prefix(CONTINUES) {
                text = rest;
            }
            text.chars().count().max(1) as f32
        })
    }

    /// The entry that is this beginning or continuation of a word.
    pub(super) fn number(&self, piece: &str, continues: bool) -> Option<u16> {
        let number = self.places.get(self.find(piece, continues)?)?;
        u16::try_from(*number).ok()
    }

    fn text(&self, number: u32) -> &'static str {
        let number = number as usize;
        let start = match number.checked_sub(1) {
            Some(before) => self.ends.get(before).map_or(0, |end| *end as usize + 1),
            None => 0,
        };
        let end = self.ends.get(number).map_or(0, |end| *end as usize);
        self.texts.get(start..end).unwrap_or_default()
    }

    /// The place of a piece, or the place for it.
    fn find(&self, piece: &str, continues: bool) -> Option<usize> {
        let mut hasher = FxHasher::default();
        hasher.write(piece.as_bytes());
        hasher.write_u8(u8::from(continues));
        let last = self.places.len() - 1;
        let mut at = hasher.finish() as usize & last;
        loop {
            let number = *self.places.get(at)?;
            if number == EMPTY || split(self.text(number)) == (piece, continues) {
                return Some(at);
            }
            at = (at + 1) & last;
        }
    }
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
