use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use memu_core::{Error, Result};
use tokio::process::Command;

/// How long a video may take in all.
const LONGEST: Duration = Duration::from_mins(5);

/// The program, and until when it may run.
#[derive(Debug)]
pub(super) struct Run {
    program: PathBuf,
    until: Instant,
}

impl Run {
    pub(super) fn new(program: PathBuf) -> Self {
        Self {
            program,
            until: Instant::now() + LONGEST,
        }
    }
}

/// What a program said.
#[derive(Debug)]
pub(super) struct Said {
    /// On its output.
    pub(super) output: String,
    /// On the way, errors among it.
    pub(super) told: String,
}

/// Runs the program to its end, also when it fails: what it made and said tells more than its
/// exit code.
pub(super) async fn run(run: &Run, arguments: Vec<String>) -> Result<Said> {
    let mut command = Command::new(&run.program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // It ends when nobody waits for it any more.
        .kill_on_drop(true);
    let failed = |cause: std::io::Error| {
        Error::unsupported(format!("{} cannot be run", run.program.display())).caused_by(cause)
    };
    let child = command.spawn().map_err(failed)?;
    let left = run.until.saturating_duration_since(Instant::now());
    let ended = tokio::time::timeout(left, child.wait_with_output()).await;
    let ended = ended.map_err(|_| {
        let seconds = LONGEST.as_secs();
        Error::input(format!(
            "ffmpeg was not done with it after {seconds} seconds; hand in what is to be seen and \
             heard as a caption"
        ))
    })?;
    let ended = ended.map_err(failed)?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Said {
        output: text(ended.stdout),
        told: text(ended.stderr),
    })
}
