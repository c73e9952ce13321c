//! Whether outlines are what their rows say.

use memu_core::Result;
use memu_core::ranking::outline::{Block, BlockBuilder, Entry};
use memu_core::records::{MemoryItem, Segment};

use super::{Outlined, Outlines};
use crate::sqlite::error::storage;
use crate::sqlite::vectors::kind_number;

impl Outlines<'_> {
    /// Whether every stored block is what its rows say, and every row is in a block.
    pub(in crate::sqlite) fn agree(&self) -> Result<bool> {
        Ok(self.kind_agrees::<Segment>()? && self.kind_agrees::<MemoryItem>()?)
    }

    fn kind_agrees<T: Outlined>(&self) -> Result<bool> {
        let firsts: Vec<i64> = self
            .connection
            .prepare_cached(
                "SELECT first_row FROM memu_outlines
                 WHERE scope_id = ?1 AND owner_kind = ?2 ORDER BY first_row",
            )
            .and_then(|mut statement| {
                let parameters = (self.scope_id, kind_number(T::KIND));
                statement.query_map(parameters, |row| row.get(0))?.collect()
            })
            .map_err(storage)?;
        let before_all = firsts.first().copied().unwrap_or(i64::MAX);
        if !self.made_from_rows::<T>(0, before_all)?.is_empty() {
            return Ok(false);
        }
        for (at, first) in firsts.iter().enumerate() {
            let next = firsts.get(at + 1).copied().unwrap_or(i64::MAX);
            let stored = self.block_of::<T>(*first)?;
            let Some(Ok(stored)) = stored.map(|(_, body)| Block::from_bytes(&body)) else {
                return Ok(false);
            };
            let fresh = self.made_from_rows::<T>(*first, next)?;
            if retold(&[stored]) != retold(&fresh) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The same entries in blocks that depend on them only.
fn retold<T: Entry>(blocks: &[Block<T>]) -> Vec<Block<T>> {
    let mut builder = BlockBuilder::default();
    for block in blocks {
        for entry in &block.entries {
            builder.push_from(block, entry);
        }
    }
    builder.finish()
}
