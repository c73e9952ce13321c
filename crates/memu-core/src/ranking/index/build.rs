use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::Index;
use super::field::merge;
use super::meaning::Meaning;
use super::segment::IndexedSegment;
use super::texts::{Texts, counted};
use super::vocabulary::{Occurs, Vocabulary};
use super::words::Words;
use crate::ranking::outline::{
    Block, Entry, Growth, ItemOutline, Occurrence, Outline, SegmentOutline,
};

/// A word whose number is not known yet.
const UNKNOWN: u32 = u32::MAX;

impl Index {
    /// Indexes the outlines of the selected scopes. Results depend on what they hold,
    /// not on how it lies in blocks. Resources and items are known by their position
    /// in the outlines, one after the other.
    pub fn build(outlines: &[&Outline], words: Arc<Words>) -> Self {
        let mut index = Self {
            vocabulary: Vocabulary::new(words.clone()),
            words,
            ..Self::default()
        };
        index.add(outlines, &Growth::of_everything());
        index
    }

    /// Whether [`Self::grow`] leaves the index of the whole outline: what is new must come
    /// after all else, and must not be so much that other texts are counted.
    pub fn can_grow(&self, outline: &Outline, growth: &Growth) -> bool {
        let last = self.segments.last();
        let numbers = number_resources(&[outline]);
        let mut segments = 0;
        for segment in growth
            .segments
            .onward(&outline.segments)
            .flat_map(|(_, new)| new)
        {
            segments += 1;
            let resource = numbers.get(&(0, segment.resource));
            let follows = |last: &IndexedSegment| resource.is_some_and(|new| *new > last.resource);
            if !last.is_none_or(follows) {
                return false;
            }
        }
        let items = growth.items.onward(&outline.items);
        let items: usize = items.map(|(_, new)| new.len()).sum();
        counted(self.segments.len() + segments) == self.counted.texts
            && counted(self.item_count + items) == self.counted.items
    }

    /// Adds what a scope has more than when it was indexed, where [`Self::can_grow`] says
    /// so.
    pub fn grow(&mut self, outline: &Outline, growth: &Growth) {
        self.add(&[outline], growth);
    }

    fn add(&mut self, outlines: &[&Outline], growth: &Growth) {
        let resources = outlines.iter().flat_map(|outline| &outline.resources);
        self.resources = resources.map(|resource| resource.content_hash).collect();
        let is_new = self.segments.is_empty() && self.item_count == 0;
        if is_new {
            self.counted = Counted::of(outlines);
        }
        let texts = self.add_segments(outlines, growth);
        for outline in outlines {
            for (block, items) in growth.items.onward(&outline.items) {
                self.add_items(block, items);
            }
        }
        if is_new {
            self.meaning = Meaning::new(&self.words, texts.rarity(self.counted.texts));
        }
        let changed = self.vocabulary.take_changed();
        self.meaning
            .renew_terms(&changed, &self.vocabulary, &self.words);
        self.meaning.add_texts(&texts);
    }

    fn add_segments(&mut self, outlines: &[&Outline], growth: &Growth) -> Texts {
        let numbers = number_resources(outlines);
        let mut blocks = Vec::new();
        let mut ordered = Vec::new();
        for (scope, outline) in (0..).zip(outlines) {
            for (block, segments) in growth.segments.onward(&outline.segments) {
                for segment in segments {
                    let resource = numbers.get(&(scope, segment.resource));
                    let resource = resource.copied().unwrap_or(u32::MAX);
                    ordered.push((
                        Ordered::new(segment, scope, resource),
                        blocks.len(),
                        segment,
                    ));
                }
                blocks.push(BlockWords::new(block));
            }
        }
        ordered.sort_unstable_by_key(|(at, _, _)| *at);
        let mut texts = Texts::default();
        let mut session_terms = Vec::new();
        for session in ordered.chunk_by(|(a, _, _), (b, _, _)| a.session() == b.session()) {
            session_terms.clear();
            for (at, block, segment) in session {
                if let Some(block) = blocks.get_mut(*block) {
                    self.add_segment(*at, segment, block, &mut texts);
                    session_terms.extend_from_slice(texts.last_text());
                }
            }
            merge(&mut session_terms);
            self.sessions.push(&session_terms);
        }
        texts
    }

