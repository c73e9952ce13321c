use clap::Args;
use memu::{Replay as Request, ReplayStatus, Replayed, Result};

use super::memorize::counted;
use crate::args::{Global, pair};
use crate::output::{Line, Printer, Tone, wrapped};
use crate::progress::Progress;
use crate::session;

/// How many new memories of a resource are shown.
const SHOWN: usize = 8;

/// Read again what models answered, without asking them.
///
/// Every answer of a model is kept before it is read. Where one could not be understood, nothing
/// was stored; a version of MemU that understands it stores now what it says. Where answers are
/// missing, `memu memorize --resume` asks for those alone.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// Also what is memorized already, for memories that were overlooked; those of it that were
    /// deleted come back
    #[arg(long)]
    all: bool,
    /// Tell what would come of it, and store nothing
    #[arg(long)]
    dry_run: bool,
    /// Only what matches, such as agent_id=helper; may be repeated
    #[arg(long = "where", short = 'w', value_name = "FIELD=VALUE", value_parser = pair)]
    conditions: Vec<(String, String)>,
    /// In every scope
    #[arg(long)]
    all_scopes: bool,
}

impl Replay {
    pub(crate) async fn run(self, global: &Global, printer: &Printer) -> Result<()> {
        let service = session::open(global, &Progress::new(global)).await?;
        let request = Request {
            filter: session::filter(global, &self.conditions),
            all_scopes: self.all_scopes,
            stored: self.all,
            dry_run: self.dry_run,
        };
        let replayed = service.replay(request).await?;
        printer.response(&replayed, |replayed| {
            replayed.iter().flat_map(show).collect()
        })?;
        if replayed.is_empty() {
            printer.remark("No answer waits to be read.");
        }
        let waits = |one: &Replayed| one.status == ReplayStatus::Waiting;
        if replayed.iter().any(waits) {
            printer.remark("What waits needs further answers: memu memorize --resume");
        }
        service.close().await
    }
}

fn show(replayed: &Replayed) -> Vec<Line> {
    let (tone, verb) = match replayed.status {
        ReplayStatus::Memorized => (Tone::Good, "Memorized "),
        ReplayStatus::Extended => (Tone::Good, "Extended "),
        ReplayStatus::Unchanged => (Tone::Plain, "Unchanged "),
        ReplayStatus::Waiting => (Tone::Warning, "Waiting "),
    };
    let mut lines = vec![
        Line::new()
            .add(tone, verb)
            .add(Tone::Heading, &replayed.url)
            .plain(&format!(
                ": {}",
                counted(replayed.items.len(), "new memory")
            )),
    ];
    for item in replayed.items.iter().take(SHOWN) {
        lines.extend(wrapped(
            &Line::new().plain("  • "),
            Tone::Plain,
            &item.summary,
        ));
    }
    if let Some(error) = &replayed.error {
        lines.extend(wrapped(&Line::new().plain("  "), Tone::Faint, error));
    }
    lines
}
