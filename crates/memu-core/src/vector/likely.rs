//! Which vectors are likely to be the nearest.

use std::sync::Arc;

use super::AtLeast;
use super::codes::{CodeBlock, Estimate, LowBits};
use super::nearest::{Candidate, Codes, retain_allowed};
use super::parts::{Part, in_parts};
use super::query::CodedQuery;
use super::reaching::reaching;
use super::told::{Here, Told};

/// How many standard deviations an estimate may be off before a vector that is among the
/// nearest is missed: by chance, one of 14,000 that are just as near as the last of them.
pub(super) const DEVIATIONS: f32 = 3.8;

/// How many vectors are worth another thread; few in tests, so that these have parts, too.
const WORTH_A_THREAD: usize = if cfg!(test) { 1_000 } else { 30_000 };

type Block = Arc<CodeBlock>;

/// What two bits tell of all vectors, and which are likely to be the nearest.
#[derive(Debug)]
pub struct Glance<'c> {
    codes: &'c Codes,
    query: &'c CodedQuery,
    count: usize,
    /// By part.
    told: Vec<Told>,
    likeliest: Vec<Candidate>,
}

impl Codes {
    /// A first look at all vectors, for the `count` nearest of those that `allows` lets
    /// through.
    pub fn glance<'c>(
        &'c self,
        query: &'c CodedQuery,
        count: usize,
        allows: impl Fn(u64) -> bool + Sync,
    ) -> Glance<'c> {
        let parts = in_parts(&self.blocks, WORTH_A_THREAD, |part| {
            self.by_two_bits(part, query, count, &allows)
        });
        let (told, likeliest): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        let likeliest = Candidate::best(likeliest.concat(), count);
        Glance {
            codes: self,
            query,
            count,
            told,
            likeliest,
        }
    }

    /// What two bits tell of a part, and which of its vectors are the likeliest.
    fn by_two_bits(
        &self,
        part: Part<'_, Block>,
        query: &CodedQuery,
        count: usize,
        allows: &impl Fn(u64) -> bool,
    ) -> (Told, Vec<Candidate>) {
        let mut products = Vec::new();
        let (told, bound) = Told::by_looking(part, count, allows, |block, most| {
            block.by_two_bits(query, &mut products, most)
        });
        let mut numbers = Vec::new();
        let mut seeds = Vec::new();
        let mut closer = Closer::default();
        for (place, block, here) in told.of(part) {
            reaching(here.most, bound, &mut numbers);
            retain_allowed(&mut numbers, block, allows);
            closer.look(block, &numbers, here, query);
            if let Some(Some(low)) = self.low.get(place) {
                closer.look_closest(block, low, &numbers, query);
            }
            let found = numbers.iter().zip(&closer.estimates);
            seeds.extend(found.filter_map(|(number, told)| {
                let owner = block.owners.get(*number).copied()?;
                let most = told.cosine;
                Some(Candidate { most, owner })
            }));
        }
        (told, Candidate::best(seeds, count))
    }
}

impl Glance<'_> {
    /// As many vectors as are asked for, or all that there are: those that are likely to be
    /// the nearest, with estimates of their cosines in place of what these are at most. What
    /// they reach, compared in full, tells most others from those that may be nearer.
    pub fn likeliest(&self) -> &[Candidate] {
        &self.likeliest
    }

    /// The vectors whose cosines may be at least `bound`, those that may be the nearest
    /// first, of those that `allows` lets through: to be compared in full. No cosine is
    /// greater than a candidate's `most` but by chance.
    ///
    /// Two bits tell most vectors from those that may be the nearest; four bits tell all but
    /// some sixty of a hundred thousand, and low bits, where they are at hand, all but some
    /// twenty.
    pub fn candidates(&self, bound: f32, allows: impl Fn(u64) -> bool + Sync) -> Vec<Candidate> {
        let found = in_parts(&self.codes.blocks, WORTH_A_THREAD, |part| {
            self.narrowed(part, bound, &allows)
        });
        let mut least = AtLeast::new(self.count);
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

    /// The vectors of a part that may reach `bound` by what four bits tell, or all eight where
    /// they are at hand; and what the best of them reach.
    fn narrowed(
        &self,
        part: Part<'_, Block>,
        bound: f32,
        allows: &impl Fn(u64) -> bool,
    ) -> (Vec<Candidate>, AtLeast) {
        let mut least = AtLeast::new(self.count);
        let mut candidates = Vec::new();
        let mut numbers = Vec::new();
        let mut closer = Closer::default();
        let told = self.told.get(part.number);
        for (place, block, here) in told.into_iter().flat_map(|told| told.of(part)) {
            let bound = bound.max(least.bound()) - self.query.slack;
            reaching(here.most, bound, &mut numbers);
            retain_allowed(&mut numbers, block, allows);
            closer.look(block, &numbers, here, self.query);
            closer.keep(bound, &mut numbers);
            if let Some(Some(low)) = self.codes.low.get(place) {
                closer.look_closest(block, low, &numbers, self.query);
            }
            for (number, told) in numbers.iter().zip(&closer.estimates) {
                let most = told.cosine + DEVIATIONS * told.error + self.query.slack;
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

/// What four or eight bits tell of some vectors, and room to find it out.
#[derive(Debug, Default)]
struct Closer {
    products: Vec<i32>,
    estimates: Vec<Estimate>,
}

impl Closer {
    fn look(&mut self, block: &CodeBlock, numbers: &[usize], told: Here<'_>, query: &CodedQuery) {
        self.estimates.clear();
        if !numbers.is_empty() {
            let (products, estimates) = (&mut self.products, &mut self.estimates);
            block.closer(numbers, told, query, products, estimates);
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
