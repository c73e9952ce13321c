use clap::Args;
use memu::core::service::Embedded;
use memu::{ReembedResponse, ReembedStatus, Result};

use crate::args::Global;
use crate::output::{Line, Printer, Tone};
use crate::progress::Progress;
use crate::session;

/// Move the memory to another embedder while it is in use.
///
/// The embedder is the one that the settings name (llm_profiles.embedding). Programs that
/// use the one before go on reading and writing until the new vectors are complete; then
/// all change at one moment. Stopped and started again, it embeds only what is missing.
#[derive(Debug, Args)]
pub(crate) struct Reembed {
    /// Only say how much would be embedded
    #[arg(long)]
    dry_run: bool,
}

impl Reembed {
    pub(crate) async fn run(self, global: &Global, printer: &Printer) -> Result<()> {
        let service = session::open_to_reembed(global).await?;
        let progress = Progress::new(global);
        progress.start(2);
        let request = memu::Reembed {
            dry_run: self.dry_run,
        };
        let response = service
            .reembed(request, &|done, total| progress.reach_of(done, total))
            .await;
        progress.finish();
        let closed = service.close().await;
        printer.response(&response?, show)?;
        closed
    }
}

fn show(response: &ReembedResponse) -> Vec<Line> {
    let from = response.from.as_ref();
    let from = from.map_or("no vectors".to_owned(), ToString::to_string);
    let to = response.to.to_string();
    let mut lines = vec![match response.status {
        ReembedStatus::Planned if response.from.as_ref() == Some(&response.to) => {
            Line::new().plain("The memory uses ").add(Tone::Label, &to)
        }
        ReembedStatus::Planned => Line::new()
            .plain(&format!("From {from} to "))
            .add(Tone::Label, &to)
            .plain(" it would take"),
        ReembedStatus::Switched => Line::new()
            .add(Tone::Good, "Moved ")
            .plain(&format!("from {from} to "))
            .add(Tone::Label, &to),
        ReembedStatus::Unchanged => Line::new()
            .add(Tone::Good, "Kept ")
            .add(Tone::Label, &to)
            .plain(", which the memory uses"),
    }];
    let characters = format!(" ({} characters)", response.characters);
    lines.push(
        Line::new()
            .plain(&format!("  embedded  {}", counts(&response.embedded)))
            .add(Tone::Faint, &characters),
    );
    if response.kept.total() > 0 {
        let text = format!("  there     {}", counts(&response.kept));
        lines.push(Line::new().plain(&text));
    }
    if response.without_vector > 0 {
        let text = format!(
            "  without   {} texts mean nothing to this embedder",
            response.without_vector
        );
        lines.push(Line::new().plain(&text));
    }
    if response.removed > 0 {
        let text = format!("  removed   {} old vectors", response.removed);
        lines.push(Line::new().plain(&text));
    }
    lines
}

fn counts(embedded: &Embedded) -> String {
    format!(
        "{} segments, {} items, {} categories",
        embedded.segments, embedded.items, embedded.categories
    )
}
