//! Searching the nearest vectors: by codes, then in full.

use std::sync::Arc;

use memu_core::records::{Embedding, Id};
use memu_core::store::rules::check_embedder;
use memu_core::store::{VectorHit, VectorQuery};
use memu_core::vector::{
    AtLeast, BLOCK_VECTORS, Candidate, CodeBlock, CodedQuery, Codes, LowBits, cosine,
};
use memu_core::{Error, ErrorKind, Result};
use rusqlite::{CachedStatement, Connection, OptionalExtension, params_from_iter};
use rustc_hash::FxHashSet;

use super::cache::{Block, Cache, Known};
use super::{Family, coded_through, vectors_between};
use crate::sqlite::error::{corrupt, storage};
use crate::sqlite::filter::{Sql, push_conditions};
use crate::sqlite::read::embedding_sets;
use crate::sqlite::rows::{Reader, unpacked};
use crate::sqlite::scopes::scope_rows;
use crate::sqlite::vectors::{identified_by, table};

/// Low bits of a family with more vectors than this are read as they are needed: when the
/// nearest are to be found for certain, and when they only save comparisons.
const LOW_BITS_FOR_CERTAINTY: usize = 1_000_000;
const LOW_BITS_FOR_SPEED: usize = 250_000;
/// When a filter lets this few through, they are compared in full without codes.
const FEW: usize = 2_000;

/// The nearest owners. `exact` promises that no nearer one is missed.
pub(in crate::sqlite) fn search(
    connection: &Connection,
    cache: &Cache,
    exact: bool,
    query: &VectorQuery,
) -> Result<Vec<VectorHit>> {
    check(query)?;
    let sets = embedding_sets(connection)?;
    check_embedder(&sets, &query.identity)?;
    let Some(set) = sets.iter().find(|set| set.identity == query.identity) else {
        return Ok(Vec::new());
    };
    let scopes = scope_rows(connection, &query.scopes)?;
    let mut scored: Vec<(f32, i64, &_)> = Vec::new();
    for (scope_id, scope) in &scopes {
        let search = Search {
            connection,
            cache,
            exact,
            query,
            family: Family::new(*scope_id, i64::from(set.id), query.kind),
            allowed: allowed(connection, query, *scope_id)?,
        };
        let found = search.nearest()?;
        scored.extend(found.into_iter().map(|(score, row)| (score, row, scope)));
    }
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    scored.truncate(query.top_k);
    scored
        .into_iter()
        .map(|(score, row, scope)| {
            Ok(VectorHit {
                scope: scope.clone(),
                id: id_of(connection, table(query.kind), row)?,
                score,
            })
        })
        .collect()
}

fn check(query: &VectorQuery) -> Result<()> {
    if query.top_k == 0 {
        return Err(Error::input("a search must ask for at least one hit"));
    }
    let given = query.vector.as_slice().len();
    if given != query.identity.dimension as usize {
        return Err(Error::model(format!(
            "an embedding has {given} dimensions where {} are expected",
            query.identity.dimension
        )));
    }
    Ok(())
}

/// The rows that a filter lets through; `None` when there is none.
struct Allowed(Option<FxHashSet<u64>>);

impl Allowed {
    fn has(&self, row: u64) -> bool {
        self.0.as_ref().is_none_or(|rows| rows.contains(&row))
    }
}

fn allowed(connection: &Connection, query: &VectorQuery, scope_id: i64) -> Result<Allowed> {
    let filter = query.filter.record_part();
    if filter.is_empty() {
        return Ok(Allowed(None));
    }
    let mut sql = Sql::default();
    let table = table(query.kind);
    sql.push(&format!("SELECT t.row FROM {table} t WHERE t.scope_id = "));
    sql.bind(scope_id);
    push_conditions(&mut sql, table, &filter);
    let mut statement = connection.prepare_cached(&sql.text).map_err(storage)?;
    let rows = statement.query_map(params_from_iter(sql.parameters), |row| {
        row.get::<_, i64>(0).map(i64::unsigned_abs)
    });
    let rows = rows.and_then(Iterator::collect).map_err(storage)?;
    Ok(Allowed(Some(rows)))
}

