use std::hash::Hasher;

use rustc_hash::FxHasher;

/// Where no text is.
const EMPTY: u32 = u32::MAX;

/// Different texts by number, all in one piece. Indexes of small scopes are made by the
/// thousand, and most of their texts would be pieces of a few bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Interner {
    texts: String,
    /// By number: where the text ends.
    ends: Vec<usize>,
    /// A table of open places for the first texts: a power of two, of which at most half
    /// are taken.
    places: Vec<Place>,
    /// How many texts are in the table.
    placed: usize,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    hash: u32,
    number: u32,
}

/// A text with its hash, which several interners may need.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hashed<'t> {
    pub(super) text: &'t str,
    hash: u32,
}

impl<'t> Hashed<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let mut hasher = FxHasher::default();
        hasher.write(text.as_bytes());
        let hash = hasher.finish();
        Self {
            text,
            hash: (hash ^ (hash >> 32)) as u32,
        }
    }
}

impl Interner {
    /// How many texts there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The text with this number.
    pub(super) fn text(&self, number: u32) -> Option<&str> {
        let number = number as usize;
        let end = *self.ends.get(number)?;
        let start = match number.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.texts.get(start..end)
    }

    /// Appends a text that is not there, which nobody looks for before [`Self::number`]
    /// is called the next time.
    pub(super) fn push_new(&mut self, text: &str) -> u32 {
        let number = self.ends.len() as u32;
        self.texts.push_str(text);
        self.ends.push(self.texts.len());
        number
    }

    /// Makes room for so many more texts.
    pub(super) fn reserve(&mut self, more: usize) {
        self.ends.reserve(more);
        let needed = 2 * (self.ends.len() + more) + 2;
        if needed > self.places.len() {
            self.widen(needed.next_power_of_two());
        }
    }

    /// The number of a text, if it is there.
    pub(super) fn get(&self, text: Hashed<'_>) -> Option<u32> {
        let (_, number) = self.find(text)?;
        (number != EMPTY).then_some(number)
    }

    /// The number of a text, and whether it is new; a new one gets the next.
    pub(super) fn number(&mut self, text: Hashed<'_>) -> (u32, bool) {
        if self.places.len() <= 2 * self.ends.len() {
            self.widen((4 * self.ends.len() + 4).next_power_of_two());
        }
        self.place_all();
        match self.find(text) {
            Some((_, known)) if known != EMPTY => (known, false),
            Some((at, _)) => {
                let number = self.push_new(text.text);
                if let Some(place) = self.places.get_mut(at) {
                    place.hash = text.hash;
                    place.number = number;
                }
                self.placed = self.ends.len();
                (number, true)
            }
            None => (self.ends.len() as u32, false),
        }
    }

    /// The place of a text and its number, or the place for it; `None` without places.
    fn find(&self, text: Hashed<'_>) -> Option<(usize, u32)> {
        let last = self.places.len().checked_sub(1)?;
        let mut at = text.hash as usize & last;
        loop {
            let place = self.places.get(at)?;
            let is_it = || place.hash == text.hash && self.text(place.number) == Some(text.text);
            if place.number == EMPTY || is_it() {
                return Some((at, place.number));
            }
            at = (at + 1) & last;
        }
    }

    /// Makes a wider table of the same texts.
    fn widen(&mut self, places: usize) {
        let empty = Place {
            hash: 0,
            number: EMPTY,
        };
        let before = std::mem::replace(&mut self.places, vec![empty; places]);
        for place in before.into_iter().filter(|place| place.number != EMPTY) {
            self.put(place);
        }
    }

    /// Puts those into the table that were not looked for.
    fn place_all(&mut self) {
        for number in self.placed as u32..self.ends.len() as u32 {
            let hash = self.text(number).map(|text| Hashed::new(text).hash);
            self.put(Place {
                hash: hash.unwrap_or_default(),
                number,
            });
        }
        self.placed = self.ends.len();
    }

    fn put(&mut self, place: Place) {
        let last = self.places.len().saturating_sub(1);
        let mut at = place.hash as usize & last;
        while self.places.get(at).is_some_and(|one| one.number != EMPTY) {
            at = (at + 1) & last;
        }
        if let Some(one) = self.places.get_mut(at) {
            *one = place;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_has_one_number() {
        let mut interner = Interner::default();
        assert_eq!(interner.get(Hashed::new("")), None);
        let words: Vec<String> = (0..3_000).map(|number| format!("w{number}")).collect();
        for round in 0..2 {
            for (number, word) in (0..).zip(&words) {
                assert_eq!(interner.number(Hashed::new(word)), (number, round == 0));
            }
        }
        assert_eq!(interner.number(Hashed::new("")), (3_000, true));
        for (number, word) in (0..).zip(&words) {
            assert_eq!(interner.text(number), Some(&**word));
            assert_eq!(interner.get(Hashed::new(word)), Some(number));
        }
        assert_eq!(interner.get(Hashed::new("w3000")), None);
        assert_eq!((interner.len(), interner.text(3_001)), (3_001, None));
    }

    #[test]
    fn texts_that_were_not_looked_for_are_found() {
        let mut interner = Interner::default();
        let words: Vec<String> = (0..500).map(|number| format!("w{number}")).collect();
        for (number, word) in (0..).zip(&words) {
            assert_eq!(interner.push_new(word), number);
        }
        interner.reserve(10);
        assert_eq!(interner.number(Hashed::new("w")), (500, true));
        for (number, word) in (0..).zip(&words) {
            assert_eq!(interner.number(Hashed::new(word)), (number, false));
        }
    }

    #[test]
    fn texts_of_the_same_hash_are_told_apart() {
        let mut interner = Interner::default();
        let same = |text| Hashed { text, hash: 63 };
        let texts = ["a", "b", "c"];
        for (number, text) in (0..).zip(texts) {
            assert_eq!(interner.number(same(text)), (number, true));
        }
        assert_eq!(
            texts.map(|text| interner.get(same(text))),
            [0, 1, 2].map(Some)
        );
        assert_eq!(interner.get(same("d")), None);
    }
}
