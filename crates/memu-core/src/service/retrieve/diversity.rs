use std::cmp::Ordering;
use std::collections::BinaryHeap;

use rustc_hash::{FxHashMap, FxHashSet};

/// What the chosen candidates take from the scores of those left.
pub(super) trait Repetition {
    /// The factor that is left of the score of the candidate at `place`; it only falls
    /// as more are chosen.
    fn factor(&self, place: usize) -> f32;

    /// Chooses the candidate at `place`.
    fn choose(&mut self, place: usize);
}

/// The first `count` of the candidates with these scores, which come best first: their
/// places and the factors that are left of their scores.
///
/// Greedy, as maximal marginal relevance is (Carbonell and Goldstein, *The Use of
/// MMR*, 1998).
pub(super) fn diversified(
    scores: &[f32],
    count: usize,
    mut repetition: impl Repetition,
) -> Vec<(usize, f32)> {
    let mut chosen = Vec::with_capacity(count.min(scores.len()));
    let entries = scores.iter().enumerate();
    let mut heap: BinaryHeap<Entry> = entries
        .map(|(place, score)| Entry {
            score: *score,
            place,
        })
        .collect();
    while chosen.len() < count
        && let Some(entry) = heap.pop()
    {
        let factor = repetition.factor(entry.place);
        let score = scores.get(entry.place).map_or(0.0, |score| score * factor);
        // Scores only fall as more is chosen, so one that has not fallen is the best.
        if score < entry.score {
            heap.push(Entry { score, ..entry });
            continue;
        }
        repetition.choose(entry.place);
        chosen.push((entry.place, factor));
    }
    chosen
}

/// Each candidate loses `weight` times the share of its sources that the chosen ones
/// have too.
#[derive(Debug)]
pub(super) struct SharedSources<'a> {
    sources: Vec<&'a [u32]>,
    weight: f32,
    shown: FxHashSet<u32>,
}

impl<'a> SharedSources<'a> {
    /// Of candidates with these sources.
    pub(super) fn new(sources: Vec<&'a [u32]>, weight: f32) -> Self {
        Self {
            sources,
            weight,
            shown: FxHashSet::default(),
        }
    }
}

impl Repetition for SharedSources<'_> {
    fn factor(&self, place: usize) -> f32 {
        let sources = self.sources.get(place).copied().unwrap_or_default();
        let known = sources.iter().filter(|source| self.shown.contains(source));
        1.0 - self.weight * known.count() as f32 / sources.len().max(1) as f32
    }

    fn choose(&mut self, place: usize) {
        self.shown
            .extend(self.sources.get(place).copied().unwrap_or_default());
    }
}

/// Each candidate loses the share `weight` of its score for every chosen one of its
/// session.
#[derive(Debug)]
pub(super) struct SameSession {
    sessions: Vec<u32>,
    weight: f32,
    chosen: FxHashMap<u32, i32>,
}

impl SameSession {
    /// Of candidates of these sessions.
    pub(super) fn new(sessions: Vec<u32>, weight: f32) -> Self {
        Self {
            sessions,
            weight,
            chosen: FxHashMap::default(),
        }
    }
}

impl Repetition for SameSession {
    fn factor(&self, place: usize) -> f32 {
        let session = self.sessions.get(place);
        let before = session.and_then(|session| self.chosen.get(session));
        (1.0 - self.weight).powi(before.copied().unwrap_or_default())
    }

    fn choose(&mut self, place: usize) {
        if let Some(session) = self.sessions.get(place) {
            *self.chosen.entry(*session).or_default() += 1;
        }
    }
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
        let (scores, sources): (Vec<f32>, Vec<&[u32]>) = candidates.iter().copied().unzip();
        let chosen = diversified(&scores, count, SharedSources::new(sources, weight));
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

    #[test]
    fn a_session_steps_back_for_each_of_its_own_that_was_chosen() {
        let scores = [1.0, 0.9, 0.85, 0.6];
        let chosen = diversified(&scores, 3, SameSession::new(vec![1, 1, 1, 2], 0.2));
        // 0.9 · 0.8 = 0.72, 0.85 · 0.64 = 0.54
        assert_eq!(chosen, [(0, 1.0), (1, 0.8), (3, 1.0)]);
    }
}
