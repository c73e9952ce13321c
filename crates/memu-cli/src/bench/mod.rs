//! `memu bench`: what MemU does in which time, on this machine.

mod ask;
mod files;
mod row;
mod search;
mod texts;
mod vectors;
mod writes;

use std::path::PathBuf;

use memu::Result;

use self::files::Folder;
use self::row::Row;
use self::search::Data;
pub(crate) use self::search::search;
use self::texts::Language;
use self::vectors::Vectors;
use crate::output::Printer;
use crate::progress::Progress;

/// What is measured, and how much of it.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Only measurements whose name holds this.
    pub(crate) only: Option<String>,
    /// Where the files are made.
    pub(crate) folder: PathBuf,
    /// Whether they stay.
    pub(crate) keep: bool,
    /// A Python with numpy and sqlite-vec, to measure beside.
    pub(crate) python: Option<PathBuf>,
    /// How many memories the large files have.
    pub(crate) large: usize,
}

impl Plan {
    fn wants(&self, name: &str) -> bool {
        self.only.as_deref().is_none_or(|only| name.contains(only))
    }
}

/// Measures, and prints each row when it is there.
pub(crate) async fn run(plan: &Plan, printer: &Printer, progress: &Progress) -> Result<()> {
    let folder = Folder::new(&plan.folder, plan.keep)?;
    let language = Language::new();
    let print = |row: &Row| {
        if printer.is_json() {
            printer.json_line(row)
        } else {
            printer.lines(&[row.line()])
        }
    };
    if plan.wants("create_item, 500 one by one, durable") {
        print(&writes::one_by_one(&folder, &language, 500).await?)?;
    }
    if plan.wants("create_items, 50000 in batches of 1,000") {
        for row in writes::in_batches(&folder, &language, 50_000).await? {
            print(&row)?;
        }
    }
    for (kind, count) in [
        (Vectors::Words, 100_000),
        (Vectors::Gaussian, 100_000),
        (Vectors::Words, plan.large),
    ] {
        if plan.wants(&format!("search, {count} × 384, {}", kind.name())) {
            let data = Data::make(&folder, &language, kind, count, progress).await?;
            for row in data.rows(plan.python.as_deref()).await? {
                print(&row)?;
            }
        }
    }
    let scopes = plan.large / 100;
    if plan.wants(&format!("retrieve, {scopes} scopes of 100 items")) {
        let path = folder.file("scopes.db");
        ask::fill(&path, &language, scopes, 100, progress).await?;
        for row in ask::retrieve(&path, &language, scopes, 100, 300).await? {
            print(&row)?;
        }
        let time = ask::new_process(&path, "user 7", "What about kla?", 9)?;
        print(&Row::new(
            "new process, answer in a scope of 100",
            time,
            "ms",
        ))?;
    }
    for count in [100_000, plan.large] {
        if plan.wants(&format!("retrieve, 1 scope of {count} items")) {
            let path = folder.file(&format!("one-{count}.db"));
            ask::fill(&path, &language, 1, count, progress).await?;
            for row in ask::retrieve(&path, &language, 1, count, 100).await? {
                print(&row)?;
            }
        }
    }
    Ok(())
}
