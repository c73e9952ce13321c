use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::entry::{Entry, Occurrence};
use super::texts::BlockTexts;

/// The most entries of a block: changing one record costs writing this many.
const MAX_ENTRIES: usize = 256;
/// The most numbers of texts in the entries of a block, but for one long entry.
const MAX_TEXTS: usize = 16_384;

/// Outlines of records that were stored one after the other, with the texts that
/// they refer to by number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Block<T> {
    texts: BlockTexts,
    /// By ascending place.
    pub entries: Vec<T>,
}

impl<T: Entry> Block<T> {
    /// The text with this number.
    pub fn text(&self, number: u32) -> Option<&str> {
        self.texts.get(number)
    }

    /// All of its texts.
    pub(in crate::ranking) fn texts(&self) -> &BlockTexts {
        &self.texts
    }

    /// How many texts there are.
    pub fn text_count(&self) -> usize {
        self.texts.len()
    }

    /// An entry of this block in one of its own.
    #[must_use]
    pub fn alone(&self, entry: &T) -> Self {
        let mut texts = Dictionary::default();
        let entries = vec![texts.retold(self, entry)];
        Self {
            texts: texts.texts,
            entries,
        }
    }

    /// The place of the first entry.
    pub fn first_place(&self) -> Option<u64> {
        self.entries.first().map(Entry::place)
    }

    /// The place of the last entry.
    pub fn last_place(&self) -> Option<u64> {
        self.entries.last().map(Entry::place)
    }
}

/// The texts of a block that is being made, by number.
#[derive(Debug, Default)]
pub struct Dictionary {
    numbers: FxHashMap<Box<str>, u32>,
    texts: BlockTexts,
    /// By text: its place among the words being counted, from 1.
    counting: Vec<u32>,
}

impl Dictionary {
    /// The number of a text; a new one gets the next.
    pub fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.texts.len() as u32;
        self.numbers.insert(text.into(), number);
        self.texts.push(text);
        self.counting.push(0);
        number
    }

    /// An entry of another block with the numbers that its texts have here.
    fn retold<T: Entry>(&mut self, block: &Block<T>, entry: &T) -> T {
        let mut entry = entry.clone();
        entry.for_each_text(|number| {
            *number = self.number(block.text(*number).unwrap_or_default());
        });
        entry
    }

    /// The different ones of these texts, by number, in the order in which they first
    /// occur, with how often they do.
    pub(super) fn counted(&mut self, numbers: &[u32]) -> Vec<Occurrence> {
        let mut counted: Vec<Occurrence> = Vec::new();
        for number in numbers {
            let Some(place) = self.counting.get_mut(*number as usize) else {
                continue;
            };
            let known = (*place as usize).wrapping_sub(1);
            if let Some((_, count)) = counted.get_mut(known) {
                *count += 1;
            } else {
                counted.push((*number, 1));
                *place = counted.len() as u32;
            }
        }
        for (number, _) in &counted {
            if let Some(place) = self.counting.get_mut(*number as usize) {
                *place = 0;
            }
        }
        counted
    }
}

/// Puts entries, which come by ascending place, into blocks.
#[derive(Debug)]
pub struct BlockBuilder<T> {
    done: Vec<Block<T>>,
    texts: Dictionary,
    entries: Vec<T>,
    /// How many numbers of texts the entries have.
    references: usize,
}

impl<T> Default for BlockBuilder<T> {
    fn default() -> Self {
        Self {
            done: Vec::new(),
            texts: Dictionary::default(),
            entries: Vec::new(),
            references: 0,
        }
    }
}

impl<T: Entry> BlockBuilder<T> {
    /// Adds an entry that `outline` makes with texts of the block.
    pub fn push(&mut self, outline: impl FnOnce(&mut Dictionary) -> T) {
        let mut entry = outline(&mut self.texts);
        entry.for_each_text(|_| self.references += 1);
        self.entries.push(entry);
        if self.entries.len() >= MAX_ENTRIES || self.references >= MAX_TEXTS {
            self.close();
        }
    }

    /// Adds an entry of another block.
    pub fn push_from(&mut self, block: &Block<T>, entry: &T) {
        self.push(|texts| texts.retold(block, entry));
    }

    fn close(&mut self) {
        if self.entries.is_empty() {
            return;
        }
        self.references = 0;
        self.done.push(Block {
            texts: std::mem::take(&mut self.texts).texts,
            entries: std::mem::take(&mut self.entries),
        });
    }

    /// The blocks, in order; none is empty.
    pub fn finish(mut self) -> Vec<Block<T>> {
        self.close();
        self.done
    }
}

