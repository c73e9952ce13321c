//! What an index knows of its segments and items in the light of one question.

use std::iter::repeat;

use super::embedded::{EmbeddedQuestion, Nearness};
use super::matches::QuestionMatches;
use super::scoring::Saturation;
use super::{Index, normalise};
use crate::config::RankingConfig;
use crate::ranking::{Evidence, Question};
use crate::records::Role;

/// BM25's constants for whole sessions (Robertson and Zaragoza's usual ones).
const SESSIONS: Saturation = Saturation { k1: 1.2, b: 0.75 };

/// How far around a segment others add to its score.
const NEIGHBOURS: usize = 2;

/// How well an item's own text matches.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ItemMatch {
    /// BM25 of its text divided by the best of the question, 0 to 1.
    pub lexical: f32,
    /// How near the vector that an embedder made of it is to the question's; see
    /// [`Nearness::items`].
    pub embedded: f32,
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

    /// What is known about every segment, by position; `embedded` is how near the vectors that
    /// an embedder made of them are.
    pub fn evidence(
        &self,
        question: &Question,
        matches: &QuestionMatches,
        embedded: &Nearness,
        config: &RankingConfig,
    ) -> Vec<Evidence> {
        let lexical = self.score_by_passage(matches, config);
        let semantic = if self.passage_owner.len() <= config.candidates {
            self.meaning.nearness(&matches.vector)
        } else {
            self.meaning
                .nearness_at(&matches.vector, &near_matches(&lexical))
        };
        let words = matches.exact(&self.sessions);
        let mut sessions = self.sessions.scores(&words, SESSIONS, usize::MAX);
        normalise(&mut sessions);
        self.segments
            .iter()
            .zip(&lexical)
            .enumerate()
            .map(|(at, (segment, lexical))| Evidence {
                lexical: *lexical,
                semantic: semantic.get(at).copied().unwrap_or_default(),
                embedded: embedded.segments.get(at).copied().unwrap_or_default(),
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

    /// How well each item's own text matches, by position.
    pub fn match_items(
        &self,
        matches: &QuestionMatches,
        embedded: &Nearness,
        config: &RankingConfig,
    ) -> Vec<ItemMatch> {
        let words = matches.similar(&self.items, config);
        let mut scores = self
            .items
            .scores(&words, saturation(config), config.candidates);
        normalise(&mut scores);
        let embedded = embedded.items.iter().copied().chain(repeat(0.0));
        scores
            .into_iter()
            .zip(embedded)
            .map(|(lexical, embedded)| ItemMatch { lexical, embedded })
            .collect()
    }
}

/// The positions of segments that match, and of their [`NEIGHBOURS`]: no others can be among the
/// best, though the meaning of half of all is nearer than the average.
fn near_matches(lexical: &[f32]) -> Vec<usize> {
    let mut near = Vec::new();
    let mut next = 0;
    let matching = lexical
        .iter()
        .enumerate()
        .filter(|(_, score)| **score > 0.0);
    for (position, _) in matching {
        let first = position.saturating_sub(NEIGHBOURS).max(next);
        next = (position + NEIGHBOURS + 1).min(lexical.len());
        near.extend(first..next);
    }
    near
}

fn saturation(config: &RankingConfig) -> Saturation {
    Saturation {
        k1: config.k1,
        b: config.b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_a_match_is_named_once_and_in_order() {
        let scores = |count: usize, matching: &[usize]| {
            let score = |at| if matching.contains(&at) { 0.5 } else { 0.0 };
            (0..count).map(score).collect::<Vec<f32>>()
        };
        assert_eq!(
            near_matches(&scores(12, &[0, 6, 8])),
            [0, 1, 2, 4, 5, 6, 7, 8, 9, 10]
        );
        assert_eq!(near_matches(&scores(3, &[2])), [0, 1, 2]);
        assert!(near_matches(&scores(5, &[])).is_empty());
    }
}
