//! Which vectors may be the nearest, told from their codes.

use std::sync::Arc;

use super::AtLeast;
use super::codes::{CodeBlock, Estimate, FourBits, LowBits};
use super::parts::{Part, in_parts};
use super::query::CodedQuery;
use super::reaching::reaching;

/// How many standard deviations an estimate may be off before a vector that is among the
/// nearest is missed: by chance, one of 14,000 that are just as near as the last of them.
const DEVIATIONS: f32 = 3.8;

/// How many vectors of each part are looked at more closely to learn what the nearest reach,
/// where ten are asked for.
const SEEDS: usize = 64;

/// The codes of some vectors.
#[derive(Clone, Debug, Default)]
pub struct Codes {
    /// In the order of their owners.
    pub blocks: Vec<Arc<CodeBlock>>,
    /// By block: its low bits, where they are at hand.
    pub low: Vec<Option<Arc<LowBits>>>,
}

/// A vector that may be among the nearest.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Hardly less than its cosine, or for certain not less.
    pub most: f32,
    /// Whose vector it is.
    pub owner: u64,
}

impl Candidate {
    /// The order in which candidates are worth being compared in full: those that may be
    /// the nearest first.
    pub fn by_most(a: &Self, b: &Self) -> std::cmp::Ordering {
        b.most.total_cmp(&a.most).then(a.owner.cmp(&b.owner))
    }
}

/// What two bits tell of the vectors of a part.
struct ByTwoBits {
    /// By vector: its estimated cosine.
    estimates: Vec<f32>,
    /// What some of the likeliest reach.
    reached: AtLeast,
}

