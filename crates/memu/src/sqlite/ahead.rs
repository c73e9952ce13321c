//! What is derived from many new items, made by a second thread while the first one writes
//! their rows: outlines of all items before their rows are known, and codes of each block of
//! vectors as soon as it is full.
//!
//! Nothing depends on it. Whoever asks for what was made checks that it is of the very
//! records, and makes it by itself where it is not.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{Builder, Scope};

use memu_core::ranking::outline::{Block, BlockBuilder, ItemOutline};
use memu_core::records::MemoryItem;
use memu_core::store::{Write, WriteBatch};
use memu_core::vector::BLOCK_VECTORS;

use super::codes::{Coded, Family, OwnedVector};

/// So many new items are worth a thread.
const MANY: usize = 200;

/// The end of the thread that writes.
#[derive(Debug)]
pub(super) struct Ahead {
    outlines: Receiver<Vec<Block<ItemOutline>>>,
    vectors: Sender<Vec<OwnedVector>>,
    codes: Receiver<Coded>,
    coding: Coding,
}

/// Whose vectors are coded.
#[derive(Debug, Default)]
enum Coding {
    #[default]
    NotYet,
    Blocks {
        family: Family,
        /// Vectors that do not fill a block yet, by ascending owner.
        open: Vec<OwnedVector>,
        /// The last owner that came.
        last: u64,
        /// How many blocks were handed over and not asked for.
        ahead: usize,
    },
    /// They did not come in order.
    Never,
}

impl Ahead {
    /// Starts with a batch, if it is worth it.
    pub(super) fn start<'scope>(
        threads: &'scope Scope<'scope, '_>,
        batch: &'scope WriteBatch,
    ) -> Option<Self> {
        let new = |write: &'scope Write| match write {
            Write::Item(item) if batch.restoring || item.meta.revision == 0 => Some(item),
            _ => None,
        };
        let items: Vec<&MemoryItem> = batch.writes.iter().filter_map(new).collect();
        if items.len() < MANY || batch.writes.iter().any(Write::is_delete) {
            return None;
        }
        let (outlined, outlines) = mpsc::channel();
        let (vectors, to_code) = mpsc::channel::<Vec<OwnedVector>>();
        let (coded, codes) = mpsc::channel();
        let work = move || {
            // Who does not listen any more needs nothing.
            let _ = outlined.send(outline(&items));
            for vectors in to_code {
                let _ = coded.send(Coded::new(&vectors));
            }
        };
        // Whoever listens in vain makes it by itself.
        let work = || drop(catch_unwind(AssertUnwindSafe(work)));
        let started = Builder::new()
            .name("memu-derive".to_owned())
            .spawn_scoped(threads, work);
        started.ok().map(|_| Self {
            outlines,
            vectors,
            codes,
            coding: Coding::NotYet,
        })
    }

    /// Outlines of all new items, in the order in which they are stored. What they hang on
    /// is left out.
    pub(super) fn outlines(&self) -> Vec<Block<ItemOutline>> {
        self.outlines.recv().unwrap_or_default()
    }

    /// Whether it has not been said yet whose vectors to code.
    pub(super) fn codes_none(&self) -> bool {
        matches!(self.coding, Coding::NotYet)
    }

    /// Begins to code vectors of a family; those in `open` have no codes yet.
    pub(super) fn code(&mut self, family: Family, open: Vec<OwnedVector>) {
        self.coding = if open.len() < BLOCK_VECTORS {
            Coding::Blocks {
                family,
                last: open.last().map_or(0, |(owner, _)| *owner),
                open,
                ahead: 0,
            }
        } else {
            Coding::Never
        };
    }

    /// Takes the vector of a new owner.
    pub(super) fn vector(&mut self, of: Family, owner: u64, vector: impl FnOnce() -> Vec<f32>) {
        let Coding::Blocks {
            family,
            open,
            last,
            ahead,
        } = &mut self.coding
        else {
            return;
        };
        if of != *family {
            return;
        }
        if *last >= owner {
            self.coding = Coding::Never;
            return;
        }
        *last = owner;
        open.push((owner, vector()));
        if open.len() == BLOCK_VECTORS && self.vectors.send(std::mem::take(open)).is_ok() {
            *ahead += 1;
        }
    }

    /// The next block of a family.
    pub(super) fn coded(&mut self, of: Family) -> Option<Coded> {
        match &mut self.coding {
            Coding::Blocks { family, ahead, .. } if *family == of && *ahead > 0 => {
                *ahead -= 1;
                self.codes.recv().ok()
            }
            _ => None,
        }
    }
}

