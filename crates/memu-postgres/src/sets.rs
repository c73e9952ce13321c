//! Embedding sets: making them, and building one beside the active one until it takes its
//! place.

use deadpool_postgres::Transaction;
use memu_core::records::{EmbedderIdentity, EmbeddingSet, Id, OwnerKind, SetState};
use memu_core::scope::{Scope, ScopeSchema};
use memu_core::store::{BuiltScope, BuiltVector, rules};
use memu_core::{Error, Result};
use rustc_hash::FxHashMap;

use crate::citus;
use crate::error::storage;
use crate::owners::table;
use crate::read::embedding_sets;
use crate::rows::Reader;
use crate::schema::{create, row_security, vectors};
use crate::scopes::{every_scope, standing};
use crate::select::texts;
use crate::sql::{FromArrays, Sql};
use crate::values::{Key, OwnText, integer};
use crate::vectors::{put, table_of};

/// What the tables of a store need beside their columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tables {
    pub(crate) row_security: bool,
    /// Whether those of scopes lie on the servers of a cluster.
    pub(crate) cluster: bool,
    /// About how many records of a scope are sealed together.
    pub(crate) part_records: usize,
}

/// pgvector's longest vector.
const LONGEST: u32 = 16_000;

/// The sets, which stay as they are until the transaction ends. Many may hold them so at
/// once; whoever changes them must be `alone`.
pub(crate) async fn locked(on: &Transaction<'_>, alone: bool) -> Result<Vec<EmbeddingSet>> {
    let sql = if alone {
        "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' memu sets', 0))"
    } else {
        "SELECT pg_advisory_xact_lock_shared(hashtextextended(current_schema() || ' memu sets', 0))"
    };
    Sql::new(sql).rows(on).await?;
    embedding_sets(on).await
}

/// Makes a set, under a number that no other has had.
pub(crate) async fn make(
    on: &Transaction<'_>,
    tables: &Tables,
    sets: &[EmbeddingSet],
    identity: &EmbedderIdentity,
    state: SetState,
) -> Result<()> {
    if identity.dimension > LONGEST {
        return Err(Error::unsupported(format!(
            "vectors of {} dimensions cannot be stored: pgvector holds at most {LONGEST}",
            identity.dimension
        )));
    }
    let next = sets.iter().map(|set| set.id).max().unwrap_or_default() + 1;
    Sql::new(
        "INSERT INTO memu_embedding_sets (set_id, provider, model, dimension, set_state) \
         VALUES ($1, $2, $3, $4, $5)",
    )
    .with(i64::from(next))
    .with(OwnText(identity.provider.clone()))
    .with(OwnText(identity.model.clone()))
    .with(i64::from(identity.dimension))
    .with(state.as_str())
    .run(on)
    .await?;
    let table = vectors(next, identity.dimension);
    let sql = create::table(&table);
    on.batch_execute(&sql).await.map_err(storage)?;
    // Others may have spread the tables since the store was opened.
    let cluster = citus::is_spread(on).await?;
    if cluster {
        citus::distribute(on, std::slice::from_ref(&table)).await?;
    }
    if tables.row_security {
        row_security::turn_on(on, &[table], cluster).await?;
    }
    Ok(())
}

/// Takes the vectors of an unknown embedder for this one's; says whether there were any.
pub(crate) async fn adopt(on: &Transaction<'_>, identity: &EmbedderIdentity) -> Result<bool> {
    let sets = locked(on, true).await?;
    let Some(adopted) = rules::adoptable(&sets, identity) else {
        return Ok(false);
    };
    Sql::new(
        "UPDATE memu_embedding_sets SET provider = $2, model = $3, set_state = 'active' \
         WHERE set_id = $1",
    )
    .with(i64::from(adopted.id))
    .with(OwnText(identity.provider.clone()))
    .with(OwnText(identity.model.clone()))
    .run(on)
    .await?;
    Ok(true)
}

/// Begins a set that is to be built.
pub(crate) async fn begin(
    on: &Transaction<'_>,
    tables: &Tables,
    identity: &EmbedderIdentity,
) -> Result<()> {
    let sets = locked(on, true).await?;
    if !rules::must_begin(&sets, identity)? {
        return Ok(());
    }
    if let Some(old) = sets.iter().find(|set| set.identity == *identity) {
        let table = table_of(old);
        let sql = format!("SELECT 1 FROM {table} LIMIT 1");
        if Sql::new(&sql).first(on).await?.is_some() {
            return Err(rules::not_empty(identity));
        }
        Sql::new("DELETE FROM memu_embedding_sets WHERE set_id = $1")
            .with(i64::from(old.id))
            .run(on)
            .await?;
        on.batch_execute(&format!("DROP TABLE {table}"))
            .await
            .map_err(storage)?;
    }
    make(on, tables, &sets, identity, SetState::Building).await
}

