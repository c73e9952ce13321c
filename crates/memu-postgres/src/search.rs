//! Searching vectors: the server finds candidates, and their scores are computed here, as
//! every other store does.

use deadpool_postgres::Transaction;
use memu_core::records::{EmbeddingSet, Id};
use memu_core::scope::Scope;
use memu_core::store::{VectorHit, VectorQuery, rules};
use memu_core::vector::cosine;
use memu_core::{Error, Result};
use pgvector::Vector;
use tokio_postgres::Row;

use crate::error::corrupt;
use crate::filter::push_conditions;
use crate::index::{self, Index, Nearest};
use crate::owners::{kind_number, table};
use crate::read::{by_key, embedding_sets};
use crate::rows::Reader;
use crate::sql::{Sql, set_local};
use crate::values::integer;
use crate::vectors::{embedding, table_of};

/// How much the server's distances, which are sums of four-byte numbers, may differ from
/// ours: far more than they do.
const ROUNDING: f32 = 1e-4;

/// So many more candidates than hits are wanted.
const SPARE: usize = 32;

/// The owners whose vectors are nearest.
pub(crate) async fn search(
    on: &Transaction<'_>,
    index: &Index,
    query: &VectorQuery,
) -> Result<Vec<VectorHit>> {
    if query.top_k == 0 {
        return Err(Error::input("top_k must be at least 1"));
    }
    let sets = embedding_sets(on).await?;
    rules::check_embedder(&sets, &query.identity)?;
    let dimension = query.identity.dimension;
    if query.vector.as_slice().len() != dimension as usize {
        return Err(Error::model(format!(
            "an embedding has {} dimensions where {dimension} are expected",
            query.vector.as_slice().len(),
        )));
    }
    let set = sets.iter().find(|set| set.identity == query.identity);
    let Some(set) = set.filter(|_| !query.scopes.is_empty()) else {
        return Ok(Vec::new());
    };
    let search = Search { on, query, set };
    if let Some(nearest) = index.usable(on, set, query).await? {
        let hits = search.by_index(nearest).await?;
        // A filter may leave too few of those that the index came by.
        if hits.len() >= query.top_k {
            return Ok(hits);
        }
    }
    search.exactly().await
}

struct Search<'s, 'c> {
    on: &'s Transaction<'c>,
    query: &'s VectorQuery,
    set: &'s EmbeddingSet,
}

impl Search<'_, '_> {
    /// All vectors are looked at. What the server computes is rounded otherwise than ours,
    /// so it is asked for more until the rest is too far away to matter.
    async fn exactly(&self) -> Result<Vec<VectorHit>> {
        let top_k = self.query.top_k;
        let mut limit = top_k.saturating_add(SPARE);
        loop {
            // What is added keeps an index from giving what is nearly right.
            let rows = self.candidates("(v.embedding <=> ", ") + 0", limit).await?;
            let mut found = self.scored(&rows)?;
            let farthest = found
                .iter()
                .map(|hit| hit.score)
                .fold(f32::INFINITY, f32::min);
            best_first(&mut found);
            let worst = found.get(top_k - 1).map(|hit| hit.score);
            let all = rows.len() < limit;
            if all || worst.is_some_and(|worst| farthest + ROUNDING < worst) {
                return Ok(self.hits(found));
            }
            limit = limit.saturating_mul(4);
        }
    }

    async fn by_index(&self, nearest: Nearest) -> Result<Vec<VectorHit>> {
        let limit = self.query.top_k.saturating_mul(2).saturating_add(SPARE);
        set_local(self.on, &index::settings(limit)).await?;
        let rows = match nearest {
            Nearest::Whole => self.candidates("v.embedding <=> ", "", limit).await?,
            Nearest::Halves => {
                let halves = format!("halfvec({})", self.set.identity.dimension);
                let before = format!("v.embedding::{halves} <=> ");
                let after = format!("::vector::{halves}");
                self.candidates(&before, &after, limit).await?
            }
        };
        let mut found = self.scored(&rows)?;
        best_first(&mut found);
        Ok(self.hits(found))
    }

    /// The nearest by the server's order: an expression of `v.embedding` and the vector,
    /// which stands between these.
    async fn candidates(&self, before: &str, after: &str, limit: usize) -> Result<Vec<Row>> {
        let (query, table) = (self.query, table(self.query.kind));
        let mut sql = Sql::new(&format!(
            "SELECT n.owner_place, n.scope_key, o.id, n.embedding FROM (SELECT v.scope_key, \
             v.owner_place, v.embedding FROM {} v WHERE ",
            table_of(self.set)
        ));
        sql.bind_scopes("v", &query.scopes);
        // The number stands in the text, so that the index is known to hold all of it.
        sql.push(&format!(" AND v.owner_kind = {}", kind_number(query.kind)));
        if !query.filter.record_part().is_empty() {
            sql.push(&format!(
                " AND EXISTS (SELECT 1 FROM {table} t WHERE t.scope_key = v.scope_key \
                 AND t.place = v.owner_place"
            ));
            push_conditions(&mut sql, table, &query.filter);
            sql.push(")");
        }
        sql.push(" ORDER BY ");
        sql.push(before);
        sql.bind(Vector::from(query.vector.as_slice().to_vec()));
        sql.push(after);
        sql.push(" LIMIT ");
        sql.bind(integer(limit as u64)?);
        sql.push(&format!(
            ") n JOIN {table} o ON o.scope_key = n.scope_key AND o.place = n.owner_place"
        ));
        sql.name_only(&query.scopes);
        sql.rows(self.on).await
    }

    fn scored(&self, rows: &[Row]) -> Result<Vec<Found>> {
        let scopes = by_key(&self.query.scopes);
        let vector = self.query.vector.as_slice();
        let found = |row: &Row| {
            let mut reader = Reader::new(row);
            let (place, key) = (reader.take()?, reader.take()?);
            let scope = scopes.get(&key);
            let scope = scope.ok_or_else(|| corrupt("a vector without a scope"))?;
            let id = reader.id()?;
            let owned = embedding(&mut reader, &self.query.identity)?;
            Ok(Found {
                score: cosine(vector, owned.as_slice()),
                place,
                scope: (*scope).clone(),
                id,
            })
        };
        rows.iter().map(found).collect()
    }

    fn hits(&self, found: Vec<Found>) -> Vec<VectorHit> {
        let hits = found.into_iter().take(self.query.top_k);
        hits.map(
            |Found {
                 scope,
                 id,
                 place,
                 score,
             }| VectorHit {
                scope,
                id,
                place: place.unsigned_abs(),
                score,
            },
        )
        .collect()
    }
}

/// A candidate with its score.
struct Found {
    score: f32,
    place: i64,
    scope: Scope,
    id: Id,
}

fn best_first(found: &mut [Found]) {
    found.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(a.place.cmp(&b.place)));
}
