use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use memu::backup::{BackupReport, Place, Rotation, back_up};
use memu::core::environment::{Clock, SystemClock};
use memu::{Error, ErrorKind, Result};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::args::Global;
use crate::output::{Line, Printer, Tone};
use crate::progress::Progress;
use crate::session;

/// Copy the memory while it is in use.
///
/// The copy is of one moment, complete, verified, and gets its name last. It is a memory
/// itself: `memu --db COPY retrieve …` asks it, `memu restore COPY` brings it back.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The copy: a file, replaced if it is an older copy; or a folder, in which each copy
    /// is named after its time
    #[arg(value_name = "TO")]
    to: PathBuf,
    /// Make a copy again and again, until Ctrl-C: 30m, 1h, 1d
    #[arg(long, value_name = "TIME", value_parser = duration)]
    every: Option<Duration>,
    /// How many copies stay in the folder [default: all]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
}

impl Backup {
    /// Whether it goes on until somebody stops it.
    pub(crate) fn goes_on(&self) -> bool {
        self.every.is_some()
    }

    pub(crate) async fn run(self, global: &Global, printer: &Printer) -> Result<()> {
        let place = session::place(global)?;
        let in_folder = self.every.is_some() || self.keep.is_some() || self.to.is_dir();
        if in_folder && self.to.is_file() {
            return Err(Error::input(
                "--every and --keep need a folder for the copies, and this is a file",
            )
            .with("file", self.to.display()));
        }
        let Some(every) = self.every else {
            return self.once(&place, in_folder, global, printer).await;
        };
        let mut ticks = interval_at(Instant::now(), every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let copied = self.once(&place, true, global, printer).await;
            match copied {
                // The next one may do better; a damaged memory will not.
                Err(error) if matches!(error.kind(), ErrorKind::Busy | ErrorKind::Storage) => {
                    printer.error(&error);
                }
                copied => copied?,
            }
        }
    }

    async fn once(
        &self,
        place: &Place,
        in_folder: bool,
        global: &Global,
        printer: &Printer,
    ) -> Result<()> {
        let progress = Progress::new(global);
        let tell = shown(&progress);
        let report = if in_folder {
            let rotation = Rotation {
                folder: self.to.clone(),
                keep: self.keep.map_or(usize::MAX, |keep| keep as usize),
            };
            rotation.back_up(place, SystemClock.now(), tell).await
        } else {
            back_up(place, self.to.clone(), tell).await
        };
        progress.finish();
        printer.response(&report?, show)
    }
}

/// Shows how far a copy has come.
pub(super) fn shown(progress: &Progress) -> memu::backup::Progress {
    let progress = progress.clone();
    progress.start_bytes(0);
    Arc::new(move |done, total| progress.reach_of(done, total))
}

fn show(report: &BackupReport) -> Vec<Line> {
    let mut lines = vec![
        Line::new()
            .add(Tone::Good, "Copied ")
            .plain(&report.from.display().to_string())
            .plain(" to ")
            .add(Tone::Label, &report.to.display().to_string())
            .add(Tone::Faint, &sizes(report.bytes, report.files)),
    ];
    for removed in &report.removed {
        let text = format!("  removed {}", removed.display());
        lines.push(Line::new().add(Tone::Faint, &text));
    }
    lines.extend(show_broken(&report.broken_files));
    lines
}

/// How much was copied, in a phrase.
pub(super) fn sizes(bytes: u64, files: u64) -> String {
    let files = match files {
        0 => String::new(),
        1 => ", 1 large file".to_owned(),
        files => format!(", {files} large files"),
    };
    format!(" ({} KiB{files}, verified)", bytes.div_ceil(1024))
}

pub(super) fn show_broken(broken: &[String]) -> Vec<Line> {
    let line = |name| {
        Line::new()
            .add(Tone::Warning, "  missing or damaged: ")
            .plain(name)
    };
    broken.iter().map(|name| line(name)).collect()
}

/// Reads `90s`, `30m`, `1h`, `1d`.
fn duration(text: &str) -> Result<Duration, String> {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = text.strip_suffix(unit).unwrap_or_default();
    let seconds: u64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => 0,
    };
    match number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(seconds))
    {
        Some(seconds) if seconds > 0 => Ok(Duration::from_secs(seconds)),
        _ => Err("write it as 90s, 30m, 1h or 1d".to_owned()),
    }
}
