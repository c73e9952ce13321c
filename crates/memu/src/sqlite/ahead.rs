//! What is derived from many new items, made by a second thread while the first one writes
//! their rows: outlines of all items, and codes of their vectors in blocks, before the rows of
//! either are known.
//!
//! Nothing depends on it. Whoever asks for what was made checks that it is of the very
//! records, and makes it by itself where it is not.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver};
use std::thread::{Builder, Scope};

use memu_core::ranking::outline::{Block, BlockBuilder, ItemOutline};
use memu_core::records::{Embedding, MemoryItem};
use memu_core::store::{Write, WriteBatch};
use memu_core::vector::{BLOCK_VECTORS, CodeBlock, LowBits};

use super::codes::{Coded, Family, OwnedVector};
use super::rows::{packed, unpacked};
use crate::settings::EmbeddingFormat;

/// So many new items are worth a thread.
const MANY: usize = 200;

/// The new items of a batch, if deriving from them is worth a thread.
pub(super) fn worth_it(batch: &WriteBatch) -> Option<Vec<&MemoryItem>> {
    let new = batch.writes.iter().filter_map(|write| match write {
        Write::Item(item) if batch.restoring || item.meta.revision == 0 => Some(item),
        _ => None,
    });
    let items: Vec<&MemoryItem> = new.collect();
    (items.len() >= MANY && !batch.writes.iter().any(Write::is_delete)).then_some(items)
}

/// Vectors that are coded in the order in which they are stored.
#[derive(Debug)]
pub(super) struct ToCode<'b> {
    pub(super) family: Family,
    /// Vectors of the family that do not fill a block yet, by ascending owner.
    pub(super) open: Vec<OwnedVector>,
    /// Those that come behind them.
    pub(super) vectors: Vec<&'b Embedding>,
    pub(super) format: EmbeddingFormat,
}

/// The end of the thread that writes.
#[derive(Debug)]
pub(super) struct Ahead {
    outlines: Receiver<Vec<Block<ItemOutline>>>,
    /// `None` when there is nothing to code, or vectors did not come in order.
    coding: Option<Coding>,
}

/// Whose vectors are coded.
#[derive(Debug)]
struct Coding {
    family: Family,
    /// The owners of the vectors in the blocks that were not asked for, as far as they are known.
    owners: VecDeque<u64>,
    blocks: Receiver<(CodeBlock, LowBits)>,
}

impl Ahead {
    /// Starts with new items and vectors; `None` when there cannot be another thread.
    pub(super) fn start<'scope>(
        threads: &'scope Scope<'scope, '_>,
        items: Vec<&'scope MemoryItem>,
        to_code: Option<ToCode<'scope>>,
    ) -> Option<Self> {
        let (outlined, outlines) = mpsc::channel();
        let (coded, blocks) = mpsc::channel();
        let coding = to_code.as_ref().map(|to_code| Coding {
            family: to_code.family,
            owners: to_code.open.iter().map(|(owner, _)| *owner).collect(),
            blocks,
        });
        let work = move || {
            // Who does not listen any more needs nothing.
            let _ = outlined.send(outline(&items));
            if let Some(to_code) = to_code {
                to_code.for_each_block(|block| coded.send(block).is_ok());
            }
        };
        // Whoever listens in vain makes it by itself.
        let work = || drop(catch_unwind(AssertUnwindSafe(work)));
        let started = Builder::new()
            .name("memu-derive".to_owned())
            .spawn_scoped(threads, work);
        started.ok().map(|_| Self { outlines, coding })
    }

    /// Outlines of all new items, in the order in which they are stored. What they hang on
    /// is left out.
    pub(super) fn outlines(&self) -> Vec<Block<ItemOutline>> {
        self.outlines.recv().unwrap_or_default()
    }

    /// Takes the owner of the next vector.
    pub(super) fn owner(&mut self, of: Family, owner: u64) {
        let coding = self.coding.as_mut();
        if let Some(coding) = coding.filter(|coding| coding.family == of) {
            if coding.owners.back().is_some_and(|last| *last >= owner) {
                self.coding = None;
            } else {
                coding.owners.push_back(owner);
            }
        }
    }

    /// The next block of a family.
    pub(super) fn coded(&mut self, of: Family) -> Option<Coded> {
        let coding = self.coding.as_mut();
        let coding = coding.filter(|coding| coding.family == of)?;
        let (mut block, low) = coding.blocks.recv().ok()?;
        let known = coding.owners.len().min(BLOCK_VECTORS);
        block.owners = coding.owners.drain(..known).collect();
        Some(Coded::of(block, &low))
    }
}

