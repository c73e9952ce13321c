use std::path::PathBuf;

use clap::Args;
use memu::Result;

use crate::args::Global;
use crate::bench::{self, Plan};
use crate::output::Printer;
use crate::progress::Progress;

/// Measure what MemU does in which time, on this machine.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// Only measurements whose name holds this, such as "retrieve, 1 scope"
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// The folder for the files that are measured on [default: that for temporary files]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// A Python with numpy and sqlite-vec, to measure beside [default: none]
    #[arg(long, value_name = "PROGRAM")]
    python: Option<PathBuf>,
    /// Keep these files
    #[arg(long)]
    keep: bool,
    /// Measure on a PostgreSQL server instead: an empty database of its own, which is empty
    /// again afterwards
    #[arg(long, value_name = "DSN")]
    postgres: Option<String>,
    /// How many memories the large files have; on a server at most 100,000
    #[arg(long, value_name = "COUNT", default_value_t = 1_000_000)]
    large: usize,
    /// What another process of the benchmark wants to be searched
    #[arg(long, hide = true)]
    search_task: Option<String>,
}

impl Bench {
    pub(crate) async fn run(self, global: &Global, printer: &Printer) -> Result<()> {
        if let Some(task) = self.search_task {
            return printer.text(&bench::search(&task).await?);
        }
        let plan = Plan {
            only: self.only,
            folder: self.dir.unwrap_or_else(std::env::temp_dir),
            python: self.python,
            keep: self.keep,
            large: self.large,
            postgres: self.postgres,
        };
        bench::run(&plan, printer, &Progress::new(global)).await
    }
}
