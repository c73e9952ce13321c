use rustc_hash::FxHashMap;

use super::corpus::Corpus;
use crate::config::{ItemRanking, RetrieveConfig, RetrieveItemConfig};
use crate::ranking::SegmentScore;
use crate::records::{Id, MemoryItem};
use crate::scope::ScopeKey;
use crate::service::cache::ScopeView;
use crate::service::responses::ItemExplanation;
use crate::time::Timestamp;

/// The scores of everything that a question touches.
#[derive(Debug, Default)]
pub(super) struct Ranking {
    /// Segments that score, best first, by position in the index.
    pub(super) segments: Vec<(usize, SegmentScore)>,
    /// Items that score, best first, by position in the corpus.
    pub(super) items: Vec<(usize, f32, ItemExplanation)>,
}

impl Ranking {
    /// Scores every record of the corpus that its filter lets through.
    pub(super) fn new(
        corpus: &Corpus,
        question: &str,
        config: &RetrieveConfig,
        now: Timestamp,
    ) -> Self {
        let Some(index) = corpus.index() else {
            return Self::default();
        };
        let question = index.question(question);
        let matches = index.matches(&question, &config.ranking);
        let scores = index.score_segments(&question, &matches, &config.ranking);
        let own = index.match_items(&matches, &config.ranking);
        let mut best: FxHashMap<(ScopeKey, Id), f32> = FxHashMap::default();
        let mut segments = Vec::new();
        for (position, score) in scores.into_iter().enumerate() {
            if score.score <= 0.0 {
                continue;
            }
            let Some((view, segment)) = corpus.segment(position) else {
                continue;
            };
            best.insert(
                (segment.meta.scope.key(), segment.meta.id.clone()),
                score.score,
            );
            if corpus.filter.matches(&view.data.segment_facts(segment)) {
                segments.push((position, score));
            }
        }
        segments.sort_by(|(a, score_a), (b, score_b)| {
            let by_score = score_b.score.total_cmp(&score_a.score);
            by_score.then_with(|| index.tie_break(*a, *b))
        });
        let mut items: Vec<_> = corpus
            .items()
            .enumerate()
            .filter(|(_, (view, item))| corpus.filter.matches(&view.data.item_facts(item)))
            .map(|(position, (_, item))| {
                let key = item.meta.scope.key();
                let evidence = item
                    .segment_ids
                    .iter()
                    .filter_map(|id| best.get(&(key, id.clone())))
                    .copied()
                    .fold(0.0_f32, f32::max);
                let own = own.get(position).map_or(0.0, |own| own.lexical);
                let explanation = ItemExplanation {
                    evidence: evidence.max(own),
                    own_text: config.ranking.item_text * own,
                    salience: salience(item, &config.item, now),
                    novelty: 1.0,
                };
                let sum = explanation.evidence + explanation.own_text;
                (position, sum * explanation.salience, explanation)
            })
            .filter(|(_, score, _)| *score > 0.0)
            .collect();
        // Positions are in the order of storing, which breaks ties.
        items.sort_by(|(a, score_a, _), (b, score_b, _)| score_b.total_cmp(score_a).then(a.cmp(b)));
        Self { segments, items }
    }
}

/// How much a memory weighs by how often and how recently it was met:
/// ln(1 + count) · ½^(days / decay), the original's formula; 1 when it is off.
fn salience(item: &MemoryItem, config: &RetrieveItemConfig, now: Timestamp) -> f32 {
    if config.ranking == ItemRanking::Similarity {
        return 1.0;
    }
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

/// The best score of the items under each category, by scope and id, as the mean of
/// the best three: one lucky item does not make a category.
pub(super) fn category_scores<'c>(
    corpus: &'c Corpus,
    ranking: &Ranking,
) -> Vec<(&'c ScopeView, &'c Id, f32)> {
    let items: Vec<_> = corpus.items().collect();
    let mut order: Vec<(&ScopeView, &Id, Vec<f32>)> = Vec::new();
    let mut place: FxHashMap<(ScopeKey, &Id), usize> = FxHashMap::default();
    for (position, score, _) in &ranking.items {
        let Some((view, item)) = items.get(*position) else {
            continue;
        };
        for relation in view.data.relations_of_item(&item.meta.id) {
            let key = (item.meta.scope.key(), &relation.category_id);
            let at = *place.entry(key).or_insert_with(|| {
                order.push((view, &relation.category_id, Vec::new()));
                order.len() - 1
            });
            if let Some((_, _, scores)) = order.get_mut(at)
                && scores.len() < 3
            {
                scores.push(*score);
            }
        }
    }
    let mut scored: Vec<_> = order
        .into_iter()
        .map(|(view, id, scores)| (view, id, scores.iter().sum::<f32>() / 3.0))
        .collect();
    scored.sort_by(|a, b| b.2.total_cmp(&a.2));
    scored
}
