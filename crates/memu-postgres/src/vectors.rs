//! The vectors of a set, in a table of its own.

use deadpool_postgres::Transaction;
use memu_core::Result;
use memu_core::records::{
    EmbedderIdentity, Embedding, EmbeddingSet, Id, OwnedEmbedding, OwnerKind,
};
use memu_core::scope::Scope;
use pgvector::Vector;
use rustc_hash::FxHashMap;

use crate::error::corrupt;
use crate::owners::{kind_number, table};
use crate::read::embedding_sets;
use crate::rows::Reader;
use crate::select::texts;
use crate::sql::{FromArrays, Sql};
use crate::values::{Key, integer};

/// The table of a set.
pub(crate) fn table_of(set: &EmbeddingSet) -> String {
    format!("memu_vectors_{}", set.id)
}

/// The statement that puts vectors in the place of those that the owners may have; none when
/// there are none.
pub(crate) fn put(
    set: &EmbeddingSet,
    scope: &Scope,
    vectors: &[(OwnerKind, u64, &[f32])],
    arrays: FromArrays,
) -> Result<Option<Sql<'static>>> {
    if vectors.is_empty() {
        return Ok(None);
    }
    let kinds: Vec<i16> = vectors
        .iter()
        .map(|(kind, ..)| kind_number(*kind))
        .collect();
    let places: Result<Vec<i64>> = vectors
        .iter()
        .map(|(_, place, _)| integer(*place))
        .collect();
    let values = vectors
        .iter()
        .map(|(.., vector)| Vector::from(vector.to_vec()));
    let FromArrays { key, from, only } = arrays;
    let sql = format!(
        "INSERT INTO {} (scope_key, owner_kind, owner_place, embedding) SELECT {key}, u.* \
         FROM {from}unnest($2::smallint[], $3::bigint[], $4::vector[]) u{only} \
         ON CONFLICT (scope_key, owner_kind, owner_place) \
         DO UPDATE SET embedding = excluded.embedding",
        table_of(set)
    );
    let sql = Sql::new(&sql).with(Key::of(scope)).with(kinds);
    Ok(Some(sql.with(places?).with(values.collect::<Vec<_>>())))
}

/// The vectors of these owners, in their order.
pub(crate) async fn embeddings(
    on: &Transaction<'_>,
    scope: &Scope,
    identity: &EmbedderIdentity,
    kind: OwnerKind,
    owners: &[Id],
) -> Result<Vec<OwnedEmbedding>> {
    let sets = embedding_sets(on).await?;
    let Some(set) = sets.iter().find(|set| set.identity == *identity) else {
        return Ok(Vec::new());
    };
    // In two steps, for in one the server may go through all vectors once for every owner as
    // long as it has not counted how many there are.
    let places = format!(
        "SELECT id, place FROM {} WHERE scope_key = $1 AND id = ANY($2)",
        table(kind)
    );
    let those = format!(
        "SELECT owner_place, embedding FROM {} WHERE scope_key = $1 AND owner_kind = $2 \
         AND owner_place = ANY($3)",
        table_of(set)
    );
    let mut vectors: FxHashMap<Id, Embedding> = FxHashMap::default();
    for owners in owners.chunks(AT_ONCE) {
        let sql = Sql::new(&places).with(Key::of(scope)).with(texts(owners));
        let mut at: FxHashMap<i64, Id> = FxHashMap::default();
        for row in sql.rows(on).await? {
            let mut reader = Reader::new(&row);
            let id = reader.id()?;
            at.insert(reader.take()?, id);
        }
        let places: Vec<i64> = at.keys().copied().collect();
        let sql = Sql::new(&those)
            .with(Key::of(scope))
            .with(kind_number(kind));
        for row in sql.with(places).rows(on).await? {
            let mut reader = Reader::new(&row);
            if let Some(id) = at.remove(&reader.take()?) {
                vectors.insert(id, embedding(&mut reader, identity)?);
            }
        }
    }
    let found = |owner: &Id| {
        Some(OwnedEmbedding {
            kind,
            owner: owner.clone(),
            vector: vectors.get(owner)?.clone(),
        })
    };
    Ok(owners.iter().filter_map(found).collect())
}

/// How many vectors are read at once.
const AT_ONCE: usize = 4_096;

/// A vector that is read.
pub(crate) fn embedding(reader: &mut Reader<'_>, identity: &EmbedderIdentity) -> Result<Embedding> {
    let vector: Vector = reader.take()?;
    Embedding::checked(vector.into(), identity.dimension).map_err(|_| corrupt("an unusable vector"))
}
