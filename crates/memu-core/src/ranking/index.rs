use std::cmp::Ordering;

use rustc_hash::FxHashMap;

use super::{Evidence, Question, SegmentScore, score_segments};
use crate::analysis::{Analyzer, passages};
use crate::config::RankingConfig;
use crate::records::{ContentHash, Id, MemoryItem, Resource, Role, Segment};

/// BM25's constants for whole sessions (Robertson and Zaragoza's usual ones).
const SESSION_K1: f32 = 1.2;
const SESSION_B: f32 = 0.75;

/// The postings of the selected scopes' segments and items, in memory. Derived
/// data: built from the records, dropped at will.
#[derive(Debug, Default)]
pub struct Index {
    vocabulary: FxHashMap<Box<str>, u32>,
    /// Passages of segments, and the texts of items that cite no segment.
    passages: Field,
    passage_owner: Vec<Owner>,
    sessions: Field,
    items: Field,
    segments: Vec<IndexedSegment>,
    speakers: Vec<String>,
    analyzer: Analyzer,
}

/// A segment with its resource's hash and its place among those handed in.
type Input<'a> = (ContentHash, u32, &'a Segment);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Owner {
    Segment(u32),
    Item,
}

#[derive(Debug)]
struct IndexedSegment {
    id: Id,
    /// Its place among the segments that were handed in.
    input: u32,
    session_index: u32,
    length: u32,
    asks: bool,
    ends_asking: bool,
    role: Option<Role>,
    speaker: Option<u32>,
    time: Option<jiff::civil::DateTime>,
    resource: ContentHash,
    ordinal: u32,
}

impl IndexedSegment {
    /// Whether the one speaker that the question names said it.
    fn is_named_by(&self, question: &Question) -> bool {
        match self.speaker {
            Some(speaker) => question.named_speaker == Some(speaker as usize),
            None => self.role.is_some() && self.role == question.named_role,
        }
    }
}

/// One kind of document with its postings and lengths.
#[derive(Debug, Default)]
struct Field {
    /// By term: the documents that hold it, with how often.
    postings: Vec<Vec<(u32, u32)>>,
    lengths: Vec<u32>,
    total_length: u64,
}

impl Field {
    /// Adds a document of these terms, which get sorted.
    fn push(&mut self, terms: &mut [u32]) {
        let document = self.lengths.len() as u32;
        terms.sort_unstable();
        for run in terms.chunk_by(|a, b| a == b) {
            let Some(term) = run.first() else { continue };
            let term = *term as usize;
            if self.postings.len() <= term {
                self.postings.resize_with(term + 1, Vec::new);
            }
            if let Some(postings) = self.postings.get_mut(term) {
                postings.push((document, run.len() as u32));
            }
        }
        self.lengths.push(terms.len() as u32);
        self.total_length += terms.len() as u64;
    }

    fn postings(&self, term: u32) -> &[(u32, u32)] {
        self.postings.get(term as usize).map_or(&[], Vec::as_slice)
    }

    /// BM25 of every document for these terms with their weights (idf).
    fn scores(&self, terms: &[(u32, f32)], k1: f32, b: f32) -> Vec<f32> {
        let mut scores = vec![0.0; self.lengths.len()];
        let average = (self.total_length as f32 / self.lengths.len().max(1) as f32).max(1.0);
        for (term, weight) in terms {
            for (document, frequency) in self.postings(*term) {
                let at = *document as usize;
                let (Some(score), Some(length)) = (scores.get_mut(at), self.lengths.get(at)) else {
                    continue;
                };
                let frequency = *frequency as f32;
                let norm = k1 * (1.0 - b + b * *length as f32 / average);
                *score += weight * frequency * (k1 + 1.0) / (frequency + norm);
            }
        }
        scores
    }

    /// The inverse document frequency of a term among these documents.
    fn idf(&self, term: u32) -> f32 {
        let holding = self.postings(term).len() as f32;
        let all = self.lengths.len() as f32;
        ((all - holding + 0.5) / (holding + 0.5)).ln_1p()
    }
}

