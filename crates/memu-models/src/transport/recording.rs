//! Exchanges with providers, written down.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use memu_core::{Error, Result, Secret};

use super::exchange::{Answer, BEGINNING, Exchange};
use super::secrets::Secrets;
use super::{Call, Failure};

/// A file that exchanges are appended to.
#[derive(Debug)]
pub(crate) struct Recorder {
    path: PathBuf,
    file: File,
}

impl Recorder {
    /// Opens a recording, or begins one that only its owner can read.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let refuse = |message: &'static str| Error::config(message).with("file", path.display());
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let opened = options.open(path).and_then(|mut file| {
            let mut beginning = Vec::new();
            let most = BEGINNING.len() as u64;
            Read::by_ref(&mut file)
                .take(most)
                .read_to_end(&mut beginning)?;
            Ok((file, beginning))
        });
        let (file, beginning) = opened.map_err(|cause| {
            refuse("the file that MEMU_RECORD names cannot be written").caused_by(cause)
        })?;
        if beginning.is_empty() || beginning == BEGINNING.as_bytes() {
            return Ok(Self {
                path: path.to_owned(),
                file,
            });
        }
        Err(refuse(
            "the file that MEMU_RECORD names is no recording, and nothing is added to it",
        ))
    }

    /// Writes an exchange down. Gives back what came as it is written, so that a run sees the
    /// same when it is recorded and when it is replayed.
    pub(super) fn record(
        &self,
        profile: &str,
        call: &Call,
        came: Result<Answer, Failure>,
        latency: Duration,
        key: Option<&Secret>,
    ) -> Result<Answer, Failure> {
        let secrets = Secrets::new(key);
        let exchange = Exchange::new(profile, call, &came, latency, &secrets).map_err(|_| {
            self.refused("it holds the key of the profile in a form that cannot be taken out")
        })?;
        self.append(&exchange)
            .map_err(|error| self.refused(&error.to_string()))?;
        came.and_then(|_| exchange.came())
    }

    /// Adds a line by one write, which the system puts behind those of other processes.
    fn append(&self, exchange: &Exchange) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(exchange)?;
        line.push(b'\n');
        if (&self.file).write(&line)? < line.len() {
            return Err(std::io::ErrorKind::WriteZero.into());
        }
        Ok(())
    }

    fn refused(&self, why: &str) -> Failure {
        let path = self.path.display();
        Failure::new(
            format!("an exchange with the provider was not recorded in {path}: {why}"),
            false,
        )
    }
}
