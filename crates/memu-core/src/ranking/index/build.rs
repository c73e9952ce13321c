use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::Index;
use super::field::Documents;
use super::meaning::Meaning;
use super::segment::IndexedSegment;
use super::vocabulary::Vocabulary;
use super::words::Words;
use crate::ranking::outline::{Block, Entry, ItemOutline, Occurrence, Outline, SegmentOutline};

/// A word whose number is not known yet.
const UNKNOWN: u32 = u32::MAX;

impl Index {
    /// Indexes the outlines of the selected scopes. Results depend on what they hold,
    /// not on how it lies in blocks. Resources and items are known by their position
    /// in the outlines, one after the other.
    pub fn build(outlines: &[&Outline], words: Arc<Words>) -> Self {
        let mut builder = Builder::default();
        builder.index.vocabulary = Vocabulary::new(words.clone());
        builder.add_segments(outlines);
        for block in outlines.iter().flat_map(|outline| &outline.items) {
            builder.add_items(block);
        }
        builder.finish(words)
    }
}

/// An index that is being built.
#[derive(Default)]
struct Builder {
    index: Index,
    passages: Documents,
    sessions: Documents,
    items: Documents,
}

/// A segment in the order of the index, which is that of its fields.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Ordered {
    /// Where its resource stands in the order of resources.
    resource_rank: u32,
    session: u32,
    ordinal: u32,
    place: u64,
    scope: u32,
    /// The number of its block, of all blocks.
    block: u32,
    entry: u32,
    resource: u32,
}

impl Builder {
    fn add_segments(&mut self, outlines: &[&Outline]) {
        let resources = self.number_resources(outlines);
        let mut blocks = Vec::new();
        let mut ordered = Vec::new();
        for (scope, outline) in (0..).zip(outlines) {
            for block in &outline.segments {
                for (entry, segment) in (0..).zip(&block.entries) {
                    let resource = resources.get(&(scope, segment.resource));
                    let resource = resource.copied().unwrap_or(u32::MAX);
                    let rank = self.index.resource_ranks.get(resource as usize);
                    ordered.push(Ordered {
                        resource_rank: rank.copied().unwrap_or(u32::MAX),
                        session: segment.session,
                        ordinal: segment.ordinal,
                        place: segment.place,
                        scope,
                        block: blocks.len() as u32,
                        entry,
                        resource,
                    });
                }
                blocks.push(BlockWords::new(block));
            }
        }
        ordered.sort_unstable();
        let same_session =
            |a: &Ordered, b: &Ordered| (a.resource_rank, a.session) == (b.resource_rank, b.session);
        let mut session_terms = Vec::new();
        for session in ordered.chunk_by(same_session) {
            session_terms.clear();
            for at in session {
                if let Some(block) = blocks.get_mut(at.block as usize) {
                    self.add_segment(*at, block, &mut session_terms);
                }
            }
            self.sessions.push(&mut session_terms);
        }
    }

    /// The numbers of the resources by scope and place; notes their ranks: by content,
    /// then by scope and place.
    fn number_resources(&mut self, outlines: &[&Outline]) -> FxHashMap<(u32, u64), u32> {
        let resources = || {
            (0..).zip(outlines).flat_map(|(scope, outline): (u32, _)| {
                let resources = outline.resources.iter();
                resources.map(move |resource| (scope, resource))
            })
        };
        let mut by_content: Vec<_> = (0..)
            .zip(resources())
            .map(|(number, (_, resource)): (u32, _)| (resource.content_hash, number))
            .collect();
        by_content.sort_unstable();
        self.index.resource_ranks = vec![0; by_content.len()];
        for (rank, (_, number)) in (0..).zip(by_content) {
            if let Some(slot) = self.index.resource_ranks.get_mut(number as usize) {
                *slot = rank;
            }
        }
        (0..)
            .zip(resources())
            .map(|(number, (scope, resource))| ((scope, resource.place), number))
            .collect()
    }

    fn add_segment(
        &mut self,
        at: Ordered,
        words: &mut BlockWords<'_, SegmentOutline>,
        session_terms: &mut Vec<(u32, u32)>,
    ) {
        let Some(segment) = words.block.entries.get(at.entry as usize) else {
            return;
        };
        let owner = Some(self.index.segments.len() as u32);
        let mut indexed = IndexedSegment::new(segment, at.scope, at.resource);
        indexed.session_index = self.sessions.count() as u32;
        let speaker = segment.speaker.and_then(|name| words.block.text(name));
        indexed.speaker = speaker.map(|name| self.speaker(name));
        for passage in &segment.passages {
            let mut terms = words.terms(passage, &mut self.index.vocabulary);
            indexed.length += terms.iter().map(|(_, count)| count).sum::<u32>();
            session_terms.extend_from_slice(&terms);
            self.passages.push(&mut terms);
            self.index.passage_owner.push(owner);
        }
        self.index.segments.push(indexed);
    }

    fn add_items(&mut self, block: &Block<ItemOutline>) {
        let mut words = BlockWords::new(block);
        for item in &block.entries {
            let mut terms = words.terms(&item.words, &mut self.index.vocabulary);
            if item.segments.is_empty() {
                self.passages.push(&mut terms);
                self.index.passage_owner.push(None);
            }
            self.items.push(&mut terms);
        }
    }

    fn speaker(&mut self, name: &str) -> u32 {
        let speakers = &mut self.index.speakers;
        let position = speakers.iter().position(|known| known == name);
        position.unwrap_or_else(|| {
            speakers.push(name.to_owned());
            speakers.len() - 1
        }) as u32
    }

    fn finish(self, words: Arc<Words>) -> Index {
        let mut index = self.index;
        index.passages = self.passages.invert();
        index.sessions = self.sessions.invert();
        index.items = self.items.invert();
        index.meaning = Meaning::build(
            &index.vocabulary.commonest_words(),
            &self.passages,
            &index.passages,
            &index.passage_owner,
            &words,
        );
        index.words = words;
        index
    }
}

/// A block with the vocabulary's numbers of its texts, as far as they are known. A word
/// gets its number where it is met first, so that blocks make no difference.
struct BlockWords<'b, T> {
    block: &'b Block<T>,
    numbers: Vec<u32>,
}

impl<'b, T: Entry> BlockWords<'b, T> {
    fn new(block: &'b Block<T>) -> Self {
        Self {
            block,
            numbers: vec![UNKNOWN; block.text_count()],
        }
    }

    /// The terms of some words, which are counted.
    fn terms(&mut self, words: &[Occurrence], vocabulary: &mut Vocabulary) -> Vec<(u32, u32)> {
        let known = words.iter().filter_map(|(text, count)| {
            let number = self.numbers.get_mut(*text as usize)?;
            if *number == UNKNOWN {
                *number = vocabulary.word(self.block.text(*text)?);
            }
            Some((vocabulary.count(*number, *count)?, *count))
        });
        known.collect()
    }
}
