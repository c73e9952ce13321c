//! A block of codes as it is stored.

use memu_core::vector::{CodeBlock, LowBits};

/// A vector and the row of its owner.
pub(in crate::sqlite) type OwnedVector = (u64, Vec<f32>);

/// The codes of some vectors.
#[derive(Debug, PartialEq)]
pub(in crate::sqlite) struct Coded {
    pub(super) owners: Vec<u64>,
    /// The block, and its low bits.
    pub(super) bodies: (Vec<u8>, Vec<u8>),
}

impl Coded {
    pub(in crate::sqlite) fn new(vectors: &[OwnedVector]) -> Self {
        let borrowed: Vec<(u64, &[f32])> = vectors
            .iter()
            .map(|(owner, vector)| (*owner, vector.as_slice()))
            .collect();
        let (block, low) = CodeBlock::encode(&borrowed);
        Self::of(block, &low)
    }

    pub(in crate::sqlite) fn of(block: CodeBlock, low: &LowBits) -> Self {
        Self {
            bodies: (block.to_bytes(), low.to_bytes()),
            owners: block.owners,
        }
    }
}
