//! Which vectors may be the nearest for certain.

use super::codes::{CodeBlock, LowBits};
use super::nearest::{Candidate, Codes, Search};
use super::parts::{Part, in_two_rounds};
use super::query::CodedQuery;
use super::side_by_side::Block;
use super::told::{Seen, Told};

/// How many vectors are worth another thread; few in tests, so that these have parts, too.
const WORTH_A_THREAD: usize = if cfg!(test) { 300 } else { 25_000 };

/// The vectors that may be the nearest.
#[derive(Debug)]
pub struct Certain {
    /// They reach, compared in full, what others have to reach.
    pub bound: f32,
    /// In no order.
    pub candidates: Vec<Candidate>,
    /// Those of blocks whose low bits are not at hand, to be [narrowed](Undecided::narrowed) with
    /// them.
    pub undecided: Vec<Undecided>,
}

impl Codes {
    /// The vectors that may be among the `count` nearest of those that `allows`, if it is given,
    /// lets through, for certain no other.
    ///
    /// Four bits are looked at of all vectors. As many as are asked for, the likeliest, are then
    /// shown to `reached`; what they reach, compared in full, tells which others may be nearer.
    /// By |⟨q, x⟩ − ⟨q̂, x̂⟩| ≤ |q| · |x − x̂| + |q − q̂| · |x̂|, a vector whose code says so much
    /// less that the errors of both cannot make up for it is not.
    ///
    /// # Errors
    /// Those of `reached`.
    pub fn certain<E>(
        &self,
        query: &CodedQuery,
        count: usize,
        allows: Option<impl Fn(u64) -> bool + Sync>,
        reached: impl FnOnce(&[Candidate]) -> Result<f32, E>,
    ) -> Result<Certain, E> {
        let search = Search {
            codes: self,
            query,
            count,
            allows,
        };
        let mut all = Certain {
            bound: f32::NEG_INFINITY,
            candidates: Vec::new(),
            undecided: Vec::new(),
        };
        let found = in_two_rounds(
            &self.blocks,
            WORTH_A_THREAD,
            |part| search.by_four_bits(part),
            |told| {
                let likeliest = Candidate::best(told.iter().map(|(_, seeds)| seeds), count);
                all.bound = reached(&likeliest)?;
                Ok(all.bound)
            },
            |part, (told, _), bound| search.reaching(part, told, *bound),
        )?;
        for (candidates, undecided) in found {
            all.candidates.extend(candidates);
            all.undecided.extend(undecided);
        }
        Ok(all)
    }
}

impl<A: Fn(u64) -> bool> Search<'_, A> {
    /// What four bits tell of a part, and which of its vectors are the likeliest.
    fn by_four_bits(&self, part: Part<'_, Block>) -> (Told, Vec<Candidate>) {
        let mut products = Default::default();
        let (told, bound) = Told::by_looking(
            part,
            (self.query, self.count),
            self.allows.as_ref(),
            |block, known, most| {
                block.by_four_bits(self.query, known, &mut products, most);
            },
        );
        let mut seeds = Vec::new();
        told.reaching(
            part,
            bound,
            |seen| seen.block.ask_for_error(seen.number),
            |seen| {
                seen.retain(|seen| seen.is_allowed(self.allows.as_ref()));
                seeds.extend(seen.iter().map(|seen| Candidate {
                    most: seen.told_by_four_bits(self.query),
                    owner: seen.owner(),
                }));
            },
        );
        let likeliest = Candidate::best([&seeds], self.count);
        (told, likeliest)
    }

    fn reaching(
        &self,
        part: Part<'_, Block>,
        told: &Told,
        bound: f32,
    ) -> (Vec<Candidate>, Vec<Undecided>) {
        let (mut candidates, mut undecided) = (Vec::new(), Vec::<Undecided>::new());
        let low = |seen: &Seen<'_>| self.codes.low_bits(seen.place);
        let ask = |seen: &Seen<'_>| {
            seen.block.ask_for_error(seen.number);
            if let Some(low) = low(seen) {
                low.ask_for(seen.number);
            }
        };
        let mut products = Vec::new();
        told.reaching(part, bound, ask, |seen| {
            seen.retain(|seen| seen.is_allowed(self.allows.as_ref()));
            let rows = seen
                .iter()
                .filter_map(|seen| Some(low(seen)?.row(seen.number)));
            products.clear();
            self.query.planes.low(rows, &mut products);
            let mut product = products.iter();
            for seen in seen.iter() {
                let (owner, cosine) = (seen.owner(), seen.told_by_four_bits(self.query));
                if let Some(low) = low(seen) {
                    let told = (
                        seen.number,
                        cosine,
                        product.next().copied().unwrap_or_default(),
                    );
                    let most = seen.block.by_eight_bits(low, told, self.query, bound);
                    candidates.extend(most.map(|most| Candidate { most, owner }));
                } else {
                    let vector = (seen.number, cosine);
                    match undecided.last_mut() {
                        Some(last) if last.block == seen.place => last.vectors.push(vector),
                        _ => undecided.push(Undecided {
                            block: seen.place,
                            vectors: vec![vector],
                        }),
                    }
                }
            }
        });
        (candidates, undecided)
    }
}

/// Vectors of a block of which four bits do not tell enough.
#[derive(Debug)]
pub struct Undecided {
    /// Which block.
    pub block: usize,
    /// By number, with what four bits tell of their cosines.
    vectors: Vec<(usize, f32)>,
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
        let rows = self.vectors.iter().map(|(number, _)| low.row(*number));
        let mut products = Vec::with_capacity(self.vectors.len());
        query.planes.low(rows, &mut products);
        let told = self.vectors.iter().zip(products);
        told.filter_map(|((number, cosine), product)| {
            let owner = block.owners.get(*number).copied()?;
            let most = block.by_eight_bits(low, (*number, *cosine, product), query, bound)?;
            Some(Candidate { most, owner })
        })
        .collect()
    }
}