impl ToCode<'_> {
    /// Codes full blocks, as long as they are taken. Their owners are not known yet.
    fn for_each_block(&self, mut take: impl FnMut((CodeBlock, LowBits)) -> bool) {
        let open = self.open.iter().map(|(_, vector)| Cow::Borrowed(&**vector));
        let new = self.vectors.iter().map(|vector| self.as_stored(vector));
        let mut vectors = open.chain(new);
        loop {
            let next: Vec<Cow<'_, [f32]>> = vectors.by_ref().take(BLOCK_VECTORS).collect();
            let unowned: Vec<(u64, &[f32])> = next.iter().map(|vector| (0, &**vector)).collect();
            if next.len() < BLOCK_VECTORS || !take(CodeBlock::encode(&unowned)) {
                return;
            }
        }
    }

    /// A vector as it will be read.
    fn as_stored<'v>(&self, vector: &'v Embedding) -> Cow<'v, [f32]> {
        match self.format {
            EmbeddingFormat::F16 => Cow::Owned(unpacked(&packed(vector.as_slice(), self.format))),
            _ => Cow::Borrowed(vector.as_slice()),
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

    fn vector(number: u64) -> Embedding {
        Embedding::checked(vec![number as f32 / 7.0, 1.0, 2.0], 3).unwrap()
    }

    /// Codes 600 vectors behind two that are open, with two bytes a number, and asks for blocks
    /// when their owners are known.
    fn coded_behind_two(owners: impl Iterator<Item = u64>) -> Vec<Coded> {
        let batch = batch(200);
        let vectors: Vec<Embedding> = (5..605).map(vector).collect();
        let open = |owner| (owner, vector(owner).as_slice().to_vec());
        let to_code = ToCode {
            family: family(1),
            open: vec![open(3), open(4)],
            vectors: vectors.iter().collect(),
            format: EmbeddingFormat::F16,
        };
        thread::scope(|threads| {
            let items = worth_it(&batch).unwrap();
            let mut ahead = Ahead::start(threads, items, Some(to_code)).unwrap();
            for owner in owners {
                ahead.owner(family(1), owner);
                ahead.owner(family(2), 9);
            }
            assert!(ahead.coded(family(2)).is_none());
            std::iter::from_fn(|| ahead.coded(family(1))).collect()
        })
    }

    #[test]
    fn full_blocks_of_vectors_in_order_are_coded_with_those_that_were_open() {
        let stored = |owner| {
            let given = vector(owner);
            let bytes = packed(given.as_slice(), EmbeddingFormat::F16);
            let open = (owner < 5).then(|| given.as_slice().to_vec());
            (owner, open.unwrap_or_else(|| unpacked(&bytes)))
        };
        let made = coded_behind_two(5..605);
        let expected = [3_u64, 259].map(|first| {
            let vectors: Vec<_> = (first..first + 256).map(stored).collect();
            Coded::new(&vectors)
        });
        assert_eq!(made, expected);
    }

    #[test]
    fn vectors_out_of_order_are_left_to_who_writes_them() {
        assert!(coded_behind_two((5..604).chain([4])).is_empty());
        assert!(coded_behind_two([6, 6].into_iter().chain(7..605)).is_empty());
    }

    #[test]
    fn outlines_are_those_of_all_items() {
        let batch = batch(400);
        thread::scope(|threads| {
            let ahead = Ahead::start(threads, worth_it(&batch).unwrap(), None).unwrap();
            let blocks = ahead.outlines().into_iter();
            assert_eq!(blocks.map(|block| block.entries.len()).sum::<usize>(), 400);
        });
    }

    #[test]
    fn few_items_and_deletions_are_not_worth_it() {
        let (few, mut deleting) = (batch(199), batch(300));
        assert!(worth_it(&few).is_none() && worth_it(&deleting).is_some());
        deleting
            .writes
            .push(Write::DeleteItem(Id::from_uuid_bytes([0; 16])));
        assert!(worth_it(&deleting).is_none());
    }
}
