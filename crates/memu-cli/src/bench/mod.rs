//! `memu bench`: what MemU does in which time, on this machine.

mod ask;
mod files;
mod row;
mod search;
mod server;
mod texts;
mod vectors;
mod writes;

use std::path::PathBuf;

use memu::{Error, Result};

use self::files::Folder;
use self::row::Row;
use self::search::Data;
pub(crate) use self::search::search;
use self::server::Server;
use self::texts::Language;
use self::vectors::{DIMENSION, Vectors};
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
    /// An empty database on a PostgreSQL server, which is then measured instead of files.
    pub(crate) postgres: Option<String>,
}

impl Plan {
    fn wants(&self, name: &str) -> bool {
        self.only.as_deref().is_none_or(|only| name.contains(only))
    }

    /// The names of all measurements.
    fn names(&self) -> Vec<String> {
        if self.postgres.is_some() {
            return Server::names(self.on_server());
        }
        let mut names = vec![one_by_one_name(), in_batches_name()];
        let searches = searches(self.large).map(|(kind, count)| search_name(kind, count));
        names.extend(searches);
        names.push(scopes_name(self.large / SCOPE));
        names.extend([FEWER, self.large].map(scope_name));
        names.push(compared_name(FEWER));
        names
    }

    /// How many memories are stored on a server.
    fn on_server(&self) -> usize {
        self.large.min(FEWER)
    }

    /// Refuses a name that nothing has.
    fn check(&self) -> Result<()> {
        let names = self.names();
        if names.iter().any(|name| self.wants(name)) {
            return Ok(());
        }
        Err(Error::input("no measurement has such a name")
            .with("only", self.only.as_deref().unwrap_or_default())
            .with("names", names.join("; ")))
    }
}

/// How many memories are stored one by one, and how many in batches.
const ONES: usize = 500;
const BATCHED: usize = 50_000;
/// How many memories the smaller of the large files have.
const FEWER: usize = 100_000;
/// How many memories a scope has where there are many.
const SCOPE: usize = 100;

fn searches(large: usize) -> [(Vectors, usize); 3] {
    [
        (Vectors::Words, FEWER),
        (Vectors::Gaussian, FEWER),
        (Vectors::Words, large),
    ]
}

fn one_by_one_name() -> String {
    format!("create_item, {ONES} one by one, durable")
}

fn in_batches_name() -> String {
    format!("create_items, {BATCHED} in batches of 1,000")
}

fn search_name(kind: Vectors, count: usize) -> String {
    format!("search, {count} × {DIMENSION}, {}", kind.name())
}

fn scopes_name(scopes: usize) -> String {
    format!("retrieve, {scopes} scopes of {SCOPE} items")
}

fn scope_name(count: usize) -> String {
    format!("retrieve, 1 scope of {count} items")
}

fn compared_name(count: usize) -> String {
    format!("retrieve by words and vectors, 1 scope of {count} items")
}

/// Measures, and prints each row when it is there.
pub(crate) async fn run(plan: &Plan, printer: &Printer, progress: &Progress) -> Result<()> {
    plan.check()?;
    let language = Language::new();
    let print = |row: &Row| {
        if printer.is_json() {
            printer.json_line(row)
        } else {
            printer.lines(&[row.line()])
        }
    };
    if let Some(dsn) = &plan.postgres {
        let server = Server {
            dsn,
            language: &language,
            count: plan.on_server(),
        };
        let wants = |name: &str| plan.wants(name);
        let rows = server.rows(Vectors::Words, wants, progress).await?;
        return rows.iter().try_for_each(print);
    }
    let folder = Folder::new(&plan.folder, plan.keep)?;
    if plan.wants(&one_by_one_name()) {
        print(&writes::one_by_one(&folder, &language, ONES).await?)?;
    }
    if plan.wants(&in_batches_name()) {
        for row in writes::in_batches(&folder, &language, BATCHED).await? {
            print(&row)?;
        }
    }
    for (kind, count) in searches(plan.large) {
        if plan.wants(&search_name(kind, count)) {
            let data = Data::make(&folder, &language, kind, count, progress).await?;
            for row in data.rows(plan.python.as_deref()).await? {
                print(&row)?;
            }
        }
    }
    let scopes = plan.large / SCOPE;
    let what = scopes_name(scopes);
    if plan.wants(&what) {
        let path = folder.file("scopes.db");
        ask::fill(&path, &language, scopes, SCOPE, progress).await?;
        for row in ask::retrieve(&what, &path, &language, scopes, 3_000).await? {
            print(&row)?;
        }
        let time = ask::new_process(&path, "user 7", "What about kla?", 9)?;
        print(&Row::new(
            "new process, answer in a scope of 100",
            time,
            "ms",
        ))?;
    }
    for count in [FEWER, plan.large] {
        let what = scope_name(count);
        if plan.wants(&what) {
            let path = folder.file(&format!("one-{count}.db"));
            ask::fill(&path, &language, 1, count, progress).await?;
            for row in ask::retrieve(&what, &path, &language, 1, 100).await? {
                print(&row)?;
            }
        }
    }
    let what = compared_name(FEWER);
    if plan.wants(&what) {
        let path = folder.file("compared.db");
        let service = files::open(&path, Vectors::Words).await?;
        ask::fill_open(&service, &language, 1, FEWER, progress).await?;
        service.close().await?;
        let dsn = path.display().to_string();
        for row in ask::compared(&what, &dsn, &language).await? {
            print(&row)?;
        }
    }
    Ok(())
}
