//! Which vectors may be the nearest for certain.

use super::codes::{CodeBlock, Estimate, FourBits, LowBits};
use super::nearest::{Candidate, Codes, retain_allowed};
use super::parts::in_parts;
use super::query::CodedQuery;
use super::reaching::reaching;

/// How many vectors are worth another thread; few in tests, so that these have parts, too.
const WORTH_A_THREAD: usize = if cfg!(test) { 300 } else { 25_000 };

impl Codes {
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
        let found = in_parts(&self.blocks, WORTH_A_THREAD, |part| {
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
