//! What is derived from many new items, made by a second thread while the first one writes
//! their rows: outlines of all items before their rows are known, and codes of each block of
//! vectors as soon as it is full.
//!
//! Nothing depends on it. Whoever asks for what was made checks that it is of the very
//! records, and makes it by itself where it is not.

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
            Write::Item(item) if item.meta.revision == 0 => Some(item),
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

    /// Begins to code vectors of a family; those in `open` have no codes yet.
    pub(super) fn code(&mut self, family: Family, open: Vec<OwnedVector>) {
        self.coding = match self.coding {
            Coding::NotYet if open.len() < BLOCK_VECTORS => Coding::Blocks {
                family,
                last: open.last().map_or(0, |(owner, _)| *owner),
                open,
                ahead: 0,
            },
            _ => Coding::Never,
        };
    }

    /// Takes the vector of a new owner.
    pub(super) fn vector(&mut self, of: Family, (owner, vector): OwnedVector) {
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
        open.push((owner, vector));
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
