//! The `memu` command: long-term memory for AI agents at the shell.

mod args;
mod bench;
mod commands;
mod eval;
mod exit;
mod output;
mod progress;
mod session;

use std::process::ExitCode;

use clap::Parser;

use crate::commands::Cli;
use crate::output::Printer;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let printer = Printer::new(&cli.global);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(cause) => {
            let error = memu::Error::internal("the async runtime cannot start").caused_by(cause);
            return exit::report(&printer, &error);
        }
    };
    let (goes_on, when_interrupted) = (cli.goes_on(), cli.when_interrupted());
    let result = runtime.block_on(async {
        tokio::select! {
            result = commands::run(cli, &printer) => result,
            _ = tokio::signal::ctrl_c() => if goes_on { Ok(()) } else { Err(memu::Error::cancelled(when_interrupted)) },
        }
    });
    // Dropping the runtime waits for a commit that is under way, so that nothing is
    // cut off in the middle.
    drop(runtime);
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::report(&printer, &error),
    }
}
