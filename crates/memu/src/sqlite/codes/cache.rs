//! The codes that are at hand.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use memu_core::vector::{Block, Codes};

use super::Family;
use super::stored::Places;

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
    /// By block: its first owner, and where its vectors are stored.
    pub(super) places: Places,
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

impl Known {
    /// The block that begins with this owner, unless it was renewed by a later change.
    pub(super) fn block(&self, first: i64, renewed: i64) -> Option<Block> {
        if renewed > self.seq {
            return None;
        }
        let at = self.places.first_rows().binary_search(&first).ok()?;
        self.codes.blocks.get(at).cloned()
    }
}
