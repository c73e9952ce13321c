//! Embedding sets that are built beside the active one, and take its place.

use memu_core::Result;
use memu_core::records::{EmbedderIdentity, Id, OwnerKind};
use memu_core::scope::{Scope, ScopeSchema};
use memu_core::store::{BuiltScope, BuiltVector, rules};
use memu_core::vector::BLOCK_VECTORS;
use rusqlite::{Connection, OptionalExtension, Params};
use rustc_hash::FxHashMap;

use super::codes::{self, ChangedVectors};
use super::error::{corrupt, storage};
use super::outlines::Outlines;
use super::read::embedding_sets;
use super::rows::{integer, packed, unpacked};
use super::scopes::{every_scope, scope_row};
use super::vectors::{
    KINDS, identified_by, identifier, kind_number, table, tell_by_json, tells_by_json,
};
use crate::settings::EmbeddingFormat;

/// Takes the vectors of an unknown embedder for this one's; says whether there were any.
pub(super) fn adopt(connection: &Connection, identity: &EmbedderIdentity) -> Result<bool> {
    let sets = embedding_sets(connection)?;
    let Some(adopted) = rules::adoptable(&sets, identity) else {
        return Ok(false);
    };
    execute(
        connection,
        "UPDATE memu_embedding_sets SET provider = ?2, model = ?3, state = 'active'
         WHERE set_id = ?1",
        (adopted.id, &identity.provider, &identity.model),
    )?;
    Ok(true)
}

/// Begins a set, under a number that no other has had.
pub(super) fn begin(connection: &Connection, identity: &EmbedderIdentity) -> Result<()> {
    let sets = embedding_sets(connection)?;
    if !rules::must_begin(&sets, identity)? {
        return Ok(());
    }
    let next = sets.iter().map(|set| set.id).max().unwrap_or_default() + 1;
    if let Some(old) = sets.iter().find(|set| set.identity == *identity) {
        if has_vectors(connection, old.id)? {
            return Err(rules::not_empty(identity));
        }
        execute(
            connection,
            "DELETE FROM memu_embedding_sets WHERE set_id = ?1",
            [old.id],
        )?;
    }
    execute(
        connection,
        "INSERT INTO memu_embedding_sets (set_id, provider, model, dimension, format, state)
         VALUES (?1, ?2, ?3, ?4, 'f32', 'building')",
        (
            next,
            &identity.provider,
            &identity.model,
            identity.dimension,
        ),
    )
    .map(drop)
}

fn has_vectors(connection: &Connection, set: u32) -> Result<bool> {
    let found = connection
        .query_row(
            "SELECT 1 FROM memu_embeddings WHERE set_id = ?1 LIMIT 1",
            [set],
            |_| Ok(()),
        )
        .optional()
        .map_err(storage)?;
    Ok(found.is_some())
}

/// Puts the vectors whose owners are still as they were, and counts them.
pub(super) fn build(
    connection: &Connection,
    format: EmbeddingFormat,
    scope: &Scope,
    identity: &EmbedderIdentity,
    vectors: &[BuiltVector],
) -> Result<usize> {
    let sets = embedding_sets(connection)?;
    let set = rules::being_built(&sets, identity)?.id;
    let Some((scope_id, seq)) = scope_row(connection, scope)? else {
        return Ok(0);
    };
    let mut changed = ChangedVectors::default();
    let mut put = 0;
    for BuiltVector { owned, revision } in vectors {
        rules::check_dimension(identity, owned)?;
        let revision = integer(*revision)?;
        let owner = (scope_id, &owned.owner, revision);
        let Some(row) = owner_row(connection, owned.kind, owner)? else {
            continue;
        };
        execute(
            connection,
            "INSERT INTO memu_embeddings (scope_id, set_id, owner_kind, owner_row, vector)
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (scope_id, owner_kind, owner_row, set_id)
             DO UPDATE SET vector = excluded.vector",
            (
                scope_id,
                set,
                kind_number(owned.kind),
                row,
                packed(owned.vector.as_slice(), format),
            ),
        )?;
        changed.insert(owned.kind, row);
        put += 1;
    }
    let outlines = Outlines {
        connection,
        scope,
        scope_id,
    };
    // Where what is derived is not of the last change, the next one makes it all anew.
    if outlines.are_of(seq)? {
        codes::renew(connection, scope_id, &changed, seq, None)?;
    }
    Ok(put)
}

/// The row of a record that is still of this revision.
fn owner_row(
    connection: &Connection,
    kind: OwnerKind,
    (scope_id, id, revision): (i64, &Id, i64),
) -> Result<Option<i64>> {
    let table = table(kind);
    let sql = format!(
        "SELECT t.row FROM {table} t WHERE t.scope_id = ?1 AND {} = ?2 AND t.revision = ?3",
        identified_by(table)
    );
    let owner = (scope_id, identifier(table, id), revision);
    connection
        .prepare_cached(&sql)
        .and_then(|mut statement| statement.query_row(owner, |row| row.get(0)).optional())
        .map_err(storage)
}

