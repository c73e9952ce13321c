use clap::Args;
use memu::{Id, Result};

use super::add::changed;
use crate::args::Global;
use crate::output::Printer;
use crate::progress::Progress;
use crate::session;

/// Remove a memory, and what it contributed to summaries.
#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// Its id, or the first characters of it (four or more)
    id: String,
    /// Leave the summaries of its categories as they are
    #[arg(long)]
    no_propagate: bool,
}

impl Delete {
    pub(crate) async fn run(self, global: &Global, printer: &Printer) -> Result<()> {
        let service = session::open(global, &Progress::new(global)).await?;
        let id = Id::checked(&self.id)?;
        let user = session::user(global);
        let response = service
            .delete_memory_item(&id, &user, !self.no_propagate)
            .await?;
        printer.response(&response, |response| changed("Deleted ", response))?;
        service.close().await
    }
}
