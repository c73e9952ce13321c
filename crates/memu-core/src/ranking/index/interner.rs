use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::analysis::Hashed;
use crate::ranking::outline::BlockTexts;

/// Different texts by number, all in one piece. Indexes of small scopes are made by the
/// thousand, and most of their texts would be pieces of a few bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Interner {
    texts: BlockTexts,
    /// The first texts.
    numbers: HashTable<Place>,
}

/// Hashes lie beside the numbers: most texts are told apart without being read.
#[derive(Clone, Copy, Debug)]
struct Place {
    hash: u32,
    number: u32,
}

impl Interner {
    /// How many texts there are.
    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    /// The text with this number.
    pub(super) fn text(&self, number: u32) -> Option<&str> {
        self.texts.get(number)
    }

    /// All texts, by number.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.texts.iter()
    }

    /// Appends a text that is not there, which nobody looks for before [`Self::number`]
    /// is called the next time.
    pub(super) fn push_new(&mut self, text: &str) -> u32 {
        self.texts.push(text);
        self.texts.len() as u32 - 1
    }

    /// Makes room for so many more texts.
    pub(super) fn reserve(&mut self, more: usize) {
        let waiting = self.texts.len() - self.numbers.len();
        self.numbers
            .reserve(waiting + more, |place| spread(place.hash));
    }

    /// The number of a text, if it is there.
    pub(super) fn get(&self, text: Hashed<'_>) -> Option<u32> {
        let place = self
            .numbers
            .find(spread(text.hash()), |place| is(&self.texts, *place, text));
        place.map(|place| place.number)
    }

    /// The number of a text, and whether it is new; a new one gets the next.
    pub(super) fn number(&mut self, text: Hashed<'_>) -> (u32, bool) {
        self.place_all();
        let Self { texts, numbers } = self;
        let is_it = |place: &Place| is(texts, *place, text);
        match numbers.entry(spread(text.hash()), is_it, |place| spread(place.hash)) {
            Entry::Occupied(known) => (known.get().number, false),
            Entry::Vacant(place) => {
                let number = texts.len() as u32;
                texts.push(text.text());
                place.insert(Place {
                    hash: text.hash(),
                    number,
                });
                (number, true)
            }
        }
    }

    /// Puts those into the table that were not looked for.
    fn place_all(&mut self) {
        for number in self.numbers.len() as u32..self.texts.len() as u32 {
            let hash = self.texts.get(number).map(|text| Hashed::new(text).hash());
            let hash = hash.unwrap_or_default();
            let place = Place { hash, number };
            self.numbers
                .insert_unique(spread(hash), place, |place| spread(place.hash));
        }
    }
}

/// A hash as tables want it, which look at its ends.
fn spread(hash: u32) -> u64 {
    (u64::from(hash) << 32) | u64::from(hash)
}

fn is(texts: &BlockTexts, place: Place, text: Hashed<'_>) -> bool {
    place.hash == text.hash() && texts.get(place.number) == Some(text.text())
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
        let same = |text| Hashed::with_hash(text, 63);
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