    fn add_segment(
        &mut self,
        at: Ordered,
        segment: &SegmentOutline,
        words: &mut BlockWords<'_, SegmentOutline>,
        texts: &mut Texts,
    ) {
        let number = self.segments.len();
        let mut indexed = IndexedSegment::new(segment, at.scope, at.resource);
        indexed.session_index = self.sessions.document_count();
        let speaker = segment.speaker.and_then(|name| words.block.text(name));
        indexed.speaker = speaker.map(|name| self.speaker(name));
        if let (None, Some(role)) = (indexed.speaker, indexed.role)
            && !self.nameless_roles.contains(&role)
        {
            self.nameless_roles.push(role);
        }
        let occurs = if number < self.counted.texts {
            Occurs::Counted
        } else {
            Occurs::InText
        };
        for passage in &segment.passages {
            let terms = words.terms(passage, occurs, &mut self.vocabulary);
            indexed.length += terms.iter().map(|(_, count)| count).sum::<u32>();
            self.passages.push(&terms);
            self.passage_owner.push(number as u32);
            texts.push_passage(&terms);
        }
        texts.end_text();
        self.segments.push(indexed);
    }

    fn add_items(&mut self, block: &Block<ItemOutline>, items: &[ItemOutline]) {
        let mut words = BlockWords::new(block);
        for item in items {
            let occurs = if self.item_count < self.counted.items {
                Occurs::Counted
            } else {
                Occurs::InItem
            };
            let terms = words.terms(&item.words, occurs, &mut self.vocabulary);
            if item.segments.is_empty() {
                self.passages.count(&terms);
            }
            self.items.push(&terms);
            self.item_count += 1;
        }
    }

    fn speaker(&mut self, name: &str) -> u32 {
        let speakers = &mut self.speakers;
        let position = speakers.iter().position(|known| known == name);
        position.unwrap_or_else(|| {
            speakers.push(name.to_owned());
            speakers.len() - 1
        }) as u32
    }
}

/// How many of the first texts and items are [`counted`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted {
    texts: usize,
    items: usize,
}

impl Counted {
    fn of(outlines: &[&Outline]) -> Self {
        let segments = outlines.iter().flat_map(|outline| &outline.segments);
        let items = outlines.iter().flat_map(|outline| &outline.items);
        Self {
            texts: counted(segments.map(|block| block.entries.len()).sum()),
            items: counted(items.map(|block| block.entries.len()).sum()),
        }
    }
}

/// The numbers of the resources by scope and place.
fn number_resources(outlines: &[&Outline]) -> FxHashMap<(u32, u64), u32> {
    let resources = (0..).zip(outlines).flat_map(|(scope, outline): (u32, _)| {
        let resources = outline.resources.iter();
        resources.map(move |resource| (scope, resource.place))
    });
    resources.zip(0..).collect()
}

/// A segment in the order of the index, which is that of these fields: what is stored later
/// comes later, and sessions stay together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Ordered {
    scope: u32,
    resource: u32,
    session: u32,
    ordinal: u32,
    place: u64,
}

impl Ordered {
    fn new(segment: &SegmentOutline, scope: u32, resource: u32) -> Self {
        Self {
            scope,
            resource,
            session: segment.session,
            ordinal: segment.ordinal,
            place: segment.place,
        }
    }

    fn session(self) -> (u32, u32, u32) {
        (self.scope, self.resource, self.session)
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

    /// The terms of some words, in order.
    fn terms(
        &mut self,
        words: &[Occurrence],
        occurs: Occurs,
        vocabulary: &mut Vocabulary,
    ) -> Vec<(u32, u32)> {
        let known = words.iter().filter_map(|(text, count)| {
            let number = self.numbers.get_mut(*text as usize)?;
            if *number == UNKNOWN {
                *number = vocabulary.word(self.block.text(*text)?);
            }
            Some((vocabulary.note(*number, *count, occurs)?, *count))
        });
        let mut terms = known.collect();
        merge(&mut terms);
        terms
    }
}
