use clap::Args;
use memu::{Id, Result, UpdateItem};

use super::add::changed;
use super::details::Details;
use crate::args::Global;
use crate::output::Printer;
use crate::progress::Progress;
use crate::session;

/// Change a memory.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Edit {
    /// Its id, or the first characters of it (four or more)
    id: String,
    /// New words
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// A new type
    #[arg(long = "type", short = 't', value_name = "TYPE")]
    memory_type: Option<String>,
    /// File it under this category, and no others; may be repeated
    #[arg(long, short, value_name = "NAME")]
    category: Vec<String>,
    #[command(flatten)]
    details: Details,
    /// Leave the summaries of the categories as they are
    #[arg(long)]
    no_propagate: bool,
}

impl Edit {
    pub(crate) async fn run(self, global: &Global, printer: &Printer) -> Result<()> {
        let service = session::open(global, &Progress::new(global)).await?;
        let request = UpdateItem {
            id: Id::checked(&self.id)?,
            memory_type: self.memory_type,
            content: self.text,
            categories: (!self.category.is_empty()).then_some(self.category),
            extra: self.details.extra(),
            user: session::user(global),
            propagate: !self.no_propagate,
        };
        let response = service.update_memory_item(request).await?;
        printer.response(&response, |response| changed("Changed ", response))?;
        service.close().await
    }
}
