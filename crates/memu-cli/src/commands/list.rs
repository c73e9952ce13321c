use clap::{Args, ValueEnum};
use memu::{ListRequest, ListResponse, MemoryCategory, MemoryItem, Resource, Result};
use serde::Serialize;

use crate::args::{Global, count, pair};
use crate::output::{Printer, Tone, columns, date};
use crate::progress::Progress;
use crate::session;

/// How many records a list shows unless told otherwise.
const DEFAULT_LIMIT: usize = 100;

/// List items, categories or resources, oldest first.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// What to list
    #[arg(value_enum)]
    kind: Kind,
    /// At most this many
    #[arg(long, short = 'n', default_value_t = DEFAULT_LIMIT, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    limit: usize,
    /// Go on after a page: the cursor that it ended with
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
    /// Only records that match, such as memory_type=event or category=goals; may be
    /// repeated
    #[arg(long = "where", short = 'w', value_name = "FIELD=VALUE", value_parser = pair)]
    conditions: Vec<(String, String)>,
    /// List every scope's
    #[arg(long)]
    all_scopes: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Memories
    Items,
    /// Topics with their summaries
    Categories,
    /// What was memorized
    Resources,
}

impl List {
    pub(crate) async fn run(self, global: &Global, printer: &Printer) -> Result<()> {
        let service = session::open(global, &Progress::new(global)).await?;
        let request = ListRequest {
            filter: session::filter(global, &self.conditions),
            all_scopes: self.all_scopes,
            limit: Some(self.limit),
            cursor: self.cursor,
        };
        match self.kind {
            Kind::Items => {
                let page = service.list_memory_items(request).await?;
                print(printer, "items", &page, item_row)?;
            }
            Kind::Categories => {
                let page = service.list_memory_categories(request).await?;
                print(printer, "categories", &page, category_row)?;
            }
            Kind::Resources => {
                let page = service.list_resources(request).await?;
                print(printer, "resources", &page, resource_row)?;
            }
        }
        service.close().await
    }
}

type Row = Vec<(Tone, String)>;

fn print<T: Serialize>(
    printer: &Printer,
    name: &str,
    page: &ListResponse<T>,
    row: fn(&T) -> Row,
) -> Result<()> {
    printer.response(&page.to_json(name), |_| {
        columns(&page.records.iter().map(row).collect::<Vec<_>>())
    })?;
    if page.records.is_empty() {
        printer.remark(&format!("There are no {name} here."));
    }
    if let Some(cursor) = &page.next_cursor {
        printer.remark(&format!("There are more: --cursor {cursor}"));
    }
    Ok(())
}

fn item_row(item: &MemoryItem) -> Row {
    vec![
        (Tone::Faint, item.meta.id.short().to_owned()),
        (Tone::Label, item.memory_type.clone()),
        (
            Tone::Faint,
            item.happened.as_ref().map(date).unwrap_or_default(),
        ),
        (Tone::Plain, item.summary.clone()),
    ]
}

fn category_row(category: &MemoryCategory) -> Row {
    // Its lines stand on their own only where there is room for them: in `show`.
    let summary: Vec<&str> = category
        .summary
        .iter()
        .flat_map(|summary| summary.lines())
        .map(|line| line.trim_start_matches("- "))
        .collect();
    vec![
        (Tone::Faint, category.meta.id.short().to_owned()),
        (Tone::Label, category.name.clone()),
        (Tone::Plain, summary.join(" ")),
    ]
}

fn resource_row(resource: &Resource) -> Row {
    vec![
        (Tone::Faint, resource.meta.id.short().to_owned()),
        (Tone::Label, resource.modality.to_string()),
        (Tone::Faint, format!("{} segments", resource.segment_count)),
        (Tone::Plain, resource.url.clone()),
    ]
}