/// How well an item's own text matches.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ItemMatch {
    /// BM25 of its text divided by the best of the question, 0 to 1.
    pub lexical: f32,
}

impl Index {
    /// Indexes records of the selected scopes. Segments may come in any order;
    /// results do not depend on it. Items are known by their position.
    pub fn build<'a>(
        resources: impl IntoIterator<Item = &'a Resource>,
        segments: impl IntoIterator<Item = &'a Segment>,
        items: impl IntoIterator<Item = &'a MemoryItem>,
        config: &RankingConfig,
    ) -> Self {
        let hashes: FxHashMap<&Id, ContentHash> = resources
            .into_iter()
            .map(|resource| (&resource.meta.id, resource.content_hash))
            .collect();
        let mut ordered: Vec<Input<'_>> = segments
            .into_iter()
            .enumerate()
            .map(|(input, segment)| {
                let hash = hashes.get(&segment.resource_id).copied();
                let hash = hash.unwrap_or(ContentHash::from_bytes([0; 32]));
                (hash, input as u32, segment)
            })
            .collect();
        ordered.sort_by_cached_key(|(hash, input, segment)| {
            let resource = segment.resource_id.clone();
            (*hash, resource, segment.session, segment.ordinal, *input)
        });
        let mut index = Self::default();
        index.add_segments(&ordered, config.passage_words);
        index.add_items(items);
        index
    }

    fn add_segments(&mut self, ordered: &[Input<'_>], passage_words: usize) {
        let same_session = |a: &Input<'_>, b: &Input<'_>| {
            a.2.resource_id == b.2.resource_id && a.2.session == b.2.session
        };
        for (session_index, session) in ordered.chunk_by(same_session).enumerate() {
            let mut session_terms = Vec::new();
            for (hash, input, segment) in session {
                let length = self.add_segment(segment, passage_words, &mut session_terms);
                let indexed = IndexedSegment {
                    id: segment.meta.id.clone(),
                    input: *input,
                    session_index: session_index as u32,
                    length,
                    asks: segment.text.contains('?'),
                    ends_asking: segment.text.trim_end().ends_with('?'),
                    role: segment.role,
                    speaker: segment.speaker.as_deref().map(|name| self.speaker(name)),
                    time: segment.happened_at,
                    resource: *hash,
                    ordinal: segment.ordinal,
                };
                self.segments.push(indexed);
            }
            self.sessions.push(&mut session_terms);
        }
    }

    /// Adds the passages of a segment and returns how many terms it has.
    fn add_segment(&mut self, segment: &Segment, words: usize, session: &mut Vec<u32>) -> u32 {
        let owner = Owner::Segment(self.segments.len() as u32);
        let caption = segment.caption.as_deref().unwrap_or_default();
        let mut ranges = passages(&segment.text, words);
        if ranges.is_empty() {
            ranges.push(0..0);
        }
        let last = ranges.len() - 1;
        let mut length = 0;
        for (at, range) in ranges.into_iter().enumerate() {
            let text = segment.text.get(range).unwrap_or_default();
            let mut terms = self.terms(text);
            if at == last {
                terms.extend(self.terms(caption));
            }
            length += terms.len() as u32;
            session.extend_from_slice(&terms);
            self.passages.push(&mut terms);
            self.passage_owner.push(owner);
        }
        length
    }

    fn add_items<'a>(&mut self, items: impl IntoIterator<Item = &'a MemoryItem>) {
        for item in items {
            let mut terms = self.terms(&item.summary);
            if item.segment_ids.is_empty() {
                self.passages.push(&mut terms);
                self.passage_owner.push(Owner::Item);
            }
            self.items.push(&mut terms);
        }
    }

    fn terms(&mut self, text: &str) -> Vec<u32> {
        let mut terms = Vec::new();
        let vocabulary = &mut self.vocabulary;
        self.analyzer.for_each_term(text, |term| {
            let number = if let Some(number) = vocabulary.get(term) {
                *number
            } else {
                let number = vocabulary.len() as u32;
                vocabulary.insert(term.into(), number);
                number
            };
            terms.push(number);
        });
        terms
    }

    fn speaker(&mut self, name: &str) -> u32 {
        let position = self.speakers.iter().position(|known| known == name);
        position.unwrap_or_else(|| {
            self.speakers.push(name.to_owned());
            self.speakers.len() - 1
        }) as u32
    }

    /// How many segments are indexed.
    pub fn segment_count(&self) -> usize {
        self.segments.len()
    }

    /// The id of the segment at a position, and its place among the segments that
    /// the index was built from.
    pub fn segment(&self, position: usize) -> Option<(&Id, usize)> {
        let segment = self.segments.get(position)?;
        Some((&segment.id, segment.input as usize))
    }

    /// Understands a question in the light of who speaks here.
    pub fn question(&self, text: &str) -> Question {
        let speakers: Vec<&str> = self.speakers.iter().map(String::as_str).collect();
        let nameless = self
            .segments
            .iter()
            .filter(|segment| segment.speaker.is_none());
        let mut roles: Vec<Role> = Vec::new();
        for role in nameless.filter_map(|segment| segment.role) {
            if !roles.contains(&role) {
                roles.push(role);
            }
        }
        Question::new(text, &speakers, &roles, &self.analyzer)
    }

    /// Scores every segment, by position.
    pub fn score_segments(&self, question: &Question, config: &RankingConfig) -> Vec<SegmentScore> {
        let terms = self.weighted_terms(question, &self.passages);
        let by_passage = self.passages.scores(&terms, config.k1, config.b);
        let mut lexical = vec![0.0_f32; self.segments.len()];
        for (owner, score) in self.passage_owner.iter().zip(&by_passage) {
            if let Owner::Segment(segment) = owner
                && let Some(best) = lexical.get_mut(*segment as usize)
            {
                *best = best.max(*score);
            }
        }
        normalise(&mut lexical);
        let session_terms = self.weighted_terms(question, &self.sessions);
        let mut sessions = self.sessions.scores(&session_terms, SESSION_K1, SESSION_B);
        normalise(&mut sessions);
        let evidence: Vec<Evidence> = self
            .segments
            .iter()
            .zip(&lexical)
            .map(|(segment, lexical)| Evidence {
                lexical: *lexical,
                session: sessions
                    .get(segment.session_index as usize)
                    .copied()
                    .unwrap_or_default(),
                session_index: segment.session_index,
                length: segment.length,
                asks: segment.asks,
                ends_asking: segment.ends_asking,
                assistant: segment.role == Some(Role::Assistant),
                named_speaker: segment.is_named_by(question),
                date: question.date_bonus(segment.time, config),
            })
            .collect();
        score_segments(&evidence, config)
    }

    /// How well each item's own text matches, by position.
    pub fn match_items(&self, question: &Question, config: &RankingConfig) -> Vec<ItemMatch> {
        let terms = self.weighted_terms(question, &self.items);
        let mut scores = self.items.scores(&terms, config.k1, config.b);
        normalise(&mut scores);
        scores
            .into_iter()
            .map(|lexical| ItemMatch { lexical })
            .collect()
    }

    /// The question's terms with their weight among one kind of document.
    fn weighted_terms(&self, question: &Question, field: &Field) -> Vec<(u32, f32)> {
        question
            .terms
            .iter()
            .filter_map(|term| self.vocabulary.get(term.as_str()))
            .map(|term| (*term, field.idf(*term)))
            .collect()
    }

    /// The order of two segments, given by position, that score the same: time,
    /// then resource hash, ordinal and id.
    pub fn tie_break(&self, a: usize, b: usize) -> Ordering {
        match (self.segments.get(a), self.segments.get(b)) {
            (Some(a), Some(b)) => (a.time, &a.resource, a.ordinal, &a.id).cmp(&(
                b.time,
                &b.resource,
                b.ordinal,
                &b.id,
            )),
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
