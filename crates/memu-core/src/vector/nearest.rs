//! Which vectors may be the nearest, told from their codes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use super::codes::{AllBounds, CodeBlock, CodeBytes, CodedQuery};

/// How many standard deviations an estimate from signs may be off before a vector that is
/// among the nearest is missed.
const DEVIATIONS: f32 = 2.0;

/// The codes of some vectors.
#[derive(Clone, Debug, Default)]
pub struct Codes {
    /// The signs, and the bytes where they are at hand.
    pub blocks: Vec<(Arc<CodeBlock>, Option<Arc<CodeBytes>>)>,
}

/// A vector that may be among the nearest.
struct Candidate {
    /// Hardly less than its cosine, or for certain not less.
    most: f32,
    owner: u64,
}

impl Codes {
    /// The owners of vectors that are likely to include the `count` nearest, of those that
    /// `allows` lets through, in no order: to be compared in full. At most `limit` where
    /// bytes are not at hand; bytes tell all but a few apart.
    pub fn likely_candidates(
        &self,
        query: &CodedQuery,
        count: usize,
        limit: usize,
        allows: impl Fn(u64) -> bool,
    ) -> Vec<u64> {
        let (estimates, reached) = self.estimates(query, count, &allows);
        let mut candidates = self.told_apart(query, count, &estimates, reached, &allows);
        let by_bytes = self.blocks.iter().all(|(_, bytes)| bytes.is_some());
        if !by_bytes && limit > 0 && candidates.len() > limit {
            let order = |a: &Candidate, b: &Candidate| b.most.total_cmp(&a.most);
            candidates.select_nth_unstable_by(limit - 1, order);
            candidates.truncate(limit);
        }
        candidates.iter().map(|candidate| candidate.owner).collect()
    }

    /// Hardly less than the cosine of each vector, and what `count` of them are likely to
    /// reach.
    fn estimates(
        &self,
        query: &CodedQuery,
        count: usize,
        allows: &impl Fn(u64) -> bool,
    ) -> (Vec<f32>, f32) {
        let vectors = self.blocks.iter().map(|(block, _)| block.owners.len());
        let mut estimates = Vec::with_capacity(vectors.sum());
        let mut least = AtLeast::new(count);
        let mut sums = Vec::new();
        let mut numbers = Vec::new();
        for (block, _) in &self.blocks {
            let first = estimates.len();
            block.estimate(query, DEVIATIONS, &mut sums, &mut estimates);
            let most = estimates.get(first..).unwrap_or_default();
            // What is estimated as too little even at most need not be looked at.
            reaching(most, least.bound, &mut numbers);
            for number in &numbers {
                let at = |values: &[f32]| values.get(*number).copied().unwrap_or_default();
                let likely = at(most) - 2.0 * DEVIATIONS * at(block.spreads());
                if likely > least.bound
                    && block
                        .owners
                        .get(*number)
                        .is_some_and(|owner| allows(*owner))
                {
                    least.push(likely);
                }
            }
        }
        (estimates, least.bound)
    }

    /// The vectors of which enough is estimated, as far as their bytes do not tell better.
    fn told_apart(
        &self,
        query: &CodedQuery,
        count: usize,
        estimates: &[f32],
        reached: f32,
        allows: &impl Fn(u64) -> bool,
    ) -> Vec<Candidate> {
        let mut least = AtLeast::new(count);
        let mut candidates = Vec::new();
        let mut numbers = Vec::new();
        let mut rest = estimates;
        for (block, bytes) in &self.blocks {
            let (here, after) = rest
                .split_at_checked(block.owners.len())
                .unwrap_or_default();
            rest = after;
            reaching(here, reached, &mut numbers);
            numbers.retain(|number| {
                block
                    .owners
                    .get(*number)
                    .is_some_and(|owner| allows(*owner))
            });
            if numbers.is_empty() {
                continue;
            }
            let bounds = bytes
                .as_ref()
                .map(|bytes| bytes.bounds(&numbers, block.base(query), query));
            for (place, number) in numbers.iter().copied().enumerate() {
                let bound = bounds.as_ref().and_then(|bounds| bounds.get(place));
                let most = bound.map(|bound| bound.cosine + bound.error);
                let most = most.or(here.get(number).copied()).unwrap_or_default();
                if let Some(owner) = block.owners.get(number).copied()
                    && most >= least.bound
                {
                    candidates.push(Candidate { most, owner });
                    if let Some(bound) = bound {
                        least.push(bound.cosine - bound.error);
                    }
                }
            }
        }
        candidates.retain(|candidate| candidate.most >= least.bound);
        candidates
    }
}

