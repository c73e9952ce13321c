//! Which vectors are likely to be the nearest.

use super::AtLeast;
use super::codes::Estimate;
use super::nearest::{Candidate, Codes, Search};
use super::parts::{Part, in_two_rounds};
use super::query::CodedQuery;
use super::side_by_side::Block;
use super::told::{Seen, Told};

/// How many standard deviations an estimate may be off before a vector that is among the
/// nearest is missed: by chance, one of 3,000 that are just as near as the last of them.
pub(super) const DEVIATIONS: f32 = 3.4;

/// How many vectors are worth another thread; few in tests, so that these have parts, too.
const WORTH_A_THREAD: usize = if cfg!(test) { 1_000 } else { 30_000 };

impl Codes {
    /// The vectors that are likely to be among the `count` nearest of those that `allows`, if it
    /// is given, lets through, those that may be the nearest first: to be compared in full. No
    /// cosine is greater than a candidate's `most` but by chance.
    ///
    /// Two bits tell most vectors from those that may be the nearest. As many vectors as are
    /// asked for, the likeliest, are then shown to `reached`, with estimates of their cosines in
    /// place of what these are at most; what they reach, compared in full, tells most others from
    /// those that may be nearer. Of these, four bits leave some sixty of a hundred thousand, and
    /// low bits, where they are at hand, some twenty.
    ///
    /// # Errors
    /// Those of `reached`.
    pub fn likely<E>(
        &self,
        query: &CodedQuery,
        count: usize,
        allows: Option<impl Fn(u64) -> bool + Sync>,
        reached: impl FnOnce(&[Candidate]) -> Result<f32, E>,
    ) -> Result<Vec<Candidate>, E> {
        let search = Search {
            codes: self,
            query,
            count,
            allows,
        };
        let found = in_two_rounds(
            &self.blocks,
            WORTH_A_THREAD,
            |part| search.by_two_bits(part),
            |told| reached(&Candidate::best(told.iter().map(|(_, seeds)| seeds), count)),
            |part, (told, _), bound| search.narrowed(part, told, *bound),
        )?;
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
        Ok(candidates)
    }
}

impl<A: Fn(u64) -> bool> Search<'_, A> {
    /// What two bits tell of a part, and which of its vectors are the likeliest.
    fn by_two_bits(&self, part: Part<'_, Block>) -> (Told, Vec<Candidate>) {
        let mut products = Vec::new();
        let (told, bound) = Told::by_looking(
            part,
            (self.query, self.count),
            self.allows.as_ref(),
            |block, known, most| {
                block.by_two_bits(self.query, known, &mut products, most);
            },
        );
        let mut seeds = Vec::new();
        let mut closer = Closer::new(self.codes, self.query);
        told.reaching(
            part,
            bound,
            |seen| seen.block.ask_for(seen.number),
            |seen| {
                seen.retain(|seen| seen.is_allowed(self.allows.as_ref()));
                closer.look(seen);
                closer.look_closest(seen);
                seeds.extend(
                    seen.iter()
                        .zip(&closer.estimates)
                        .map(|(seen, told)| Candidate {
                            most: told.cosine,
                            owner: seen.owner(),
                        }),
                );
            },
        );
        let likeliest = Candidate::best([&seeds], self.count);
        (told, likeliest)
    }

    /// The vectors of a part that may reach `bound` by what four bits tell, or all eight where
    /// they are at hand; and what the best of them reach.
    fn narrowed(
        &self,
        part: Part<'_, Block>,
        told: &Told,
        bound: f32,
    ) -> (Vec<Candidate>, AtLeast) {
        let slack = self.query.slack;
        let mut least = AtLeast::new(self.count);
        let mut candidates = Vec::new();
        let mut closer = Closer::new(self.codes, self.query);
        told.reaching(
            part,
            bound - slack,
            |seen| seen.block.ask_for(seen.number),
            |seen| {
                let bound = bound.max(least.bound()) - slack;
                seen.retain(|seen| seen.most >= bound && seen.is_allowed(self.allows.as_ref()));
                closer.look(seen);
                closer.keep(bound, seen);
                closer.look_closest(seen);
                for (seen, told) in seen.iter().zip(&closer.estimates) {
                    let most = told.cosine + DEVIATIONS * told.error + slack;
                    if most >= bound {
                        let owner = seen.owner();
                        candidates.push(Candidate { most, owner });
                        least.push(told.cosine - DEVIATIONS * told.error);
                    }
                }
            },
        );
        (candidates, least)
    }
}

/// What four or eight bits tell of some vectors, and room to find it out.
#[derive(Debug)]
struct Closer<'q> {
    codes: &'q Codes,
    query: &'q CodedQuery,
    products: Vec<i32>,
    estimates: Vec<Estimate>,
}

impl<'q> Closer<'q> {
    fn new(codes: &'q Codes, query: &'q CodedQuery) -> Self {
        Self {
            codes,
            query,
            products: Vec::new(),
            estimates: Vec::new(),
        }
    }

    fn look(&mut self, seen: &[Seen<'_>]) {
        let rows = seen.iter().map(|seen| seen.block.middle_row(seen.number));
        self.products.clear();
        self.query.planes.middle(rows, &mut self.products);
        let told = seen.iter().zip(&self.products);
        self.estimates.clear();
        (self.estimates).extend(told.map(|(seen, product)| seen.closer(*product, self.query)));
    }

    /// Keeps those that may reach `bound`.
    fn keep(&mut self, bound: f32, seen: &mut Vec<Seen<'_>>) {
        let reaches = |told: &Estimate| told.cosine + DEVIATIONS * told.error >= bound;
        let mut told = self.estimates.iter();
        seen.retain(|_| told.next().is_some_and(reaches));
        self.estimates.retain(reaches);
    }

    /// Looks more closely still at those whose low bits are at hand.
    fn look_closest(&mut self, seen: &[Seen<'_>]) {
        let low = |seen: &Seen<'_>| self.codes.low_bits(seen.place);
        for seen in seen {
            if let Some(low) = low(seen) {
                low.ask_for(seen.number);
            }
        }
        let rows = seen
            .iter()
            .filter_map(|seen| Some(low(seen)?.row(seen.number)));
        self.products.clear();
        self.query.planes.low(rows, &mut self.products);
        let known = seen.iter().zip(&mut self.estimates);
        let known = known.filter_map(|(seen, estimate)| Some((seen, low(seen)?, estimate)));
        for ((seen, low, estimate), product) in known.zip(&self.products) {
            seen.closest(low, *product, self.query, estimate);
        }
    }
}
