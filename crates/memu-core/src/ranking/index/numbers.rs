//! From the texts of blocks to the numbers of words.

use std::thread;

use super::interner::Interner;
use super::vocabulary::Vocabulary;
use super::words::Found;
use crate::analysis::Hashed;
use crate::ranking::outline::{Block, BlockTexts, Entry, Growth, Occurrence, Outline};

/// A word whose number is not known yet.
const UNKNOWN: u32 = u32::MAX;

/// From how many texts on telling the different ones apart takes longer than starting
/// threads for it.
const WORTH_THREADS: usize = 50_000;

/// The most threads that tell texts apart.
const THREADS: usize = 8;

/// The vocabulary's numbers of the texts of some blocks, as far as they are known. A word
/// gets its number where it is met first, so that neither blocks nor threads make a
/// difference.
pub(super) struct WordNumbers {
    /// By place.
    numbers: Vec<u32>,
    /// The places of the texts of the blocks that come next, if they are known.
    told_apart: std::vec::IntoIter<Vec<u32>>,
    /// By place: what is known about the word, when no two places are of the same word and
    /// the vocabulary had none of them; else empty.
    all_new: Vec<Found>,
    /// The words that were asked for last.
    words: Vec<(u32, u32)>,
}

/// A block, with the places of its texts.
pub(super) struct BlockWords<'b, T> {
    pub(super) block: &'b Block<T>,
    pub(super) places: Places,
}

/// By number of a text: its place in [`WordNumbers`].
pub(super) enum Places {
    /// One after the other, from here on.
    From(usize),
    These(Vec<u32>),
}

impl Places {
    fn place(&self, text: u32) -> Option<usize> {
        match self {
            Self::From(first) => Some(first + text as usize),
            Self::These(places) => places.get(text as usize).map(|place| *place as usize),
        }
    }
}

impl WordNumbers {
    /// Nothing known yet of the blocks that have grown; they come in the order of segments,
    /// then items.
    pub(super) fn new(outlines: &[&Outline], growth: &Growth, vocabulary: &mut Vocabulary) -> Self {
        let segments = outlines.iter().flat_map(|outline| {
            let blocks = growth.segments.onward(&outline.segments);
            blocks.map(|(block, _)| block.texts())
        });
        let items = outlines.iter().flat_map(|outline| {
            let blocks = growth.items.onward(&outline.items);
            blocks.map(|(block, _)| block.texts())
        });
        let blocks: Vec<&BlockTexts> = segments.chain(items).collect();
        let mut new = Self {
            numbers: Vec::new(),
            told_apart: Vec::new().into_iter(),
            all_new: Vec::new(),
            words: Vec::new(),
        };
        match blocks.as_slice() {
            _ if !vocabulary.is_empty() => {}
            [] => {}
            [one] => new.all_new = vocabulary.look_up(one.iter()),
            _ => {
                let (different, places) = told_apart(&blocks);
                new.told_apart = places.into_iter();
                new.all_new = vocabulary.look_up(different.iter());
                new.numbers = vec![UNKNOWN; different.len()];
            }
        }
        vocabulary.reserve(new.all_new.len());
        new
    }

    /// How many words are known to be new.
    pub(super) fn new_words(&self) -> usize {
        self.all_new.len()
    }

    /// The places of the texts of the next block.
    pub(super) fn places(&mut self, texts: &BlockTexts) -> Places {
        if let Some(places) = self.told_apart.next() {
            return Places::These(places);
        }
        let first = self.numbers.len();
        self.numbers.resize(first + texts.len(), UNKNOWN);
        Places::From(first)
    }

    /// Some words of a block by their numbers, with how often each occurs, in the same order.
    pub(super) fn words<T: Entry>(
        &mut self,
        of: &BlockWords<'_, T>,
        words: &[Occurrence],
        vocabulary: &mut Vocabulary,
    ) -> &[(u32, u32)] {
        let Self {
            numbers,
            all_new,
            words: found,
            ..
        } = self;
        let known = words.iter().filter_map(|(text, count)| {
            let place = of.places.place(*text)?;
            let number = numbers.get_mut(place)?;
            if *number == UNKNOWN {
                let text = of.block.text(*text)?;
                *number = match all_new.get(place) {
                    Some(known) => vocabulary.new_word(text, known),
                    None => vocabulary.word(text),
                };
            }
            Some((*number, *count))
        });
        found.clear();
        found.extend(known);
        found
    }
}

/// The different texts there are, and by block: by text, which of them it is.
fn told_apart(blocks: &[&BlockTexts]) -> (Interner, Vec<Vec<u32>>) {
    let count: usize = blocks.iter().map(|texts| texts.len()).sum();
    let threads = match count {
        WORTH_THREADS.. => thread::available_parallelism().map_or(1, usize::from),
        _ => 1,
    };
    let share = blocks.len().div_ceil(threads.min(THREADS)).max(1);
    let mut parts = blocks.chunks(share);
    let first = parts.next().unwrap_or_default();
    thread::scope(|scope| {
        let start = |part| {
            let run = move || told_apart_by_one(part);
            (part, thread::Builder::new().spawn_scoped(scope, run))
        };
        let others: Vec<_> = parts.map(start).collect();
        let (mut interner, mut places) = told_apart_by_one(first);
        for (part, thread) in others {
            let done = thread.ok().and_then(|thread| thread.join().ok());
            let (other, of_other) = done.unwrap_or_else(|| told_apart_by_one(part));
            let texts = other.iter();
            let same: Vec<u32> = texts
                .map(|text| interner.number(Hashed::new(text)).0)
                .collect();
            places.extend(of_other.into_iter().map(|mut places| {
                for place in &mut places {
                    *place = same.get(*place as usize).copied().unwrap_or(UNKNOWN);
                }
                places
            }));
        }
        (interner, places)
    })
}

fn told_apart_by_one(blocks: &[&BlockTexts]) -> (Interner, Vec<Vec<u32>>) {
    let mut interner = Interner::default();
    let places = blocks.iter().map(|texts| {
        let numbers = texts
            .iter()
            .map(|text| interner.number(Hashed::new(text)).0);
        numbers.collect()
    });
    let places = places.collect();
    (interner, places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told_apart_whatever_thread_sees_them() {
        let blocks: Vec<BlockTexts> = (0..20_u32)
            .map(|block| {
                let mut texts = BlockTexts::default();
                for number in 0..50 {
                    texts.push(&(number * (block % 3 + 1)).to_string());
                }
                texts
            })
            .collect();
        let blocks: Vec<&BlockTexts> = blocks.iter().collect();
        let (different, places) = told_apart(&blocks);
        let mut texts = vec![None; different.len()];
        for (block, places) in blocks.iter().zip(&places) {
            for (text, place) in block.iter().zip(places) {
                let known = texts[*place as usize].get_or_insert(text);
                assert_eq!(*known, text);
            }
        }
        let mut seen: Vec<&str> = texts.into_iter().flatten().collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!((seen.len(), places.len()), (different.len(), blocks.len()));
    }
}
