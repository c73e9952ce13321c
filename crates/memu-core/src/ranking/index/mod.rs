mod field;
mod meaning;
mod segment;
mod vectors;
mod vocabulary;

use std::cmp::Ordering;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{Evidence, Question, SegmentScore, score_segments};
use crate::analysis::passages;
use crate::config::RankingConfig;
use crate::provider::{NoWordVectors, WordVectors};
use crate::records::{ContentHash, Id, MemoryItem, Resource, Role, Segment};
use field::{Alternatives, Field};
use meaning::Meaning;
use segment::IndexedSegment;
use vocabulary::Vocabulary;

/// BM25's constants for whole sessions (Robertson and Zaragoza's usual ones).
const SESSION_K1: f32 = 1.2;
const SESSION_B: f32 = 0.75;

/// The postings of the selected scopes' segments and items, in memory. Derived
/// data: built from the records, dropped at will.
#[derive(Debug)]
pub struct Index {
    vocabulary: Vocabulary,
    meaning: Meaning,
    words: Arc<dyn WordVectors>,
    /// Passages of segments, and the texts of items that cite no segment.
    passages: Field,
    /// By passage: the segment it belongs to; `None` for an item's text.
    passage_owner: Vec<Option<u32>>,
    sessions: Field,
    items: Field,
    segments: Vec<IndexedSegment>,
    speakers: Vec<String>,
}

/// A segment with its resource's hash and its place among those handed in.
type Input<'a> = (ContentHash, u32, &'a Segment);

/// How well an item's own text matches.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ItemMatch {
    /// BM25 of its text divided by the best of the question, 0 to 1.
    pub lexical: f32,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            vocabulary: Vocabulary::default(),
            meaning: Meaning::default(),
            words: Arc::new(NoWordVectors),
            passages: Field::default(),
            passage_owner: Vec::new(),
            sessions: Field::default(),
            items: Field::default(),
            segments: Vec::new(),
            speakers: Vec::new(),
        }
    }
}

