use clap::Args;
use memu::{ModelUsage, Result, StatsResponse};

use crate::args::{Global, pair};
use crate::output::{Line, Printer, Tone, columns};
use crate::progress::Progress;
use crate::session;

/// Tell how much is remembered, and what the models took.
#[derive(Debug, Args)]
pub(crate) struct Stats {
    /// Count only what matches, such as created_at__gt=2026-11-01; may be repeated
    #[arg(long = "where", short = 'w', value_name = "FIELD=VALUE", value_parser = pair)]
    conditions: Vec<(String, String)>,
    /// Count over every scope
    #[arg(long)]
    all_scopes: bool,
}

impl Stats {
    pub(crate) async fn run(self, global: &Global, printer: &Printer) -> Result<()> {
        let service = session::open(global, &Progress::new(global)).await?;
        let filter = session::filter(global, &self.conditions);
        let stats = service.stats(&filter, self.all_scopes).await?;
        printer.response(&stats, show)?;
        if stats.unfinished > 0 {
            printer.remark(&format!(
                "Cut off by a model that failed: {}; to go on: memu memorize --resume",
                stats.unfinished
            ));
        }
        if stats.model_calls.is_empty() {
            printer.remark("No model has been asked.");
        }
        service.close().await
    }
}

fn show(stats: &StatsResponse) -> Vec<Line> {
    let counts = [
        ("scopes", stats.scopes),
        ("resources", stats.resources),
        ("segments", stats.segments),
        ("items", stats.items),
        ("categories", stats.categories),
    ];
    let counts = counts.map(|(name, count)| {
        vec![
            (Tone::Label, name.to_owned()),
            (Tone::Plain, count.to_string()),
        ]
    });
    let mut lines = columns(&counts);
    let costs = stats.model_calls.iter().any(|calls| calls.cost > 0.0);
    let calls = stats.model_calls.iter().map(|calls| taken(calls, costs));
    let calls: Vec<_> = calls.collect();
    if !calls.is_empty() {
        lines.push(Line::new());
        lines.extend(columns(&calls));
    }
    lines
}

fn taken(calls: &ModelUsage, costs: bool) -> Vec<(Tone, String)> {
    let mut cells = vec![
        (Tone::Label, calls.profile.clone()),
        (Tone::Plain, calls.model.clone()),
        (Tone::Plain, calls.step.clone()),
        (Tone::Plain, format!("{} calls", calls.calls)),
        (Tone::Plain, format!("{} unusable", calls.unusable)),
        (
            Tone::Plain,
            format!("{} + {} tokens", calls.input_tokens, calls.output_tokens),
        ),
    ];
    if costs {
        cells.push((Tone::Plain, format!("cost {:.4}", calls.cost)));
    }
    cells.push((Tone::Faint, format!("{:.1} s", calls.seconds)));
    cells
}
