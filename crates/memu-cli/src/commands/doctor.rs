use clap::Args;
use memu::core::store::{Report, Severity};
use memu::{Error, Result};

use crate::args::Global;
use crate::output::{Line, Printer, Tone};
use crate::progress::Progress;
use crate::session;

/// Check the database, and repair what can be repaired.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Mend what can be derived from what is there
    #[arg(long)]
    repair: bool,
}

impl Doctor {
    pub(crate) async fn run(self, global: &Global, printer: &Printer) -> Result<()> {
        let service = session::open(global, &Progress::new(global)).await?;
        let mut report = service.check(self.repair).await?;
        warn_of_legible_files(global, &mut report)?;
        printer.response(&report, show)?;
        service.close().await?;
        if report.severity() == Severity::Error {
            let advice = if self.repair {
                "restore a backup"
            } else {
                "try memu doctor --repair"
            };
            return Err(Error::corrupt(format!("the store has defects; {advice}")));
        }
        Ok(())
    }
}

/// An encrypted memory has its large files in itself; what lies in their folder is of the time
/// before.
fn warn_of_legible_files(global: &Global, report: &mut Report) -> Result<()> {
    let Ok(place) = session::place(global) else {
        // It is in no file.
        return Ok(());
    };
    let files = place.legible_files()?;
    if !files.is_empty() {
        let message = format!(
            "{} large files lie legible in {}, and the encrypted memory does not need them: \
             remove what is no other memory's",
            files.len(),
            place.files().display()
        );
        report.push("files", Severity::Warning, message);
    }
    Ok(())
}

fn show(report: &Report) -> Vec<Line> {
    let mut lines: Vec<Line> = report
        .findings
        .iter()
        .map(|finding| {
            let (tone, sign) = match (finding.repaired, finding.severity) {
                (true, _) => (Tone::Good, "mended  "),
                (false, Severity::Ok) => (Tone::Good, "ok      "),
                (false, Severity::Warning) => (Tone::Warning, "warning "),
                (false, Severity::Error) => (Tone::Error, "error   "),
            };
            Line::new()
                .add(tone, sign)
                .add(Tone::Label, &format!("{:<14}", finding.check))
                .plain(&finding.message)
        })
        .collect();
    let size = report.bytes.map_or(String::new(), |bytes| {
        format!(", {} KiB", bytes.div_ceil(1024))
    });
    lines.push(Line::new().add(Tone::Faint, &format!(
        "{} scopes, {} resources, {} segments, {} items, {} categories, {} relations, {} vectors{size}",
        report.scopes,
        report.resources,
        report.segments,
        report.items,
        report.categories,
        report.relations,
        report.embeddings,
    )));
    lines
}
