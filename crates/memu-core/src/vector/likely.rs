//! Which vectors are likely to be the nearest.

use std::sync::Arc;

use super::AtLeast;
use super::codes::{CodeBlock, Estimate, LowBits};
use super::nearest::{Candidate, Codes, retain_allowed};
use super::parts::{Part, in_parts};
use super::query::CodedQuery;
use super::reaching::reaching;

/// How many standard deviations an estimate may be off before a vector that is among the
/// nearest is missed: by chance, one of 14,000 that are just as near as the last of them.
const DEVIATIONS: f32 = 3.8;

/// How many vectors of each part are looked at more closely to learn what the nearest reach,
/// where ten are asked for.
const SEEDS: usize = 64;

type Block = Arc<CodeBlock>;

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
}

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
