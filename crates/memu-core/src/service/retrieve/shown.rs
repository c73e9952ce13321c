//! What may be shown of that which a question touches: all of it, or what a filter lets through.
//!
//! A filter changes which items and segments are shown, not how they score. The store is asked
//! about the best first, until no other can come among those that are shown: most questions ask
//! about a thousand records, however many the scope has. Categories and resources score by those
//! that were asked about.

use std::cmp::Ordering;

use super::best::best;
use super::corpus::Corpus;
use super::rank::{Ranking, Scored};
use crate::config::{RetrieveConfig, RetrieveItemConfig};
use crate::error::Result;
use crate::records::OwnerKind;
use crate::service::searchable::Named;

/// About how many records the store is asked at first.
const FIRST_ROUND: usize = 1_024;

/// About how many records the store is asked in each round after that.
const ROUND: usize = 8_192;

/// How many of a category's items decide its score: one lucky item does not make a
/// category.
const CATEGORY_ITEMS: usize = 3;

/// What may be shown; what a filter lets through only as far as it is needed.
#[derive(Debug)]
pub(super) struct Shown {
    /// By number.
    items: Vec<Scored>,
    /// By position in the index.
    segments: Vec<Scored>,
}

impl Shown {
    /// What may be shown of the records that score, so far down that the items which the
    /// configuration asks for, and the best `segments`, are among it.
    pub(super) async fn of(
        corpus: &Corpus,
        ranking: &Ranking,
        config: &RetrieveConfig,
        segments: usize,
    ) -> Result<Self> {
        let searchable = corpus.searchable();
        if !corpus.has_filter() {
            return Ok(Self {
                items: ranking.items().to_vec(),
                segments: ranking.scoring_segments(),
            });
        }
        let RetrieveItemConfig {
            top_k, diversity, ..
        } = config.item;
        // A step may want none of a kind, but what hangs on them.
        let (top_k, segments) = (top_k.max(1), segments.max(1));
        let shows_segments = config.segment.enabled || config.resource.enabled;
        let scoring = if shows_segments {
            ranking.scoring_segments()
        } else {
            Vec::new()
        };
        let items = sift(
            (corpus, OwnerKind::Item),
            (ranking.items().to_vec(), item_order),
            |number| Some(searchable.items.get(number)?.name.clone()),
            |best| least_item(best, top_k, diversity, &searchable.cites),
        );
        let segments = sift(
            (corpus, OwnerKind::Segment),
            (scoring, |a: &Scored, b: &Scored| {
                segment_order(corpus, a, b)
            }),
            |position| corpus.segment(position),
            |best| least_item(best, segments, 0.0, &[]),
        );
        let (items, segments) = futures_util::try_join!(items, segments)?;
        Ok(Self { items, segments })
    }

    /// The best segments, best first.
    pub(super) fn best_segments(&self, corpus: &Corpus, count: usize) -> Vec<Scored> {
        best(self.segments.clone(), count, |a, b| {
            segment_order(corpus, a, b)
        })
    }

    /// The items from which the first `count` are chosen, best first, with equal ones in the order of
    /// storing; see [`least_item`].
    pub(super) fn best_items(&self, corpus: &Corpus, count: usize, diversity: f32) -> Vec<Scored> {
        let first = best(self.items.clone(), count, item_order);
        let cites = &corpus.searchable().cites;
        let least = least_item(&first, count, diversity, cites).unwrap_or_default();
        let near = self.items.iter().filter(|(_, score)| *score >= least);
        let mut near: Vec<Scored> = near.copied().collect();
        near.sort_unstable_by(item_order);
        near
    }

    /// The categories by number, best first: each with the mean of the scores of its best items.
    pub(super) fn categories(&self, corpus: &Corpus) -> Vec<Scored> {
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
        let means = tops
            .iter()
            .map(|top| top.iter().sum::<f32>() / CATEGORY_ITEMS as f32);
        best_scoring(means)
    }

    /// The resources by number, best first: each scores as its best segment, or as its best item
    /// where that is better.
    pub(super) fn resources(&self, corpus: &Corpus) -> Vec<Scored> {
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
        for (position, score) in &self.segments {
            if let Some(segment) = searchable.index.segment(*position) {
                raise(segment.resource, *score);
            }
        }
        for (number, score) in &self.items {
            let links = searchable.items.get(*number);
            if let Some(resource) = links.and_then(|links| links.resource) {
                raise(resource, *score);
            }
        }
        best_scoring(scores.into_iter())
    }
}

