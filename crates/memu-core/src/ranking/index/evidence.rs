//! What an index knows of its segments and items in the light of one question.

use std::iter::repeat;

use super::embedded::{EmbeddedQuestion, Nearness};
use super::matches::QuestionMatches;
use super::scoring::Saturation;
use super::segment::IndexedSegment;
use super::{Index, normalise};
use crate::config::RankingConfig;
use crate::ranking::{Evidence, Question};
use crate::records::Role;

/// BM25's constants for whole sessions (Robertson and Zaragoza's usual ones).
pub(super) const SESSIONS: Saturation = Saturation { k1: 1.2, b: 0.75 };

/// How many before and how many after a segment add to its score.
pub const NEIGHBOURS: usize = 2;

/// How well an item's own text matches.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ItemMatch {
    /// BM25 of its text divided by the best of the question, 0 to 1.
    pub lexical: f32,
    /// How near the vector that an embedder made of it is to the question's; see
    /// [`Nearness::items`].
    pub embedded: f32,
}

/// What the words of a question find in an [`Index`].
#[derive(Clone, Debug)]
pub struct FoundWords {
    pub(super) question: Question,
    /// By position of a segment: BM25 of its best passage divided by the best of all, 0 to 1.
    pub(super) segments: Vec<f32>,
    /// By session: BM25 divided by the best of all, 0 to 1.
    pub(super) sessions: Vec<f32>,
    /// By number of an item: BM25 of its text divided by the best of all, 0 to 1.
    pub(super) items: Vec<f32>,
    /// The sum of the vectors of the question's words, each weighing its rarity.
    pub(super) meaning: Vec<f32>,
    /// What an index does not know that holds only what was found, and some around it.
    pub(super) excerpt: Option<Excerpt>,
}

/// What an index of an excerpt does not know of it: there are segments of which it was told all
/// but their words, and others between them that it was not told of.
#[derive(Clone, Debug, Default)]
pub struct Excerpt {
    /// How near the newest texts of the whole are to the question on average.
    average: f32,
    /// Whether all of the whole may score, and are in it.
    are_few: bool,
    /// By position: how many words the segment has.
    lengths: Vec<u32>,
    /// By position: the number of the run of segments that lie side by side in their scope.
    runs: Vec<u32>,
}

impl Excerpt {
    /// The same, where the newest texts are so near on average, and where all segments are in it
    /// if they are few.
    #[must_use]
    pub(super) fn of(self, average: f32, are_few: bool) -> Self {
        Self {
            average,
            are_few,
            ..self
        }
    }

    /// Of segments with so many words, in these runs, by position.
    pub fn new(lengths: Vec<u32>, runs: Vec<u32>) -> Self {
        Self {
            average: 0.0,
            are_few: false,
            lengths,
            runs,
        }
    }
}

impl ItemMatch {
    /// How well it matches in all.
    pub fn score(&self, config: &RankingConfig) -> f32 {
        self.lexical + config.item_embedded * self.embedded
    }
}

impl Index {
    /// How near what the embedder made of segments and items is to what it made of a question.
    pub fn nearness(&self, question: EmbeddedQuestion<'_>, config: &RankingConfig) -> Nearness {
        match &self.embedded {
            Some(embedded) => embedded.nearness(question, self.item_count, config),
            None => Nearness::default(),
        }
    }

    /// What the words of a question find here, in the light of who speaks, and of the words of
    /// earlier questions that it refers to: all that can be known before vectors are compared.
    pub fn find_words(&self, text: &str, carried: &str, config: &RankingConfig) -> FoundWords {
        let question = self.question(text, carried, config);
        let matches = self.matches(&question, config);
        let words = matches.exact(&self.sessions);
        let mut sessions = self.sessions.scores(&words, SESSIONS, usize::MAX);
        normalise(&mut sessions);
        let words = matches.similar(&self.items, config);
        let mut items = self
            .items
            .scores(&words, saturation(config), config.candidates);
        normalise(&mut items);
        FoundWords {
            segments: self.score_by_passage(&matches, config),
            sessions,
            items,
            meaning: matches.vector,
            question,
            excerpt: None,
        }
    }

