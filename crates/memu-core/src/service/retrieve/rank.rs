use super::best::best;
use super::corpus::Corpus;
use crate::config::{ItemRanking, RetrieveConfig, RetrieveItemConfig};
use crate::ranking::{ItemMatch, SegmentScore};
use crate::records::MemoryItem;
use crate::service::responses::ItemExplanation;
use crate::time::Timestamp;

/// How many of a category's items decide its score: one lucky item does not make a
/// category.
const CATEGORY_ITEMS: usize = 3;

/// The scores of everything that a question touches; 0 for what it does not.
#[derive(Debug)]
pub(super) struct Ranking {
    /// By position in the index; what the filter holds back scores like the rest.
    segments: Vec<SegmentScore>,
    /// By number; what the filter holds back scores 0.
    items: Vec<(f32, ItemExplanation)>,
}

impl Ranking {
    /// Scores every record of the corpus.
    pub(super) fn new(
        corpus: &Corpus,
        question: &str,
        carried: &str,
        config: &RetrieveConfig,
        now: Timestamp,
    ) -> Self {
        let index = &corpus.searchable().index;
        let question = index.question(question, carried, &config.ranking);
        let matches = index.matches(&question, &config.ranking);
        let segments = index.score_segments(&question, &matches, &config.ranking);
        let own = index.match_items(&matches, &config.ranking);
        let items = (0..corpus.searchable().items.len())
            .map(|number| {
                let own = own.get(number).copied().unwrap_or_default();
                score_item(corpus, number, own, &segments, config, now)
            })
            .collect();
        Self { segments, items }
    }

    /// The best segments that the filter lets through, by position.
    pub(super) fn best_segments(
        &self,
        corpus: &Corpus,
        count: usize,
    ) -> Vec<(usize, SegmentScore)> {
        let index = &corpus.searchable().index;
        let scoring = self
            .segments
            .iter()
            .copied()
            .enumerate()
            .filter(|(position, score)| score.score > 0.0 && corpus.lets_segment(*position));
        best(scoring.collect(), count, |(a, score_a), (b, score_b)| {
            let by_score = score_b.score.total_cmp(&score_a.score);
            by_score.then_with(|| index.tie_break(*a, *b))
        })
    }

    /// The best items by number, best first, with equal ones in the order of storing:
    /// so many that those within `share` of the last of the first `count` are there.
    pub(super) fn best_items(
        &self,
        count: usize,
        share: f32,
    ) -> Vec<(usize, f32, ItemExplanation)> {
        let scoring = self
            .items
            .iter()
            .enumerate()
            .filter(|(_, (score, _))| *score > 0.0)
            .map(|(number, (score, explanation))| (number, *score, *explanation));
        let order = |a: &(usize, f32, ItemExplanation), b: &(usize, f32, ItemExplanation)| {
            b.1.total_cmp(&a.1).then(a.0.cmp(&b.0))
        };
        let scoring: Vec<_> = scoring.collect();
        let first = best(scoring.clone(), count, order);
        let least = first
            .last()
            .map_or(0.0, |(_, score, _)| score * (1.0 - share));
        let mut near = scoring;
        near.retain(|(_, score, _)| *score >= least);
        near.sort_unstable_by(order);
        near
    }

    /// The categories by number, best first: each with the mean of its best items'
    /// scores.
    pub(super) fn categories(&self, corpus: &Corpus) -> Vec<(usize, f32)> {
        let searchable = corpus.searchable();
        let mut tops = vec![[0.0_f32; CATEGORY_ITEMS]; searchable.categories.len()];
        for ((score, _), links) in self.items.iter().zip(&searchable.items) {
            for category in &links.categories {
                if let Some(top) = tops.get_mut(*category as usize) {
                    insert(top, *score);
                }
            }
        }
        let mut scored: Vec<(usize, f32)> = tops
            .iter()
            .map(|top| top.iter().sum::<f32>() / CATEGORY_ITEMS as f32)
            .enumerate()
            .filter(|(_, score)| *score > 0.0)
            .collect();
        scored.sort_by(|a, b| b.1.total_cmp(&a.1));
        scored
    }

    /// The resources by number, best first: each scores as its best segment, or as its
    /// best item where that is better.
    pub(super) fn resources(&self, corpus: &Corpus) -> Vec<(usize, f32)> {
        let searchable = corpus.searchable();
        let mut scores = vec![0.0_f32; searchable.resources.len()];
        let mut raise = |resource: u32, score: f32| {
            if let Some(best) = scores.get_mut(resource as usize) {
                *best = best.max(score);
            }
        };
        let segments = self.segments.iter().zip(&searchable.segment_resources);
        for (position, (score, resource)) in segments.enumerate() {
            if score.score > 0.0 && corpus.lets_segment(position) {
                raise(*resource, score.score);
            }
        }
        for ((score, _), links) in self.items.iter().zip(&searchable.items) {
            if let Some(resource) = links.resource {
                raise(resource, *score);
            }
        }
        let scoring = scores.into_iter().enumerate();
        let mut scored: Vec<(usize, f32)> = scoring.filter(|(_, score)| *score > 0.0).collect();
        scored.sort_by(|a, b| b.1.total_cmp(&a.1));
        scored
    }
}

fn score_item(
    corpus: &Corpus,
    number: usize,
    own: ItemMatch,
    segments: &[SegmentScore],
    config: &RetrieveConfig,
    now: Timestamp,
) -> (f32, ItemExplanation) {
    let links = corpus.searchable().items.get(number);
    let cited = links.map_or(&[][..], |links| &links.segments);
    let evidence = cited
        .iter()
        .filter_map(|position| segments.get(*position as usize))
        .fold(0.0_f32, |most, score| most.max(score.score));
    let mut explanation = ItemExplanation {
        evidence: evidence.max(own.lexical),
        own_text: config.ranking.item_text * own.lexical,
        salience: 1.0,
        novelty: 1.0,
    };
    let sum = explanation.evidence + explanation.own_text;
    if sum <= 0.0 || !corpus.lets_item(number) {
        return (0.0, explanation);
    }
    if config.item.ranking == ItemRanking::Salience
        && let Some((_, item, _)) = corpus.item(number)
    {
        explanation.salience = salience(item, &config.item, now);
    }
    (sum * explanation.salience, explanation)
}

/// Puts a score in its place among the best, which are sorted, or drops it.
fn insert(top: &mut [f32], mut score: f32) {
    for place in top {
        if score > *place {
            std::mem::swap(place, &mut score);
        }
    }
}

/// How much a memory weighs by how often and how recently it was met:
/// ln(1 + count) · ½^(days / decay), the original's formula.
fn salience(item: &MemoryItem, config: &RetrieveItemConfig, now: Timestamp) -> f32 {
    let last = item
        .extra
        .get("last_reinforced_at")
        .and_then(serde_json::Value::as_str)
        .and_then(|text| Timestamp::parse(text).ok())
        .unwrap_or(item.meta.created_at);
    let days = now.days_since(last).max(0.0);
    let recency = 0.5_f64.powf(days / config.recency_decay_days);
    ((item.reinforcement_count() as f64).ln_1p() * recency) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_scores_stay() {
        let mut top = [0.0; 3];
        for score in [1.0, 5.0, 2.0, 4.0, 3.0] {
            insert(&mut top, score);
        }
        assert_eq!(top, [5.0, 4.0, 3.0]);
    }
}