/// The scores above 0 with their numbers, best first, equal ones by ascending number.
fn best_scoring(scores: impl Iterator<Item = f32>) -> Vec<Scored> {
    let scored = scores.enumerate().filter(|(_, score)| *score > 0.0);
    let mut scored: Vec<Scored> = scored.collect();
    scored.sort_by(|a, b| b.1.total_cmp(&a.1));
    scored
}

/// Puts a score in its place among the best, which are sorted, or drops it.
fn insert(top: &mut [f32], mut score: f32) {
    for place in top {
        if score > *place {
            std::mem::swap(place, &mut score);
        }
    }
}

/// The better item first, of equal ones the one that was stored first.
fn item_order(a: &Scored, b: &Scored) -> Ordering {
    b.1.total_cmp(&a.1).then(a.0.cmp(&b.0))
}

/// The better segment first, equal ones by [`Index::tie_break`](crate::ranking::Index).
fn segment_order(corpus: &Corpus, a: &Scored, b: &Scored) -> Ordering {
    let by_score = b.1.total_cmp(&a.1);
    by_score.then_with(|| corpus.searchable().index.tie_break(a.0, b.0))
}

/// The least score with which an item may still be among the first `count`, where these are the
/// best: one that cites segments may lose the share `diversity` of its score to what those before
/// it cite. Nothing while there are fewer.
fn least_item(best: &[Scored], count: usize, diversity: f32, cites: &[bool]) -> Option<f32> {
    let first = best.get(..count)?;
    let left = first.iter().map(|(number, score)| {
        let may_lose = cites.get(*number).copied().unwrap_or_default();
        score * if may_lose { 1.0 - diversity } else { 1.0 }
    });
    Some(left.fold(f32::INFINITY, f32::min))
}

/// Those of scored records that the filter lets through, best first, as far as they are needed:
/// down to what `least` says of those that there are.
async fn sift(
    (corpus, kind): (&Corpus, OwnerKind),
    (mut scored, order): (Vec<Scored>, impl Fn(&Scored, &Scored) -> Ordering),
    name: impl Fn(usize) -> Option<Named>,
    least: impl Fn(&[Scored]) -> Option<f32>,
) -> Result<Vec<Scored>> {
    scored.sort_unstable_by(order);
    let mut through: Vec<Scored> = Vec::new();
    let mut rest = scored.as_slice();
    let needs = |rest: &[Scored], through: &[Scored]| {
        let next = rest.first();
        next.is_some_and(|(_, next)| least(through).is_none_or(|least| *next >= least))
    };
    let mut round = FIRST_ROUND;
    while needs(rest, &through) {
        let (now, later) = rest.split_at(round.min(rest.len()));
        let asked = now.iter().filter_map(|one| Some((*one, name(one.0)?)));
        let (asked, names): (Vec<Scored>, Vec<Named>) = asked.unzip();
        let lets = corpus.lets_through(kind, &names).await?;
        let passing = asked.into_iter().zip(lets).filter(|(_, lets)| *lets);
        through.extend(passing.map(|(one, _)| one));
        (rest, round) = (later, ROUND);
    }
    Ok(through)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_come_among_the_best_is_needed() {
        let best = [(0, 1.0), (1, 0.8), (2, 0.5)];
        let least = |count, diversity| least_item(&best, count, diversity, &[false, true, false]);
        assert_eq!(least(4, 0.0), None, "one is missing");
        assert_eq!(least(3, 0.0), Some(0.5));
        assert_eq!(least(2, 0.25), Some(0.6), "the second may lose a quarter");
        assert_eq!(least(1, 0.25), Some(1.0), "the first cites nothing");
        assert_eq!(least(3, 0.25), Some(0.5));
        assert_eq!(least(0, 0.25), Some(f32::INFINITY), "nothing is wanted");
    }

    #[test]
    fn the_best_scores_stay() {
        let mut top = [0.0; 3];
        for score in [1.0, 5.0, 2.0, 4.0, 3.0] {
            insert(&mut top, score);
        }
        assert_eq!(top, [5.0, 4.0, 3.0]);
    }
}