/// Puts the vectors whose owners are still as they were, and counts them.
pub(crate) async fn build(
    on: &Transaction<'_>,
    tables: &Tables,
    scope: &Scope,
    identity: &EmbedderIdentity,
    vectors: &[BuiltVector],
) -> Result<usize> {
    // Nobody changes the owners meanwhile.
    if standing(on, scope, true).await?.is_none() {
        let sets = locked(on, false).await?;
        return rules::being_built(&sets, identity).map(|_| 0);
    }
    let sets = locked(on, false).await?;
    let set = rules::being_built(&sets, identity)?;
    let mut by_kind: FxHashMap<OwnerKind, Vec<&BuiltVector>> = FxHashMap::default();
    for vector in vectors {
        rules::check_dimension(identity, &vector.owned)?;
        by_kind.entry(vector.owned.kind).or_default().push(vector);
    }
    let mut good: FxHashMap<(OwnerKind, u64), &[f32]> = FxHashMap::default();
    let mut count = 0;
    for (kind, vectors) in by_kind {
        let owners = vectors.iter().map(|vector| &vector.owned.owner);
        let known = owners_now(on, scope, kind, owners).await?;
        for vector in vectors {
            if let Some((place, revision)) = known.get(&vector.owned.owner)
                && *revision == vector.revision
            {
                good.insert((kind, *place), vector.owned.vector.as_slice());
                count += 1;
            }
        }
    }
    let good = good
        .into_iter()
        .map(|((kind, place), vector)| (kind, place, vector));
    let arrays = FromArrays::new(tables.cluster);
    if let Some(sql) = put(set, scope, &good.collect::<Vec<_>>(), arrays)? {
        sql.run(on).await?;
    }
    Ok(count)
}

/// Places and revisions of owners as they are now.
async fn owners_now<'i>(
    on: &Transaction<'_>,
    scope: &Scope,
    kind: OwnerKind,
    owners: impl Iterator<Item = &'i Id>,
) -> Result<FxHashMap<Id, (u64, u64)>> {
    let sql = format!(
        "SELECT t.id, t.place, t.revision FROM {} t WHERE t.scope_key = $1 AND t.id = ANY($2)",
        table(kind)
    );
    let rows = Sql::new(&sql)
        .with(Key::of(scope))
        .with(texts(owners))
        .rows(on)
        .await?;
    let mut known = FxHashMap::default();
    for row in &rows {
        let mut reader = Reader::new(row);
        known.insert(reader.id()?, (reader.number()?, reader.number()?));
    }
    Ok(known)
}

/// Puts a set into use in place of all others, unless scopes have moved on: those are
/// returned.
pub(crate) async fn activate(
    on: &Transaction<'_>,
    schema: &ScopeSchema,
    identity: &EmbedderIdentity,
    built: &[BuiltScope],
) -> Result<Vec<Scope>> {
    let sets = locked(on, true).await?;
    if rules::is_active(&sets, identity) {
        return Ok(Vec::new());
    }
    let set = rules::being_built(&sets, identity)?.id;
    let positions: FxHashMap<u64, u64> = built
        .iter()
        .map(|one| (one.position.life, one.position.seq))
        .collect();
    let scopes = every_scope(on, schema).await?.into_iter();
    let behind = scopes.filter(|(_, standing)| {
        let position = standing.position;
        position.seq > 0 && positions.get(&position.life).copied() != Some(position.seq)
    });
    let behind: Vec<Scope> = behind.map(|(scope, _)| scope).collect();
    if behind.is_empty() {
        // No two sets may be active, not even for a moment.
        Sql::new("UPDATE memu_embedding_sets SET set_state = 'retired'")
            .run(on)
            .await?;
        Sql::new("UPDATE memu_embedding_sets SET set_state = 'active' WHERE set_id = $1")
            .with(i64::from(set))
            .run(on)
            .await?;
    }
    Ok(behind)
}

/// Removes vectors of sets that were replaced, and says how many.
pub(crate) async fn drop_replaced(on: &Transaction<'_>, limit: usize) -> Result<usize> {
    let sets = locked(on, false).await?;
    let mut left = limit;
    for set in rules::replaced(&sets) {
        while left > 0 {
            let dropped = drop_some(on, set, left).await?;
            if dropped == 0 {
                break;
            }
            left -= dropped;
        }
    }
    Ok(limit - left)
}

/// Removes some vectors of one scope and kind.
async fn drop_some(on: &Transaction<'_>, set: &EmbeddingSet, limit: usize) -> Result<usize> {
    let table = table_of(set);
    let one = format!("SELECT scope_key, owner_kind FROM {table} LIMIT 1");
    let Some(row) = Sql::new(&one).first(on).await? else {
        return Ok(0);
    };
    let mut reader = Reader::new(&row);
    let (key, kind): (Key, i16) = (reader.take()?, reader.take()?);
    let sql = format!(
        "DELETE FROM {table} WHERE scope_key = $1 AND owner_kind = $2 AND owner_place IN \
         (SELECT v.owner_place FROM {table} v WHERE v.scope_key = $1 AND v.owner_kind = $2 \
         ORDER BY v.owner_place LIMIT $3)"
    );
    let dropped = Sql::new(&sql)
        .with(key)
        .with(kind)
        .with(integer(limit as u64)?)
        .run(on)
        .await?;
    Ok(usize::try_from(dropped).unwrap_or(usize::MAX))
}
