//! Which vectors may be the nearest, told from their codes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use super::codes::{AllBounds, BLOCK_VECTORS, CodeBlock, CodeBytes, CodedQuery};

/// How many standard deviations an estimate from signs may be off before a vector that is
/// among the nearest is missed.
const DEVIATIONS: f32 = 2.0;

/// How many vectors are worth the start of another thread.
const WORTH_A_THREAD: usize = 40_000;
/// More threads than this get nothing done that memory could follow.
const MOST_THREADS: usize = 4;

/// The codes of some vectors.
#[derive(Clone, Debug, Default)]
pub struct Codes {
    /// The signs, and the bytes where they are at hand.
    pub blocks: Vec<(Arc<CodeBlock>, Option<Arc<CodeBytes>>)>,
}

/// A vector that may be among the nearest.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Hardly less than its cosine, or for certain not less.
    pub most: f32,
    /// Whose vector it is.
    pub owner: u64,
}

impl Codes {
    /// Vectors that are likely to include the `count` nearest, of those that `allows` lets
    /// through, those that may be the nearest first: to be compared in full. At most `limit` where
    /// bytes are not at hand; bytes tell all but a few apart.
    pub fn likely_candidates(
        &self,
        query: &CodedQuery,
        count: usize,
        limit: usize,
        allows: impl Fn(u64) -> bool + Sync,
    ) -> Vec<Candidate> {
        let found = in_parts(&self.blocks, |blocks| {
            let (estimates, reached) = estimates(blocks, query, count, &allows);
            told_apart(blocks, query, count, &estimates, reached.bound(), &allows)
        });
        let mut least = AtLeast::new(count);
        let mut candidates = Vec::new();
        for (mut some, known) in found {
            for score in known.values() {
                least.push(score);
            }
            candidates.append(&mut some);
        }
        candidates.retain(|candidate| candidate.most >= least.bound());
        let by_bytes = self.have_bytes();
        if !by_bytes && limit > 0 && candidates.len() > limit {
            candidates.select_nth_unstable_by(limit - 1, by_most);
            candidates.truncate(limit);
        }
        candidates.sort_unstable_by(by_most);
        candidates
    }

    /// Whether the bytes of all vectors are at hand.
    pub fn have_bytes(&self) -> bool {
        self.blocks.iter().all(|(_, bytes)| bytes.is_some())
    }
}

/// A block with its bytes where they are at hand.
type Block = (Arc<CodeBlock>, Option<Arc<CodeBytes>>);

