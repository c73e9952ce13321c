//! How long the nearest vectors take to find, beside numpy and sqlite-vec.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use memu::core::filter::Filter;
use memu::core::provider::Embedder;
use memu::core::records::{EmbedderIdentity, Embedding, OwnerKind};
use memu::core::scope::{Scope, ScopeSchema};
use memu::core::store::{Store, VectorQuery};
use memu::sqlite::{Options, SqliteStore};
use memu::{Error, Result};
use serde::{Deserialize, Serialize};

use super::files::{Folder, items, open_with};
use super::row::{Row, percentile};
use super::search_name;
use super::texts::{Language, Random};
use super::vectors::{BenchEmbedder, DIMENSION, Vectors};
use crate::progress::Progress;

/// How many queries are asked.
pub(super) const QUERIES: usize = 50;
/// How often each of them is asked once all is warm: a search takes less time than what others do on
/// a shared machine now and then.
const ROUNDS: usize = 10;
/// How many neighbours.
pub(super) const TOP: usize = 10;

/// A file of memories, with the same vectors as plain numbers.
#[derive(Debug)]
pub(super) struct Data {
    pub(super) database: PathBuf,
    vectors: PathBuf,
    queries: PathBuf,
    count: usize,
    kind: Vectors,
    /// By query: the vector.
    asked: Vec<Embedding>,
    embedder: Arc<BenchEmbedder>,
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> Error + use<> {
    let path = path.display().to_string();
    move |cause| {
        Error::storage("a file of the benchmark cannot be written")
            .with("file", &path)
            .caused_by(cause)
    }
}

impl Data {
    /// Stores so many memories in one scope.
    pub(super) async fn make(
        folder: &Folder,
        language: &Language,
        kind: Vectors,
        count: usize,
        progress: &Progress,
    ) -> Result<Self> {
        let name = |ending| folder.file(&format!("{}-{count}.{ending}", kind.name()));
        let embedder = Arc::new(BenchEmbedder::new(kind)?);
        let mut data = Self {
            database: name("db"),
            vectors: name("f32"),
            queries: name("queries"),
            count,
            kind,
            asked: Vec::new(),
            embedder,
        };
        let service = open_with(&data.database, data.embedder.clone()).await?;
        let file = std::fs::File::create(&data.vectors).map_err(failed(&data.vectors))?;
        let mut file = std::io::BufWriter::new(file);
        let mut random = Random::new(7);
        progress.start(count);
        let mut done = 0;
        while done < count {
            let request = items(language, &mut random, (count - done).min(10_000), "user 0");
            let texts: Vec<&str> = request
                .items
                .iter()
                .map(|item| item.content.as_str())
                .collect();
            data.embedder.prepare(&texts).await?;
            for vector in data.embedder.embed(&texts).await?.iter().flatten() {
                let bytes: Vec<u8> = vector
                    .as_slice()
                    .iter()
                    .flat_map(|x| x.to_le_bytes())
                    .collect();
                file.write_all(&bytes).map_err(failed(&data.vectors))?;
            }
            done += texts.len();
            service.create_memory_items(request).await?;
            progress.reach(done as u64);
        }
        file.flush().map_err(failed(&data.vectors))?;
        service.close().await?;
        data.embedder.prepare(&[]).await?;
        progress.finish();
        let questions: Vec<String> = (0..QUERIES)
            .map(|_| language.message(&mut random))
            .collect();
        let questions: Vec<&str> = questions.iter().map(String::as_str).collect();
        data.asked = data
            .embedder
            .embed(&questions)
            .await?
            .into_iter()
            .flatten()
            .collect();
        let bytes: Vec<u8> = data
            .asked
            .iter()
            .flat_map(Embedding::as_slice)
            .flat_map(|x| x.to_le_bytes())
            .collect();
        std::fs::write(&data.queries, bytes).map_err(failed(&data.queries))?;
        Ok(data)
    }

    /// What the store takes in a process of its own, once all is warm.
    fn by_store(&self, exact: bool) -> Result<Searched> {
        let identity = self.embedder.identity();
        let task = SearchTask {
            database: self.database.clone(),
            queries: self.queries.clone(),
            provider: identity.provider.clone(),
            model: identity.model.clone(),
            exact,
        };
        let task = serde_json::to_string(&task)
            .map_err(|cause| Error::internal("a task cannot be written").caused_by(cause))?;
        let program = std::env::current_exe()
            .map_err(|cause| Error::internal("this program cannot find itself").caused_by(cause))?;
        let output = Command::new(program)
            .args(["bench", "--search-task", &task])
            .output()
            .map_err(|cause| Error::internal("this program cannot be run").caused_by(cause))?;
        serde_json::from_slice(&output.stdout).map_err(|cause| {
            Error::internal("the search of the benchmark failed")
                .with("said", String::from_utf8_lossy(&output.stderr))
                .caused_by(cause)
        })
    }

    /// The ids of the memories, in the order of their vectors.
    async fn order(&self) -> Result<HashMap<String, usize>> {
        let store = SqliteStore::open(Options::file(&self.database)).await?;
        let query = memu::core::store::Query::scope(&scope()?);
        let ids = store.ids(OwnerKind::Item, &query).await?;
        store.close().await?;
        Ok(ids.iter().map(ToString::to_string).zip(0..).collect())
    }