impl Index {
    /// Indexes records of the selected scopes. Segments may come in any order;
    /// results do not depend on it. Items are known by their position.
    pub fn build<'a>(
        resources: impl IntoIterator<Item = &'a Resource>,
        segments: impl IntoIterator<Item = &'a Segment>,
        items: impl IntoIterator<Item = &'a MemoryItem>,
        words: Arc<dyn WordVectors>,
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
        index.meaning = Meaning::build(
            &index.vocabulary.commonest_words(),
            &index.passages,
            &index.passage_owner,
            index.segments.len(),
            &*words,
        );
        index.words = words;
        index
    }

    fn add_segments(&mut self, ordered: &[Input<'_>], passage_words: usize) {
        let same_session = |a: &Input<'_>, b: &Input<'_>| {
            a.2.resource_id == b.2.resource_id && a.2.session == b.2.session
        };
        for (session_index, session) in ordered.chunk_by(same_session).enumerate() {
            let mut session_terms = Vec::new();
            for (hash, input, segment) in session {
                let mut indexed = IndexedSegment::new(segment, *hash, *input, session_index as u32);
                indexed.length = self.add_passages(segment, passage_words, &mut session_terms);
                indexed.speaker = segment.speaker.as_deref().map(|name| self.speaker(name));
                self.segments.push(indexed);
            }
            self.sessions.push(&mut session_terms);
        }
    }

    /// Adds the passages of a segment and returns how many terms it has.
    fn add_passages(&mut self, segment: &Segment, words: usize, session: &mut Vec<u32>) -> u32 {
        let owner = Some(self.segments.len() as u32);
        let caption = segment.caption.as_deref().unwrap_or_default();
        let mut ranges = passages(&segment.text, words);
        if ranges.is_empty() {
            ranges.push(0..0);
        }
        let last = ranges.len() - 1;
        let mut length = 0;
        for (at, range) in ranges.into_iter().enumerate() {
            let text = segment.text.get(range).unwrap_or_default();
            let mut terms = Vec::new();
            self.vocabulary.add(text, &mut terms);
            if at == last {
                self.vocabulary.add(caption, &mut terms);
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
            let mut terms = Vec::new();
            self.vocabulary.add(&item.summary, &mut terms);
            if item.segment_ids.is_empty() {
                self.passages.push(&mut terms);
                self.passage_owner.push(None);
            }
            self.items.push(&mut terms);
        }
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

    /// Understands a question in the light of who speaks here, and of the words of
    /// earlier questions that it refers to.
    pub fn question(&self, text: &str, carried: &str, config: &RankingConfig) -> Question {
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
        let analyzer = self.vocabulary.analyzer();
        let question = Question::new(text, &speakers, &roles, analyzer);
        if carried.is_empty() {
            return question;
        }
        let earlier = Question::new(carried, &speakers, &roles, analyzer);
        question.referring_to(earlier, config.carried)
    }

    /// What the question's words may match here.
    pub fn matches(&self, question: &Question, config: &RankingConfig) -> QuestionMatches {
        let mut vector = vec![0.0; self.words.dimension()];
        let mut matches = Vec::with_capacity(question.words.len());
        for word in &question.words {
            let term = self.vocabulary.term(&word.term);
            let meaning = self.meaning.word(&word.word, &*self.words);
            matches.push(WordMatches {
                term,
                near: self.meaning.nearest(&meaning, term, config),
                weight: word.weight,
            });
            // A word that does not occur here is as rare as can be.
            let idf = match term {
                Some(term) => self.passages.idf(term),
                None => (self.passages.document_count() as f32).ln_1p(),
            };
            for (sum, x) in vector.iter_mut().zip(&meaning) {
                *sum += word.weight * idf * x;
            }
        }
        QuestionMatches {
            words: matches,
            vector,
        }
    }

    /// Scores every segment, by position.
    pub fn score_segments(
        &self,
        question: &Question,
        matches: &QuestionMatches,
        config: &RankingConfig,
    ) -> Vec<SegmentScore> {
        let lexical = self.score_by_passage(matches, config);
        let semantic = self.meaning.nearness(&matches.vector);
        let words = matches.exact(&self.sessions);
        let mut sessions = self.sessions.scores(&words, SESSION_K1, SESSION_B);
        normalise(&mut sessions);
        let evidence: Vec<Evidence> = self
            .segments
            .iter()
            .zip(&lexical)
            .enumerate()
            .map(|(at, (segment, lexical))| Evidence {
                lexical: *lexical,
                semantic: semantic.get(at).copied().unwrap_or_default(),
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
                guidance: segment.guidance(question, config),
            })
            .collect();
        score_segments(&evidence, config)
    }

    /// By segment: the score of its best passage, divided by the best of all.
    fn score_by_passage(&self, matches: &QuestionMatches, config: &RankingConfig) -> Vec<f32> {
        let words = matches.similar(&self.passages, config);
        let by_passage = self.passages.scores(&words, config.k1, config.b);
        let mut lexical = vec![0.0_f32; self.segments.len()];
        for (owner, score) in self.passage_owner.iter().zip(&by_passage) {
            if let Some(segment) = owner
                && let Some(best) = lexical.get_mut(*segment as usize)
            {
                *best = best.max(*score);
            }
        }
        normalise(&mut lexical);
        lexical
    }

    /// How well each item's own text matches, by position.
    pub fn match_items(&self, matches: &QuestionMatches, config: &RankingConfig) -> Vec<ItemMatch> {
        let words = matches.similar(&self.items, config);
        let mut scores = self.items.scores(&words, config.k1, config.b);
        normalise(&mut scores);
        scores
            .into_iter()
            .map(|lexical| ItemMatch { lexical })
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

/// What each word of a question may match in an [`Index`].
#[derive(Clone, Debug, Default)]
pub struct QuestionMatches {
    words: Vec<WordMatches>,
    /// The mean of the words' vectors, each weighing its idf; of any length.
    vector: Vec<f32>,
}

#[derive(Clone, Debug)]
struct WordMatches {
    /// The word's own term, where it occurs.
    term: Option<u32>,
    /// Terms that mean nearly the same, with their cosine.
    near: Vec<(u32, f32)>,
    /// How much the word counts.
    weight: f32,
}

impl QuestionMatches {
    /// Only the words themselves.
    fn exact(&self, field: &Field) -> Vec<Alternatives> {
        let words = self.words.iter();
        words
            .map(|word| {
                word.term
                    .iter()
                    .map(|term| (*term, word.weight * field.idf(*term)))
                    .collect()
            })
            .collect()
    }

    /// The words and those near to them. A similar term is worth at most what the
    /// word itself is worth, and at most what it is worth itself.
    fn similar(&self, field: &Field, config: &RankingConfig) -> Vec<Alternatives> {
        let words = self.words.iter();
        words
            .map(|word| {
                let own = word.term.map(|term| (term, field.idf(term)));
                let most = own.map_or(f32::INFINITY, |(_, idf)| idf);
                let near = word.near.iter().map(|(term, cosine)| {
                    let idf = field.idf(*term).min(most);
                    (*term, word.weight * config.similar_weight * cosine * idf)
                });
                let own = own.map(|(term, idf)| (term, word.weight * idf));
                own.into_iter().chain(near).collect()
            })
            .collect()
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