/// Outlines items that have no rows yet.
fn outline(items: &[&MemoryItem]) -> Vec<Block<ItemOutline>> {
    let mut builder = BlockBuilder::default();
    for item in items {
        builder.push(|texts| ItemOutline::new(item, 0, None, Vec::new(), Vec::new(), texts));
    }
    builder.finish()
}

#[cfg(test)]
mod tests {
    use std::thread;

    use memu_core::records::{Id, Meta, OwnerKind};
    use memu_core::scope::{Scope, ScopeSchema};
    use memu_core::time::Timestamp;

    use super::*;

    fn batch(count: u128) -> WriteBatch {
        let scope: Scope = ScopeSchema::default().scope([("user_id", "ann")]).unwrap();
        let mut batch = WriteBatch::new(scope.clone(), None);
        batch.writes.extend((0..count).map(|number| {
            let id = Id::from_uuid_bytes(number.to_be_bytes());
            Write::Item(MemoryItem {
                meta: Meta::new(id, scope.clone(), Timestamp::from_micros(7)),
                resource_id: None,
                memory_type: "knowledge".to_owned(),
                summary: format!("kayak {number}"),
                happened: None,
                extra: serde_json::Map::new(),
                segment_ids: Vec::new(),
            })
        }));
        batch
    }

    fn family(set: i64) -> Family {
        Family::new(1, set, OwnerKind::Item)
    }

    fn vector(owner: u64) -> Vec<f32> {
        vec![owner as f32, 1.0, 2.0]
    }

    #[test]
    fn full_blocks_of_vectors_in_order_are_coded_with_those_that_were_open() {
        let batch = batch(400);
        thread::scope(|threads| {
            let mut ahead = Ahead::start(threads, &batch).unwrap();
            let outlined = ahead
                .outlines()
                .into_iter()
                .map(|block| block.entries.len());
            assert_eq!(outlined.sum::<usize>(), 400);
            assert!(ahead.codes_none());
            ahead.code(family(1), vec![(3, vector(3)), (4, vector(4))]);
            for owner in 5..605 {
                ahead.vector(family(1), owner, || vector(owner));
                ahead.vector(family(2), owner, || {
                    panic!("another family's is not needed")
                });
            }
            assert!(ahead.coded(family(2)).is_none());
            for first in [3_u64, 259] {
                let owners: Vec<u64> = (first..first + 256).collect();
                let vectors: Vec<_> = owners
                    .iter()
                    .map(|owner| (*owner, vector(*owner)))
                    .collect();
                assert_eq!(ahead.coded(family(1)), Some(Coded::new(&vectors)));
            }
            assert!(ahead.coded(family(1)).is_none());
        });
    }

    #[test]
    fn vectors_out_of_order_are_left_to_who_writes_them() {
        let batch = batch(200);
        thread::scope(|threads| {
            let mut ahead = Ahead::start(threads, &batch).unwrap();
            ahead.code(family(1), Vec::new());
            for owner in (1..=256).chain([256]) {
                ahead.vector(family(1), owner, || vector(owner));
            }
            assert!(ahead.coded(family(1)).is_none());
        });
    }

    #[test]
    fn few_items_and_deletions_are_not_worth_it() {
        let (few, mut deleting) = (batch(199), batch(300));
        deleting
            .writes
            .push(Write::DeleteItem(Id::from_uuid_bytes([0; 16])));
        thread::scope(|threads| {
            assert!(Ahead::start(threads, &few).is_none());
            assert!(Ahead::start(threads, &deleting).is_none());
        });
    }
}
