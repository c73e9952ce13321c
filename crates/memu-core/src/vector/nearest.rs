//! Which vectors may be the nearest, told from their codes: likely or for certain.

use super::codes::{CodeBlock, LowBits};
use super::query::CodedQuery;
use super::side_by_side::Block;

/// The codes of some vectors.
#[derive(Clone, Debug, Default)]
pub struct Codes {
    /// In the order of their owners.
    pub blocks: Vec<Block>,
}

/// A vector that may be among the nearest.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Hardly less than its cosine, or for certain not less; of the likeliest, which are shown before
    /// others are told, an estimate of it.
    pub most: f32,
    /// Whose vector it is.
    pub owner: u64,
}

/// What is searched, and for what.
pub(super) struct Search<'c, A> {
    pub(super) codes: &'c Codes,
    pub(super) query: &'c CodedQuery,
    /// How many are asked for.
    pub(super) count: usize,
    /// Which owners' vectors may be found, by default all.
    pub(super) allows: Option<A>,
}

impl Codes {
    /// The low bits of a block, where they are at hand.
    pub(super) fn low_bits(&self, block: usize) -> Option<&LowBits> {
        self.blocks.get(block)?.low_bits()
    }
}

impl Candidate {
    /// The order in which candidates are worth being compared in full: those that may be
    /// the nearest first.
    pub fn by_most(a: &Self, b: &Self) -> std::cmp::Ordering {
        b.most.total_cmp(&a.most).then(a.owner.cmp(&b.owner))
    }

    /// The first `count` in that order.
    pub(super) fn best<'c>(
        candidates: impl IntoIterator<Item = &'c Vec<Self>>,
        count: usize,
    ) -> Vec<Self> {
        let mut candidates: Vec<Self> = candidates.into_iter().flatten().copied().collect();
        candidates.sort_unstable_by(Self::by_most);
        candidates.truncate(count);
        candidates
    }
}

/// Drops the vectors of a block, given by number, that are not to be found.
pub(super) fn retain_allowed(
    numbers: &mut Vec<usize>,
    block: &CodeBlock,
    allows: Option<&impl Fn(u64) -> bool>,
) {
    let Some(allows) = allows else {
        return;
    };
    let owner = |number: usize| block.owners.get(number).copied();
    numbers.retain(|number| owner(*number).is_some_and(allows));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;
    use crate::vector::{AtLeast, BLOCK_VECTORS, SideBySide, cosine};

    type Never = std::convert::Infallible;

    /// All vectors may be found.
    const ANY: Option<fn(u64) -> bool> = None;

    /// Vectors around some points, so that near ones are nearer than chance.
    struct Cloud {
        random: SplitMix,
        dimension: usize,
        points: Vec<Vec<f32>>,
    }

    impl Cloud {
        fn new(seed: u64, dimension: usize) -> Self {
            let mut cloud = Self {
                random: SplitMix::new(seed),
                dimension,
                points: Vec::new(),
            };
            cloud.points = (0..20).map(|_| cloud.gaussian()).collect();
            cloud
        }

        fn uniform(&mut self) -> f32 {
            ((self.random.number() >> 40) as f32 + 0.5) / (1_u64 << 24) as f32
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

    /// With low bits at hand for every other pair of blocks.
    fn coded(vectors: &[Vec<f32>]) -> (Codes, Vec<LowBits>) {
        let owned: Vec<(u64, &[f32])> = (0..).zip(vectors.iter().map(Vec::as_slice)).collect();
        let coded: Vec<_> = owned.chunks(BLOCK_VECTORS).map(CodeBlock::encode).collect();
        let mut codes = Codes::default();
        for (at, two) in coded.chunks(2).enumerate() {
            let mut side_by_side = SideBySide::new(two.len());
            for (block, low) in two {
                side_by_side.push(block.clone(), (at % 2 == 0).then(|| low.clone()));
            }
            codes.blocks.extend(side_by_side.finish());
        }
        (codes, coded.into_iter().map(|(_, low)| low).collect())
    }

    /// All that may reach the bound for certain.
    fn certain(
        (codes, low): &(Codes, Vec<LowBits>),
        query: &CodedQuery,
        bound: f32,
        allows: Option<impl Fn(u64) -> bool + Sync>,
    ) -> Vec<Candidate> {
        let Ok::<_, Never>(mut found) = codes.certain(query, 10, allows, |_| Ok(bound));
        assert_eq!(found.bound, bound);
        found
            .candidates
            .extend(found.undecided.iter().flat_map(|undecided| {
                let (block, low) = (&codes.blocks[undecided.block], &low[undecided.block]);
                undecided.narrowed(block.codes().unwrap(), low, query, bound)
            }));
        found.candidates
    }

    /// All that are likely to be among the nearest.
    fn likely(
        codes: &Codes,
        vectors: &[Vec<f32>],
        query: &[f32],
        count: usize,
        allows: Option<impl Fn(u64) -> bool + Sync>,
    ) -> Vec<Candidate> {
        let query_codes = CodedQuery::new(query);
        let reached = |likeliest: &[Candidate]| {
            let mut reached = AtLeast::new(count);
            for likeliest in likeliest {
                reached.push(cosine(query, &vectors[likeliest.owner as usize]));
            }
            Ok(reached.bound())
        };
        let Ok::<_, Never>(found) = codes.likely(&query_codes, count, allows, reached);
        found
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
                let found = certain(&coded, &query_codes, bound, ANY);
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
            for candidate in certain(&coded, &CodedQuery::new(&query), -2.0, ANY) {
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
        let vector = cloud.vector();
        let query = CodedQuery::new(&vector);
        let coded = coded(&vectors);
        assert!(certain(&coded, &query, 2.0, Some(|_| true)).is_empty());
        assert_eq!(
            certain(&coded, &query, -2.0, Some(|owner| owner % 2 == 1)).len(),
            250
        );
        let likely = likely(
            &coded.0,
            &vectors,
            &vector,
            500,
            Some(|owner| owner % 2 == 1),
        );
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
                let candidates = likely(&codes, &vectors, &query, 10, ANY);
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
    fn more_may_be_asked_for_than_there_are() {
        let mut cloud = Cloud::new(6, 32);
        let vectors: Vec<_> = (0..2_500).map(|_| cloud.vector()).collect();
        let vector = cloud.vector();
        let coded = coded(&vectors);
        for count in [2_500, 1_000_000_000_000, usize::MAX] {
            let found = likely(&coded.0, &vectors, &vector, count, ANY);
            assert_eq!(found.len(), 2_500, "{count}");
            let shown = |likeliest: &[Candidate]| {
                assert_eq!(likeliest.len(), 2_500, "{count}");
                Ok::<_, Never>(-1.0)
            };
            let query = CodedQuery::new(&vector);
            let Ok(_) = coded.0.certain(&query, count, ANY, shown);
        }
    }

    #[test]
    fn equal_and_opposite_vectors_have_codes_too() {
        for x in [0.5_f32, -0.5] {
            let vectors = vec![vec![x; 8]; 40];
            let coded = coded(&vectors);
            let query = CodedQuery::new(&[0.5; 8]);
            assert_eq!(likely(&coded.0, &vectors, &[0.5; 8], 3, ANY).len(), 40);
            let bound = cosine(&[0.5; 8], &vectors[0]);
            assert_eq!(certain(&coded, &query, bound, ANY).len(), 40);
        }
    }
}
