use std::time::Duration;

use memu_core::Error;

/// How much of a body an error shows.
const SHOWN_CHARS: usize = 300;

/// Why one attempt failed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What happened, in words.
    pub(super) message: String,
    /// The HTTP status, if there was one.
    pub(crate) status: Option<u16>,
    /// What the provider said, without keys.
    pub(crate) body: String,
    /// Whether another attempt may succeed.
    pub(super) retryable: bool,
    /// How long the provider asks to wait before that.
    pub(super) wait: Option<Duration>,
    /// The error below it.
    pub(super) cause: Option<reqwest::Error>,
    /// How long an answer was waited for, where none came in that time.
    pub(super) timeout: Option<Duration>,
    /// How many attempts there were.
    pub(crate) attempts: u32,
}

impl Failure {
    /// A failure without an answer.
    pub(super) fn new(message: impl Into<String>, retryable: bool) -> Self {
        Self {
            message: message.into(),
            status: None,
            body: String::new(),
            retryable,
            wait: None,
            cause: None,
            timeout: None,
            attempts: 1,
        }
    }

    /// The error, for whoever asked.
    pub(crate) fn into_error(self, profile: &str, model: &str) -> Error {
        let mut error = Error::model(self.message)
            .retryable(self.retryable)
            .with("profile", profile)
            .with("model", model);
        if let Some(status) = self.status {
            error = error.with("status", status);
        }
        error = error.with("attempts", self.attempts);
        if let Some(timeout) = self.timeout {
            error = error.with("timeout", format!("{} s", timeout.as_secs_f64()));
        }
        if !self.body.trim().is_empty() {
            error = error.with("body", beginning(&self.body));
        }
        match self.cause {
            Some(cause) => error.caused_by(cause.without_url()),
            None => error,
        }
    }
}

/// The beginning of a body, on one line.
pub(super) fn beginning(body: &str) -> String {
    let words: Vec<&str> = body.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(SHOWN_CHARS) {
        None => line,
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
    }
}