    /// What is known about every segment, by position; `embedded` is how near the vectors that
    /// an embedder made of them are.
    pub fn evidence(
        &self,
        found: &FoundWords,
        embedded: &Nearness,
        config: &RankingConfig,
    ) -> Vec<Evidence> {
        let FoundWords {
            question, segments, ..
        } = found;
        let excerpt = found.excerpt.as_ref();
        let (are_few, average) = match excerpt {
            Some(excerpt) => (excerpt.are_few, excerpt.average),
            None => (
                self.passage_owner.len() <= config.candidates,
                self.meaning.average(&found.meaning, config.average_of),
            ),
        };
        let (semantic, candidates) = if are_few {
            let all = vec![true; self.segments.len()];
            (self.meaning.nearness(&found.meaning, average), all)
        } else {
            let score = |of: &[f32], at: usize| of.get(at).copied().unwrap_or_default();
            let is_found =
                |at: &usize| score(segments, *at) > 0.0 || score(&embedded.segments, *at) > 0.0;
            let found_at: Vec<usize> = (0..self.segments.len()).filter(is_found).collect();
            let semantic = self.meaning.nearness_at(&found.meaning, &found_at, average);
            (semantic, self.around(&found_at, excerpt))
        };
        let told = |of: fn(&Excerpt) -> &[u32], at: usize| of(excerpt?).get(at).copied();
        self.segments
            .iter()
            .zip(segments)
            .enumerate()
            .map(|(at, (segment, lexical))| Evidence {
                is_candidate: candidates.get(at).copied().unwrap_or_default(),
                lexical: *lexical,
                semantic: semantic.get(at).copied().unwrap_or_default(),
                embedded: embedded.segments.get(at).copied().unwrap_or_default(),
                session: found
                    .sessions
                    .get(segment.session_index as usize)
                    .copied()
                    .unwrap_or_default(),
                session_index: segment.session_index,
                run: told(|excerpt| &excerpt.runs, at).unwrap_or_default(),
                length: told(|excerpt| &excerpt.lengths, at).unwrap_or(segment.length),
                asks: segment.asks,
                ends_asking: segment.ends_asking,
                assistant: segment.role == Some(Role::Assistant),
                named_speaker: segment.is_named_by(question),
                date: question.date_bonus(segment.time, config),
                guidance: segment.guidance(question, config),
            })
            .collect()
    }

    /// By segment: the score of its best passage, divided by the best of all.
    fn score_by_passage(&self, matches: &QuestionMatches, config: &RankingConfig) -> Vec<f32> {
        let words = matches.similar(&self.passages, config);
        let by_passage = self
            .passages
            .scores(&words, saturation(config), config.candidates);
        let mut lexical = vec![0.0_f32; self.segments.len()];
        for (owner, score) in self.passage_owner.iter().zip(&by_passage) {
            if let Some(best) = lexical.get_mut(*owner as usize) {
                *best = best.max(*score);
            }
        }
        normalise(&mut lexical);
        lexical
    }

    /// By position: whether a segment was found, or is one of the [`NEIGHBOURS`] of one that was
    /// in its session. These are the candidates where there are many segments: meaning alone
    /// makes half of all score, and one common word every session.
    fn around(&self, found: &[usize], excerpt: Option<&Excerpt>) -> Vec<bool> {
        let run = |at: usize| excerpt.and_then(|excerpt| excerpt.runs.get(at));
        let mut candidates = vec![false; self.segments.len()];
        for position in found {
            let session = |segment: &IndexedSegment| segment.session_index;
            let own = self.segments.get(*position).map(session);
            let first = position.saturating_sub(NEIGHBOURS);
            let around = (first..).zip(self.segments.iter().skip(first));
            for (at, segment) in around.take(position + NEIGHBOURS + 1 - first) {
                if Some(session(segment)) == own
                    && run(at) == run(*position)
                    && let Some(is_candidate) = candidates.get_mut(at)
                {
                    *is_candidate = true;
                }
            }
        }
        candidates
    }
}

impl FoundWords {
    /// The question, understood.
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// How well each item's own text matches, by position.
    pub fn match_items(self, embedded: &Nearness) -> Vec<ItemMatch> {
        let embedded = embedded.items.iter().copied().chain(repeat(0.0));
        self.items
            .into_iter()
            .zip(embedded)
            .map(|(lexical, embedded)| ItemMatch { lexical, embedded })
            .collect()
    }
}

