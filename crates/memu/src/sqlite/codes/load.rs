//! Reading codes, and keeping them at hand.

use std::sync::Arc;

use memu_core::vector::{BLOCK_VECTORS, Block, CodeBlock, Codes, LowBits, SideBySide};
use memu_core::{Error, Result};
use rusqlite::Connection;

use super::cache::{Cache, Known};
use super::stored::Places;
use super::{Family, vectors_between};
use crate::sqlite::error::storage;

/// Low bits of a family with more vectors than this are read as they are needed: when the
/// nearest are to be found for certain, and when they only save comparisons.
const LOW_BITS_FOR_CERTAINTY: usize = 1_000_000;
const LOW_BITS_FOR_SPEED: usize = 250_000;
/// So many blocks are read at a time, to lie side by side in memory: less than 8 MiB of vectors of
/// 384 numbers, which fill four of the system's large pages, and eight with their low bits.
const SIDE_BY_SIDE: usize = 160;

/// The codes of a family, in the file and at hand.
pub(super) struct Loader<'c> {
    pub(super) connection: &'c Connection,
    pub(super) cache: &'c Cache,
    pub(super) family: Family,
    pub(super) exact: bool,
}

impl Loader<'_> {
    /// The codes as they are now, and the vectors after `end`, which have none; what has not
    /// been renewed since before is kept. `None` when they are not of the last change.
    pub(super) fn codes(&self, end: i64) -> Result<Option<Arc<Known>>> {
        let (seq, derived): (i64, i64) = self
            .connection
            .prepare_cached("SELECT seq, derived_seq FROM memu_scopes WHERE scope_id = ?1")
            .and_then(|mut statement| {
                let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
                statement.query_row([self.family.scope_id], read)
            })
            .map_err(storage)?;
        if seq != derived {
            return Ok(None);
        }
        let before = self.cache.get(self.family);
        if let Some(known) = &before
            && known.seq == seq
        {
            return Ok(Some(known.clone()));
        }
        let mut known = self.read(before.as_deref(), seq)?;
        known.rest = vectors_between(self.connection, self.family, end + 1, i64::MAX, i64::MAX)?;
        let known = Arc::new(known);
        self.cache.put(known.clone());
        Ok(Some(known))
    }

    fn read(&self, before: Option<&Known>, seq: i64) -> Result<Known> {
        let family = self.family;
        let parameters = (family.scope_id, family.owner_kind, family.set_id);
        let listed: Vec<(i64, i64)> = self
            .connection
            .prepare_cached(
                "SELECT first_row, seq FROM memu_vector_codes WHERE scope_id = ?1
                 AND owner_kind = ?2 AND set_id = ?3 ORDER BY first_row",
            )
            .and_then(|mut statement| {
                let rows = statement.query_map(parameters, |row| Ok((row.get(0)?, row.get(1)?)))?;
                rows.collect()
            })
            .map_err(storage)?;
        let at_hand = if self.exact {
            LOW_BITS_FOR_CERTAINTY
        } else {
            LOW_BITS_FOR_SPEED
        };
        let with_low_bits = listed.len() * BLOCK_VECTORS <= at_hand;
        let mut known = Known {
            family,
            seq,
            places: Places::new(
                listed.iter().map(|(first, _)| *first).collect(),
                before.map(|before| &before.places),
            ),
            codes: Codes::default(),
            rest: Vec::new(),
            count: 0,
        };
        for listed in listed.chunks(SIDE_BY_SIDE) {
            let kept = |(first, renewed): &(i64, i64)| before?.block(*first, *renewed);
            // Memory of blocks that lay beside each other is free when none of them is used.
            let alive = listed
                .iter()
                .filter(|listed| kept(listed).is_some())
                .count();
            let before = before.filter(|_| 2 * alive >= listed.len());
            let kept = |(first, renewed): &(i64, i64)| before?.block(*first, *renewed);
            let missing = listed.iter().filter(|listed| kept(listed).is_none());
            let missing: Vec<i64> = missing.map(|(first, _)| *first).collect();
            let mut read = self.blocks(&missing, with_low_bits)?.into_iter();
            for listed in listed {
                let block = kept(listed)
                    .or_else(|| read.next())
                    .ok_or_else(|| Error::internal("a block of codes was not read"))?;
                known.count += block.codes().map_or(0, |codes| codes.owners.len());
                known.codes.blocks.push(block);
            }
        }
        Ok(known)
    }

    /// Reads these blocks, to lie beside each other in memory.
    fn blocks(&self, firsts: &[i64], with_low_bits: bool) -> Result<Vec<Block>> {
        let mut blocks = SideBySide::new(firsts.len());
        for first in firsts.iter().copied() {
            let body = self.body(
                "SELECT body FROM memu_vector_codes WHERE scope_id = ?1 AND owner_kind = ?2
                 AND set_id = ?3 AND first_row = ?4",
                first,
            )?;
            let low = with_low_bits.then(|| self.low_bits(first)).transpose()?;
            blocks.push(CodeBlock::from_bytes(&body)?, low);
        }
        Ok(blocks.finish())
    }

    pub(super) fn low_bits(&self, first: i64) -> Result<LowBits> {
        LowBits::from_bytes(&self.body(
            "SELECT l.body FROM memu_vector_codes c JOIN memu_vector_low_bits l
             ON l.scope_id = c.scope_id AND l.codes_row = c.row WHERE c.scope_id = ?1
             AND c.owner_kind = ?2 AND c.set_id = ?3 AND c.first_row = ?4",
            first,
        )?)
    }

    fn body(&self, sql: &str, first: i64) -> Result<Vec<u8>> {
        let family = self.family;
        let parameters = (family.scope_id, family.owner_kind, family.set_id, first);
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_row(parameters, |row| row.get(0)))
            .map_err(storage)
    }
}