impl Codes {
    /// Vectors that are likely to include the `count` nearest, of those that `allows` lets
    /// through, those that may be the nearest first: to be compared in full. No cosine is
    /// greater than a candidate's `most` but by chance.
    ///
    /// Estimates from two bits tell most vectors from those that may be the nearest; four bits
    /// tell all but some sixty of a hundred thousand, and low bits, where they are at hand, all
    /// but some twenty.
    pub fn likely_candidates(
        &self,
        query: &CodedQuery,
        count: usize,
        allows: impl Fn(u64) -> bool + Sync,
    ) -> Vec<Candidate> {
        let told = in_parts(&self.blocks, |part| {
            by_two_bits(part, query, count, &allows)
        });
        let mut reached = AtLeast::new(count);
        for score in told.iter().flat_map(|told| told.reached.values()) {
            reached.push(score);
        }
        let bound = reached.bound();
        let found = in_parts(&self.blocks, |part| {
            let estimates = told.get(part.number).map(|told| told.estimates.as_slice());
            self.narrowed(
                part,
                query,
                estimates.unwrap_or_default(),
                (count, bound),
                &allows,
            )
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
        candidates.sort_unstable_by(Candidate::by_most);
        candidates
    }

    /// The vectors of a part that may be among the nearest by what four bits tell, or all eight
    /// where they are at hand; `bound` is reached for certain by so many. And what the best of
    /// them reach.
    fn narrowed(
        &self,
        part: Part<'_, Block>,
        query: &CodedQuery,
        estimates: &[f32],
        (count, bound): (usize, f32),
        allows: &impl Fn(u64) -> bool,
    ) -> (Vec<Candidate>, AtLeast) {
        let mut least = AtLeast::new(count);
        let mut candidates = Vec::new();
        let mut most = Vec::new();
        let mut numbers = Vec::new();
        let mut told = Told::default();
        let blocks = (part.first..).zip(with_estimates(part.blocks, estimates));
        for (place, (block, here)) in blocks {
            block.at_most(here, DEVIATIONS, &mut most);
            let bound = bound.max(least.bound());
            reaching(&most, bound, &mut numbers);
            retain_allowed(&mut numbers, block, allows);
            told.look_closer(block, &numbers, here, query);
            told.keep(bound, &mut numbers);
            if let Some(Some(low)) = self.low.get(place) {
                told.look_closest(block, low, &numbers, query);
            }
            for (number, told) in numbers.iter().zip(&told.estimates) {
                let most = told.cosine + DEVIATIONS * told.error;
                if let Some(owner) = block.owners.get(*number).copied()
                    && most >= bound
                {
                    candidates.push(Candidate { most, owner });
                    least.push(told.cosine - DEVIATIONS * told.error);
                }
            }
        }
        (candidates, least)
    }

    /// The vectors that may reach `bound`, for certain no other of those that `allows` lets
    /// through; of blocks whose low bits are not at hand, in a form to be
    /// [narrowed](Undecided::narrowed) with them.
    ///
    /// By |⟨q, x⟩ − ⟨q̂, x̂⟩| ≤ |q| · |x − x̂| + |q − q̂| · |x̂|, a vector whose code says so much
    /// less that the errors of both cannot make up for it does not reach the bound.
    pub fn certain_candidates(
        &self,
        query: &CodedQuery,
        bound: f32,
        allows: impl Fn(u64) -> bool + Sync,
    ) -> (Vec<Candidate>, Vec<Undecided>) {
        let found = in_parts(&self.blocks, |part| {
            let (mut candidates, mut undecided) = (Vec::new(), Vec::new());
            let mut work = FourBits::default();
            for (number, block) in (part.first..).zip(part.blocks) {
                block.by_four_bits(query, &mut work);
                let mut vectors = Vec::new();
                reaching(&work.most, bound, &mut vectors);
                retain_allowed(&mut vectors, block, &allows);
                if vectors.is_empty() {
                    continue;
                }
                let coded = |vector: &usize| work.coded.get(*vector).copied().unwrap_or_default();
                let here = Undecided {
                    block: number,
                    coded: vectors.iter().map(coded).collect(),
                    vectors,
                };
                match self.low.get(number) {
                    Some(Some(low)) => candidates.extend(here.narrowed(block, low, query, bound)),
                    _ => undecided.push(here),
                }
            }
            (candidates, undecided)
        });
        let (candidates, undecided): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        (
            candidates.concat(),
            undecided.into_iter().flatten().collect(),
        )
    }
}

/// Vectors of a block of which four bits do not tell enough.
#[derive(Debug)]
pub struct Undecided {
    /// Which block.
    pub block: usize,
    vectors: Vec<usize>,
    /// By vector: the product of the query with its four bits.
    coded: Vec<i32>,
}

impl Undecided {
    /// Those that may reach `bound` by what all eight bits tell for certain.
    pub fn narrowed(
        &self,
        block: &CodeBlock,
        low: &LowBits,
        query: &CodedQuery,
        bound: f32,
    ) -> Vec<Candidate> {
        let told = block.by_eight_bits(low, &self.vectors, &self.coded, query);
        let told = self.vectors.iter().zip(told);
        told.filter_map(|(number, Estimate { cosine, error })| {
            let owner = block.owners.get(*number).copied()?;
            let most = cosine + error;
            (most >= bound).then_some(Candidate { most, owner })
        })
        .collect()
    }
}

fn retain_allowed(numbers: &mut Vec<usize>, block: &CodeBlock, allows: &impl Fn(u64) -> bool) {
    let owner = |number: usize| block.owners.get(number).copied();
    numbers.retain(|number| owner(*number).is_some_and(allows));
}

type Block = Arc<CodeBlock>;

/// What two bits tell of the vectors of a part, and four bits of the likeliest of them.
fn by_two_bits(
    part: Part<'_, Block>,
    query: &CodedQuery,
    count: usize,
    allows: &impl Fn(u64) -> bool,
) -> ByTwoBits {
    let vectors = part.blocks.iter().map(|block| block.owners.len());
    let mut estimates = Vec::with_capacity(vectors.sum());
    let mut sums = Default::default();
    let mut numbers = Vec::new();
    let mut likeliest = AtLeast::new(SEEDS.max(4 * count));
    for block in part.blocks {
        let first = estimates.len();
        block.by_two_bits(query, &mut sums, &mut estimates);
        let told = estimates.get(first..).unwrap_or_default();
        reaching(told, likeliest.bound(), &mut numbers);
        retain_allowed(&mut numbers, block, allows);
        for number in &numbers {
            likeliest.push(told.get(*number).copied().unwrap_or_default());
        }
    }
    let mut reached = AtLeast::new(count);
    let mut told = Told::default();
    for (block, here) in with_estimates(part.blocks, &estimates) {
        reaching(here, likeliest.bound(), &mut numbers);
        retain_allowed(&mut numbers, block, allows);
        told.look_closer(block, &numbers, here, query);
        for estimate in &told.estimates {
            reached.push(estimate.cosine - DEVIATIONS * estimate.error);
        }
    }
    ByTwoBits { estimates, reached }
}

/// Each block with the estimates of its vectors.
fn with_estimates<'p>(
    blocks: &'p [Block],
    estimates: &'p [f32],
) -> impl Iterator<Item = (&'p CodeBlock, &'p [f32])> {
    let mut rest = estimates;
    blocks.iter().map(move |block| {
        let split = rest.split_at_checked(block.owners.len());
        let (here, after) = split.unwrap_or_default();
        rest = after;
        (&**block, here)
    })
}

/// What four or eight bits tell of some vectors, and room to find it out.
#[derive(Debug, Default)]
struct Told {
    products: Vec<i32>,
    estimates: Vec<Estimate>,
}

impl Told {
    fn look_closer(
        &mut self,
        block: &CodeBlock,
        numbers: &[usize],
        by_two_bits: &[f32],
        query: &CodedQuery,
    ) {
        self.estimates.clear();
        if !numbers.is_empty() {
            let (products, estimates) = (&mut self.products, &mut self.estimates);
            block.closer(numbers, by_two_bits, query, products, estimates);
        }
    }

