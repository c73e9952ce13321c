mod build;
mod embedded;
mod evidence;
mod field;
#[cfg(test)]
mod growing_tests;
mod held;
mod interner;
mod matches;
mod meaning;
mod numbers;
mod partly_sealed;
mod scoring;
mod segment;
mod texts;
mod vectors;
mod vocabulary;
mod words;

use std::cmp::Ordering;
use std::sync::Arc;

use super::Question;
use crate::config::RankingConfig;
use crate::provider::NoWordVectors;
use crate::records::{ContentHash, Id, Role};
use build::SessionKey;
use embedded::Embedded;
use field::Field;
use matches::{QuestionMatches, WordMatches};
use meaning::Meaning;
use segment::IndexedSegment;
use vocabulary::Vocabulary;

pub use embedded::{EmbeddedQuestion, Nearest, Nearness};
pub use evidence::{Excerpt, FoundWords, ItemMatch, NEIGHBOURS};
pub use held::HeldVectors;
pub use partly_sealed::{
    FoundPlaces, PartlySealed, ReadBucket, SealedQuestion, Standing, WantedBucket,
};
pub use words::Words;

/// The postings of the selected scopes' segments and items, in memory. Derived
/// data: built from the records, dropped at will.
#[derive(Clone, Debug)]
pub struct Index {
    vocabulary: Vocabulary,
    meaning: Meaning,
    /// What an embedder made of the segments; `None` when it made nothing.
    embedded: Option<Embedded>,
    words: Arc<Words>,
    /// Passages of segments; the texts of items that cite no segment are counted.
    passages: Field,
    /// By passage: the segment it belongs to.
    passage_owner: Vec<u32>,
    sessions: Field,
    items: Field,
    item_count: usize,
    segments: Vec<IndexedSegment>,
    /// That of the last segment.
    last_session: Option<SessionKey>,
    speakers: Vec<String>,
    /// The roles of those who speak here without a name, in the order of speaking.
    nameless_roles: Vec<Role>,
    /// By number.
    resources: Vec<ContentHash>,
}

/// A segment of an [`Index`].
#[derive(Clone, Copy, Debug)]
pub struct SegmentName<'i> {
    /// The number of its scope.
    pub scope: usize,
    /// Its id.
    pub id: &'i Id,
    /// Its place in the outline of its scope.
    pub place: u64,
    /// The number of its resource.
    pub resource: u32,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            vocabulary: Vocabulary::default(),
            meaning: Meaning::default(),
            embedded: None,
            words: Arc::new(Words::new(Arc::new(NoWordVectors))),
            passages: Field::default(),
            passage_owner: Vec::new(),
            sessions: Field::default(),
            items: Field::default(),
            item_count: 0,
            segments: Vec::new(),
            last_session: None,
            speakers: Vec::new(),
            nameless_roles: Vec::new(),
            resources: Vec::new(),
        }
    }
}

impl Index {
    /// How many segments are indexed.
    pub fn segment_count(&self) -> usize {
        self.segments.len()
    }

    /// The segment at a position.
    pub fn segment(&self, position: usize) -> Option<SegmentName<'_>> {
        let segment = self.segments.get(position)?;
        Some(SegmentName {
            scope: segment.scope as usize,
            id: &segment.id,
            place: segment.place,
            resource: segment.resource,
        })
    }

    /// Understands a question in the light of who speaks here, and of the words of
    /// earlier questions that it refers to.
    fn question(&self, text: &str, carried: &str, config: &RankingConfig) -> Question {
        let speakers = self.speakers();
        let roles = &self.nameless_roles;
        let analyzer = self.vocabulary.analyzer();
        let question = Question::new(text, &speakers, roles, analyzer);
        if carried.is_empty() {
            return question;
        }
        let earlier = Question::new(carried, &speakers, roles, analyzer);
        question.referring_to(earlier, config.carried)
    }

    /// What the question's words may match here.
    fn matches(&self, question: &Question, config: &RankingConfig) -> QuestionMatches {
        let mut vector = vec![0.0; self.words.dimension()];
        let meanings: Vec<Vec<f32>> = question
            .words
            .iter()
            .map(|word| self.words.vector(&word.word))
            .collect();
        let terms = question.words.iter();
        let terms: Vec<Option<u32>> = terms.map(|word| self.vocabulary.term(&word.term)).collect();
        let sought = meanings.iter().map(Vec::as_slice);
        let sought: Vec<_> = sought.zip(terms.iter().copied()).collect();
        let nearest = self.meaning.nearest(&sought, &self.vocabulary, config);
        let mut matches = Vec::with_capacity(question.words.len());
        let words = question.words.iter().zip(&meanings).zip(terms).zip(nearest);
        for (((word, meaning), term), near) in words {
            matches.push(WordMatches {
                term,
                near,
                weight: word.weight,
            });
            let weight = word.weight * self.words.rarity(&word.word);
            for (sum, x) in vector.iter_mut().zip(meaning) {
                *sum += weight * x;
            }
        }
        QuestionMatches {
            words: matches,
            vector,
        }
    }

    /// Takes the vectors that an embedder made of the segments that were added, as far as they
    /// are held, which `vector` gives; those that have none are near to nothing. Does nothing
    /// where no segment ever had one and `dimension` is `None`.
    pub fn embed_segments<'v>(
        &mut self,
        dimension: Option<usize>,
        held: HeldVectors,
        vector: impl Fn(SegmentName<'_>) -> Option<&'v [f32]>,
    ) {
        let known = self.embedded.take();
        let new = || dimension.map(|dimension| Embedded::new(dimension, held));
        let Some(mut embedded) = known.or_else(new) else {
            return;
        };
        for position in embedded.segment_count()..self.segment_count() {
            embedded.push_segment(self.segment(position).and_then(&vector));
        }
        self.embedded = Some(embedded);
    }

    /// Whose vectors are held; `None` when there are none.
    pub fn held_vectors(&self) -> Option<HeldVectors> {
        self.embedded.as_ref().map(Embedded::held)
    }

    /// Takes, after [`Self::embed_segments`], the vector that the embedder made of an item
    /// that cites the segments at these positions; items come by ascending number.
    pub fn embed_item(&mut self, number: u32, vector: &[f32], cited: &[u32]) {
        if let Some(embedded) = &mut self.embedded {
            embedded.push_item(number, vector, cited);
        }
    }

    /// Notes that an item cites the segments at these positions from now on.
    pub fn cite(&mut self, number: u32, cited: &[u32]) {
        if let Some(embedded) = &mut self.embedded {
            embedded.cite(number, cited);
        }
    }

    /// The names of those who speak here.
    pub fn speakers(&self) -> Vec<&str> {
        self.speakers.iter().map(String::as_str).collect()
    }

    /// The order of two segments, given by position, that score the same: time,
    /// then resource by hash, ordinal and place.
    pub fn tie_break(&self, a: usize, b: usize) -> Ordering {
        let key = |segment: &IndexedSegment| {
            let content = self.resources.get(segment.resource as usize);
            let resource = (content, segment.resource);
            (segment.time, resource, segment.ordinal, segment.place)
        };
        match (self.segments.get(a), self.segments.get(b)) {
            (Some(a), Some(b)) => key(a).cmp(&key(b)),
            _ => a.cmp(&b),
        }
    }
}

/// Divides by the greatest value.
fn normalise(scores: &mut [f32]) {
    let greatest = scores.iter().copied().fold(0.0_f32, f32::max);
    if greatest > 0.0 {
        for score in scores {
            *score /= greatest;
        }
    }
}
