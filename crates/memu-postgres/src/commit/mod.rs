//! Applying a batch in one transaction. What each write means is documented at
//! [`Write`](memu_core::store::Write), and said once for all stores by
//! [`ScopeData::apply_noting`]: here the part of the scope that the batch is about is read,
//! and what became of its records is written.

mod any;
mod load;
mod named;
mod write;

use deadpool_postgres::Transaction;
use memu_core::ranking::outline::PASSAGE_WORDS;
use memu_core::records::EmbeddingSet;
use memu_core::scope::{Scope, ScopeSchema};
use memu_core::store::rules::{self, SetForVectors};
use memu_core::store::{Committed, Effects, LogPosition, ScopeData, Write, WriteBatch};
use memu_core::{Error, Result};

pub(crate) use load::whole;

use self::named::Named;
use crate::read::embedding_sets;
use crate::rows::Reader;
use crate::scopes::{Standing, standing};
use crate::sql::{FromArrays, Sql};
use crate::values::{Key, Text, integer};
use crate::{outlines, sealed, sets};

/// A batch that was applied in a transaction that has not been committed yet.
#[derive(Debug)]
pub(crate) struct Applied {
    pub(crate) committed: Committed,
    /// How many vectors of items were put.
    pub(crate) vectors: usize,
}

/// Applies a batch as a part of the transaction that is under way.
pub(crate) async fn apply(
    on: &Transaction<'_>,
    tables: &sets::Tables,
    batch: &WriteBatch,
) -> Result<Applied> {
    let (known, new) = lock(on, &batch.scope).await?;
    let before = if new {
        LogPosition::default()
    } else {
        known.position
    };
    batch.check_expected(before)?;
    let sets = sets_with(on, tables, batch).await?;
    let named = Named::of(batch);
    let mut data = load::part(on, &batch.scope, known.position, &named).await?;
    data.reserve(places(on, named.new).await?);
    let (committed, effects) = data.apply_noting(batch)?;
    let arrays = FromArrays::new(tables.cluster);
    let writing = write::Writing {
        on,
        batch,
        data: &data,
        effects: &effects,
        sets: &sets,
        arrays,
    };
    writing.write().await?;
    let seq = committed.seq;
    if seq > known.position.seq {
        let changes = outlines::Changes {
            on,
            scope: &batch.scope,
            seq,
            arrays,
            part_records: tables.part_records,
        };
        derive(&changes, &known, &data, &effects).await?;
    }
    let gone = seq == 0 && forget_unused(on, &batch.scope).await?;
    let position = if gone {
        LogPosition::default()
    } else {
        LogPosition {
            life: known.position.life,
            seq,
        }
    };
    Ok(Applied {
        committed: Committed {
            life: position.life,
            seq: position.seq,
        },
        vectors: effects.vectors.len(),
    })
}

/// Refuses scopes of other fields than the store's.
pub(crate) fn check_schema(schema: &ScopeSchema, scope: &Scope) -> Result<()> {
    if scope.schema() == schema {
        return Ok(());
    }
    Err(Error::scope("the scope has other fields than the store")
        .with("scope", format!("{:?}", scope.schema()))
        .with("store", format!("{schema:?}")))
}

/// Has nobody else write to the scope until the transaction ends; says where its log
/// stands, and whether it is new.
async fn lock(on: &Transaction<'_>, scope: &Scope) -> Result<(Standing, bool)> {
    loop {
        if let Some(known) = standing(on, scope, true).await? {
            return Ok((known, false));
        }
        let mut sql = Sql::new("INSERT INTO memu_scopes (scope_key, life");
        for (field, _) in scope.iter() {
            sql.push(&format!(", \"{field}\""));
        }
        sql.push(", seq, derived_seq) VALUES (");
        sql.bind(Key::of(scope));
        // A cluster makes no numbers within the statement.
        let life = Sql::new("SELECT nextval('memu_lives')").first(on).await?;
        let life: i64 = life.map_or(Ok(0), |row| Reader::new(&row).take())?;
        sql.push(", ");
        sql.bind(life);
        for (_, value) in scope.iter() {
            sql.push(", ");
            sql.bind(value.map(Text));
        }
        sql.push(", 0, 0) ON CONFLICT DO NOTHING");
        if sql.run(on).await? > 0 {
            let position = LogPosition {
                life: life.unsigned_abs(),
                seq: 0,
            };
            let new = Standing {
                position,
                derived_seq: 0,
            };
            return Ok((new, true));
        }
        // Another process made it meanwhile, or was making it and did not.
    }
}

