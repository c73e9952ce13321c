//! An index of scopes of which most records are sealed.

mod gathered;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::evidence::{Excerpt, FoundWords, SESSIONS, saturation};
use super::held::newest;
use super::matches::QuestionMatches;
use super::{HeldVectors, Index, SegmentName, Words, normalise};
use crate::config::RankingConfig;
use crate::error::Result;
use crate::ranking::Question;
use crate::ranking::outline::{Growth, Outline};
use crate::ranking::sealed::{Bucket, PartName, SealedPart};
use crate::records::OwnerKind;

/// One in so many of the newest that should tell an average still does.
const ENOUGH: usize = 4;

/// Where a record stands: the number of its scope, and its place there.
pub type Standing = (usize, u64);

/// An index of scopes of which parts are sealed: what is not sealed is in memory, and of the
/// parts what is known of them without their postings, which are asked for with each question.
#[derive(Clone, Debug)]
pub struct PartlySealed {
    /// What is not sealed, and all words that occur.
    open: Index,
    /// By number: where the items that are not sealed stand.
    items: Vec<Standing>,
    parts: Vec<PartOfScope>,
}

#[derive(Clone, Debug)]
struct PartOfScope {
    scope: usize,
    part: Arc<SealedPart>,
    /// The number of its first session among all.
    first_session: u32,
}

/// A question, and which terms it may match.
#[derive(Clone, Debug)]
pub struct SealedQuestion {
    question: Question,
    matches: QuestionMatches,
    terms: Vec<u32>,
}

/// A bucket that holds words of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WantedBucket {
    /// The number of its scope.
    pub scope: usize,
    /// Its part.
    pub part: PartName,
    /// Its number in that.
    pub bucket: u32,
}

/// A bucket that was read, as bytes.
#[derive(Clone, Debug)]
pub struct ReadBucket {
    /// Which it is.
    pub which: WantedBucket,
    /// Its words.
    pub words: Vec<u8>,
    /// Their postings.
    pub lists: Vec<u8>,
}

/// What the words of a question find.
#[derive(Clone, Debug)]
pub struct FoundPlaces {
    question: Question,
    meaning: Vec<f32>,
    average: f32,
    /// The segments that match: BM25 of the best passage divided by the best of all; the others,
    /// too, where so few are there that all may score.
    segments: Vec<(Standing, f32)>,
    are_few: bool,
    /// The items that match.
    items: Vec<(Standing, f32)>,
    /// By session.
    sessions: Vec<f32>,
}

impl PartlySealed {
    /// Indexes what is not sealed of these scopes, and takes the parts, each with the number of
    /// its scope.
    pub fn build(
        outlines: &[&Outline],
        parts: impl IntoIterator<Item = (usize, Arc<SealedPart>)>,
        words: Arc<Words>,
    ) -> Self {
        let mut open = Index::build(outlines, words);
        let mut sessions = open.sessions.document_count();
        let mut all = Vec::new();
        for (scope, part) in parts {
            let first_session = sessions;
            sessions += part.summary.sessions.len() as u32;
            for word in &part.words {
                open.vocabulary.word(word);
            }
            for (name, _) in &part.summary.speakers {
                open.speaker(name);
            }
            for (role, _) in &part.summary.nameless {
                open.nameless(*role);
            }
            all.push(PartOfScope {
                scope,
                part,
                first_session,
            });
        }
        open.meaning.add_words(&open.vocabulary, &open.words);
        Self {
            open,
            items: standing_items(outlines, &Growth::of_everything()),
            parts: all,
        }
    }

    /// Whether [`Self::grow`] leaves the index of what is open of its one scope now.
    pub fn can_grow(&self, open: &Outline, growth: &Growth) -> bool {
        self.open.can_grow(open, growth)
    }

    /// Adds what is open of its one scope more than before; first, see [`Self::can_grow`].
    pub fn grow(&mut self, open: &Outline, growth: &Growth) {
        self.open.grow(open, growth);
        self.items.extend(standing_items(&[open], growth));
    }

