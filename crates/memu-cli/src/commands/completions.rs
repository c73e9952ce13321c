use clap::{Args, Command};
use clap_complete::Shell;
use memu::{Error, Result};

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
    /// Prints the script for the whole `command`.
    pub(crate) fn run(self, mut command: Command, printer: &Printer) -> Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "memu", &mut script);
        let script = String::from_utf8(script)
            .map_err(|cause| Error::internal("the script is not text").caused_by(cause))?;
        printer.text(&script)
    }
}