    /// Keeps those that may reach `bound`.
    fn keep(&mut self, bound: f32, numbers: &mut Vec<usize>) {
        let reaches = |told: &Estimate| told.cosine + DEVIATIONS * told.error >= bound;
        let mut told = self.estimates.iter();
        numbers.retain(|_| told.next().is_some_and(reaches));
        self.estimates.retain(reaches);
    }

    fn look_closest(
        &mut self,
        block: &CodeBlock,
        low: &LowBits,
        numbers: &[usize],
        query: &CodedQuery,
    ) {
        if !numbers.is_empty() {
            let (products, estimates) = (&mut self.products, &mut self.estimates);
            block.closest(low, numbers, query, products, estimates);
        }
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

    /// With low bits at hand for every other block.
    fn coded(vectors: &[Vec<f32>]) -> (Codes, Vec<LowBits>) {
        let owned: Vec<(u64, &[f32])> = (0..).zip(vectors.iter().map(Vec::as_slice)).collect();
        let coded = owned.chunks(BLOCK_VECTORS).map(CodeBlock::encode);
        let (blocks, low): (Vec<_>, Vec<_>) =
            coded.map(|(block, low)| (Arc::new(block), low)).unzip();
        let at_hand = low.iter().enumerate();
        let at_hand = at_hand.map(|(at, low)| (at % 2 == 0).then(|| Arc::new(low.clone())));
        let codes = Codes {
            blocks,
            low: at_hand.collect(),
        };
        (codes, low)
    }

    /// All that may reach the bound for certain.
    fn certain(
        (codes, low): &(Codes, Vec<LowBits>),
        query: &CodedQuery,
        bound: f32,
        allows: impl Fn(u64) -> bool + Sync,
    ) -> Vec<Candidate> {
        let (mut candidates, undecided) = codes.certain_candidates(query, bound, allows);
        candidates.extend(undecided.iter().flat_map(|undecided| {
            let (block, low) = (&codes.blocks[undecided.block], &low[undecided.block]);
            undecided.narrowed(block, low, query, bound)
        }));
        candidates
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
    fn what_may_reach_a_bound_holds_all_that_do_and_few_others() {
        for dimension in [1, 3, 32, 100, 256, 384] {
            let mut cloud = Cloud::new(dimension as u64, dimension);
            let vectors: Vec<_> = (0..2_000).map(|_| cloud.vector()).collect();
            let coded = coded(&vectors);
            for _ in 0..10 {
                let query = cloud.vector();
                let query_codes = CodedQuery::new(&query);
                let nearest = nearest(&vectors, &query, 10);
                let bound = cosine(&query, &vectors[nearest[9] as usize]);
                let found = certain(&coded, &query_codes, bound, |_| true);
                for owner in nearest {
                    let among = found.iter().any(|candidate| candidate.owner == owner);
                    assert!(among, "{dimension}: {owner}");
                }
                assert!(
                    dimension < 32 || found.len() < 50,
                    "{dimension}: {}",
                    found.len()
                );
            }
        }
    }

    #[test]
    fn nothing_reaches_more_than_its_code_says() {
        let mut cloud = Cloud::new(3, 100);
        let vectors: Vec<_> = (0..700).map(|_| cloud.vector()).collect();
        let coded = coded(&vectors);
        for _ in 0..20 {
            let query = cloud.vector();
            for candidate in certain(&coded, &CodedQuery::new(&query), -2.0, |_| true) {
                let cosine = cosine(&query, &vectors[candidate.owner as usize]);
                assert!(candidate.most >= cosine, "{candidate:?}: {cosine}");
                assert!(candidate.most < cosine + 0.1, "{candidate:?}: {cosine}");
            }
        }
    }

    #[test]
    fn only_what_is_allowed_is_found() {
        let mut cloud = Cloud::new(5, 64);
        let vectors: Vec<_> = (0..500).map(|_| cloud.vector()).collect();
        let query = CodedQuery::new(&cloud.vector());
        let coded = coded(&vectors);
        assert!(certain(&coded, &query, 2.0, |_| true).is_empty());
        assert_eq!(
            certain(&coded, &query, -2.0, |owner| owner % 2 == 1).len(),
            250
        );
        let likely = coded
            .0
            .likely_candidates(&query, 500, |owner| owner % 2 == 1);
        assert_eq!(likely.len(), 250);
    }

    #[test]
    fn likely_candidates_seldom_miss_one_of_the_nearest_and_are_few() {
        for dimension in [100, 256] {
            let mut cloud = Cloud::new(9, dimension);
            let vectors: Vec<_> = (0..50_000).map(|_| cloud.vector()).collect();
            let (codes, _) = coded(&vectors);
            let (mut found, mut compared) = (0, 0);
            for _ in 0..50 {
                let query = cloud.vector();
                let candidates = codes.likely_candidates(&CodedQuery::new(&query), 10, |_| true);
                let among = |owner: &u64| candidates.iter().any(|one| one.owner == *owner);
                found += nearest(&vectors, &query, 10)
                    .iter()
                    .filter(|owner| among(owner))
                    .count();
                compared += candidates.len();
            }
            assert!(found >= 499, "{found} of 500");
            assert!(compared < 50 * 1_000, "{compared}");
        }
    }

    #[test]
    fn equal_and_opposite_vectors_have_codes_too() {
        for x in [0.5_f32, -0.5] {
            let vectors = vec![vec![x; 8]; 40];
            let coded = coded(&vectors);
            let query = CodedQuery::new(&[0.5; 8]);
            assert_eq!(coded.0.likely_candidates(&query, 3, |_| true).len(), 40);
            let bound = cosine(&[0.5; 8], &vectors[0]);
            assert_eq!(certain(&coded, &query, bound, |_| true).len(), 40);
        }
    }
}
