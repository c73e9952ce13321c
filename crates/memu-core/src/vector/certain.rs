//! Which vectors may be the nearest for certain.

use std::sync::Arc;

use super::codes::{CodeBlock, Estimate, LowBits};
use super::nearest::{Candidate, Codes, retain_allowed};
use super::parts::{Part, in_parts};
use super::query::CodedQuery;
use super::reaching::reaching;
use super::told::{Here, Told};

/// How many vectors are worth another thread; few in tests, so that these have parts, too.
const WORTH_A_THREAD: usize = if cfg!(test) { 300 } else { 25_000 };

type Block = Arc<CodeBlock>;

/// What four bits tell of all vectors for certain, and which are likely to be the nearest.
#[derive(Debug)]
pub struct Survey<'c> {
    codes: &'c Codes,
    query: &'c CodedQuery,
    /// By part.
    told: Vec<Told>,
    likeliest: Vec<Candidate>,
}

impl Codes {
    /// A look at all vectors, for the `count` nearest of those that `allows` lets through and
    /// for certain no other.
    pub fn survey<'c>(
        &'c self,
        query: &'c CodedQuery,
        count: usize,
        allows: impl Fn(u64) -> bool + Sync,
    ) -> Survey<'c> {
        let parts = in_parts(&self.blocks, WORTH_A_THREAD, |part| {
            by_four_bits(part, query, count, &allows)
        });
        let (told, likeliest): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        let likeliest = Candidate::best(likeliest.concat(), count);
        Survey {
            codes: self,
            query,
            told,
            likeliest,
        }
    }
}

/// What four bits tell of a part, and which of its vectors are the likeliest.
fn by_four_bits(
    part: Part<'_, Block>,
    query: &CodedQuery,
    count: usize,
    allows: &impl Fn(u64) -> bool,
) -> (Told, Vec<Candidate>) {
    let mut products = Default::default();
    let (told, bound) = Told::by_looking(part, count, allows, |block, most| {
        block.by_four_bits(query, &mut products, most)
    });
    let mut numbers = Vec::new();
    let mut seeds = Vec::new();
    for (_, block, Here { most, .. }) in told.of(part) {
        reaching(most, bound, &mut numbers);
        retain_allowed(&mut numbers, block, allows);
        seeds.extend(numbers.iter().filter_map(|number| {
            let owner = block.owners.get(*number).copied()?;
            let most = block.told_by_four_bits(*number, *most.get(*number)?, query);
            Some(Candidate { most, owner })
        }));
    }
    (told, Candidate::best(seeds, count))
}

impl Survey<'_> {
    /// As many vectors as are asked for, or all that there are: those that are likely to be
    /// the nearest. What they reach, compared in full, tells which others may be nearer.
    pub fn likeliest(&self) -> &[Candidate] {
        &self.likeliest
    }

    /// The vectors that may reach `bound`, for certain no other of those that `allows` lets
    /// through; of blocks whose low bits are not at hand, in a form to be
    /// [narrowed](Undecided::narrowed) with them.
    ///
    /// By |⟨q, x⟩ − ⟨q̂, x̂⟩| ≤ |q| · |x − x̂| + |q − q̂| · |x̂|, a vector whose code says so much
    /// less that the errors of both cannot make up for it does not reach the bound.
    pub fn candidates(
        &self,
        bound: f32,
        allows: impl Fn(u64) -> bool + Sync,
    ) -> (Vec<Candidate>, Vec<Undecided>) {
        let found = in_parts(&self.codes.blocks, WORTH_A_THREAD, |part| {
            self.reaching(part, bound, &allows)
        });
        let (candidates, undecided): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        (
            candidates.concat(),
            undecided.into_iter().flatten().collect(),
        )
    }

    fn reaching(
        &self,
        part: Part<'_, Block>,
        bound: f32,
        allows: &impl Fn(u64) -> bool,
    ) -> (Vec<Candidate>, Vec<Undecided>) {
        let (mut candidates, mut undecided) = (Vec::new(), Vec::new());
        let mut vectors = Vec::new();
        let told = self.told.get(part.number);
        for (place, block, Here { most, .. }) in told.into_iter().flat_map(|told| told.of(part)) {
            reaching(most, bound, &mut vectors);
            retain_allowed(&mut vectors, block, allows);
            if vectors.is_empty() {
                continue;
            }
            let told = |number: &usize| {
                let most = most.get(*number).copied().unwrap_or_default();
                block.told_by_four_bits(*number, most, self.query)
            };
            let here = Undecided {
                block: place,
                cosines: vectors.iter().map(told).collect(),
                vectors: std::mem::take(&mut vectors),
            };
            match self.codes.low.get(place) {
                Some(Some(low)) => candidates.extend(here.narrowed(block, low, self.query, bound)),
                _ => undecided.push(here),
            }
        }
        (candidates, undecided)
    }
}

/// Vectors of a block of which four bits do not tell enough.
#[derive(Debug)]
pub struct Undecided {
    /// Which block.
    pub block: usize,
    vectors: Vec<usize>,
    /// By vector: what four bits tell of its cosine.
    cosines: Vec<f32>,
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
        let told = block.by_eight_bits(low, &self.vectors, &self.cosines, query);
        let told = self.vectors.iter().zip(told);
        told.filter_map(|(number, Estimate { cosine, error })| {
            let owner = block.owners.get(*number).copied()?;
            let most = cosine + error;
            (most >= bound).then_some(Candidate { most, owner })
        })
        .collect()
    }
}
