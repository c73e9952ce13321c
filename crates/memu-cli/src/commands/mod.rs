//! The command line: one file per verb.

pub(crate) mod add;
pub(crate) mod add_tool_call;
pub(crate) mod backup;
pub(crate) mod bench;
pub(crate) mod completions;
pub(crate) mod delete;
pub(crate) mod demo;
mod details;
pub(crate) mod doctor;
pub(crate) mod edit;
pub(crate) mod eval;
pub(crate) mod export;
mod folder;
pub(crate) mod forget;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod memorize;
pub(crate) mod migrate;
mod modality;
pub(crate) mod model;
pub(crate) mod models;
pub(crate) mod reembed;
pub(crate) mod rekey;
pub(crate) mod replay;
pub(crate) mod restore;
pub(crate) mod retrieve;
pub(crate) mod show;
pub(crate) mod stats;
pub(crate) mod upgrade;

use clap::{CommandFactory, Parser, Subcommand};
use memu::Result;

use crate::args::Global;
use crate::output::Printer;

/// Long-term memory for AI agents, in one file, with no API key.
#[derive(Debug, Parser)]
#[command(
    name = "memu",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "Start here:\n  memu demo                                   see it at work\n  memu memorize chat.json --user alice        remember a conversation\n  memu retrieve \"what does she like?\" --user alice\n\nVariables besides those of options and settings:\n  MEMU_RECORD=FILE    append what models are asked and answer to a recording\n  MEMU_REPLAY=FILE    have a recording answer, without models, a network or keys\n  MEMU_KEY            the key of an encrypted memory, in builds that encrypt"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Memorize(memorize::Memorize),
    Replay(replay::Replay),
    Retrieve(retrieve::Retrieve),
    List(list::List),
    Show(show::Show),
    Stats(stats::Stats),
    Add(add::Add),
    AddToolCall(add_tool_call::AddToolCall),
    Edit(edit::Edit),
    Delete(delete::Delete),
    Forget(forget::Forget),
    Doctor(doctor::Doctor),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Rekey(rekey::Rekey),
    Migrate(migrate::Migrate),
    Export(export::Export),
    Import(import::Import),
    Upgrade(upgrade::Upgrade),
    Reembed(reembed::Reembed),
    Demo(demo::Demo),
    Eval(eval::Eval),
    Bench(bench::Bench),
    Model(model::Model),
    Models(models::Models),
    Completions(completions::Completions),
}

impl Cli {
    /// Whether the verb goes on until Ctrl-C, which then is a good end.
    pub(crate) fn goes_on(&self) -> bool {
        matches!(&self.command, Command::Backup(backup) if backup.goes_on())
    }

    /// What is left when the verb is interrupted.
    pub(crate) fn when_interrupted(&self) -> &'static str {
        match &self.command {
            Command::Migrate(_) | Command::Import(_) => {
                "interrupted; what has arrived stays, and the same command goes on from there"
            }
            _ => "interrupted; what was not finished has left no trace",
        }
    }
}

/// Runs the verb.
pub(crate) async fn run(cli: Cli, printer: &Printer) -> Result<()> {
    let global = &cli.global;
    match cli.command {
        Command::Memorize(verb) => verb.run(global, printer).await,
        Command::Replay(verb) => verb.run(global, printer).await,
        Command::Retrieve(verb) => verb.run(global, printer).await,
        Command::List(verb) => verb.run(global, printer).await,
        Command::Show(verb) => verb.run(global, printer).await,
        Command::Stats(verb) => verb.run(global, printer).await,
        Command::Add(verb) => verb.run(global, printer).await,
        Command::AddToolCall(verb) => verb.run(global, printer).await,
        Command::Edit(verb) => verb.run(global, printer).await,
        Command::Delete(verb) => verb.run(global, printer).await,
        Command::Forget(verb) => verb.run(global, printer).await,
        Command::Doctor(verb) => verb.run(global, printer).await,
        Command::Backup(verb) => verb.run(global, printer).await,
        Command::Restore(verb) => verb.run(global, printer).await,
        Command::Rekey(verb) => verb.run(global, printer).await,
        Command::Migrate(verb) => verb.run(global, printer).await,
        Command::Export(verb) => verb.run(global, printer).await,
        Command::Import(verb) => verb.run(global, printer).await,
        Command::Upgrade(verb) => verb.run(global, printer).await,
        Command::Reembed(verb) => verb.run(global, printer).await,
        Command::Demo(verb) => verb.run(global, printer).await,
        Command::Eval(verb) => verb.run(global, printer).await,
        Command::Bench(verb) => verb.run(global, printer).await,
        Command::Model(verb) => verb.run(global, printer).await,
        Command::Models(verb) => verb.run(global, printer).await,
        Command::Completions(verb) => verb.run(Cli::command(), printer),
    }
}
