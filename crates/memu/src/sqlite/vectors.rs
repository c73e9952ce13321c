//! Vectors: which embedder's, reading them, and searching them.

use memu_core::records::{
    EmbedderIdentity, Embedding, EmbeddingSet, Id, OwnedEmbedding, OwnerKind, SetState,
};
use memu_core::scope::Scope;
use memu_core::store::{VectorHit, VectorQuery};
use memu_core::vector::cosine;
use memu_core::{Error, Result};
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::error::{corrupt, storage};
use super::filter::{Sql, push_conditions};
use super::read::embedding_sets;
use super::rows::{Reader, unpacked};
use super::scopes::{in_scopes, scope_row, scope_rows};

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
        OwnerKind::Item => "memu_memory_items",
        OwnerKind::Category => "memu_memory_categories",
    }
}

/// Vectors of two embedders cannot be compared.
pub(super) fn refuse_other_embedder(
    sets: &[EmbeddingSet],
    identity: &EmbedderIdentity,
) -> Result<()> {
    match sets.iter().find(|set| set.state == SetState::Active) {
        Some(active) if active.identity != *identity => Err(Error::config(format!(
            "the store's vectors are from {}, these are from {identity}; memu reembed changes the \
             store's embedder",
            active.identity
        ))),
        _ => Ok(()),
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
         WHERE t.scope_id = ?1 AND t.id = ?2",
        table(kind)
    );
    let mut statement = connection.prepare_cached(&sql).map_err(storage)?;
    let mut found = Vec::new();
    for owner in owners {
        let bytes: Option<Vec<u8>> = statement
            .query_row((scope, owner.as_str(), set.id, kind_number(kind)), |row| {
                row.get(0)
            })
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

/// The nearest owners: every vector of the scopes is compared.
pub(super) fn search(connection: &Connection, query: &VectorQuery) -> Result<Vec<VectorHit>> {
    check(query)?;
    let sets = embedding_sets(connection)?;
    refuse_other_embedder(&sets, &query.identity)?;
    let scopes = scope_rows(connection, &query.scopes)?;
    let Some(set) = sets.iter().find(|set| set.identity == query.identity) else {
        return Ok(Vec::new());
    };
    if scopes.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::default();
    sql.push(&format!(
        "SELECT t.row, t.scope_id, t.id, v.vector FROM memu_embeddings v JOIN {} t
         ON t.row = v.owner_row WHERE {} AND v.scope_id = t.scope_id AND v.set_id = ",
        table(query.kind),
        in_scopes(&scopes).replace("t.scope_id", "v.scope_id"),
    ));
    sql.bind(i64::from(set.id));
    sql.push(" AND v.owner_kind = ");
    sql.bind(kind_number(query.kind));
    push_conditions(&mut sql, table(query.kind), &query.filter);
    let mut statement = connection.prepare_cached(&sql.text).map_err(storage)?;
    let mut rows = statement
        .query(params_from_iter(sql.parameters))
        .map_err(storage)?;
    let mut scored: Vec<(f32, i64, i64, String)> = Vec::new();
    while let Some(row) = rows.next().map_err(storage)? {
        let mut reader = Reader::new(row, 0);
        let (number, scope, id) = (reader.take()?, reader.take()?, reader.take()?);
        let vector = unpacked(&reader.take::<Vec<u8>>()?);
        scored.push((cosine(query.vector.as_slice(), &vector), number, scope, id));
    }
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    scored.truncate(query.top_k);
    scored
        .into_iter()
        .map(|(score, _, scope, id)| {
            let scope = scopes
                .get(&scope)
                .ok_or_else(|| corrupt("a vector without a scope"))?;
            Ok(VectorHit {
                scope: scope.clone(),
                id: Id::from(id),
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
