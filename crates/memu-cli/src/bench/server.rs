//! The same on a PostgreSQL server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use memu::core::filter::Filter;
use memu::core::provider::Embedder;
use memu::core::records::{Embedding, OwnerKind};
use memu::core::store::{Severity, Store, VectorQuery};
use memu::postgres::{Options, PostgresStore};
use memu::{Error, MemoryService, Result};

use super::ask;
use super::files::{items, open_at, user};
use super::row::{Row, percentile};
use super::search::{QUERIES, TOP, recall, scope};
use super::texts::{Language, Random};
use super::vectors::{BenchEmbedder, DIMENSION, Vectors};
use crate::progress::Progress;

/// A database that is measured on. It must be empty, and is so again afterwards.
pub(super) struct Server<'s> {
    pub(super) dsn: &'s str,
    pub(super) language: &'s Language,
    /// How many memories there are.
    pub(super) count: usize,
}

impl Server<'_> {
    pub(super) fn names(count: usize) -> Vec<String> {
        [
            Self::stored_name(count),
            Self::retrieve_name(count),
            Self::compared_name(count),
            Self::search_name(count),
        ]
        .into()
    }

    fn stored_name(count: usize) -> String {
        format!("PostgreSQL: create_items, {count} in batches of 1,000")
    }

    fn retrieve_name(count: usize) -> String {
        format!("PostgreSQL: retrieve, 1 scope of {count} items")
    }

    fn compared_name(count: usize) -> String {
        format!("PostgreSQL: retrieve by words and vectors, 1 scope of {count} items")
    }

    fn search_name(count: usize) -> String {
        format!("PostgreSQL: search, {count} × {DIMENSION}")
    }

    /// Measures what is wanted; all of it needs the memories to be there.
    pub(super) async fn rows(
        &self,
        vectors: Vectors,
        wants: impl Fn(&str) -> bool,
        progress: &Progress,
    ) -> Result<Vec<Row>> {
        let store = PostgresStore::open(Options::new(self.dsn)).await?;
        let scopes = store.scopes(&Filter::default(), 1).await?;
        store.close().await?;
        if !scopes.is_empty() {
            return Err(Error::input(
                "the database is not empty; the benchmark needs one of its own",
            ));
        }
        let embedder = Arc::new(BenchEmbedder::new(vectors)?);
        let service = open_at(self.dsn, embedder.clone()).await?;
        let rows = self.measured(&service, &embedder, wants, progress).await;
        // Also what was measured in vain goes.
        service.clear_memory(&user("user 0"), false).await?;
        service.close().await?;
        rows
    }

    async fn measured(
        &self,
        service: &MemoryService,
        embedder: &BenchEmbedder,
        wants: impl Fn(&str) -> bool,
        progress: &Progress,
    ) -> Result<Vec<Row>> {
        let mut rows = vec![self.store(service, embedder, progress).await?];
        // Making the index over vectors takes all processors there are.
        let store = PostgresStore::open(Options::new(self.dsn)).await?;
        indexed(&store).await?;
        store.close().await?;
        let what = Self::retrieve_name(self.count);
        if wants(&what) {
            rows.extend(ask::asked(&what, service, self.language, 1, 100).await?);
        }
        let what = Self::compared_name(self.count);
        if wants(&what) {
            rows.extend(ask::compared(&what, self.dsn, self.language).await?);
        }
        if wants(&Self::search_name(self.count)) {
            rows.extend(self.search(embedder).await?);
        }
        rows.retain(|row| wants(&row.name));
        Ok(rows)
    }

    async fn store(
        &self,
        service: &MemoryService,
        embedder: &BenchEmbedder,
        progress: &Progress,
    ) -> Result<Row> {
        let mut random = Random::new(7);
        let mut seconds = 0.0;
        let mut done = 0;
        progress.start(self.count);
        while done < self.count {
            let now = (self.count - done).min(1_000);
            let request = items(self.language, &mut random, now, "user 0");
            embedder.prepare_items(&request).await?;
            let started = Instant::now();
            service.create_memory_items(request).await?;
            seconds += started.elapsed().as_secs_f64();
            done += now;
            progress.reach(done as u64);
        }
        progress.finish();
        let rate = self.count as f64 / seconds;
        Ok(Row::new(Self::stored_name(self.count), rate, "items/s"))
    }

    /// By the index beside all vectors, which the server looks at, too.
    async fn search(&self, embedder: &BenchEmbedder) -> Result<Vec<Row>> {
        let mut random = Random::new(11);
        let questions: Vec<String> = (0..QUERIES)
            .map(|_| self.language.message(&mut random))
            .collect();
        let questions: Vec<&str> = questions.iter().map(String::as_str).collect();
        let asked = embedder.embed(&questions).await?;
        let asked: Vec<Embedding> = asked.into_iter().flatten().collect();
        let mut modes = Vec::new();
        let mut indexing = 0.0;
        for exact in [false, true] {
            let mut options = Options::new(self.dsn);
            options.exact_search = exact;
            let store = PostgresStore::open(options).await?;
            if !exact {
                let started = Instant::now();
                indexed(&store).await?;
                indexing = started.elapsed().as_secs_f64();
            }
            modes.push(searched(&store, embedder, &asked).await?);
            store.close().await?;
        }
        let [(by_index, found), (exactly, truth)] = modes.as_mut_slice() else {
            return Err(Error::internal("two searches were to be compared"));
        };
        let what = format!(
            "{}, {}",
            Self::search_name(self.count),
            embedder.identity().model
        );
        let (by_index, exactly) = (percentile(by_index, 0.5), percentile(exactly, 0.5));
        Ok(vec![
            Row::new(format!("{what}: index"), by_index, "ms")
                .beside("every vector", Some(exactly)),
            Row::new(
                format!("{what}: index, recall@10"),
                recall(found, truth),
                "",
            ),
            Row::new(
                format!("{what}: making the index, and a check"),
                indexing,
                "s",
            ),
        ])
    }
}

/// Waits until the index is there. The service began it when no more vectors came, and
/// whoever finds that somebody is at it does not wait.
async fn indexed(store: &PostgresStore) -> Result<()> {
    loop {
        let report = store.check(true).await?;
        if report.severity() == Severity::Ok {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// By query: milliseconds, and the ids that were found; once all is warm.
async fn searched(
    store: &PostgresStore,
    embedder: &BenchEmbedder,
    asked: &[Embedding],
) -> Result<(Vec<f64>, Vec<Vec<String>>)> {
    let (mut times, mut found) = (Vec::new(), Vec::new());
    for round in 0..2 {
        for vector in asked {
            let query = VectorQuery {
                scopes: vec![scope()?],
                kind: OwnerKind::Item,
                identity: embedder.identity().clone(),
                vector: vector.clone(),
                top_k: TOP,
                filter: Filter::default(),
            };
            let started = Instant::now();
            let hits = store.search(&query).await?;
            if round == 1 {
                times.push(started.elapsed().as_secs_f64() * 1e3);
                found.push(hits.iter().map(|hit| hit.id.to_string()).collect());
            }
        }
    }
    Ok((times, found))
}