/// Puts a set into use in place of all others, unless scopes have moved on: those are
/// returned.
pub(super) fn activate(
    connection: &Connection,
    schema: &ScopeSchema,
    identity: &EmbedderIdentity,
    built: &[BuiltScope],
) -> Result<Vec<Scope>> {
    let sets = embedding_sets(connection)?;
    if rules::is_active(&sets, identity) {
        return Ok(Vec::new());
    }
    let set = rules::being_built(&sets, identity)?.id;
    let behind = behind(connection, schema, built)?;
    if behind.is_empty() {
        // No two sets may be active, not even for a moment.
        execute(
            connection,
            "UPDATE memu_embedding_sets SET state = 'retired'",
            [],
        )?;
        execute(
            connection,
            "UPDATE memu_embedding_sets SET state = 'active' WHERE set_id = ?1",
            [set],
        )?;
    }
    Ok(behind)
}

/// The scopes whose log is not where it was when they were built.
fn behind(
    connection: &Connection,
    schema: &ScopeSchema,
    built: &[BuiltScope],
) -> Result<Vec<Scope>> {
    let positions: FxHashMap<u64, u64> = built
        .iter()
        .map(|one| (one.position.life, one.position.seq))
        .collect();
    let mut statement = connection
        .prepare("SELECT scope_id, seq FROM memu_scopes WHERE seq > 0 ORDER BY scope_id")
        .map_err(storage)?;
    let found: Vec<(i64, i64)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .and_then(Iterator::collect)
        .map_err(storage)?;
    let moved =
        |id: i64, seq: i64| positions.get(&id.unsigned_abs()).copied() != Some(seq.unsigned_abs());
    let moved: Vec<i64> = found
        .into_iter()
        .filter(|(id, seq)| moved(*id, *seq))
        .map(|(id, _)| id)
        .collect();
    if moved.is_empty() {
        return Ok(Vec::new());
    }
    let scopes = every_scope(connection, schema)?.into_iter();
    // Both are in the order of their numbers.
    let named = scopes.filter(|(id, _)| moved.binary_search(id).is_ok());
    Ok(named.map(|(_, scope)| scope).collect())
}

/// Removes vectors of sets that were replaced, with their codes and with what the record
/// tables tell of them; says how many.
pub(super) fn drop_replaced(
    connection: &Connection,
    format: EmbeddingFormat,
    limit: usize,
) -> Result<usize> {
    let sets = embedding_sets(connection)?;
    let mut left = limit;
    for set in rules::replaced(&sets) {
        let dropped = drop_vectors(connection, format, set.id, left)?;
        // Codes go with about as many vectors as they are of. Blocks that lost most of theirs
        // before are more than that, and go with the last.
        let blocks = if dropped < left {
            -1
        } else {
            integer((left / BLOCK_VECTORS + 1) as u64)?
        };
        execute(
            connection,
            "DELETE FROM memu_vector_codes WHERE row IN
             (SELECT row FROM memu_vector_codes WHERE set_id = ?1 LIMIT ?2)",
            (set.id, blocks),
        )?;
        left -= dropped;
    }
    Ok(limit - left)
}

fn drop_vectors(
    connection: &Connection,
    format: EmbeddingFormat,
    set: u32,
    limit: usize,
) -> Result<usize> {
    // The index that keeps them unique holds all of this.
    let mut statement = connection
        .prepare_cached(
            "SELECT row, scope_id, owner_kind, owner_row FROM memu_embeddings
             WHERE set_id = ?1 LIMIT ?2",
        )
        .map_err(storage)?;
    let rows: Vec<(i64, Owner)> = statement
        .query_map((set, integer(limit as u64)?), |row| {
            let owner = (row.get(1)?, row.get(2)?, row.get(3)?);
            Ok((row.get(0)?, owner))
        })
        .and_then(Iterator::collect)
        .map_err(storage)?;
    let tells = tells_by_json(connection, format)?;
    for (row, owner) in &rows {
        if tells {
            tell_anew(connection, format, *owner)?;
        }
        execute(
            connection,
            "DELETE FROM memu_embeddings WHERE row = ?1",
            [row],
        )?;
    }
    Ok(rows.len())
}

/// A scope, a kind of record and the row of a record.
type Owner = (i64, i64, i64);

/// Lets a record table tell the vector of the active set as JSON.
fn tell_anew(connection: &Connection, format: EmbeddingFormat, owner: Owner) -> Result<()> {
    let (_, number, row) = owner;
    let kind = KINDS.into_iter().find(|kind| kind_number(*kind) == number);
    let kind = kind.ok_or_else(|| corrupt("a vector of an unknown kind of record"))?;
    let vector: Option<Vec<u8>> = connection
        .prepare_cached(
            "SELECT v.vector FROM memu_embedding_sets e JOIN memu_embeddings v
             ON v.scope_id = ?1 AND v.owner_kind = ?2 AND v.owner_row = ?3 AND v.set_id = e.set_id
             WHERE e.state = 'active'",
        )
        .and_then(|mut statement| statement.query_row(owner, |row| row.get(0)).optional())
        .map_err(storage)?;
    let vector = vector.map(|vector| unpacked(&vector));
    tell_by_json(connection, format, (kind, row), vector.as_deref())
}

fn execute(connection: &Connection, sql: &str, parameters: impl Params) -> Result<usize> {
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.execute(parameters))
        .map_err(storage)
}
