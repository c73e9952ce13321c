use clap::Args;
use memu::Result;
use memu::core::filter::Filter;
use memu::core::transfer::{Moved, Plan, Stage, Transfer};
use memu::moving::{End, look_at_target, open_source, open_target};
use serde::Serialize;

use crate::args::Global;
use crate::output::{Line, Printer, Tone};
use crate::progress::Progress;
use crate::session;

/// Move the memory to another store, of whatever kind, and compare what arrived.
///
/// Everything arrives as it is: ids, times, content, vectors, replies of models. The source
/// stays. Stopped or killed at any moment, the same command goes on from there. The target
/// must be empty in the scopes that are moved; where it does not exist, it is made. A file of
/// memU 1.x can be the source, and stays as it was.
#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// Where the memory is [default: the memory that --db names]
    #[arg(long, value_name = "PATH|DSN")]
    from: Option<String>,
    /// Where it is to be
    #[arg(long, value_name = "PATH|DSN")]
    to: String,
    /// Only show what would be moved
    #[arg(long)]
    dry_run: bool,
}

/// What was moved or would be, as it is shown.
#[derive(Debug, Serialize)]
struct Outcome {
    from: String,
    to: String,
    dry_run: bool,
    #[serde(flatten)]
    moved: Moved,
}

impl Migrate {
    pub(crate) async fn run(self, global: &Global, printer: &Printer) -> Result<()> {
        let builder = match &self.from {
            Some(from) => session::elsewhere(global, from)?,
            None => session::here(global)?,
        };
        let source = open_source(builder).await?;
        tell_of_original(&source, printer);
        let builder = session::elsewhere(global, &self.to)?;
        let target = if self.dry_run {
            look_at_target(builder, &source).await?
        } else {
            open_target(builder, &source).await?
        };
        let progress = Progress::new(global);
        progress.start_records();
        let moved = self.moved(&source, &target, &progress, printer).await;
        // A server that got many vectors makes its index of them now.
        progress.working_on("finishing");
        let closed = (
            source.side.store.close().await,
            target.side.store.close().await,
        );
        progress.finish();
        let outcome = Outcome {
            from: source.place.to_string(),
            to: target.place.to_string(),
            dry_run: self.dry_run,
            moved: moved?,
        };
        printer.response(&outcome, show)?;
        closed.0.and(closed.1)
    }

    async fn moved(
        &self,
        source: &End,
        target: &End,
        progress: &Progress,
        printer: &Printer,
    ) -> Result<Moved> {
        let transfer = Transfer {
            from: source.side.clone(),
            to: target.side.clone(),
            filter: Filter::default(),
        };
        let tell = |stage, done, total| {
            let part = match stage {
                Stage::Reading => "reading",
                Stage::Copying => "copying",
                Stage::Comparing => "comparing",
            };
            progress.reach_in(part, done, total);
        };
        let plan = transfer.plan(&tell).await?;
        if self.dry_run {
            return Ok(plan.into());
        }
        printer.remark(&format!(
            "moving {} from {} to {}",
            phrase(&plan),
            source.place,
            target.place
        ));
        transfer.run(plan, &tell).await
    }
}

fn tell_of_original(source: &End, printer: &Printer) {
    let Some(report) = &source.upgraded else {
        return;
    };
    let file = &report.place;
    printer.remark(&format!(
        "{file} is a file of memU 1.x; it stays as it is, and a copy of it is read"
    ));
    if !report.unread.is_empty() {
        printer.remark(&format!(
            "{} values or rows of it could not be read and are not moved; `memu upgrade --dry-run \
             {file}` names them",
            report.unread.len()
        ));
    }
}

/// What there is to move, in a phrase.
fn phrase(plan: &Plan) -> String {
    let counted = |count: u64, one: &str, many: &str| {
        let name = if count == 1 { one } else { many };
        format!("{count} {name}")
    };
    let totals = &plan.totals;
    format!(
        "{} with {}, {}, {}",
        counted(plan.scopes.len() as u64, "scope", "scopes"),
        counted(totals.resources, "resource", "resources"),
        counted(totals.items, "item", "items"),
        counted(totals.categories, "category", "categories")
    )
}

fn show(outcome: &Outcome) -> Vec<Line> {
    let head = if outcome.dry_run {
        "Would move "
    } else {
        "Moved "
    };
    let mut first = Line::new()
        .add(Tone::Good, head)
        .plain(&outcome.from)
        .plain(" to ")
        .add(Tone::Label, &outcome.to);
    if !outcome.dry_run {
        let text = format!(" ({} records put, compared)", outcome.moved.put);
        first = first.add(Tone::Faint, &text);
    }
    let plan = &outcome.moved.plan;
    let mut lines = vec![first, row("scopes", &plan.scopes.len().to_string())];
    for (part, count) in plan.totals.named() {
        lines.push(row(&part.replace('_', " "), &count.to_string()));
    }
    for embedder in &plan.embedders {
        lines.push(row("vectors of", &embedder.to_string()));
    }
    for set in &plan.unfinished_sets {
        let text = format!(
            "vectors of {} are still being made and were left; run memu reembed again",
            set.identity
        );
        lines.push(warning(&text));
    }
    for file in &plan.broken_files {
        lines.push(warning(&format!(
            "missing or damaged beside the source: {file}"
        )));
    }
    lines
}

fn row(label: &str, text: &str) -> Line {
    Line::new()
        .add(Tone::Label, &format!("  {label:<14}"))
        .plain(text)
}

fn warning(text: &str) -> Line {
    Line::new().add(Tone::Warning, &format!("  {text}"))
}
