use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use async_trait::async_trait;

use crate::error::{Error, Result};
use crate::provider::{ChatReply, ModelRequest};

/// Which step is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepInfo {
    /// The pipeline: `memorize` or `retrieve`.
    pub pipeline: &'static str,
    /// The step's name.
    pub step: Arc<str>,
}

/// Which call to a model is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallInfo {
    /// Tells calls apart: the same in all that is told of one, and of no other in this process.
    pub number: u64,
    /// The step that asks.
    pub step: Arc<str>,
    /// The model profile it uses.
    pub profile: Arc<str>,
    /// The provider and the model.
    pub model: Arc<str>,
}

impl CallInfo {
    /// A call that nothing was told of yet.
    pub(crate) fn new(step: &str, profile: &str, model: &str) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        Self {
            number: NUMBER.fetch_add(1, Relaxed),
            step: step.into(),
            profile: profile.into(),
            model: model.into(),
        }
    }
}

/// Watches the steps of every pipeline, and the calls to models.
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

    /// Called before a model is asked, each time; not for what is known from an earlier reply.
    ///
    /// # Errors
    /// An error keeps the call from being made and ends the pipeline.
    async fn before_call(&self, _call: &CallInfo, _request: &ModelRequest<'_>) -> Result<()> {
        Ok(())
    }

    /// Called with every answer of a model, also one that is of no use. Vectors are answers
    /// without a text.
    ///
    /// # Errors
    /// An error ends the pipeline; the reply is kept.
    async fn after_call(&self, _call: &CallInfo, _reply: &ChatReply) -> Result<()> {
        Ok(())
    }

    /// Called when a model gave no answer that can be used; the error goes on to the caller.
    async fn on_call_error(&self, _call: &CallInfo, _error: &Error) {}
}