/// The owners of vectors that include the `count` nearest for certain, of those that
/// `allows` lets through, in no order: to be compared in full. `known` are cosines of
/// vectors that have been compared already.
///
/// By |⟨q, x⟩ − ⟨q̂, x̂⟩| ≤ |q| · |x − x̂| + |q − q̂| · |x̂|, a vector whose bytes say so much
/// less than those of `count` others that the errors of both cannot make up for it is not
/// among the nearest.
pub fn certain_candidates<'b>(
    blocks: impl IntoIterator<Item = (&'b CodeBlock, &'b CodeBytes)>,
    query: &CodedQuery,
    count: usize,
    known: &[f32],
    allows: impl Fn(u64) -> bool,
) -> Vec<u64> {
    let mut least = AtLeast::new(count);
    for score in known {
        least.push(*score);
    }
    let mut possible: Vec<(f32, u64)> = Vec::new();
    let mut numbers = Vec::new();
    let mut bounds = AllBounds::default();
    for (block, bytes) in blocks {
        bytes.all_bounds(block.base(query), query, &mut bounds);
        reaching(&bounds.most, least.bound, &mut numbers);
        for number in &numbers {
            let at = |values: &[f32]| values.get(*number).copied().unwrap_or_default();
            let most = at(&bounds.most);
            if let Some(owner) = block.owners.get(*number).copied()
                && most >= least.bound
                && allows(owner)
            {
                possible.push((most, owner));
                least.push(at(&bounds.least));
            }
        }
    }
    possible.retain(|(most, _)| *most >= least.bound);
    possible.into_iter().map(|(_, owner)| owner).collect()
}

/// The numbers of the values that are at least `bound`, in order.
fn reaching(values: &[f32], bound: f32, numbers: &mut Vec<usize>) {
    const AT_A_TIME: usize = 32;
    numbers.clear();
    // Most values are far below: whole groups are passed over by the widest instructions
    // that this processor has.
    pulp::Arch::new().dispatch(|| {
        for (group, values) in values.chunks(AT_A_TIME).enumerate() {
            if values.iter().filter(|value| **value >= bound).count() > 0 {
                let found = (group * AT_A_TIME..).zip(values);
                let found = found.filter(|(_, value)| **value >= bound);
                numbers.extend(found.map(|(number, _)| number));
            }
        }
    });
}

/// What at least `count` vectors reach for certain.
struct AtLeast {
    count: usize,
    greatest: BinaryHeap<Reverse<Ordered>>,
    bound: f32,
}

impl AtLeast {
    fn new(count: usize) -> Self {
        Self {
            count,
            greatest: BinaryHeap::new(),
            bound: f32::NEG_INFINITY,
        }
    }

