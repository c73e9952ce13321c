//! The codes that are at hand.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use memu_core::vector::{CodeBlock, Codes, LowBits};

use super::Family;

/// How many vectors' codes are kept, of all families together.
const KEPT: usize = 2_000_000;
/// The codes that were used last, the latest first.
#[derive(Debug, Default)]
pub(in crate::sqlite) struct Cache(Mutex<VecDeque<Arc<Known>>>);

/// The codes of a family as of one change of its scope.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) family: Family,
    pub(super) seq: i64,
    /// The first owner of each block.
    pub(super) first_rows: Vec<i64>,
    pub(super) codes: Codes,
    /// The vectors that come after those with codes.
    pub(super) rest: Vec<(u64, Vec<f32>)>,
    pub(super) count: usize,
}

impl Cache {
    pub(super) fn get(&self, family: Family) -> Option<Arc<Known>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|known| known.family == family).cloned()
    }

    pub(super) fn put(&self, known: Arc<Known>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|other| other.family != known.family);
        kept.push_front(known);
        let mut count = 0;
        kept.retain(|known| {
            count += known.count;
            count <= KEPT.max(known.count)
        });
    }
}

/// A block, and its low bits where they are at hand.
pub(super) type Block = (Arc<CodeBlock>, Option<Arc<LowBits>>);

impl Known {
    /// The block that begins with this owner, unless it was renewed by a later change.
    pub(super) fn block(&self, first: i64, renewed: i64) -> Option<Block> {
        if renewed > self.seq {
            return None;
        }
        let at = self.first_rows.binary_search(&first).ok()?;
        Some((
            self.codes.blocks.get(at)?.clone(),
            self.codes.low.get(at)?.clone(),
        ))
    }
}
