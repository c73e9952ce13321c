//! Making the indexes that are missing.

use deadpool_postgres::{ClientWrapper, Transaction};
use memu_core::Result;
use memu_core::records::{EmbeddingSet, OwnerKind, SetState};

use super::{Nearest, SMALL, name, state};
use crate::error::storage;
use crate::owners::{KINDS, kind_number};
use crate::read::embedding_sets;
use crate::rows::Reader;
use crate::sql::Sql;
use crate::vectors::table_of;

/// An index that is to be made.
#[derive(Clone, Debug)]
pub(crate) struct Missing {
    pub(crate) name: String,
    table: String,
    kind: i16,
    dimension: u32,
    nearest: Nearest,
    /// Whether what is left of an attempt is in the way.
    broken: bool,
}

/// The indexes of the active set that should be there and are not, or cannot be used.
pub(crate) async fn missing(on: &Transaction<'_>) -> Result<Vec<Missing>> {
    let sets = embedding_sets(on).await?;
    let mut missing = Vec::new();
    for set in sets.iter().filter(|set| set.state == SetState::Active) {
        let Some(nearest) = Nearest::of(set.identity.dimension) else {
            continue;
        };
        for kind in KINDS {
            let name = name(set, kind);
            let state = state(on, &name).await?;
            if state == Some(true) || !has_many(on, set, kind).await? {
                continue;
            }
            missing.push(Missing {
                name,
                table: table_of(set),
                kind: kind_number(kind),
                dimension: set.identity.dimension,
                nearest,
                broken: state == Some(false),
            });
        }
    }
    Ok(missing)
}

async fn has_many(on: &Transaction<'_>, set: &EmbeddingSet, kind: OwnerKind) -> Result<bool> {
    let sql = format!(
        "SELECT count(*) FROM (SELECT 1 FROM {} WHERE owner_kind = $1 LIMIT $2) x",
        table_of(set)
    );
    let found = Sql::new(&sql)
        .with(kind_number(kind))
        .with(SMALL + 1)
        .first(on)
        .await?;
    let count: i64 = found.map_or(Ok(0), |row| Reader::new(&row).take())?;
    Ok(count > SMALL)
}

/// Makes indexes beside all other work, and says which.
pub(super) async fn make_all(client: &ClientWrapper, missing: Vec<Missing>) -> Result<Vec<String>> {
    let lock =
        "SELECT pg_try_advisory_lock(hashtextextended(current_schema() || ' memu index', 0))";
    let row = client.query_one(lock, &[]).await.map_err(storage)?;
    if !Reader::new(&row).take::<bool>()? {
        // Another process is at it.
        return Ok(Vec::new());
    }
    // A graph that does not fit into the memory for it is made many times slower: 100,000
    // vectors of 384 numbers take 250 MB.
    let patient = "SET statement_timeout = 0; SET lock_timeout = 0; \
                   SET maintenance_work_mem = '1GB'";
    client.batch_execute(patient).await.map_err(storage)?;
    let mut made = Vec::new();
    for missing in missing {
        make(client, &missing).await?;
        made.push(missing.name);
    }
    Ok(made)
}

async fn make(client: &ClientWrapper, missing: &Missing) -> Result<()> {
    let Missing {
        name,
        table,
        kind,
        dimension,
        nearest,
        broken,
    } = missing;
    let held = match nearest {
        Nearest::Whole => "embedding vector_cosine_ops".to_owned(),
        Nearest::Halves => format!("(embedding::halfvec({dimension})) halfvec_cosine_ops"),
    };
    let drop = format!("DROP INDEX CONCURRENTLY IF EXISTS {name}");
    if *broken {
        client.batch_execute(&drop).await.map_err(storage)?;
    }
    let create = format!(
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {table} USING hnsw ({held}) \
         WHERE owner_kind = {kind}"
    );
    let made = client.batch_execute(&create).await.map_err(storage);
    let Err(error) = made else { return Ok(()) };
    if client.is_closed() {
        return Err(error);
    }
    // Several processes of the server make it in memory that they share, of which containers
    // often have little; one alone needs none of that.
    for step in [
        drop.as_str(),
        "SET max_parallel_maintenance_workers = 0",
        &create,
    ] {
        client.batch_execute(step).await.map_err(storage)?;
    }
    Ok(())
}
