use super::best::best;
use super::corpus::Corpus;
use crate::config::{ItemRanking, RetrieveConfig, RetrieveItemConfig};
use crate::ranking::{
    EmbeddedQuestion, Evidence, ItemMatch, Nearest, SegmentScore, explain_segment, score_segments,
};
use crate::records::Embedding;
use crate::service::responses::ItemExplanation;
use crate::service::searchable::ItemLinks;
use crate::time::Timestamp;

/// How many of a category's items decide its score: one lucky item does not make a
/// category.
const CATEGORY_ITEMS: usize = 3;

/// What is searched for.
#[derive(Debug)]
pub(super) struct Asked {
    /// The question.
    pub(super) question: String,
    /// Words of earlier questions that it refers to.
    pub(super) carried: String,
    /// What the embedder made of it, where it makes vectors of segments.
    pub(super) vector: Option<Embedding>,
    /// What the store found near to that; see [`Corpus::nearest`].
    pub(super) nearest: Nearest,
}

/// The scores of everything that a question touches; 0 for what it does not.
#[derive(Debug)]
pub(super) struct Ranking {
    /// By position in the index.
    evidence: Vec<Evidence>,
    /// By position; what the filter holds back scores like the rest.
    segments: Vec<f32>,
    /// By number: how well an item's own text matches.
    own: Vec<ItemMatch>,
    /// The items that score, by ascending number; without what the filter holds back.
    items: Vec<(usize, f32)>,
    /// What a segment loses for each better one of its session.
    session_weight: f32,
    config: RetrieveConfig,
    now: Timestamp,
}

impl Ranking {
    /// Scores every record of the corpus.
    pub(super) fn new(
        corpus: &Corpus,
        asked: &Asked,
        config: &RetrieveConfig,
        now: Timestamp,
    ) -> Self {
        let index = &corpus.searchable().index;
        let question = index.question(&asked.question, &asked.carried, &config.ranking);
        let matches = index.matches(&question, &config.ranking);
        let embedded = asked.vector.as_ref().map(|vector| EmbeddedQuestion {
            vector: vector.as_slice(),
            nearest: &asked.nearest,
        });
        let near = embedded.map(|asked| index.nearness(asked, &config.ranking));
        let near = near.unwrap_or_default();
        let evidence = index.evidence(&question, &matches, &near, &config.ranking);
        let mut ranking = Self {
            segments: score_segments(&evidence, &config.ranking),
            evidence,
            own: index.match_items(&matches, &near, &config.ranking),
            items: Vec::new(),
            session_weight: if question.asks_for_several {
                config.ranking.several_sessions
            } else {
                0.0
            },
            config: config.clone(),
            now,
        };
        ranking.items = ranking.scoring_items(corpus);
        ranking
    }

    fn scoring_items(&self, corpus: &Corpus) -> Vec<(usize, f32)> {
        let searchable = corpus.searchable();
        // Most items neither match nor cite anything, and are not looked at.
        let may_score = self.own.iter().zip(&searchable.cites);
        let may_score =
            may_score.map(|(own, cites)| own.score(&self.config.ranking) > 0.0 || *cites);
        let items = may_score.enumerate().filter(|(_, may_score)| *may_score);
        let scored = items.filter_map(|(number, _)| {
            let (score, _) = self.score_item(number, searchable.items.get(number)?);
            Some((number, score))
        });
        scored
            .filter(|(number, score)| *score > 0.0 && corpus.lets_item(*number))
            .collect()
    }

    /// The score of an item, with its terms.
    pub(super) fn score_item(&self, number: usize, links: &ItemLinks) -> (f32, ItemExplanation) {
        let own = self.own.get(number).copied().unwrap_or_default();
        let matches = own.score(&self.config.ranking);
        let evidence = links
            .segments
            .iter()
            .filter_map(|position| self.segments.get(*position as usize))
            .fold(matches, |most, score| most.max(*score));
        if evidence <= 0.0 {
            return (0.0, ItemExplanation::default());
        }
        let salience = match self.config.item.ranking {
            ItemRanking::Salience => salience(links, &self.config.item, self.now),
            ItemRanking::Similarity => 1.0,
        };
        let explanation = ItemExplanation {
            evidence,
            own_text: self.config.ranking.item_text * own.lexical,
            salience,
            novelty: 1.0,
        };
        let score = (explanation.evidence + explanation.own_text) * salience;
        (score.max(0.0), explanation)
    }

