//! What may be shown of that which a question touches: all of it, or what a filter lets through.
//!
//! A filter changes which items and segments are shown, not how they score. The store is asked
//! about the best first, until no other can come among those that are shown: most questions ask
//! about a thousand records, however many the scope has. Categories and resources score by those
//! that were asked about.

use std::cmp::Ordering;

use super::corpus::Corpus;
use super::rank::Ranking;
use crate::config::{RetrieveConfig, RetrieveItemConfig};
use crate::error::Result;
use crate::records::OwnerKind;
use crate::service::searchable::Named;

/// About how many records the store is asked one round after the other. What few pass is not
/// found by asking about more: then all that passes is read.
const ROUNDS: [usize; 2] = [1_024, 8_192];

/// The number of a record, and its score.
pub(super) type Scored = (usize, f32);

/// What may be shown; what a filter lets through only as far as it is needed.
#[derive(Debug)]
pub(super) struct Shown {
    /// By number.
    pub(super) items: Vec<Scored>,
    /// By position in the index.
    pub(super) segments: Vec<Scored>,
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
}

/// The better item first, of equal ones the one that was stored first.
pub(super) fn item_order(a: &Scored, b: &Scored) -> Ordering {
    b.1.total_cmp(&a.1).then(a.0.cmp(&b.0))
}

/// The better segment first, equal ones by [`Index::tie_break`](crate::ranking::Index).
pub(super) fn segment_order(corpus: &Corpus, a: &Scored, b: &Scored) -> Ordering {
    let by_score = b.1.total_cmp(&a.1);
    by_score.then_with(|| corpus.searchable().index.tie_break(a.0, b.0))
}

/// The least score with which an item may still be among the first `count`, where these are the
/// best: one that cites segments may lose the share `diversity` of its score to what those before
/// it cite. Nothing while there are fewer.
pub(super) fn least_item(
    best: &[Scored],
    count: usize,
    diversity: f32,
    cites: &[bool],
) -> Option<f32> {
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
    for round in ROUNDS {
        if !needs(rest, &through) {
            return Ok(through);
        }
        let (now, later) = rest.split_at(round.min(rest.len()));
        let asked = now.iter().filter_map(|one| Some((*one, name(one.0)?)));
        let (asked, names): (Vec<Scored>, Vec<Named>) = asked.unzip();
        let lets = corpus.lets_through(kind, &names).await?;
        let passing = asked.into_iter().zip(lets).filter(|(_, lets)| *lets);
        through.extend(passing.map(|(one, _)| one));
        rest = later;
    }
    if needs(rest, &through) {
        let passing = corpus.passing(kind).await?;
        let passes = |one: &&Scored| name(one.0).is_some_and(|name| passing.hold(&name));
        through.extend(rest.iter().filter(passes));
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
}
