//! Summaries of categories.

mod read;
mod references;
mod request;
#[cfg(test)]
mod tests;

pub use read::{NoSummary, Summary, read_summaries};
pub use request::{SummaryTask, summary_calls, summary_request};
