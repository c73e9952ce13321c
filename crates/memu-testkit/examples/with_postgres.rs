//! Runs a command beside a new PostgreSQL server, with the variables that tests look at, and ends
//! as it does. The server stops with it, also when this program is killed.
//!
//! `scripts/with-postgres COMMAND…` fetches PostgreSQL and calls this.

use std::env;
use std::error::Error;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use memu_testkit::postgres::{PROGRAMS, SHARED, Server};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1);
    let command = arguments.next().ok_or("which command?")?;
    let bin = env::var_os(PROGRAMS).ok_or(format!("{PROGRAMS} is not set"))?;
    let server = Server::builder().start_from(&PathBuf::from(bin));
    let ended = Command::new(&command)
        .args(arguments)
        .env(SHARED, server.dsn())
        .status()
        .map_err(|error| format!("{}: {error}", command.display()))?;
    drop(server);
    // Ended by a signal, it has no code.
    let code = ended.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