    /// Measures the store in both modes, beside what Python has.
    pub(super) async fn rows(&self, python: Option<&Path>) -> Result<Vec<Row>> {
        let numpy = python
            .map(|python| self.by_python(python, "numpy"))
            .transpose()?;
        let sqlite_vec = match python {
            Some(python) if self.count <= 100_000 => Some(self.by_python(python, "sqlite-vec")?),
            _ => None,
        };
        let order = self.order().await?;
        let mut rows = Vec::new();
        for (mode, exact) in [("default", false), ("exact", true)] {
            let mut searched = self.by_store(exact)?;
            let what = format!("{}: {mode}", search_name(self.kind, self.count));
            rows.push(
                Row::new(what.clone(), percentile(&mut searched.times, 0.5), "ms")
                    .beside("numpy", numpy.as_ref().map(|one| one.milliseconds))
                    .beside(
                        "sqlite-vec",
                        sqlite_vec.as_ref().map(|one| one.milliseconds),
                    ),
            );
            if let Some(numpy) = &numpy {
                let recall = recall(&searched.places(&order), &numpy.nearest);
                rows.push(Row::new(format!("{what}, recall@10"), recall, ""));
            }
            if let Some(memory) = searched.memory {
                rows.push(Row::new(format!("{what}, anonymous memory"), memory, "MiB"));
            }
        }
        Ok(rows)
    }

    fn by_python(&self, python: &Path, what: &str) -> Result<Measured> {
        let output = Command::new(python)
            .args(["-c", include_str!("baseline.py")])
            .args([&self.vectors, &self.queries])
            .args([&DIMENSION.to_string(), what])
            .output()
            .map_err(|cause| {
                Error::input("the Python of --python cannot be run").caused_by(cause)
            })?;
        serde_json::from_slice(&output.stdout).map_err(|cause| {
            Error::input("the Python of --python measured nothing")
                .with("said", String::from_utf8_lossy(&output.stderr))
                .caused_by(cause)
        })
    }
}

pub(super) fn scope() -> Result<Scope> {
    ScopeSchema::default().scope([("user_id", "user 0")])
}

/// What a process of its own searches.
#[derive(Debug, Serialize, Deserialize)]
struct SearchTask {
    database: PathBuf,
    queries: PathBuf,
    provider: String,
    model: String,
    exact: bool,
}

/// Does a task of another process, and tells in JSON what it took.
pub(crate) async fn search(task: &str) -> Result<String> {
    let wrong = |cause| Error::input("this is no task of the benchmark").caused_by(cause);
    let task: SearchTask = serde_json::from_str(task).map_err(wrong)?;
    let searched = task.run().await?;
    serde_json::to_string(&searched)
        .map_err(|cause| Error::internal("what was measured cannot be written").caused_by(cause))
}

impl SearchTask {
    async fn run(self) -> Result<Searched> {
        let asked = self.asked()?;
        let options = Options {
            exact_search: self.exact,
            ..Options::file(&self.database)
        };
        let store = SqliteStore::open(options).await?;
        let mut searched = Searched::default();
        for round in 0..=ROUNDS {
            for vector in &asked {
                let query = VectorQuery {
                    scopes: vec![scope()?],
                    kind: OwnerKind::Item,
                    identity: EmbedderIdentity {
                        provider: self.provider.clone(),
                        model: self.model.clone(),
                        dimension: DIMENSION as u32,
                    },
                    vector: vector.clone(),
                    top_k: TOP,
                    filter: Filter::default(),
                };
                let started = Instant::now();
                let hits = store.search(&query).await?;
                let time = started.elapsed().as_secs_f64() * 1e3;
                if round > 0 {
                    searched.times.push(time);
                }
                if round == ROUNDS {
                    let ids = hits.iter().map(|hit| hit.id.to_string());
                    searched.found.push(ids.collect());
                }
            }
        }
        searched.memory = anonymous_memory();
        store.close().await?;
        Ok(searched)
    }

    fn asked(&self) -> Result<Vec<Embedding>> {
        let bytes = std::fs::read(&self.queries).map_err(failed(&self.queries))?;
        let (numbers, _) = bytes.as_chunks();
        let numbers: Vec<f32> = numbers.iter().map(|x| f32::from_le_bytes(*x)).collect();
        let vectors = numbers.chunks_exact(DIMENSION);
        vectors
            .map(|vector| Embedding::checked(vector.to_vec(), DIMENSION as u32))
            .collect()
    }
}

/// What the store took.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Searched {
    /// By query: milliseconds.
    times: Vec<f64>,
    /// By query: the ids of the nearest.
    found: Vec<Vec<String>>,
    /// Of this process, in MiB, while the store is open; `None` where the system does not
    /// tell.
    memory: Option<f64>,
}

impl Searched {
    fn places(&self, order: &HashMap<String, usize>) -> Vec<Vec<usize>> {
        let place = |id: &String| order.get(id).copied();
        let found = self.found.iter();
        found
            .map(|ids| ids.iter().filter_map(place).collect())
            .collect()
    }
}

/// Memory of this process that is no part of a file, in MiB (Linux).
fn anonymous_memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

#[derive(Debug, Deserialize)]
struct Measured {
    milliseconds: f64,
    nearest: Vec<Vec<usize>>,
}

/// The share of the true neighbours that were found.
pub(super) fn recall<T: PartialEq>(found: &[Vec<T>], truth: &[Vec<T>]) -> f64 {
    let pairs = found.iter().zip(truth);
    let hits = pairs.map(|(found, truth)| truth.iter().filter(|one| found.contains(one)).count());
    let all: usize = truth.iter().map(Vec::len).sum();
    hits.sum::<usize>() as f64 / all.max(1) as f64
}
