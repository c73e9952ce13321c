use clap::Args;
use memu::{CreateItem, ItemResponse, Result};

use super::details::Details;
use crate::args::Global;
use crate::output::{Line, Printer, Tone};
use crate::progress::Progress;
use crate::session;

/// Remember something in your own words.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The memory
    text: String,
    /// What kind of memory it is
    #[arg(
        long = "type",
        short = 't',
        default_value = "knowledge",
        value_name = "TYPE"
    )]
    memory_type: String,
    /// File it under this category; may be repeated; by default it is filed by what it
    /// says
    #[arg(long, short, value_name = "NAME")]
    category: Vec<String>,
    #[command(flatten)]
    details: Details,
    /// Leave the summaries of the categories as they are
    #[arg(long)]
    no_propagate: bool,
}

impl Add {
    pub(crate) async fn run(self, global: &Global, printer: &Printer) -> Result<()> {
        let service = session::open(global, &Progress::new(global)).await?;
        let request = CreateItem {
            memory_type: self.memory_type,
            content: self.text,
            categories: self.category,
            extra: self.details.extra(),
            user: session::user(global),
            propagate: !self.no_propagate,
        };
        let response = service.create_memory_item(request).await?;
        printer.response(&response, |response| changed("Added ", response))?;
        service.close().await
    }
}

/// What happened to a memory, and which summaries followed.
pub(super) fn changed(verb: &str, response: &ItemResponse) -> Vec<Line> {
    let item = &response.memory_item;
    let mut lines = vec![
        Line::new()
            .add(Tone::Good, verb)
            .add(Tone::Faint, &format!("{}  ", item.meta.id.short()))
            .add(Tone::Memory, &item.summary),
    ];
    let names: Vec<&str> = response
        .category_updates
        .iter()
        .map(|category| category.name.as_str())
        .collect();
    if !names.is_empty() {
        lines.push(
            Line::new()
                .add(Tone::Faint, "  summaries that follow: ")
                .add(Tone::Label, &names.join(", ")),
        );
    }
    lines
}