/// The embedding sets once the batch is applied. Those that take vectors exist then.
async fn sets_with(
    on: &Transaction<'_>,
    tables: &sets::Tables,
    batch: &WriteBatch,
) -> Result<Vec<EmbeddingSet>> {
    let vectors = batch.writes.iter().filter_map(|write| match write {
        Write::Embeddings(identity, vectors) if !vectors.is_empty() => Some(identity),
        _ => None,
    });
    let vectors: Vec<_> = vectors.collect();
    let is_new = |sets: &[EmbeddingSet]| {
        let of = vectors
            .iter()
            .map(|identity| rules::set_for_vectors(sets, identity));
        of.into_iter()
            .any(|set| matches!(set, Ok(SetForVectors::New(_))))
    };
    // Who makes a set is alone with all sets; nobody can become so who is not at first.
    let alone = is_new(&embedding_sets(on).await?);
    let mut sets = sets::locked(on, alone).await?;
    for identity in vectors {
        if let SetForVectors::New(state) = rules::set_for_vectors(&sets, identity)? {
            if !alone {
                return Err(Error::busy("the embedding sets change; try again"));
            }
            sets::make(on, tables, &sets, identity, state).await?;
            sets = embedding_sets(on).await?;
        }
    }
    Ok(sets)
}

/// So many numbers in the order of storing.
async fn places(on: &Transaction<'_>, count: usize) -> Result<Vec<u64>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let rows = Sql::new("SELECT nextval('memu_places') FROM generate_series(1, $1::bigint)")
        .with(integer(count as u64)?)
        .rows(on)
        .await?;
    let places = rows.iter().map(|row| Reader::new(row).number());
    let mut places: Vec<u64> = places.collect::<Result<_>>()?;
    places.sort_unstable();
    Ok(places)
}

/// Brings what is derived from the records up to date, and the scope with it.
async fn derive(
    changes: &outlines::Changes<'_, '_>,
    known: &Standing,
    data: &ScopeData,
    effects: &Effects,
) -> Result<()> {
    let outlines::Changes { on, scope, seq, .. } = *changes;
    let renewed = known.is_derived()
        && outlines::renew(changes, data, effects).await?
        && sealed::renew(changes, data, effects).await?;
    if !renewed {
        let outline = whole(on, scope, known.position).await?;
        let outline = outline.outline(PASSAGE_WORDS);
        outlines::rebuild(changes, &outline).await?;
        sealed::rebuild(changes).await?;
    }
    Sql::new("UPDATE memu_scopes SET seq = $2, derived_seq = $2 WHERE scope_key = $1")
        .with(Key::of(scope))
        .with(integer(seq)?)
        .run(on)
        .await
        .map(drop)
}

/// Removes a scope that holds nothing and in which nothing ever changed; says whether.
async fn forget_unused(on: &Transaction<'_>, scope: &Scope) -> Result<bool> {
    let removed = Sql::new(
        "DELETE FROM memu_scopes s WHERE s.scope_key = $1 \
         AND NOT EXISTS (SELECT 1 FROM memu_blobs b WHERE b.scope_key = $1) \
         AND NOT EXISTS (SELECT 1 FROM memu_model_replies r WHERE r.scope_key = $1) \
         AND NOT EXISTS (SELECT 1 FROM memu_model_usage u WHERE u.scope_key = $1)",
    )
    .with(Key::of(scope))
    .run(on)
    .await?;
    Ok(removed > 0)
}
