//! Searching the nearest vectors: by codes, then in full.

use memu_core::records::Embedding;
use memu_core::scope::Scope;
use memu_core::store::rules::check_embedder;
use memu_core::store::{VectorHit, VectorQuery};
use memu_core::vector::{AtLeast, Block, Candidate, Certain, CodedQuery, CosineWith};
use memu_core::{Error, ErrorKind, Result};
use rusqlite::{Connection, params_from_iter};
use rustc_hash::FxHashSet;

use super::cache::{Cache, Known};
use super::load::Loader;
use super::stored::Stored;
use super::{Family, coded_through, vectors_between};
use crate::sqlite::error::{corrupt, storage};
use crate::sqlite::filter::{Sql, push_conditions};
use crate::sqlite::read::embedding_sets;
use crate::sqlite::rows::Reader;
use crate::sqlite::scopes::scope_rows;
use crate::sqlite::vectors::{identified_by, table};

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
    let with = CosineWith::new(query.vector.as_slice());
    let mut scored: Vec<(f32, i64, &_)> = Vec::new();
    for (scope_id, scope) in &scopes {
        let search = Search {
            connection,
            cache,
            exact,
            query,
            with: &with,
            family: Family::new(*scope_id, i64::from(set.id), query.kind),
            allowed: allowed(connection, query, *scope_id)?,
        };
        let found = search.nearest()?;
        scored.extend(found.into_iter().map(|(score, row)| (score, row, scope)));
    }
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    scored.truncate(query.top_k);
    hits(connection, table(query.kind), scored)
}

/// The owners of these rows.
fn hits(
    connection: &Connection,
    table: &str,
    scored: Vec<(f32, i64, &Scope)>,
) -> Result<Vec<VectorHit>> {
    let sql = format!(
        "SELECT {} FROM {table} t WHERE t.row = ?1",
        identified_by(table)
    );
    let mut statement = connection.prepare_cached(&sql).map_err(storage)?;
    let hits = scored.into_iter().map(|(score, place, scope)| {
        let mut rows = statement.query([place]).map_err(storage)?;
        let row = rows.next().map_err(storage)?;
        let row = row.ok_or_else(|| corrupt("a vector without its owner"))?;
        Ok(VectorHit {
            scope: scope.clone(),
            id: Reader::new(row, 0).id()?,
            place: place.unsigned_abs(),
            score,
        })
    });
    hits.collect()
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

/// A search of one family.
struct Search<'c> {
    connection: &'c Connection,
    cache: &'c Cache,
    exact: bool,
    query: &'c VectorQuery,
    with: &'c CosineWith<'c>,
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
        let loader = Loader {
            connection: self.connection,
            cache: self.cache,
            family: self.family,
            exact: self.exact,
        };
        let Some(known) = loader.codes(end)? else {
            return Ok(None);
        };
        let query = CodedQuery::new(Embedding::as_slice(&self.query.vector));
        let mut found = Found::new(self.query.top_k);
        for (row, vector) in &known.rest {
            if self.allowed.has(*row) {
                found.add(self.scored(*row, vector)?);
            }
        }
        if self.exact {
            self.certain(&loader, &known, &query, &mut found)?;
        } else {
            self.likely(&known, &query, &mut found)?;
        }
        Ok(Some(found.scored))
    }

    /// Finds those that are the nearest for certain.
    fn certain(
        &self,
        loader: &Loader<'_>,
        known: &Known,
        query: &CodedQuery,
        found: &mut Found,
    ) -> Result<()> {
        let Allowed(allowed) = &self.allowed;
        let allows = allowed.as_ref().map(|rows| |row| rows.contains(&row));
        let found_in = known
            .codes
            .certain(query, self.query.top_k, allows, |likeliest| {
                self.compare(known, likeliest, found)?;
                Ok::<_, Error>(found.reached.bound())
            })?;
        let Certain {
            bound,
            mut candidates,
            undecided,
        } = found_in;
        for undecided in undecided {
            let at = undecided.block;
            if let Some(block) = known.codes.blocks.get(at).and_then(Block::codes)
                && let Some(first) = known.places.first_rows().get(at)
            {
                let low = loader.low_bits(*first)?;
                candidates.extend(undecided.narrowed(block, &low, query, bound));
            }
        }
        candidates.sort_unstable_by(Candidate::by_most);
        self.compare(known, &candidates, found)
    }

    /// Finds those that are likely to be the nearest.
    fn likely(&self, known: &Known, query: &CodedQuery, found: &mut Found) -> Result<()> {
        let Allowed(allowed) = &self.allowed;
        let allows = allowed.as_ref().map(|rows| |row| rows.contains(&row));
        let candidates = known
            .codes
            .likely(query, self.query.top_k, allows, |likeliest| {
                self.compare(known, likeliest, found)?;
                Ok::<_, Error>(found.reached.bound())
            })?;
        self.compare(known, &candidates, found)
    }

    /// Compares candidates in full, those that may be the nearest first, as long as they may be
    /// among the nearest.
    fn compare(&self, known: &Known, candidates: &[Candidate], found: &mut Found) -> Result<()> {
        let mut stored = Stored::new(self.connection, self.family, Some(&known.places))?;
        for candidate in candidates {
            if candidate.most < found.reached.bound() {
                break;
            }
            if found.compared.insert(candidate.owner)
                && let Some(vector) = stored.vector(candidate.owner)?
            {
                found.add(self.scored(candidate.owner, &vector)?);
            }
        }
        Ok(())
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
        Ok((self.with.of(vector), row))
    }

    /// Compares the vectors of these owners in full.
    fn compared(&self, rows: &[u64]) -> Result<Vec<(f32, i64)>> {
        let mut stored = Stored::new(self.connection, self.family, None)?;
        let mut scored = Vec::with_capacity(rows.len());
        for row in rows {
            if let Some(vector) = stored.vector(*row)? {
                scored.push(self.scored(*row, &vector)?);
            }
        }
        Ok(scored)
    }
}

/// What has been compared in full.
#[derive(Debug)]
struct Found {
    compared: FxHashSet<u64>,
    scored: Vec<(f32, i64)>,
    reached: AtLeast,
}

impl Found {
    fn new(count: usize) -> Self {
        Self {
            compared: FxHashSet::default(),
            scored: Vec::new(),
            reached: AtLeast::new(count),
        }
    }

    fn add(&mut self, (score, row): (f32, i64)) {
        self.reached.push(score);
        self.scored.push((score, row));
    }
}
