//! Tools for those who work on MemU: `cargo xtask --help`.

mod distill;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tools for those who work on MemU.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    tool: Tool,
}

#[derive(Debug, Subcommand)]
enum Tool {
    /// Make the table of word vectors from all-MiniLM-L6-v2
    Distill {
        /// The folder with model.safetensors and tokenizer.json
        #[arg(long, value_name = "DIR")]
        model: PathBuf,
        /// Where to write the table
        #[arg(
            long,
            value_name = "FILE",
            default_value = "crates/memu-local/data/words.bin"
        )]
        out: PathBuf,
        /// Write nothing: compare with the table that is there
        #[arg(long)]
        check: bool,
    },
}

/// What went wrong, for the person at the terminal.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let done = match Cli::parse().tool {
        Tool::Distill { model, out, check } => distill::run(&model, &out, check),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report(&format!("error: {failure}"));
            ExitCode::FAILURE
        }
    }
}

/// Tells the person at the terminal.
#[expect(clippy::print_stderr, reason = "a tool for developers")]
fn report(text: &str) {
    eprintln!("{text}");
}
