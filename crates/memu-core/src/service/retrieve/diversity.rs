use std::cmp::Ordering;
use std::collections::BinaryHeap;

use rustc_hash::FxHashSet;

/// A candidate of [`diversified`].
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Candidate<S> {
    /// How well it fits.
    pub(super) score: f32,
    /// What it is drawn from.
    pub(super) sources: Vec<S>,
}

/// The first `count` of the candidates, which come best first, when each loses the
/// share `weight` of its score for sources that those before it have: their places
/// and the factor that is left of their scores.
///
/// Greedy, as maximal marginal relevance is (Carbonell and Goldstein, *The Use of
/// MMR*, 1998), with sources in the place of texts.
pub(super) fn diversified<S: Copy + Eq + std::hash::Hash>(
    candidates: &[Candidate<S>],
    count: usize,
    weight: f32,
) -> Vec<(usize, f32)> {
    let mut shown: FxHashSet<S> = FxHashSet::default();
    let mut chosen = Vec::with_capacity(count.min(candidates.len()));
    let mut heap: BinaryHeap<Entry> = candidates
        .iter()
        .enumerate()
        .map(|(place, candidate)| Entry {
            score: candidate.score,
            place,
        })
        .collect();
    while chosen.len() < count
        && let Some(entry) = heap.pop()
    {
        let Some(candidate) = candidates.get(entry.place) else {
            continue;
        };
        let known = candidate
            .sources
            .iter()
            .filter(|source| shown.contains(source));
        let share = known.count() as f32 / candidate.sources.len().max(1) as f32;
        let factor = 1.0 - weight * share;
        let score = candidate.score * factor;
        // Scores only fall as more is shown, so one that has not fallen is the best.
        if score < entry.score {
            heap.push(Entry { score, ..entry });
            continue;
        }
        shown.extend(&candidate.sources);
        chosen.push((entry.place, factor));
    }
    chosen
}

#[derive(Debug, PartialEq)]
struct Entry {
    score: f32,
    place: usize,
}

impl Eq for Entry {}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_score = self.score.total_cmp(&other.score);
        by_score.then(other.place.cmp(&self.place))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(candidates: &[(f32, &[u32])], count: usize, weight: f32) -> Vec<usize> {
        let candidates: Vec<Candidate<u32>> = candidates
            .iter()
            .map(|(score, sources)| Candidate {
                score: *score,
                sources: sources.to_vec(),
            })
            .collect();
        let chosen = diversified(&candidates, count, weight);
        chosen.into_iter().map(|(place, _)| place).collect()
    }

    #[test]
    fn what_repeats_shown_sources_steps_back() {
        let candidates: [(f32, &[u32]); 4] =
            [(1.0, &[1]), (0.9, &[1]), (0.8, &[1, 2]), (0.7, &[3])];
        assert_eq!(places(&candidates, 4, 0.0), [0, 1, 2, 3]);
        // 0.9 · 0.7 = 0.63, 0.8 · 0.85 = 0.68
        assert_eq!(places(&candidates, 4, 0.3), [0, 3, 2, 1]);
        assert_eq!(places(&candidates, 2, 0.3), [0, 3]);
    }

    #[test]
    fn equal_ones_keep_their_order_and_those_without_sources_their_scores() {
        let candidates: [(f32, &[u32]); 3] = [(1.0, &[]), (1.0, &[]), (1.0, &[7])];
        assert_eq!(places(&candidates, 3, 1.0), [0, 1, 2]);
    }
}
