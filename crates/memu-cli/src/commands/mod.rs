//! One file per verb.

pub(crate) mod add;
pub(crate) mod completions;
pub(crate) mod delete;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod edit;
pub(crate) mod eval;
pub(crate) mod forget;
pub(crate) mod list;
pub(crate) mod memorize;
pub(crate) mod retrieve;
pub(crate) mod show;

use memu::Result;

use crate::args::{Cli, Command};
use crate::output::Printer;

/// Runs the verb.
pub(crate) async fn run(cli: Cli, printer: &Printer) -> Result<()> {
    let global = &cli.global;
    match cli.command {
        Command::Memorize(verb) => verb.run(global, printer).await,
        Command::Retrieve(verb) => verb.run(global, printer).await,
        Command::List(verb) => verb.run(global, printer).await,
        Command::Show(verb) => verb.run(global, printer).await,
        Command::Add(verb) => verb.run(global, printer).await,
        Command::Edit(verb) => verb.run(global, printer).await,
        Command::Delete(verb) => verb.run(global, printer).await,
        Command::Forget(verb) => verb.run(global, printer).await,
        Command::Doctor(verb) => verb.run(global, printer).await,
        Command::Demo(verb) => verb.run(global, printer).await,
        Command::Eval(verb) => verb.run(global, printer).await,
        Command::Completions(verb) => verb.run(printer),
    }
}
