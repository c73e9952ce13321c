//! Options and values that every verb shares.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// The most records that one call returns.
const MAX_COUNT: usize = 10_000;

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The memory: a file or a DSN such as sqlite:///memu.db [default: memu.db]
    #[arg(long, global = true, env = "MEMU_DB", value_name = "PATH|DSN")]
    pub(crate) db: Option<String>,
    /// Whose memory it is: short for --scope user_id=USER
    #[arg(long, short, global = true, env = "MEMU_USER", value_name = "USER")]
    pub(crate) user: Option<String>,
    /// A scope field and its value; may be repeated
    #[arg(long, short, global = true, value_name = "FIELD=VALUE", value_parser = pair)]
    pub(crate) scope: Vec<(String, String)>,
    /// The configuration file [default: memu.toml, where it exists]
    #[arg(long, global = true, env = "MEMU_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print exactly the service's response, as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print results only: no progress, no remarks
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(crate) color: Color,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Reads `key=value`.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => {
            Ok((key.to_owned(), value.to_owned()))
        }
        _ => Err("write it as key=value".to_owned()),
    }
}

/// Reads how many records are wanted.
pub(crate) fn count(text: &str) -> Result<usize, String> {
    match text.parse::<i64>().map(usize::try_from) {
        Ok(Ok(count)) if (1..=MAX_COUNT).contains(&count) => Ok(count),
        _ => Err(format!("it must be a number from 1 to {MAX_COUNT}")),
    }
}
