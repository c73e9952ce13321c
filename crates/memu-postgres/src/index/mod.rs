//! The index over vectors: an HNSW graph for each set and kind of record that has many.
//!
//! It is made beside all other work, once no more vectors come for a moment, and by one
//! process only. Scopes that are small are searched exactly without it.

mod making;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deadpool_postgres::{Object, Transaction};
use memu_core::records::{EmbeddingSet, OwnerKind};
use memu_core::store::{Report, Severity, VectorQuery};
use memu_core::{Error, Result};
use rustc_hash::FxHashSet;

use crate::connect::{Connections, Reach};
use crate::error::storage;
use crate::owners::kind_number;
use crate::rows::Reader;
use crate::sql::Sql;
use crate::values::Key;
use crate::vectors::table_of;
use making::make_all;

pub(crate) use making::{Missing, missing};

/// So many vectors are searched as fast without an index.
pub(crate) const SMALL: i64 = 20_000;

/// pgvector's longest vectors that an index holds as they are, and as halves.
const LONGEST_WHOLE: u32 = 2_000;
const LONGEST_HALVES: u32 = 4_000;

/// How long no vectors must have come before an index is made.
const REST: Duration = Duration::from_secs(2);

/// How an index holds vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nearest {
    /// As they are.
    Whole,
    /// With two bytes a number.
    Halves,
}

impl Nearest {
    /// How vectors of a length are held; `None` for those that are too long.
    pub(crate) fn of(dimension: u32) -> Option<Self> {
        if dimension <= LONGEST_WHOLE {
            Some(Self::Whole)
        } else if dimension <= LONGEST_HALVES {
            Some(Self::Halves)
        } else {
            None
        }
    }
}

/// How widely an index is searched for so many candidates. The graph is made by dice, so its
/// recall differs from one making to the next: of 42,000 vectors without any order (Gaussian, 48
/// dimensions) 97.6 to 98.8 in 100 of the nearest are found at 400, and 99.2 to 100 at 600, in
/// about a quarter more time; of such that lie in clusters, as those of texts do, all at either.
pub(crate) fn settings(candidates: usize) -> [String; 3] {
    let wide = candidates.saturating_mul(4).clamp(600, 1_000);
    [
        format!("hnsw.ef_search = {wide}"),
        "hnsw.iterative_scan = relaxed_order".to_owned(),
        "enable_sort = off".to_owned(),
    ]
}

/// What is known of the indexes of a store.
#[derive(Debug)]
pub(crate) struct Index {
    connections: Connections,
    /// Whether searches may use them.
    used: bool,
    /// Whether they are made.
    made: bool,
    /// How many vectors were put since they were looked at.
    put: AtomicU64,
    /// Counts the puts, to know when there is a rest.
    beat: AtomicU64,
    waiting: AtomicBool,
    /// Sets and kinds that have an index, and scopes that are large.
    known: Mutex<Known>,
    /// Held by who makes indexes.
    making: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    indexed: FxHashSet<(u32, i16)>,
    large: FxHashSet<(u32, i16, Key)>,
}