pub(super) fn saturation(config: &RankingConfig) -> Saturation {
    Saturation {
        k1: config.k1,
        b: config.b,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{HeldVectors, Nearest, Words};
    use super::*;
    use crate::provider::{NoWordVectors, WordVectors};
    use crate::ranking::outline::{BlockBuilder, Outline, SegmentOutline};
    use crate::records::{Id, Meta, Segment};
    use crate::scope::ScopeSchema;
    use crate::time::Timestamp;

    /// Words that begin alike mean alike.
    #[derive(Debug)]
    struct Beginnings;

    impl WordVectors for Beginnings {
        fn dimension(&self) -> usize {
            2
        }

        fn write(&self, word: &str, vector: &mut [f32]) -> bool {
            vector.copy_from_slice(if word.starts_with("boat") {
                &[1.0, 0.0]
            } else {
                &[0.0, 1.0]
            });
            true
        }
    }

    /// An index of texts, each with its session.
    fn index(texts: &[(&str, u32)], words: impl WordVectors + 'static) -> Index {
        let scope = ScopeSchema::default().scope([("user_id", "nora")]).unwrap();
        let mut builder = BlockBuilder::default();
        for (place, (text, session)) in (0..).zip(texts) {
            let segment = Segment {
                meta: Meta::new(
                    Id::from(place.to_string()),
                    scope.clone(),
                    Timestamp::from_micros(1),
                ),
                resource_id: Id::from("r"),
                ordinal: place,
                session: *session,
                topic: 0,
                role: None,
                speaker: None,
                message_id: None,
                text: (*text).to_owned(),
                caption: None,
                topic_caption: None,
                span: None,
                happened_at: None,
                happened_at_text: None,
            };
            builder.push(|texts| SegmentOutline::new(&segment, place.into(), 0, 50, texts));
        }
        let outline = Outline {
            segments: builder.finish().into_iter().map(Arc::new).collect(),
            ..Outline::default()
        };
        Index::build(&[&outline], Arc::new(Words::new(Arc::new(words))))
    }

    #[test]
    fn among_many_passages_meaning_counts_near_what_was_found() {
        let texts = [
            ("boathouse", 0),
            ("boat", 1),
            ("sky", 1),
            ("boathouse", 1),
            ("boathouse", 1),
            ("boathouse", 1),
            ("cloud", 1),
        ];
        let index = index(&texts, Beginnings);
        // Nothing stands in for a word.
        let config = |candidates| RankingConfig {
            candidates,
            similar_words: 0,
            ..RankingConfig::default()
        };
        let marks = |marked: &[bool]| -> String {
            let mark = |marked: &bool| if *marked { 'x' } else { '.' };
            marked.iter().map(mark).collect()
        };
        // The candidates, and those whose meaning counts.
        let asked = |candidates, embedded: &Nearness| -> [String; 2] {
            let config = config(candidates);
            let found = index.find_words("The boat?", "", &config);
            let evidence = index.evidence(&found, embedded, &config);
            assert!(evidence[1].lexical > 0.0 && evidence[0].lexical == 0.0);
            let of = |is: fn(&Evidence) -> bool| {
                let marked: Vec<bool> = evidence.iter().map(is).collect();
                marks(&marked)
            };
            [of(|one| one.is_candidate), of(|one| one.semantic > 0.0)]
        };
        let nothing = Nearness::default();
        assert_eq!(
            asked(7, &nothing),
            ["xxxxxxx", "xx.xxx."],
            "there are no more than are looked at"
        );
        assert_eq!(
            asked(6, &nothing),
            [".xxx...", ".x....."],
            "two after it, of its session"
        );
        let embedded = Nearness {
            segments: vec![0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.0],
            items: Vec::new(),
        };
        assert_eq!(
            asked(6, &embedded),
            [".xxxxxx", ".x...x."],
            "and what an embedder found"
        );
    }

    #[test]
    fn what_an_embedder_finds_near_counts_beside_the_words() {
        let mut index = index(
            &["a red boat", "a canoe", "the sky", "no vector"].map(|text| (text, 0)),
            NoWordVectors,
        );
        let config = RankingConfig::default();
        let found = index.find_words("Which vessel?", "", &config);
        let evidence = |index: &Index, vector: Option<&[f32]>| {
            let nearest = &Nearest::default();
            let embedded = vector.map(|vector| EmbeddedQuestion { vector, nearest });
            let near = embedded.map(|asked| index.nearness(asked, &config));
            index.evidence(&found, &near.unwrap_or_default(), &config)
        };
        let without = evidence(&index, Some(&[1.0, 0.0]));
        assert!(
            without
                .iter()
                .all(|one| one.embedded == 0.0 && one.lexical == 0.0)
        );
        let vectors: [&[f32]; 3] = [&[0.6, 0.8], &[1.0, 0.0], &[0.0, -1.0]];
        index.embed_segments(Some(2), HeldVectors::All, |segment| {
            vectors.get(segment.place as usize).copied()
        });
        let with = evidence(&index, Some(&[2.0, 0.0]));
        assert_eq!(with[1].embedded, 1.0);
        assert!(with[0].embedded > 0.0 && with[0].embedded < 1.0);
        assert!(with[2].embedded == 0.0 && with[3].embedded == 0.0);
        assert!(evidence(&index, None).iter().all(|one| one.embedded == 0.0));
    }
}
