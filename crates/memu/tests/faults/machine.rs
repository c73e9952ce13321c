//! A machine with a disk, on which somebody works.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use memu::MemoryService;
use memu_core::store::Severity;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::disk::Disk;
use crate::vfs::mount;
use crate::workload::{Change, Random, make, next_change, picture};

/// Whose memory is worked on.
const USER: &str = "ann";

/// How many rounds a run has when nothing else is said.
const FEW: u64 = 12;

/// How many rounds to do, and the seed that they begin with.
pub(crate) fn rounds() -> (u64, u64) {
    let number = |name| std::env::var(name).ok().map(|text| text.parse().unwrap());
    (
        number("MEMU_CRASH_ROUNDS").unwrap_or(FEW),
        number("MEMU_CRASH_SEED").unwrap_or(1),
    )
}

/// Runs a test that awaits.
pub(crate) fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

/// A disk, and the folder that is on it.
pub(crate) struct Machine {
    pub(crate) disk: Disk,
    folder: TempDir,
}

impl Machine {
    pub(crate) fn new() -> Self {
        Self::with(&BTreeMap::new())
    }

    /// One that finds these files on its disk.
    pub(crate) fn with(files: &BTreeMap<PathBuf, Vec<u8>>) -> Self {
        let (disk, folder) = (Disk::default(), tempfile::tempdir().unwrap());
        for (name, content) in files {
            std::fs::write(folder.path().join(name.file_name().unwrap()), content).unwrap();
        }
        mount(folder.path(), &disk);
        Self { disk, folder }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("memu.db")
    }

    pub(crate) async fn open(&self) -> memu::Result<MemoryService> {
        open(&self.file()).await
    }

    /// The machine is switched on again after the power went.
    pub(crate) fn after_power_cut(&self, seed: u64) -> Self {
        Self::with(&self.disk.survivors(seed))
    }
}

pub(crate) async fn open(file: &Path) -> memu::Result<MemoryService> {
    memu::open(&file.display().to_string()).await
}

/// What somebody did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Work {
    pub(crate) acknowledged: Vec<Change>,
    /// What failed or was never answered.
    pub(crate) in_flight: Option<Change>,
    count: u64,
}

impl Work {
    /// Makes changes, some quickly one after the other, some with pauses, until one fails.
    pub(crate) async fn go_on(&mut self, service: &MemoryService, random: &mut Random, count: u64) {
        for _ in 0..count {
            self.count += 1;
            let mark = format!("n{}", self.count);
            let change = next_change(service, USER, random, &mark).await;
            if make(service, USER, &change).await.is_err() {
                self.in_flight = Some(change);
                return;
            }
            self.acknowledged.push(change);
            match random.below(8) {
                // Longer than the store waits before it empties its log.
                0 => tokio::time::sleep(Duration::from_millis(25)).await,
                // Longer than between writes that follow each other closely.
                1 => tokio::time::sleep(Duration::from_millis(60)).await,
                _ => {}
            }
        }
    }

    /// Creates memories, each right after the other; goes on when one fails, of which only the
    /// first can have been written.
    pub(crate) async fn create_at_once(&mut self, service: &MemoryService, count: u64) {
        for _ in 0..count {
            self.count += 1;
            let change = Change::Create(format!("The key n{} is under the stone.", self.count));
            if make(service, USER, &change).await.is_ok() {
                self.acknowledged.push(change);
            } else {
                self.in_flight.get_or_insert(change);
            }
        }
    }

    /// Says what is wrong with a store on which this work was done. What was in flight is
    /// decided afterwards.
    pub(crate) async fn check(&mut self, service: &MemoryService) -> Result<(), String> {
        let reference = memu::open("inmemory").await.unwrap();
        for change in &self.acknowledged {
            make(&reference, USER, change).await.unwrap();
        }
        let found = picture(service, USER).await.map_err(told)?;
        let before = picture(&reference, USER).await.unwrap();
        let in_flight = self.in_flight.take();
        if found != before {
            let Some(change) = in_flight else {
                return Err(format!("found {found:#?} instead of {before:#?}"));
            };
            make(&reference, USER, &change).await.unwrap();
            let after = picture(&reference, USER).await.unwrap();
            if found != after {
                return Err(format!(
                    "found {found:#?}: neither {before:#?} nor what came after {change:?}"
                ));
            }
            self.acknowledged.push(change);
        }
        sound(service).await
    }
}

/// An error with its context.
#[expect(clippy::needless_pass_by_value, reason = "it is what map_err calls")]
pub(crate) fn told(error: memu::Error) -> String {
    format!("{error:?}")
}

/// Says what `memu doctor` finds.
pub(crate) async fn sound(service: &MemoryService) -> Result<(), String> {
    let report = service.check(false).await.map_err(told)?;
    match report.severity() {
        Severity::Ok => Ok(()),
        _ => Err(format!("{report:#?}")),
    }
}

/// Says what SQLite by itself finds in a copy of the file alone.
pub(crate) fn sound_alone(file: &Path) -> Result<(), String> {
    let copies = tempfile::tempdir().unwrap();
    let copy = copies.path().join("copy.db");
    std::fs::copy(file, &copy).unwrap();
    let connection = Connection::open(&copy).unwrap();
    for check in ["integrity_check", "foreign_key_check"] {
        let mut statement = connection.prepare(&format!("PRAGMA {check}")).unwrap();
        let rows = statement
            .query_map([], |row| row.get::<_, String>(0))
            .unwrap();
        let found: Vec<String> = rows.map(Result::unwrap).collect();
        if !found.iter().all(|line| line == "ok") {
            return Err(format!("{check} of the file alone: {found:?}"));
        }
    }
    Ok(())
}
