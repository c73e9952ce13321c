//! What a first look at all vectors tells of them.

use std::sync::Arc;

use super::AtLeast;
use super::bits::GROUP;
use super::codes::CodeBlock;
use super::nearest::retain_allowed;
use super::parts::Part;
use super::reaching::reaching;

/// How many vectors of each part are looked at more closely to learn which are the likeliest,
/// where ten are asked for.
const SEEDS: usize = 64;

/// What is told of the vectors of a part.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// By block.
    pub(super) bases: Vec<f32>,
    /// By vector, all in one array, which is not given back to the system after every search.
    pub(super) most: Vec<f32>,
}

/// What is told of the vectors of a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Here<'t> {
    /// What of their cosines all have in common.
    pub(super) base: f32,
    /// By vector: its cosine is not more than this; for certain, or hardly ever.
    pub(super) most: &'t [f32],
}

impl Told {
    /// Goes through a part. `look` appends what the vectors of a block are told to be at most, and
    /// gives what of that all have in common. Also gives what the likeliest of those that `allows`
    /// lets through reach.
    pub(super) fn by_looking(
        part: Part<'_, Arc<CodeBlock>>,
        count: usize,
        allows: &impl Fn(u64) -> bool,
        mut look: impl FnMut(&CodeBlock, &mut Vec<f32>) -> f32,
    ) -> (Self, f32) {
        let vectors = part.blocks.iter().map(|block| block.owners.len());
        let mut told = Self {
            bases: Vec::with_capacity(part.blocks.len()),
            most: Vec::with_capacity(vectors.sum::<usize>() + GROUP),
        };
        let mut likeliest = AtLeast::new(SEEDS.max(count.saturating_mul(4)));
        let mut numbers = Vec::new();
        for block in part.blocks {
            let start = told.most.len();
            told.bases.push(look(block, &mut told.most));
            let most = told.most.get(start..).unwrap_or_default();
            reaching(most, likeliest.bound(), &mut numbers);
            retain_allowed(&mut numbers, block, allows);
            for number in &numbers {
                likeliest.push(most.get(*number).copied().unwrap_or_default());
            }
        }
        (told, likeliest.bound())
    }

    /// Each block of the part with its place and what is told of it.
    pub(super) fn of<'t>(
        &'t self,
        part: Part<'t, Arc<CodeBlock>>,
    ) -> impl Iterator<Item = (usize, &'t CodeBlock, Here<'t>)> {
        let mut rest = self.most.as_slice();
        let blocks = (part.first..).zip(part.blocks).zip(&self.bases);
        blocks.map(move |((place, block), base)| {
            let most = rest.split_off(..block.owners.len()).unwrap_or_default();
            (place, &**block, Here { base: *base, most })
        })
    }
}
