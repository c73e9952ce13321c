//! Vectors: which embedder's, reading them, and searching them.

use memu_core::records::{EmbedderIdentity, Embedding, Id, OwnedEmbedding, OwnerKind};
use memu_core::scope::Scope;
use memu_core::{Error, Result};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension};

use super::error::{corrupt, storage};
use super::read::embedding_sets;
use super::rows::{packed_id, unpacked};
use super::scopes::scope_row;
use crate::settings::EmbeddingFormat;

/// Every kind of owner.
pub(super) const KINDS: [OwnerKind; 4] = [
    OwnerKind::Resource,
    OwnerKind::Segment,
    OwnerKind::Item,
    OwnerKind::Category,
];

/// An owner's kind as it is stored.
pub(super) fn kind_number(kind: OwnerKind) -> i64 {
    match kind {
        OwnerKind::Resource => 0,
        OwnerKind::Segment => 1,
        OwnerKind::Item => 2,
        OwnerKind::Category => 3,
    }
}

/// The table of a kind of owner.
pub(super) fn table(kind: OwnerKind) -> &'static str {
    match kind {
        OwnerKind::Resource => "memu_resources",
        OwnerKind::Segment => "memu_segments",
        OwnerKind::Item => "memu_items",
        OwnerKind::Category => "memu_memory_categories",
    }
}

/// What identifies the records of a table that is named `t`.
pub(super) fn identified_by(table: &str) -> &'static str {
    match table {
        "memu_segments" | "memu_items" | "memu_relations" => "t.key",
        _ => "t.id",
    }
}

/// An id as it stands in [`identified_by`].
pub(super) fn identifier(table: &str, id: &Id) -> Value {
    match identified_by(table) {
        "t.key" => packed_id(id),
        _ => Value::Text(id.as_str().to_owned()),
    }
}

/// The vectors of these owners, in their order.
pub(super) fn embeddings(
    connection: &Connection,
    scope: &Scope,
    identity: &EmbedderIdentity,
    kind: OwnerKind,
    owners: &[Id],
) -> Result<Vec<OwnedEmbedding>> {
    let sets = embedding_sets(connection)?;
    let set = sets.iter().find(|set| set.identity == *identity);
    let (Some(set), Some((scope, _))) = (set, scope_row(connection, scope)?) else {
        return Ok(Vec::new());
    };
    let sql = format!(
        "SELECT v.vector FROM {} t JOIN memu_embeddings v ON v.scope_id = t.scope_id
         AND v.set_id = ?3 AND v.owner_kind = ?4 AND v.owner_row = t.row
         WHERE t.scope_id = ?1 AND {} = ?2",
        table(kind),
        identified_by(table(kind)),
    );
    let mut statement = connection.prepare_cached(&sql).map_err(storage)?;
    let mut found = Vec::new();
    for owner in owners {
        let bytes: Option<Vec<u8>> = statement
            .query_row(
                (
                    scope,
                    identifier(table(kind), owner),
                    set.id,
                    kind_number(kind),
                ),
                |row| row.get(0),
            )
            .optional()
            .map_err(storage)?;
        if let Some(bytes) = bytes {
            let vector = Embedding::checked(unpacked(&bytes), identity.dimension)
                .map_err(|_| corrupt("an unusable vector"))?;
            found.push(OwnedEmbedding {
                kind,
                owner: owner.clone(),
                vector,
            });
        }
    }
    Ok(found)
}

/// Whether the tables also tell vectors as JSON, or have told some.
pub(super) fn tells_by_json(connection: &Connection, format: EmbeddingFormat) -> Result<bool> {
    if format == EmbeddingFormat::Json {
        connection
            .prepare_cached(
                "INSERT INTO memu_meta VALUES ('embedding_json', 'told') ON CONFLICT DO NOTHING",
            )
            .and_then(|mut statement| statement.execute([]))
            .map_err(storage)?;
        return Ok(true);
    }
    connection
        .prepare_cached("SELECT 1 FROM memu_meta WHERE key = 'embedding_json'")
        .and_then(|mut statement| statement.exists([]))
        .map_err(storage)
}

/// Tells the vector of a record as JSON where the original has it; or takes back what was
/// told, when there is none, or JSON is not what is written now.
pub(super) fn tell_by_json(
    connection: &Connection,
    format: EmbeddingFormat,
    (kind, row): (OwnerKind, i64),
    vector: Option<&[f32]>,
) -> Result<()> {
    if kind == OwnerKind::Segment {
        return Ok(());
    }
    let vector = vector.filter(|_| format == EmbeddingFormat::Json);
    let json = vector.map(json).transpose()?;
    let sql = format!(
        "UPDATE {} SET embedding_json = ?2 WHERE row = ?1 AND embedding_json IS NOT ?2",
        table(kind)
    );
    connection
        .prepare_cached(&sql)
        .and_then(|mut statement| statement.execute((row, json)))
        .map_err(storage)
        .map(drop)
}

/// A vector as the original tells it.
fn json(vector: &[f32]) -> Result<String> {
    let numbers: Vec<f64> = vector.iter().copied().map(f64::from).collect();
    serde_json::to_string(&numbers)
        .map_err(|cause| Error::internal("a vector is not JSON").caused_by(cause))
}