    /// Every term of the score of the segment at a position.
    pub(super) fn explain_segment(&self, position: usize) -> SegmentScore {
        explain_segment(&self.evidence, position, &self.config.ranking)
    }

    /// What a segment loses for each better one of its session.
    pub(super) fn session_weight(&self) -> f32 {
        self.session_weight
    }

    /// The session of the segment at a position.
    pub(super) fn session(&self, position: usize) -> u32 {
        let evidence = self.evidence.get(position);
        evidence.map_or(u32::MAX, |evidence| evidence.session_index)
    }

    /// The best segments that the filter lets through, by position.
    pub(super) fn best_segments(&self, corpus: &Corpus, count: usize) -> Vec<(usize, f32)> {
        let index = &corpus.searchable().index;
        let scoring = scoring(&self.segments)
            .filter(|(position, _)| corpus.lets_segment(*position))
            .collect();
        best(scoring, count, |(a, score_a), (b, score_b)| {
            let by_score = score_b.total_cmp(score_a);
            by_score.then_with(|| index.tie_break(*a, *b))
        })
    }

    /// The best items by number, best first, with equal ones in the order of storing:
    /// so many that those within `share` of the last of the first `count` are there.
    pub(super) fn best_items(&self, count: usize, share: f32) -> Vec<(usize, f32)> {
        let order = |a: &(usize, f32), b: &(usize, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        let first = best(self.items.clone(), count, order);
        let least = first.last().map_or(0.0, |(_, score)| score * (1.0 - share));
        let near = self.items.iter().filter(|(_, score)| *score >= least);
        let mut near: Vec<(usize, f32)> = near.copied().collect();
        near.sort_unstable_by(order);
        near
    }

    /// The categories by number, best first: each with the mean of its best items'
    /// scores.
    pub(super) fn categories(&self, corpus: &Corpus) -> Vec<(usize, f32)> {
        let searchable = corpus.searchable();
        if searchable.categories.is_empty() {
            return Vec::new();
        }
        let mut tops = vec![[0.0_f32; CATEGORY_ITEMS]; searchable.categories.len()];
        for (number, score) in &self.items {
            let links = searchable.items.get(*number);
            for category in links.map_or(&[][..], |links| &links.categories) {
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
        if searchable.resources.is_empty() {
            return Vec::new();
        }
        let mut scores = vec![0.0_f32; searchable.resources.len()];
        let mut raise = |resource: u32, score: f32| {
            if let Some(best) = scores.get_mut(resource as usize) {
                *best = best.max(score);
            }
        };
        for (position, score) in scoring(&self.segments) {
            if corpus.lets_segment(position)
                && let Some(segment) = searchable.index.segment(position)
            {
                raise(segment.resource, score);
            }
        }
        for (number, score) in &self.items {
            if let Some(resource) = searchable
                .items
                .get(*number)
                .and_then(|links| links.resource)
            {
                raise(resource, *score);
            }
        }
        let scoring = scores.into_iter().enumerate();
        let mut scored: Vec<(usize, f32)> = scoring.filter(|(_, score)| *score > 0.0).collect();
        scored.sort_by(|a, b| b.1.total_cmp(&a.1));
        scored
    }
}

/// The scores above 0, each with its number.
fn scoring(scores: &[f32]) -> impl Iterator<Item = (usize, f32)> {
    let scores = scores.iter().copied().enumerate();
    scores.filter(|(_, score)| *score > 0.0)
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
fn salience(links: &ItemLinks, config: &RetrieveItemConfig, now: Timestamp) -> f32 {
    let days = now.days_since(links.last_met).max(0.0);
    let recency = 0.5_f64.powf(days / config.recency_decay_days);
    ((links.count as f64).ln_1p() * recency) as f32
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