/// Hardly less than the cosine of each vector, and what the best are likely to reach.
fn estimates(
    blocks: &[Block],
    query: &CodedQuery,
    count: usize,
    allows: &impl Fn(u64) -> bool,
) -> (Vec<f32>, AtLeast) {
    let vectors = blocks.iter().map(|(block, _)| block.owners.len());
    let mut estimates = Vec::with_capacity(vectors.sum());
    let mut least = AtLeast::new(count);
    let mut sums = Vec::new();
    let mut numbers = Vec::new();
    for (block, _) in blocks {
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
    (estimates, least)
}

/// The vectors of which enough is estimated, as far as their bytes do not tell better,
/// and what the best reach by their bytes.
fn told_apart(
    blocks: &[Block],
    query: &CodedQuery,
    count: usize,
    estimates: &[f32],
    reached: f32,
    allows: &impl Fn(u64) -> bool,
) -> (Vec<Candidate>, AtLeast) {
    let mut least = AtLeast::new(count);
    let mut candidates = Vec::new();
    let mut numbers = Vec::new();
    let mut rest = estimates;
    for (block, bytes) in blocks {
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
    (candidates, least)
}

/// Does work on parts of many blocks at once, and on few as one part.
fn in_parts<B: Sync, T: Send>(blocks: &[B], work: impl Fn(&[B]) -> T + Sync) -> Vec<T> {
    let size = blocks.len().div_ceil(part_count(blocks.len())).max(1);
    let mut parts = blocks.chunks(size);
    let Some(first) = parts.next() else {
        return Vec::new();
    };
    let work = &work;
    std::thread::scope(|scope| {
        let others: Vec<_> = parts
            .map(|part| (scope.spawn(move || work(part)), part))
            .collect();
        let mut done = vec![work(first)];
        for (other, part) in others {
            // A part whose thread failed is done here.
            done.push(other.join().unwrap_or_else(|_| work(part)));
        }
        done
    })
}

/// Into how many parts so many blocks are worth being taken.
fn part_count(blocks: usize) -> usize {
    if blocks * BLOCK_VECTORS < WORTH_A_THREAD {
        return 1;
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    cores.min(MOST_THREADS)
}

fn by_most(a: &Candidate, b: &Candidate) -> std::cmp::Ordering {
    b.most.total_cmp(&a.most).then(a.owner.cmp(&b.owner))
}

/// Vectors that include the `count` nearest for certain, of those that `allows` lets
/// through, those that may be the nearest first: to be compared in full. `known` are
/// cosines of vectors that have been compared already.
///
/// By |⟨q, x⟩ − ⟨q̂, x̂⟩| ≤ |q| · |x − x̂| + |q − q̂| · |x̂|, a vector whose bytes say so much
/// less than those of `count` others that the errors of both cannot make up for it is not
/// among the nearest.
pub fn certain_candidates<'b>(
    blocks: impl IntoIterator<Item = (&'b CodeBlock, &'b CodeBytes)>,
    query: &CodedQuery,
    count: usize,
    known: &[f32],
    allows: impl Fn(u64) -> bool + Sync,
) -> Vec<Candidate> {
    let blocks: Vec<_> = blocks.into_iter().collect();
    let found = in_parts(&blocks, |blocks| {
        certain_of(blocks, query, count, known, &allows)
    });
    let mut least = AtLeast::new(count);
    for score in known {
        least.push(*score);
    }
    let mut possible = Vec::new();
    for (mut some, reached) in found {
        for score in reached {
            least.push(score);
        }
        possible.append(&mut some);
    }
    possible.retain(|candidate| candidate.most >= least.bound);
    possible.sort_unstable_by(by_most);
    possible
}

/// The candidates of some blocks, and what the best of them reach for certain.
fn certain_of(
    blocks: &[(&CodeBlock, &CodeBytes)],
    query: &CodedQuery,
    count: usize,
    known: &[f32],
    allows: &impl Fn(u64) -> bool,
) -> (Vec<Candidate>, Vec<f32>) {
    let mut least = AtLeast::new(count);
    for score in known {
        least.push(*score);
    }
    let mut own = AtLeast::new(count);
    let mut possible: Vec<Candidate> = Vec::new();
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
                possible.push(Candidate { most, owner });
                least.push(at(&bounds.least));
                own.push(at(&bounds.least));
            }
        }
    }
    possible.retain(|candidate| candidate.most >= least.bound);
    (possible, own.values().collect())
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
#[derive(Debug)]
pub struct AtLeast {
    count: usize,
    greatest: BinaryHeap<Reverse<Ordered>>,
    bound: f32,
}

impl AtLeast {
    /// Nothing is known of any vector yet.
    pub fn new(count: usize) -> Self {
        Self {
            count,
            greatest: BinaryHeap::new(),
            bound: f32::NEG_INFINITY,
        }
    }

    /// What is reached; no number is less than it before so many are known.
    pub fn bound(&self) -> f32 {
        self.bound
    }

    /// The greatest numbers that were reached, in no order.
    fn values(&self) -> impl Iterator<Item = f32> {
        self.greatest.iter().map(|Reverse(Ordered(score))| *score)
    }

    /// One more vector reaches this.
    pub fn push(&mut self, score: f32) {
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
                    let among = found.iter().any(|candidate| candidate.owner == owner);
                    assert!(among, "{dimension}: {owner}");
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
                .filter(|owner| candidates.iter().any(|one| one.owner == **owner))
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