fn id_of(connection: &Connection, table: &str, row: i64) -> Result<Id> {
    let sql = format!(
        "SELECT {} FROM {table} t WHERE t.row = ?1",
        identified_by(table)
    );
    let mut statement = connection.prepare_cached(&sql).map_err(storage)?;
    let mut rows = statement.query([row]).map_err(storage)?;
    let row = rows.next().map_err(storage)?;
    let row = row.ok_or_else(|| corrupt("a vector without its owner"))?;
    Reader::new(row, 0).id()
}

/// A search of one family.
struct Search<'c> {
    connection: &'c Connection,
    cache: &'c Cache,
    exact: bool,
    query: &'c VectorQuery,
    family: Family,
    allowed: Allowed,
}

impl Search<'_> {
    /// The nearest owners with their cosines, and perhaps others, in no order.
    fn nearest(&self) -> Result<Vec<(f32, i64)>> {
        if let Allowed(Some(allowed)) = &self.allowed
            && allowed.len() <= FEW
        {
            let mut rows: Vec<u64> = allowed.iter().copied().collect();
            rows.sort_unstable();
            return self.compared(&rows);
        }
        let end = coded_through(self.connection, self.family)?;
        if end == 0 {
            return self.behind(0);
        }
        match self.by_codes(end) {
            // Codes can be made anew from the vectors; until then they do without.
            Ok(None) => self.behind(0),
            Err(error) if error.kind() == ErrorKind::Corrupt => self.behind(0),
            Ok(Some(scored)) => Ok(scored),
            Err(error) => Err(error),
        }
    }

    /// The nearest owners, told by codes; `None` when these are not of the last change.
    fn by_codes(&self, end: i64) -> Result<Option<Vec<(f32, i64)>>> {
        let Some(known) = self.codes(end)? else {
            return Ok(None);
        };
        let query = CodedQuery::new(Embedding::as_slice(&self.query.vector));
        let mut found = Found::new(self.query.top_k);
        for (row, vector) in &known.rest {
            if self.allowed.has(*row) {
                found.add(self.scored(*row, vector)?);
            }
        }
        let allowed = &self.allowed;
        let allows = |row| allowed.has(row);
        let likely = known
            .codes
            .likely_candidates(&query, self.query.top_k, allows);
        let compared = self.compare(&likely, &mut found)?;
        if self.exact {
            let certain = self.certain(&known, &query, found.reached.bound())?;
            let compared: FxHashSet<u64> = compared.iter().map(|one| one.owner).collect();
            let new = certain
                .into_iter()
                .filter(|one| !compared.contains(&one.owner));
            self.compare(&new.collect::<Vec<_>>(), &mut found)?;
        }
        Ok(Some(found.scored))
    }

    /// Compares candidates in full, those that may be the nearest first, until no other one
    /// can be. Gives those that were compared.
    fn compare<'a>(
        &self,
        candidates: &'a [Candidate],
        found: &mut Found,
    ) -> Result<&'a [Candidate]> {
        let mut stored = self.stored()?;
        for (place, candidate) in candidates.iter().enumerate() {
            if candidate.most < found.reached.bound() {
                return Ok(candidates.get(..place).unwrap_or_default());
            }
            if let Some(vector) = stored.vector(candidate.owner)? {
                found.add(self.scored(candidate.owner, &vector)?);
            }
        }
        Ok(candidates)
    }

    /// Compares the vectors that come after those with codes.
    fn behind(&self, end: i64) -> Result<Vec<(f32, i64)>> {
        let vectors = vectors_between(self.connection, self.family, end + 1, i64::MAX, i64::MAX)?;
        let vectors = vectors
            .into_iter()
            .filter(|(row, _)| self.allowed.has(*row));
        vectors
            .map(|(row, vector)| self.scored(row, &vector))
            .collect()
    }

    fn scored(&self, row: u64, vector: &[f32]) -> Result<(f32, i64)> {
        let row = i64::try_from(row).map_err(|_| corrupt("a row number out of range"))?;
        Ok((cosine(self.query.vector.as_slice(), vector), row))
    }

    /// Compares the vectors of these owners in full.
    fn compared(&self, rows: &[u64]) -> Result<Vec<(f32, i64)>> {
        let mut stored = self.stored()?;
        let mut scored = Vec::with_capacity(rows.len());
        for row in rows {
            if let Some(vector) = stored.vector(*row)? {
                scored.push(self.scored(*row, &vector)?);
            }
        }
        Ok(scored)
    }

    fn stored(&self) -> Result<Stored<'_>> {
        let sql = "SELECT vector FROM memu_embeddings WHERE scope_id = ?1 AND owner_kind = ?2
                   AND set_id = ?3 AND owner_row = ?4";
        Ok(Stored {
            statement: self.connection.prepare_cached(sql).map_err(storage)?,
            family: self.family,
        })
    }

    /// The vectors that may reach `bound` for certain, those that may be the nearest first.
    fn certain(&self, known: &Known, query: &CodedQuery, bound: f32) -> Result<Vec<Candidate>> {
        let allowed = &self.allowed;
        let allows = |row| allowed.has(row);
        let (mut candidates, undecided) = known.codes.certain_candidates(query, bound, allows);
        for undecided in undecided {
            let at = undecided.block;
            if let Some(block) = known.codes.blocks.get(at)
                && let Some(first) = known.first_rows.get(at)
            {
                let low = self.low_bits(*first)?;
                candidates.extend(undecided.narrowed(block, &low, query, bound));
            }
        }
        candidates.sort_unstable_by(Candidate::by_most);
        Ok(candidates)
    }

    /// The codes as they are now, and the vectors after `end`, which have none; what has not
    /// been renewed since before is kept. `None` when they are not of the last change.
    fn codes(&self, end: i64) -> Result<Option<Arc<Known>>> {
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
            first_rows: Vec::with_capacity(listed.len()),
            codes: Codes::default(),
            rest: Vec::new(),
            count: 0,
        };
        for (first, renewed) in listed {
            let (block, low) = match before.and_then(|before| before.block(first, renewed)) {
                Some(known) => known,
                None => self.block(first, with_low_bits)?,
            };
            known.count += block.owners.len();
            known.first_rows.push(first);
            known.codes.blocks.push(block);
            known.codes.low.push(low);
        }
        Ok(known)
    }

    fn block(&self, first: i64, with_low_bits: bool) -> Result<Block> {
        let block = CodeBlock::from_bytes(&self.body(
            "SELECT body FROM memu_vector_codes WHERE scope_id = ?1 AND owner_kind = ?2
             AND set_id = ?3 AND first_row = ?4",
            first,
        )?)?;
        let low = if with_low_bits {
            Some(Arc::new(self.low_bits(first)?))
        } else {
            None
        };
        Ok((Arc::new(block), low))
    }

    fn low_bits(&self, first: i64) -> Result<LowBits> {
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

/// The vectors of a family as they are stored.
struct Stored<'c> {
    statement: CachedStatement<'c>,
    family: Family,
}

impl Stored<'_> {
    fn vector(&mut self, owner: u64) -> Result<Option<Vec<f32>>> {
        let family = self.family;
        let owner = owner.cast_signed();
        let parameters = (family.scope_id, family.owner_kind, family.set_id, owner);
        let read = |row: &rusqlite::Row<'_>| Ok(row.get_ref(0)?.as_blob().map(unpacked)?);
        let vector = self.statement.query_row(parameters, read);
        vector.optional().map_err(storage)
    }
}

/// What has been compared in full.
#[derive(Debug)]
struct Found {
    scored: Vec<(f32, i64)>,
    reached: AtLeast,
}

impl Found {
    fn new(count: usize) -> Self {
        Self {
            scored: Vec::new(),
            reached: AtLeast::new(count),
        }
    }

    fn add(&mut self, (score, row): (f32, i64)) {
        self.reached.push(score);
        self.scored.push((score, row));
    }
}
