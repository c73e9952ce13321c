//! What people and programs see. Data goes to stdout, remarks and errors to stderr.

mod layout;
mod style;

pub(crate) use layout::{Line, columns, date, instant, quote, wrapped};
pub(crate) use style::Tone;

use std::io::Write;

use anstream::{AutoStream, ColorChoice};
use memu::{Error, Result};
use serde::Serialize;

use crate::args::{Color, Global};

/// Writes to stdout and stderr in the way the options ask for.
#[derive(Debug)]
pub(crate) struct Printer {
    json: bool,
    quiet: bool,
    color: ColorChoice,
}

impl Printer {
    pub(crate) fn new(global: &Global) -> Self {
        Self {
            json: global.json,
            quiet: global.quiet,
            color: match global.color {
                Color::Auto => ColorChoice::Auto,
                Color::Always => ColorChoice::Always,
                Color::Never => ColorChoice::Never,
            },
        }
    }

    /// Whether results are printed as JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Prints a response: as JSON, or by `show` for people.
    pub(crate) fn response<T: Serialize>(
        &self,
        response: &T,
        show: impl FnOnce(&T) -> Vec<Line>,
    ) -> Result<()> {
        if self.json {
            let text = serde_json::to_string_pretty(response).map_err(|cause| {
                Error::internal("the response cannot be written as JSON").caused_by(cause)
            })?;
            return self.write(&text);
        }
        self.lines(&show(response))
    }

    /// Prints one of several responses as JSON, on a line of its own.
    pub(crate) fn json_line<T: Serialize>(&self, response: &T) -> Result<()> {
        let text = serde_json::to_string(response).map_err(|cause| {
            Error::internal("the response cannot be written as JSON").caused_by(cause)
        })?;
        self.write(&text)
    }

    /// Prints text as it is.
    pub(crate) fn text(&self, text: &str) -> Result<()> {
        self.write(text.trim_end())
    }

    /// Prints lines for people.
    pub(crate) fn lines(&self, lines: &[Line]) -> Result<()> {
        lines
            .iter()
            .try_for_each(|line| self.write(&line.to_string()))
    }

    /// Prints a remark to stderr, unless people asked for silence.
    pub(crate) fn remark(&self, text: &str) {
        if !self.quiet && !self.json {
            self.write_error(text);
        }
    }

    /// Prints an error to stderr: for people, or as JSON.
    pub(crate) fn error(&self, error: &Error) {
        if self.json {
            let object = serde_json::json!({ "error": error.to_json() });
            self.write_error(&object.to_string());
            return;
        }
        self.write_error(
            &Line::new()
                .add(Tone::Error, "error: ")
                .plain(error.message())
                .to_string(),
        );
        for (key, value) in error.context() {
            self.write_error(
                &Line::new()
                    .add(Tone::Faint, &format!("  {key}: "))
                    .plain(value)
                    .to_string(),
            );
        }
        let mut cause = std::error::Error::source(error);
        while let Some(error) = cause {
            self.write_error(
                &Line::new()
                    .add(Tone::Faint, "  because: ")
                    .plain(&error.to_string())
                    .to_string(),
            );
            cause = error.source();
        }
    }

    fn write(&self, text: &str) -> Result<()> {
        let mut out = AutoStream::new(std::io::stdout(), self.color).lock();
        match writeln!(out, "{text}") {
            // Whoever reads has seen enough: `memu list items | head`.
            Err(cause) if cause.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            Err(cause) => Err(Error::storage("the output cannot be written").caused_by(cause)),
            Ok(()) => Ok(()),
        }
    }

    fn write_error(&self, text: &str) {
        let mut out = AutoStream::new(std::io::stderr(), self.color).lock();
        // There is nowhere left to report that stderr is closed.
        let _ = writeln!(out, "{text}");
    }
}