    fn push(&mut self, score: f32) {
        if score <= self.bound {
            return;
        }
        self.greatest.push(Reverse(Ordered(score)));
        if self.greatest.len() > self.count {
            self.greatest.pop();
        }
        if self.greatest.len() == self.count
            && let Some(Reverse(Ordered(bound))) = self.greatest.peek()
        {
            self.bound = *bound;
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Ordered(f32);

impl PartialEq for Ordered {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::{BLOCK_VECTORS, cosine};

    /// Vectors around some points, so that near ones are nearer than chance.
    struct Cloud {
        state: u64,
        dimension: usize,
        points: Vec<Vec<f32>>,
    }

    impl Cloud {
        fn new(seed: u64, dimension: usize) -> Self {
            let mut cloud = Self {
                state: seed,
                dimension,
                points: Vec::new(),
            };
            cloud.points = (0..20).map(|_| cloud.gaussian()).collect();
            cloud
        }

        fn uniform(&mut self) -> f32 {
            self.state = self
                .state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            ((self.state >> 40) as f32 + 0.5) / (1_u64 << 24) as f32
        }

        fn gaussian(&mut self) -> Vec<f32> {
            (0..self.dimension)
                .map(|_| {
                    let (a, b) = (self.uniform(), self.uniform());
                    (-2.0 * a.ln()).sqrt() * (std::f32::consts::TAU * b).cos()
                })
                .collect()
        }

        /// Not centred, and of any length.
        fn vector(&mut self) -> Vec<f32> {
            let point = (self.uniform() * 20.0) as usize;
            let noise = self.gaussian();
            let scale = 0.1 + self.uniform();
            let point = &self.points[point];
            let parts = point.iter().zip(noise);
            parts.map(|(x, e)| scale * (x + 0.8 * e + 0.5)).collect()
        }
    }

    fn coded(vectors: &[Vec<f32>]) -> Vec<(CodeBlock, CodeBytes)> {
        let owned: Vec<(u64, &[f32])> = (0..).zip(vectors.iter().map(Vec::as_slice)).collect();
        owned.chunks(BLOCK_VECTORS).map(CodeBlock::encode).collect()
    }

    fn nearest(vectors: &[Vec<f32>], query: &[f32], count: usize) -> Vec<u64> {
        let mut scored: Vec<(f32, u64)> = vectors
            .iter()
            .map(|vector| cosine(query, vector))
            .zip(0..)
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        scored
            .into_iter()
            .take(count)
            .map(|(_, owner)| owner)
            .collect()
    }

    #[test]
    fn certain_candidates_hold_all_of_the_nearest_and_few_others() {
        for dimension in [3, 32, 256, 384] {
            let mut cloud = Cloud::new(dimension as u64, dimension);
            let vectors: Vec<_> = (0..2_000).map(|_| cloud.vector()).collect();
            let blocks = coded(&vectors);
            for _ in 0..10 {
                let query = cloud.vector();
                let coded = CodedQuery::new(&query);
                let parts = blocks.iter().map(|(block, bytes)| (block, bytes));
                let found = certain_candidates(parts, &coded, 10, &[], |_| true);
                for owner in nearest(&vectors, &query, 10) {
                    assert!(found.contains(&owner), "{dimension}: {owner}");
                }
                assert!(
                    dimension < 32 || found.len() < 100,
                    "{dimension}: {}",
                    found.len()
                );
            }
        }
    }

    #[test]
    fn what_is_known_already_narrows_the_candidates() {
        let mut cloud = Cloud::new(5, 64);
        let vectors: Vec<_> = (0..500).map(|_| cloud.vector()).collect();
        let query = cloud.vector();
        let coded_query = CodedQuery::new(&query);
        let blocks = coded(&vectors);
        let parts = || blocks.iter().map(|(block, bytes)| (block, bytes));
        let none = certain_candidates(parts(), &coded_query, 2, &[2.0, 2.0], |_| true);
        assert!(none.is_empty());
        let odd = certain_candidates(parts(), &coded_query, 500, &[], |owner| owner % 2 == 1);
        assert_eq!(odd.len(), 250);
    }

    #[test]
    fn likely_candidates_seldom_miss_one_of_the_nearest() {
        let mut cloud = Cloud::new(9, 256);
        let vectors: Vec<_> = (0..5_000).map(|_| cloud.vector()).collect();
        for with_bytes in [false, true] {
            let codes = shared(coded(&vectors), with_bytes);
            let found = recalled(&mut cloud, &vectors, &codes);
            assert!(found > 497, "{found} of 500");
        }
    }

    fn shared(blocks: Vec<(CodeBlock, CodeBytes)>, with_bytes: bool) -> Codes {
        let blocks = blocks.into_iter();
        let blocks = blocks.map(|(block, bytes)| {
            let bytes = with_bytes.then(|| Arc::new(bytes));
            (Arc::new(block), bytes)
        });
        Codes {
            blocks: blocks.collect(),
        }
    }

    /// How many of the nearest ten of fifty queries are among the candidates.
    fn recalled(cloud: &mut Cloud, vectors: &[Vec<f32>], codes: &Codes) -> usize {
        let mut found = 0;
        for _ in 0..50 {
            let query = cloud.vector();
            let query_codes = CodedQuery::new(&query);
            let candidates = codes.likely_candidates(&query_codes, 10, 200, |_| true);
            assert!(candidates.len() <= 200);
            let nearest = nearest(vectors, &query, 10);
            found += nearest
                .iter()
                .filter(|owner| candidates.contains(owner))
                .count();
        }
        found
    }

    #[test]
    fn equal_and_opposite_vectors_have_codes_too() {
        let vectors = vec![vec![0.5_f32; 8]; 40];
        let blocks = coded(&vectors);
        let query = CodedQuery::new(&[0.5; 8]);
        let codes = shared(blocks.clone(), false);
        assert_eq!(codes.likely_candidates(&query, 3, 10, |_| true).len(), 10);
        let parts = blocks.iter().map(|(block, bytes)| (block, bytes));
        assert_eq!(
            certain_candidates(parts, &query, 3, &[], |_| true).len(),
            40
        );
    }
}
