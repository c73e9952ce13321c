use clap::{Args, CommandFactory};
use clap_complete::Shell;
use memu::{Error, Result};

use crate::args::Cli;
use crate::output::Printer;

/// Print a completion script for a shell.
///
/// For bash: memu completions bash > ~/.local/share/bash-completion/completions/memu
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self, printer: &Printer) -> Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "memu", &mut script);
        let script = String::from_utf8(script)
            .map_err(|cause| Error::internal("the script is not text").caused_by(cause))?;
        printer.text(&script)
    }
}