    /// Takes the vectors that an embedder made of open segments that were added, and of open items
    /// that cite none, by ascending number, as far as they are held: they tell the average of all.
    /// Does nothing where there never were any.
    pub fn embed<'v>(
        &mut self,
        held: HeldVectors,
        dimension: Option<usize>,
        segment: impl Fn(SegmentName<'_>) -> Option<&'v [f32]>,
        items: impl Iterator<Item = (usize, &'v [f32])>,
    ) {
        self.open.embed_segments(dimension, held, segment);
        for (number, vector) in items {
            self.open.embed_item(number as u32, vector, &[]);
        }
    }

    /// How many passages segments have.
    fn passages(&self) -> u64 {
        let sealed = self.parts_of(OwnerKind::Segment);
        let sealed: u64 = sealed.map(|(_, one)| one.part.summary.documents).sum();
        self.open.passage_owner.len() as u64 + sealed
    }

    /// Whether so few segments are there that all may score.
    fn are_few(&self, config: &RankingConfig) -> bool {
        self.passages() <= config.candidates as u64
    }

    /// Whether questions can be asked of the parts: what is not sealed must be enough of the newest
    /// to tell averages, though some may have been deleted since, and where all segments may score,
    /// none may be sealed.
    pub fn can_be_asked(&self, config: &RankingConfig) -> bool {
        let seals = |kind| self.parts_of(kind).next().is_some();
        let tells = |open: usize, wanted: usize| open >= wanted / ENOUGH;
        let segments = tells(self.open.segment_count(), config.average_of) && !self.are_few(config);
        let items = tells(self.items.len(), newest(config));
        (segments || !seals(OwnerKind::Segment)) && (items || !seals(OwnerKind::Item))
    }

    /// The names of those who speak here.
    pub fn speakers(&self) -> Vec<&str> {
        self.open.speakers()
    }

    /// Understands a question; see [`Index::find_words`].
    pub fn ask(&self, text: &str, carried: &str, config: &RankingConfig) -> SealedQuestion {
        let question = self.open.question(text, carried, config);
        let matches = self.open.matches(&question, config);
        SealedQuestion {
            terms: matches.terms(),
            question,
            matches,
        }
    }

    /// The buckets in which the words of a question lie.
    pub fn wanted(&self, asked: &SealedQuestion) -> Vec<WantedBucket> {
        let terms = asked.terms.iter();
        let terms: Vec<&str> = terms
            .filter_map(|term| self.open.vocabulary.term_text(*term))
            .collect();
        let mut wanted = Vec::new();
        for one in &self.parts {
            let buckets = one.part.summary.buckets;
            let numbers = terms.iter().map(|term| Bucket::of_term(term, buckets));
            let numbers: FxHashSet<u32> = numbers.collect();
            wanted.extend(numbers.into_iter().map(|bucket| WantedBucket {
                scope: one.scope,
                part: one.part.name,
                bucket,
            }));
        }
        wanted.sort_unstable();
        wanted
    }

    /// What a question finds, given the buckets that it wants, as far as there are any.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) when one is damaged.
    pub fn find(
        &self,
        asked: SealedQuestion,
        buckets: &[ReadBucket],
        config: &RankingConfig,
    ) -> Result<FoundPlaces> {
        let sealed = self.lists(&asked, buckets)?;
        let matches = asked.matches.renumbered(&asked.terms);
        let (passages, owners) = self.passages_of(&asked.terms, &sealed);
        let words = matches.similar(&passages, config);
        let scores = passages.scores(&words, saturation(config), config.candidates);
        let mut segments: FxHashMap<Standing, f32> = FxHashMap::default();
        let are_few = self.are_few(config);
        if are_few {
            let all = (0..self.open.segment_count() as u32).map(|at| (self.open_segment(at), 0.0));
            segments.extend(all);
        }
        for (owner, score) in owners.iter().zip(scores) {
            if score > 0.0 {
                let best = segments.entry(*owner).or_default();
                *best = best.max(score);
            }
        }
        let (items, standing) = self.items_of(&asked.terms, &sealed);
        let words = matches.similar(&items, config);
        let scores = items.scores(&words, saturation(config), config.candidates);
        let found = standing.into_iter().zip(scores);
        let sessions = self.sessions_of(&asked.terms, &sealed);
        let words = matches.exact(&sessions);
        let mut sessions = sessions.scores(&words, SESSIONS, usize::MAX);
        normalise(&mut sessions);
        Ok(FoundPlaces {
            average: self
                .open
                .meaning
                .average(&asked.matches.vector, config.average_of),
            meaning: asked.matches.vector,
            question: asked.question,
            segments: normalised(segments),
            are_few,
            items: normalised(found.filter(|(_, score)| *score > 0.0)),
            sessions,
        })
    }

    fn open_segment(&self, position: u32) -> Standing {
        let segment = self.open.segments.get(position as usize);
        segment.map_or((0, 0), |segment| (segment.scope as usize, segment.place))
    }

    /// The number of the session in which a segment lies.
    fn session_of(&self, (scope, place): Standing) -> Option<u32> {
        for (_, one) in self.parts_of(OwnerKind::Segment) {
            if one.scope == scope
                && let Some(session) = one.part.summary.session_of(place)
            {
                return Some(one.first_session + session as u32);
            }
        }
        let open = &self.open.segments;
        let at = open.binary_search_by_key(&(scope, place), |one| (one.scope as usize, one.place));
        Some(open.get(at.ok()?)?.session_index)
    }

    /// What was found, told of an index of an excerpt: of the records that were found, and some
    /// around them. `items` says where its items stand, by number. The index learns what vectors
    /// are on average.
    pub fn tell(
        &self,
        found: FoundPlaces,
        index: &mut Index,
        items: &[Standing],
        excerpt: Excerpt,
    ) -> FoundWords {
        let embedded = self.open.embedded.as_ref();
        let segments = index.segments.len();
        index.embedded = embedded.map(|whole| whole.excerpt(self.items.len(), segments));
        let lexical: FxHashMap<Standing, f32> = found.segments.into_iter().collect();
        let score = |of: &FxHashMap<Standing, f32>, at: &Standing| of.get(at).copied();
        let mut segments = Vec::with_capacity(index.segments.len());
        let mut sessions = vec![0.0; index.sessions.document_count() as usize];
        for segment in &index.segments {
            let standing = (segment.scope as usize, segment.place);
            segments.push(score(&lexical, &standing).unwrap_or_default());
            let session = self.session_of(standing);
            let session = session.and_then(|number| found.sessions.get(number as usize));
            if let (Some(told), Some(score)) =
                (sessions.get_mut(segment.session_index as usize), session)
            {
                *told = *score;
            }
        }
        let own: FxHashMap<Standing, f32> = found.items.into_iter().collect();
        let items = items.iter();
        let items = items.map(|standing| score(&own, standing).unwrap_or_default());
        let named = found.question.named_speaker;
        let named = named.and_then(|number| self.open.speakers.get(number));
        let named = named.and_then(|name| index.speakers.iter().position(|one| one == name));
        FoundWords {
            question: Question {
                named_speaker: named,
                ..found.question
            },
            segments,
            sessions,
            items: items.collect(),
            meaning: found.meaning,
            excerpt: Some(excerpt.of(found.average, found.are_few)),
        }
    }
}

impl FoundPlaces {
    /// Where the segments stand that may score.
    pub fn segments(&self) -> impl Iterator<Item = Standing> {
        self.segments.iter().map(|(standing, _)| *standing)
    }

    /// Where the items stand whose own text matches.
    pub fn items(&self) -> impl Iterator<Item = Standing> {
        self.items.iter().map(|(standing, _)| *standing)
    }
}

/// Where the items of outlines stand.
fn standing_items(outlines: &[&Outline], growth: &Growth) -> Vec<Standing> {
    let mut standing = Vec::new();
    for (scope, outline) in outlines.iter().enumerate() {
        let items = growth.items.onward(&outline.items);
        standing.extend(
            items
                .flat_map(|(_, items)| items)
                .map(|item| (scope, item.place)),
        );
    }
    standing
}

/// Scores divided by the best of all.
fn normalised(scores: impl IntoIterator<Item = (Standing, f32)>) -> Vec<(Standing, f32)> {
    let (standing, mut scores): (Vec<_>, Vec<f32>) = scores.into_iter().unzip();
    normalise(&mut scores);
    standing.into_iter().zip(scores).collect()
}
