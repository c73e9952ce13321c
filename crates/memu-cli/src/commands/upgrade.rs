use std::path::{Path, PathBuf};

use clap::Args;
use memu::core::store::Store;
use memu::postgres::{self, PostgresStore};
use memu::sqlite::{self, SqliteStore, UpgradeReport};
use memu::{Dsn, Result};
use serde::Serialize;

use crate::args::Global;
use crate::output::{Line, Printer, Tone};
use crate::session;

/// How many things that were kept aside are named to people.
const NAMED: usize = 20;

/// Upgrade a file of memU 1.x, after a backup, or its tables on a server.
///
/// Every verb does so by itself when it opens such a memory; this one shows what was done,
/// or with --dry-run what would be done. On a server the tables as they were stay in the schema
/// memu_1x until somebody drops it; others wait for them meanwhile, also while --dry-run looks.
#[derive(Debug, Args)]
pub(crate) struct Upgrade {
    /// The file, or a DSN [default: the memory that --db names]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Show what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// What was done, as it is shown.
#[derive(Debug, Serialize)]
struct Outcome {
    needed: bool,
    dry_run: bool,
    report: Option<UpgradeReport>,
}

impl Upgrade {
    pub(crate) async fn run(self, global: &Global, printer: &Printer) -> Result<()> {
        let named = self.file.as_deref();
        let dsn = named.and_then(Path::to_str);
        let dsn = dsn.filter(|name| name.contains("://"));
        let memory = match dsn {
            Some(dsn) => session::elsewhere(global, dsn)?,
            None => session::here(global)?,
        };
        let server = if named.is_none() || dsn.is_some() {
            memory.server()?
        } else {
            None
        };
        let (place, report) = if let Some(options) = server {
            let place = options.dsn.parse::<Dsn>()?.to_string();
            (place, self.on_server(options).await?)
        } else {
            let file = match named.filter(|_| dsn.is_none()) {
                Some(file) => file.to_owned(),
                None => memory.place()?.database,
            };
            let report = self.in_file(&file, global).await?;
            (file.display().to_string(), report)
        };
        let outcome = Outcome {
            needed: report.is_some(),
            dry_run: self.dry_run,
            report,
        };
        printer.response(&outcome, |outcome| show(outcome, &place))
    }

    async fn in_file(&self, file: &Path, global: &Global) -> Result<Option<UpgradeReport>> {
        let key = session::key(global)?;
        let report = sqlite::preview_upgrade(file, key.as_ref())?;
        if self.dry_run || report.is_none() {
            return Ok(report);
        }
        let store = SqliteStore::open(sqlite::Options::file(file)).await?;
        let report = store.upgraded().cloned();
        store.close().await?;
        Ok(report)
    }

    async fn on_server(&self, mut options: postgres::Options) -> Result<Option<UpgradeReport>> {
        // Whatever ddl_mode says: this was asked for.
        options.create = true;
        if self.dry_run {
            return postgres::preview_upgrade(&options).await;
        }
        // A database without tables of the original is left as it is.
        if !postgres::holds_original(&options).await? {
            return Ok(None);
        }
        let store = PostgresStore::open(options).await?;
        let report = store.upgraded().cloned();
        store.close().await?;
        Ok(report)
    }
}

fn show(outcome: &Outcome, place: &str) -> Vec<Line> {
    let Some(report) = &outcome.report else {
        let text = format!("{place} needs no upgrade.");
        return vec![Line::new().plain(&text)];
    };
    let head = if outcome.dry_run {
        "would be upgraded from memU 1.x"
    } else {
        "upgraded from memU 1.x"
    };
    let mut lines = vec![
        Line::new()
            .add(Tone::Label, &report.place)
            .plain(" ")
            .add(Tone::Good, head),
    ];
    if let Some(backup) = &report.backup {
        if on_server(report) {
            let text =
                format!("in the schema {backup}, as they were; drop it when it is not needed");
            lines.push(row("old tables", &text));
        } else {
            lines.push(row("backup", backup));
        }
    }
    lines.push(row(
        "scopes",
        &format!("{}, by {}", report.scopes, report.scope_fields.join(", ")),
    ));
    lines.push(row("taken over", &counts(report)));
    for vectors in &report.vectors {
        let text = format!(
            "{} of {} dimensions, of an unknown embedder",
            vectors.count, vectors.dimension
        );
        lines.push(row("vectors", &text));
    }
    if report.same_names > 0 {
        let text = format!(
            "{} categories have the name of another one of their scope, and stay apart",
            report.same_names
        );
        lines.push(row("same names", &text));
    }
    if report.bytes_after > 0 {
        let kib = |bytes: u64| bytes.div_ceil(1024);
        let (before, after) = (kib(report.bytes_before), kib(report.bytes_after));
        lines.push(row("size", &format!("{before} KiB, now {after} KiB")));
    }
    lines.extend(show_unread(report));
    lines
}

/// Whether it was in tables on a server, not in a file.
pub(crate) fn on_server(report: &UpgradeReport) -> bool {
    report.place.contains("://")
}

/// What was taken over, in a phrase.
pub(crate) fn counts(report: &UpgradeReport) -> String {
    format!(
        "{} resources, {} items, {} categories, {} relations",
        report.resources, report.items, report.categories, report.relations
    )
}

fn show_unread(report: &UpgradeReport) -> Vec<Line> {
    if report.unread.is_empty() {
        return vec![row("kept aside", "nothing: all of it could be read")];
    }
    let count = report.unread.len();
    let text = format!("{count} values or rows, word for word, in the table memu_unread");
    let mut lines = vec![row("kept aside", &text)];
    for unread in report.unread.iter().take(NAMED) {
        lines.push(
            Line::new()
                .add(
                    Tone::Faint,
                    &format!("    {} {}  ", unread.table, unread.id),
                )
                .add(Tone::Warning, &unread.reason),
        );
    }
    if count > NAMED {
        let more = format!("    and {} more; --json names all", count - NAMED);
        lines.push(Line::new().add(Tone::Faint, &more));
    }
    lines
}

fn row(label: &str, text: &str) -> Line {
    Line::new()
        .add(Tone::Label, &format!("  {label:<12}"))
        .plain(text)
}