impl<T: Entry> Block<T> {
    /// Blocks that follow each other as one; `None` when it would be too large.
    #[must_use]
    pub fn merged(blocks: &[&Self]) -> Option<Self> {
        let entries: usize = blocks.iter().map(|block| block.entries.len()).sum();
        let texts: usize = blocks.iter().map(|block| block.text_count()).sum();
        if entries > MAX_ENTRIES || texts > MAX_TEXTS {
            return None;
        }
        let mut builder = BlockBuilder::default();
        for block in blocks {
            for entry in &block.entries {
                builder.push_from(block, entry);
            }
        }
        let mut blocks = builder.finish();
        let merged = blocks.pop();
        merged.filter(|_| blocks.is_empty())
    }

    /// Whether it has more than half of the entries that a block may have.
    pub fn is_large(&self) -> bool {
        self.entries.len() > MAX_ENTRIES / 2
    }
}

#[cfg(test)]
mod tests {
    use super::super::ItemOutline;
    use super::*;
    use crate::records::{Id, MemoryItem, Meta};
    use crate::scope::ScopeSchema;
    use crate::time::Timestamp;

    fn item(summary: &str) -> MemoryItem {
        let scope = ScopeSchema::default().scope([("user_id", "nora")]).unwrap();
        MemoryItem {
            meta: Meta::new(Id::from("a"), scope, Timestamp::from_micros(7)),
            resource_id: None,
            memory_type: "event".to_owned(),
            summary: summary.to_owned(),
            happened: None,
            extra: serde_json::Map::new(),
            segment_ids: Vec::new(),
        }
    }

    fn blocks(summaries: &[&str]) -> Vec<Block<ItemOutline>> {
        let mut builder = BlockBuilder::default();
        for (place, summary) in summaries.iter().enumerate() {
            let item = item(summary);
            builder.push(|texts| {
                ItemOutline::new(&item, place as u64, None, Vec::new(), Vec::new(), texts)
            });
        }
        builder.finish()
    }

    #[test]
    fn words_are_counted_in_the_order_of_their_first_place() {
        let blocks = blocks(&["The kite rose, the red kite fell", "A red boat"]);
        let words = |entry: usize| {
            let words = blocks[0].entries[entry].words.iter();
            let texts = words.map(|(word, count)| (blocks[0].text(*word).unwrap(), *count));
            texts.collect::<Vec<_>>()
        };
        assert_eq!(
            words(0),
            [("kite", 2), ("rose", 1), ("red", 1), ("fell", 1)]
        );
        assert_eq!(words(1), [("red", 1), ("boat", 1)]);
    }

    #[test]
    fn a_block_made_of_others_holds_no_text_of_what_was_left_out() {
        let all = blocks(&["A secret plan", "A red boat"]);
        let mut builder = BlockBuilder::default();
        builder.push_from(&all[0], &all[0].entries[1]);
        let mut expected = blocks(&["A red boat"]);
        expected[0].entries[0].place = 1;
        assert_eq!(builder.finish(), expected);
        assert_eq!(all[0].alone(&all[0].entries[1]), expected[0]);
    }

    #[test]
    fn blocks_become_one_unless_it_would_be_too_large() {
        let all = blocks(&["A secret plan", "A red boat", "A boat"]);
        let part = |range: std::ops::Range<usize>| {
            let mut builder = BlockBuilder::default();
            for entry in &all[0].entries[range] {
                builder.push_from(&all[0], entry);
            }
            builder.finish().remove(0)
        };
        let parts = [part(0..1), part(1..2), part(2..3)];
        let merged = Block::merged(&parts.each_ref());
        assert_eq!(merged, Some(all[0].clone()));
        let many = blocks(&vec!["one boat"; 200]).remove(0);
        assert!(many.is_large() && !all[0].is_large());
        assert_eq!(Block::merged(&[&many, &many]), None);
        let words: Vec<String> = (0..9_000).map(|number| format!("w{number}")).collect();
        let long = blocks(&[&words.join(" ")]).remove(0);
        assert!(Block::merged(&[&long, &long]).is_none());
    }

    #[test]
    fn blocks_are_closed_when_they_are_full() {
        let summaries = vec!["one boat"; 600];
        let sizes: Vec<usize> = blocks(&summaries)
            .iter()
            .map(|block| block.entries.len())
            .collect();
        assert_eq!(sizes, [256, 256, 88]);
        let words: Vec<String> = (0..20_000).map(|number| format!("w{number}")).collect();
        let long = words.join(" ");
        let sizes: Vec<usize> = blocks(&[&long, &long, "short"])
            .iter()
            .map(|block| block.entries.len())
            .collect();
        assert_eq!(sizes, [1, 1, 1]);
    }
}
