use std::path::PathBuf;

use clap::Args;
use memu::Result;
use memu::backup::{RestoreReport, restore};

use super::backup::{show_broken, shown, sizes};
use crate::args::Global;
use crate::output::{Line, Printer, Tone};
use crate::progress::Progress;
use crate::session;

/// Bring a copy of the memory back.
///
/// The copy is verified first; a bad one changes nothing. Where a memory is already,
/// --force puts the copy in its place and keeps it under another name.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The copy
    #[arg(value_name = "FROM")]
    from: PathBuf,
    /// Take the place of the memory that is there, and keep it aside
    #[arg(long)]
    force: bool,
}

impl Restore {
    pub(crate) async fn run(self, global: &Global, printer: &Printer) -> Result<()> {
        let place = session::place(global)?;
        let progress = Progress::new(global);
        let tell = shown(&progress);
        let report = restore(self.from, &place, self.force, tell).await;
        progress.finish();
        printer.response(&report?, show)
    }
}

fn show(report: &RestoreReport) -> Vec<Line> {
    let mut lines = vec![
        Line::new()
            .add(Tone::Good, "Restored ")
            .add(Tone::Label, &report.to.display().to_string())
            .plain(" from ")
            .plain(&report.from.display().to_string())
            .add(Tone::Faint, &sizes(report.bytes, report.files)),
    ];
    if let Some(replaced) = &report.replaced {
        let text = format!("  what was there is {} now", replaced.display());
        lines.push(Line::new().plain(&text));
    }
    lines.extend(show_broken(&report.broken_files));
    lines
}
