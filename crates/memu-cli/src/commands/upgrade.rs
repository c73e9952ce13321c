use std::path::{Path, PathBuf};

use clap::Args;
use memu::Result;
use memu::core::store::Store;
use memu::sqlite::{Options, SqliteStore, UpgradeReport, preview_upgrade};
use serde::Serialize;

use crate::args::Global;
use crate::output::{Line, Printer, Tone};
use crate::session;

/// How many things that were kept aside are named to people.
const NAMED: usize = 20;

/// Upgrade a file of memU 1.x, after a backup.
///
/// Every verb does so by itself when it opens such a file; this one shows what was done,
/// or with --dry-run what would be done.
#[derive(Debug, Args)]
pub(crate) struct Upgrade {
    /// The file [default: the memory that --db names]
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
        let file = match self.file {
            Some(file) => file,
            None => session::place(global)?.database,
        };
        let key = session::key(global)?;
        let mut report = preview_upgrade(&file, key.as_ref())?;
        if !self.dry_run && report.is_some() {
            let store = SqliteStore::open(Options::file(&file)).await?;
            report = store.upgraded().cloned();
            store.close().await?;
        }
        let outcome = Outcome {
            needed: report.is_some(),
            dry_run: self.dry_run,
            report,
        };
        printer.response(&outcome, |outcome| show(outcome, &file))
    }
}

fn show(outcome: &Outcome, file: &Path) -> Vec<Line> {
    let Some(report) = &outcome.report else {
        let text = format!("{} needs no upgrade.", file.display());
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
        lines.push(row("backup", backup));
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
    if report.bytes_after > 0 {
        let kib = |bytes: u64| bytes.div_ceil(1024);
        let (before, after) = (kib(report.bytes_before), kib(report.bytes_after));
        lines.push(row("size", &format!("{before} KiB, now {after} KiB")));
    }
    lines.extend(show_unread(report));
    lines
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
