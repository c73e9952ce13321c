//! Shows that long work is under way, on stderr.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use indicatif::{ProgressBar, ProgressStyle};
use memu::core::pipeline::{Interceptor, StepInfo};
use memu::{Error, Result};

use crate::args::Global;

/// A progress bar that is shown only to people who wait.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar for people at a terminal; nothing otherwise.
    pub(crate) fn new(global: &Global) -> Self {
        let shown = !global.quiet && !global.json && std::io::stderr().is_terminal();
        let bar = if shown {
            ProgressBar::no_length()
        } else {
            ProgressBar::hidden()
        };
        Self { bar }
    }

    /// Starts counting to `total`.
    pub(crate) fn start(&self, total: usize) {
        let template = if total > 1 {
            "{spinner} [{bar:24}] {pos}/{len} {prefix} {msg:.dim}"
        } else {
            "{spinner} {prefix} {msg:.dim}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.progress_chars("━╸ "));
        }
        self.bar.set_length(total as u64);
        self.bar.enable_steady_tick(Duration::from_millis(100));
    }

    /// Starts counting bytes to `total`.
    pub(crate) fn start_bytes(&self, total: u64) {
        let template =
            "{spinner} [{bar:24}] {bytes}/{total_bytes} {prefix} {msg:.dim} {bytes_per_sec}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.progress_chars("━╸ "));
        }
        self.bar.set_length(total);
        self.bar.enable_steady_tick(Duration::from_millis(100));
    }

    /// Starts counting records, of which many take long: it says for how long still.
    pub(crate) fn start_records(&self) {
        let template = "{spinner} [{bar:24}] {prefix} {human_pos}/{human_len} {msg:.dim} ETA {eta}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.progress_chars("━╸ "));
        }
        self.bar.enable_steady_tick(Duration::from_millis(100));
    }

    /// So many records are done of so many, in this part of the work.
    pub(crate) fn reach_in(&self, part: &'static str, position: u64, total: u64) {
        if self.bar.prefix() != part {
            self.bar.set_prefix(part);
            self.bar.reset_eta();
        }
        self.bar.set_message("records");
        self.reach_of(position, total.max(position));
    }

    /// So much is done.
    pub(crate) fn reach(&self, position: u64) {
        self.bar.set_position(position);
    }

    /// So much is done, of so much.
    pub(crate) fn reach_of(&self, position: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.set_position(position);
    }

    /// Names what is worked on now.
    pub(crate) fn working_on(&self, name: &str) {
        self.bar.set_prefix(name.to_owned());
    }

    /// Counts one more.
    pub(crate) fn advance(&self) {
        self.bar.inc(1);
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Watches the steps of a pipeline and names them on the bar.
    pub(crate) fn interceptor(&self) -> Arc<dyn Interceptor> {
        Arc::new(StepNames {
            bar: self.bar.clone(),
        })
    }
}

#[derive(Debug)]
struct StepNames {
    bar: ProgressBar,
}

#[async_trait]
impl Interceptor for StepNames {
    async fn before(&self, step: &StepInfo) -> Result<()> {
        self.bar.set_message(step.step.replace('_', " "));
        Ok(())
    }

    async fn after(&self, _step: &StepInfo) -> Result<()> {
        Ok(())
    }

    async fn on_error(&self, _step: &StepInfo, _error: &Error) {
        self.bar.finish_and_clear();
    }
}
