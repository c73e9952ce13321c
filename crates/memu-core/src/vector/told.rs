//! What a first look at all vectors tells of them.

use std::sync::Arc;

use super::bits::GROUP;
use super::codes::CodeBlock;
use super::parts::Part;

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
    /// Nothing yet, with room for what is to be told of a part.
    pub(super) fn with_room_for(part: Part<'_, Arc<CodeBlock>>) -> Self {
        let vectors = part.blocks.iter().map(|block| block.owners.len());
        Self {
            bases: Vec::with_capacity(part.blocks.len()),
            most: Vec::with_capacity(vectors.sum::<usize>() + GROUP),
        }
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
