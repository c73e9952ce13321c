//! Runs a command beside a new PostgreSQL server, with the variables that tests look at, and ends
//! as it does. The server stops with it, also when this program is killed.
//!
//! `scripts/with-postgres COMMAND…` fetches PostgreSQL and calls this.

use std::env;
use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use memu_testkit::postgres::{PROGRAMS, SHARED, Server};
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1);
    let command = arguments.next().ok_or("which command?")?;
    let bin = env::var_os(PROGRAMS).ok_or(format!("{PROGRAMS} is not set"))?;
    leave_interrupts_to_the_command()?;
    // Room for what is measured, as a server in earnest has; nothing is taken before it is used.
    let server = Server::builder().setting("shared_buffers", "512MB");
    let server = server.start_from(&PathBuf::from(bin));
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

/// Ctrl-C comes to the command as well, which ends in its own way and still needs the server.
fn leave_interrupts_to_the_command() -> io::Result<()> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let _inside = runtime.enter();
    // Who has asked for a signal once no longer ends by it.
    signal(SignalKind::interrupt()).map(drop)
}
