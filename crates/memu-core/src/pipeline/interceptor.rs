use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::error::{Error, Result};

/// Which step is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepInfo {
    /// The pipeline: `memorize` or `retrieve`.
    pub pipeline: &'static str,
    /// The step's name.
    pub step: Arc<str>,
}

/// Watches the steps of every pipeline.
#[async_trait]
pub trait Interceptor: fmt::Debug + Send + Sync {
    /// Called before a step.
    ///
    /// # Errors
    /// An error keeps the step from running and ends the pipeline.
    async fn before(&self, step: &StepInfo) -> Result<()>;

    /// Called after a step that succeeded.
    ///
    /// # Errors
    /// An error ends the pipeline.
    async fn after(&self, step: &StepInfo) -> Result<()>;

    /// Called after a step that failed; the error goes on to the caller.
    async fn on_error(&self, step: &StepInfo, error: &Error);
}
