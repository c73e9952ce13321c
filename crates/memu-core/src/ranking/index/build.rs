use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use rustc_hash::FxHashMap;

use super::Index;
use super::field::merge;
use super::meaning::Meaning;
use super::numbers::{BlockWords, WordNumbers};
use super::segment::IndexedSegment;
use super::texts::{Texts, counted};
use super::vocabulary::{Occurs, Vocabulary};
use super::words::Words;
use crate::ranking::outline::{Block, Growth, ItemOutline, Outline, SegmentOutline};

/// From how many words on making their postings takes longer than starting a thread.
const WORTH_A_THREAD: usize = 100_000;

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
        let mut numbers = WordNumbers::new(outlines, growth, &mut self.vocabulary);
        for field in [&mut self.passages, &mut self.items] {
            field.reserve(numbers.new_words());
        }
        let texts = self.add_segments(outlines, growth, &mut numbers);
        for outline in outlines {
            for (block, items) in growth.items.onward(&outline.items) {
                self.add_items(block, items, &mut numbers);
            }
        }
        self.settle();
        if is_new {
            self.meaning = Meaning::new(&self.words, texts.rarity(self.counted.texts));
        }
        let changed = self.vocabulary.take_changed();
        self.meaning
            .renew_terms(&changed, &self.vocabulary, &self.words);
        self.meaning.add_texts(&texts);
    }

    /// Makes the postings of what was added, those of many items beside the others.
    fn settle(&mut self) {
        let (passages, sessions, items) = (&mut self.passages, &mut self.sessions, &mut self.items);
        let many = items.pushed_count() >= WORTH_A_THREAD;
        thread::scope(|scope| {
            let run = || items.settle();
            let started = many.then(|| thread::Builder::new().spawn_scoped(scope, run));
            passages.settle();
            sessions.settle();
            if let Some(Ok(thread)) = started
                && let Err(panic) = thread.join()
            {
                // What it had in hand is lost, and an index without it would be silent.
                resume_unwind(panic);
            }
        });
        // Where no thread was started.
        self.items.settle();
    }

    fn add_segments(
        &mut self,
        outlines: &[&Outline],
        growth: &Growth,
        numbers: &mut WordNumbers,
    ) -> Texts {
        let resources = number_resources(outlines);
        let mut blocks = Vec::new();
        let mut ordered = Vec::new();
        for (scope, outline) in (0..).zip(outlines) {
            for (block, segments) in growth.segments.onward(&outline.segments) {
                for segment in segments {
                    let resource = resources.get(&(scope, segment.resource));
                    let resource = resource.copied().unwrap_or(u32::MAX);
                    ordered.push((
                        Ordered::new(segment, scope, resource),
                        blocks.len(),
                        segment,
                    ));
                }
                blocks.push(BlockWords {
                    block,
                    places: numbers.places(block.texts()),
                });
            }
        }
        ordered.sort_unstable_by_key(|(at, _, _)| *at);
        let mut texts = Texts::default();
        let mut session_terms = Vec::new();
        for session in ordered.chunk_by(|(a, _, _), (b, _, _)| a.session() == b.session()) {
            session_terms.clear();
            for (at, block, segment) in session {
                if let Some(block) = blocks.get(*block) {
                    self.add_segment(*at, segment, block, numbers, &mut texts);
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
        words: &BlockWords<'_, SegmentOutline>,
        numbers: &mut WordNumbers,
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
            let terms = numbers.terms(words, passage, occurs, &mut self.vocabulary);
            indexed.length += terms.iter().map(|(_, count)| count).sum::<u32>();
            self.passages.push(terms);
            self.passage_owner.push(number as u32);
            texts.push_passage(terms);
        }
        texts.end_text();
        self.segments.push(indexed);
    }

    fn add_items(
        &mut self,
        block: &Block<ItemOutline>,
        items: &[ItemOutline],
        numbers: &mut WordNumbers,
    ) {
        let words = BlockWords {
            block,
            places: numbers.places(block.texts()),
        };
        for item in items {
            let occurs = if self.item_count < self.counted.items {
                Occurs::Counted
            } else {
                Occurs::InItem
            };
            let terms = numbers.terms(&words, &item.words, occurs, &mut self.vocabulary);
            if item.segments.is_empty() {
                self.passages.count(terms);
            }
            self.items.push(terms);
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
        let segments = outlines.iter().map(|outline| outline.segment_count());
        let items = outlines.iter().map(|outline| outline.item_count());
        Self {
            texts: counted(segments.sum()),
            items: counted(items.sum()),
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