impl Index {
    pub(crate) fn new(connections: Connections, used: bool, made: bool) -> Self {
        Self {
            connections,
            used,
            made,
            put: AtomicU64::new(0),
            beat: AtomicU64::new(0),
            waiting: AtomicBool::new(false),
            known: Mutex::default(),
            making: tokio::sync::Mutex::default(),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the index that answers a query holds vectors; `None` where it is to be answered
    /// without one.
    pub(crate) async fn usable(
        &self,
        on: &Transaction<'_>,
        set: &EmbeddingSet,
        query: &VectorQuery,
    ) -> Result<Option<Nearest>> {
        let Some(nearest) = Nearest::of(set.identity.dimension).filter(|_| self.used) else {
            return Ok(None);
        };
        let kind = kind_number(query.kind);
        if !self.is_large(on, set, query).await? {
            return Ok(None);
        }
        if !self.known().indexed.contains(&(set.id, kind)) {
            if state(on, &name(set, query.kind)).await? != Some(true) {
                return Ok(None);
            }
            self.known().indexed.insert((set.id, kind));
        }
        Ok(Some(nearest))
    }

    /// Whether the scopes of a query hold many vectors together. One that did is taken to do
    /// so for as long as the store is open.
    async fn is_large(
        &self,
        on: &Transaction<'_>,
        set: &EmbeddingSet,
        query: &VectorQuery,
    ) -> Result<bool> {
        let kind = kind_number(query.kind);
        let only = match query.scopes.as_slice() {
            [only] => Some((set.id, kind, Key::of(only))),
            _ => None,
        };
        if only.is_some_and(|only| self.known().large.contains(&only)) {
            return Ok(true);
        }
        let mut sql = Sql::new(&format!(
            "SELECT count(*) FROM (SELECT 1 FROM {} t WHERE ",
            table_of(set)
        ));
        sql.bind_scopes("t", &query.scopes);
        sql.push(" AND t.owner_kind = ");
        sql.bind(kind);
        sql.push(" LIMIT ");
        sql.bind(SMALL + 1);
        sql.push(") x");
        let found = sql.first(on).await?;
        let count: i64 = found.map_or(Ok(0), |row| Reader::new(&row).take())?;
        let large = count > SMALL;
        if let Some(only) = only.filter(|_| large) {
            self.known().large.insert(only);
        }
        Ok(large)
    }

    /// Notes that vectors were put: once enough have come, and no more do, missing indexes
    /// are made.
    pub(crate) fn note(self: &Arc<Self>, vectors: usize) {
        if vectors == 0 || !self.made {
            return;
        }
        self.beat.fetch_add(1, Ordering::Relaxed);
        let put = self.put.fetch_add(vectors as u64, Ordering::Relaxed) + vectors as u64;
        if put >= SMALL.unsigned_abs() {
            self.wait_for_rest();
        }
    }

    /// Has missing indexes made after a moment, however few vectors were put.
    pub(crate) fn look(self: &Arc<Self>) {
        if self.made {
            self.put.fetch_add(SMALL.unsigned_abs(), Ordering::Relaxed);
            self.wait_for_rest();
        }
    }

    fn wait_for_rest(self: &Arc<Self>) {
        if self.waiting.swap(true, Ordering::AcqRel) {
            return;
        }
        let index = self.clone();
        tokio::spawn(async move {
            loop {
                let beat = index.beat.load(Ordering::Relaxed);
                tokio::time::sleep(REST).await;
                if index.beat.load(Ordering::Relaxed) == beat {
                    break;
                }
            }
            index.waiting.store(false, Ordering::Release);
            // Searches are right without it, and the next check says that it is missing.
            let _ = index.settle().await;
        });
    }

    /// Makes the indexes that are missing, if many vectors were put, and waits for those that
    /// are being made: one that is cut off is of no use.
    pub(crate) async fn settle(self: &Arc<Self>) -> Result<()> {
        if self.connections.is_closed() {
            return Ok(());
        }
        if self.put.load(Ordering::Relaxed) < SMALL.unsigned_abs() {
            drop(self.making.lock().await);
            return Ok(());
        }
        self.make_missing().await.map(drop)
    }

    /// Makes the indexes that are missing, and says which. It goes on when nobody waits for it
    /// any more.
    pub(crate) async fn make_missing(self: &Arc<Self>) -> Result<Vec<String>> {
        let index = self.clone();
        let making = tokio::spawn(async move { index.make_alone().await });
        let made = making.await;
        made.map_err(|cause| Error::internal("making an index ended early").caused_by(cause))?
    }

    async fn make_alone(&self) -> Result<Vec<String>> {
        let _alone = self.making.lock().await;
        self.put.store(0, Ordering::Relaxed);
        let mut client = self.connections.get().await?;
        let missing = self.missing(&mut client).await?;
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        // Others get a connection in its place while it is busy, and nobody the settings and
        // the lock that it is given: it is closed with them.
        let client = Object::take(client);
        make_all(&client, missing).await
    }

    /// The indexes that should be there and are not, or cannot be used.
    async fn missing(&self, client: &mut Object) -> Result<Vec<Missing>> {
        let on = self.connections.snapshot(client, Reach::Everything).await?;
        let missing = missing(&on).await?;
        on.commit().await.map_err(storage)?;
        Ok(missing)
    }
}

fn name(set: &EmbeddingSet, kind: OwnerKind) -> String {
    format!("memu_nearest_{}_{}", set.id, kind_number(kind))
}

/// Whether an index can be used; `None` when there is none.
async fn state(on: &Transaction<'_>, name: &str) -> Result<Option<bool>> {
    let found = Sql::new(
        "SELECT i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
         JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = current_schema() AND c.relname = $1",
    )
    .with(name)
    .first(on)
    .await?;
    found.map(|row| Reader::new(&row).take()).transpose()
}

/// Tells which indexes of vectors are missing; with `repair`, makes them.
pub(crate) async fn report(
    index: &Arc<Index>,
    missing: Vec<Missing>,
    repair: bool,
    report: &mut Report,
) -> Result<()> {
    if missing.is_empty() {
        let fine = "every set with many vectors has its index, or needs none";
        report.push("nearest", Severity::Ok, fine);
        return Ok(());
    }
    let made = if repair {
        index.make_missing().await?
    } else {
        Vec::new()
    };
    for Missing { name, .. } in missing {
        let message = format!("the index {name} is missing: searches look at every vector");
        report.push("nearest", Severity::Warning, message);
        if let Some(last) = report.findings.last_mut() {
            last.repaired = made.contains(&name);
        }
    }
    Ok(())
}
