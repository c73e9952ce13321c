use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use rustc_hash::FxHashMap;

use super::Index;
use super::field::{Posting, merge};
use super::meaning::Meaning;
use super::numbers::{BlockWords, WordNumbers};
use super::segment::IndexedSegment;
use super::texts::Texts;
use super::vocabulary::Vocabulary;
use super::words::Words;
use crate::ranking::outline::{Block, Growth, ItemOutline, Outline, SegmentOutline};
use crate::records::Role;

/// From how many words on making their postings takes longer than starting a thread.
const WORTH_A_THREAD: usize = 100_000;

impl Index {
    /// Indexes the outlines of the selected scopes. Results depend on what they hold,
    /// not on how it lies in blocks. Resources and items are known by their position
    /// in the outlines, one after the other.
    pub fn build(outlines: &[&Outline], words: Arc<Words>) -> Self {
        let mut index = Self {
            vocabulary: Vocabulary::new(words.clone()),
            meaning: Meaning::new(words.dimension()),
            words,
            ..Self::default()
        };
        index.add(outlines, &Growth::of_everything());
        index
    }

    /// Whether [`Self::grow`] leaves the index of the whole outline: what is new must not go on
    /// with the last session.
    pub fn can_grow(&self, outline: &Outline, growth: &Growth) -> bool {
        let mut new = growth.segments.onward(&outline.segments);
        let first = new.find_map(|(_, segments)| segments.first());
        first.is_none_or(|first| self.last_session != Some(session_of(0, first)))
    }

    /// Adds what a scope has more than when it was indexed, where [`Self::can_grow`] says
    /// so.
    pub fn grow(&mut self, outline: &Outline, growth: &Growth) {
        self.add(&[outline], growth);
    }

    fn add(&mut self, outlines: &[&Outline], growth: &Growth) {
        let resources = outlines.iter().flat_map(|outline| &outline.resources);
        self.resources = resources.map(|resource| resource.content_hash).collect();
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
        self.meaning.add_words(&self.vocabulary, &self.words);
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
        let mut texts = Texts::default();
        let mut session = Session::default();
        for (scope, outline) in (0..).zip(outlines) {
            for (block, segments) in growth.segments.onward(&outline.segments) {
                let words = BlockWords {
                    block,
                    places: numbers.places(block.texts()),
                };
                for segment in segments {
                    let resource = resources.get(&(scope, segment.resource));
                    let resource = resource.copied().unwrap_or(u32::MAX);
                    let indexed = IndexedSegment::new(segment, scope, resource);
                    let key = session_of(scope, segment);
                    if self.last_session != Some(key) {
                        self.end_session(&mut session);
                        self.last_session = Some(key);
                    }
                    session.is_open = true;
                    self.add_segment(indexed, segment, &words, numbers, &mut session, &mut texts);
                }
            }
        }
        self.end_session(&mut session);
        texts
    }

    fn end_session(&mut self, session: &mut Session) {
        if std::mem::take(&mut session.is_open) {
            merge(&mut session.terms);
            self.sessions.push(&session.terms);
            session.terms.clear();
        }
    }

    fn add_segment(
        &mut self,
        mut indexed: IndexedSegment,
        segment: &SegmentOutline,
        words: &BlockWords<'_, SegmentOutline>,
        numbers: &mut WordNumbers,
        session: &mut Session,
        texts: &mut Texts,
    ) {
        let number = self.segments.len();
        indexed.session_index = self.sessions.document_count();
        let speaker = segment.speaker.and_then(|name| words.block.text(name));
        indexed.speaker = speaker.map(|name| self.speaker(name));
        if let (None, Some(role)) = (indexed.speaker, indexed.role) {
            self.nameless(role);
        }
        for passage in &segment.passages {
            let words = numbers.words(words, passage, &mut self.vocabulary);
            texts.push(words);
            session.passage.clear();
            session.passage.extend(self.vocabulary.terms(words));
            merge(&mut session.passage);
            indexed.length += self.passages.push(&session.passage);
            self.passage_owner.push(number as u32);
            session.terms.extend_from_slice(&session.passage);
        }
        texts.end();
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
        let mut terms: Vec<Posting> = Vec::new();
        for item in items {
            let words = numbers.words(&words, &item.words, &mut self.vocabulary);
            terms.clear();
            terms.extend(self.vocabulary.terms(words));
            merge(&mut terms);
            if item.segments.is_empty() {
                self.passages.count(&terms);
            }
            self.items.push(&terms);
            self.item_count += 1;
        }
    }

    /// Notes that somebody of this role speaks without a name.
    pub(super) fn nameless(&mut self, role: Role) {
        if !self.nameless_roles.contains(&role) {
            self.nameless_roles.push(role);
        }
    }

    /// The number of somebody who speaks by name.
    pub(super) fn speaker(&mut self, name: &str) -> u32 {
        let speakers = &mut self.speakers;
        let position = speakers.iter().position(|known| known == name);
        position.unwrap_or_else(|| {
            speakers.push(name.to_owned());
            speakers.len() - 1
        }) as u32
    }
}

/// The session whose segments are being added.
#[derive(Debug, Default)]
struct Session {
    /// Whether it has any.
    is_open: bool,
    /// The terms of its passages.
    terms: Vec<Posting>,
    /// Those of the last one.
    passage: Vec<Posting>,
}

/// A session by the number of its scope, the place of its resource and its number there.
pub(super) type SessionKey = (u32, u64, u32);

fn session_of(scope: u32, segment: &SegmentOutline) -> SessionKey {
    (scope, segment.resource, segment.session)
}

/// The numbers of the resources by scope and place.
fn number_resources(outlines: &[&Outline]) -> FxHashMap<(u32, u64), u32> {
    let resources = (0..).zip(outlines).flat_map(|(scope, outline): (u32, _)| {
        let resources = outline.resources.iter();
        resources.map(move |resource| (scope, resource.place))
    });
    resources.zip(0..).collect()
}
