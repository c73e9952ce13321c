use clap::Args;
use memu::core::service::Record;
use memu::{Id, MemoryItem, Result};

use super::details::{details, fact, statistics};
use crate::args::Global;
use crate::output::{Line, Printer, Tone, date, instant, quote, wrapped};
use crate::progress::Progress;
use crate::session;

/// Show one record with everything that hangs on it.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Its id, or the first characters of it (four or more)
    id: String,
    /// Look in every scope
    #[arg(long)]
    all_scopes: bool,
}

impl Show {
    pub(crate) async fn run(self, global: &Global, printer: &Printer) -> Result<()> {
        let service = session::open(global, &Progress::new(global)).await?;
        let id = Id::checked(&self.id)?;
        let user = session::user(global);
        let record = service.show(&id, &user, self.all_scopes).await?;
        printer.response(&record, show)?;
        service.close().await
    }
}

fn show(record: &Record) -> Vec<Line> {
    match record {
        Record::Item {
            item,
            categories,
            evidence,
            tool_statistics,
        } => {
            let mut lines = vec![Line::new().add(Tone::Memory, &item.summary)];
            lines.push(fact("item", item.meta.id.as_str()));
            lines.push(fact("type", &item.memory_type));
            lines.extend(
                item.happened
                    .as_ref()
                    .map(|when| fact("happened", &date(when))),
            );
            let names: Vec<_> = categories
                .iter()
                .map(|category| category.name.as_str())
                .collect();
            lines.push(fact("categories", &names.join(", ")));
            lines.push(fact("stored", &instant(item.meta.created_at)));
            lines.extend(details(item));
            lines.extend(tool_statistics.iter().flat_map(statistics));
            let quoted = evidence.iter();
            lines.extend(quoted.flat_map(|segment| quote(segment, &item.summary)));
            lines
        }
        Record::Category { category, items } => {
            let mut lines = vec![Line::new().add(Tone::Memory, &category.name)];
            lines.push(fact("category", category.meta.id.as_str()));
            lines.push(fact("about", &category.description));
            for line in category.summary.iter().flat_map(|summary| summary.lines()) {
                lines.extend(wrapped(&Line::new().plain("  "), Tone::Plain, line));
            }
            lines.extend(memories(items));
            lines
        }
        Record::Resource {
            resource,
            items,
            content_defect,
        } => {
            let mut lines = vec![Line::new().add(Tone::Memory, &resource.url)];
            lines.push(fact("resource", resource.meta.id.as_str()));
            lines.push(fact("modality", resource.modality.as_str()));
            lines.push(fact("segments", &resource.segment_count.to_string()));
            lines.push(fact("stored", &instant(resource.meta.created_at)));
            let defect = content_defect.iter();
            lines.extend(defect.map(|defect| Line::new().add(Tone::Error, &format!("  {defect}"))));
            lines.extend(memories(items));
            lines
        }
        Record::Segment { segment, items } => {
            let mut lines = vec![fact("segment", segment.meta.id.as_str())];
            lines.extend(quote(segment, ""));
            lines.extend(memories(items));
            lines
        }
    }
}

fn memories(items: &[MemoryItem]) -> Vec<Line> {
    let mut lines = vec![Line::new().add(Tone::Heading, "Memories")];
    for item in items {
        let lead = Line::new().add(Tone::Faint, &format!("  {}  ", item.meta.id.short()));
        lines.extend(wrapped(&lead, Tone::Plain, &item.summary));
    }
    lines
}
