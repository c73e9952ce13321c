//! Pipelines of named steps that users can change.
//!
//! A pipeline runs its steps in order over one state. Steps are found by name:
//! they can be replaced, removed, or joined by others before or after. Interceptors
//! watch every step without changing the pipeline.

mod interceptor;

pub use interceptor::{CallInfo, Interceptor, StepInfo};

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::error::{Error, Result};
use crate::service::Context;

/// One step over the state `S`.
#[async_trait]
pub trait Step<S>: Send + Sync {
    /// Does its part and leaves the result in `state`.
    ///
    /// # Errors
    /// Any error ends the pipeline; nothing has been stored unless the step that
    /// stores has finished.
    async fn run(&self, context: &Context, state: &mut S) -> Result<()>;
}

struct NamedStep<S> {
    name: Arc<str>,
    step: Arc<dyn Step<S>>,
}

impl<S> Clone for NamedStep<S> {
    fn clone(&self) -> Self {
        Self {
            name: self.name.clone(),
            step: self.step.clone(),
        }
    }
}

/// An ordered list of named steps.
pub struct Pipeline<S> {
    name: &'static str,
    steps: Vec<NamedStep<S>>,
}

impl<S> Clone for Pipeline<S> {
    fn clone(&self) -> Self {
        Self {
            name: self.name,
            steps: self.steps.clone(),
        }
    }
}

impl<S> fmt::Debug for Pipeline<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name)?;
        let names = self.steps.iter().map(|step| &step.name);
        f.debug_list().entries(names).finish()
    }
}

impl<S: Send> Pipeline<S> {
    /// An empty pipeline.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            steps: Vec::new(),
        }
    }

    /// Appends a step; for building the standard pipelines.
    #[must_use]
    pub(crate) fn then(mut self, name: &str, step: impl Step<S> + 'static) -> Self {
        self.steps.push(NamedStep {
            name: name.into(),
            step: Arc::new(step),
        });
        self
    }

    /// The name of the pipeline.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The names of its steps, in order.
    pub fn step_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.steps.iter().map(|step| &*step.name)
    }

    /// Puts a step before the one named `before`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when there is no such step,
    /// or the new name is taken.
    pub fn insert_before(
        &mut self,
        before: &str,
        name: &str,
        step: Arc<dyn Step<S>>,
    ) -> Result<()> {
        let position = self.position(before)?;
        self.insert(position, name, step)
    }

    /// Puts a step after the one named `after`.
    ///
    /// # Errors
    /// As [`Pipeline::insert_before`].
    pub fn insert_after(&mut self, after: &str, name: &str, step: Arc<dyn Step<S>>) -> Result<()> {
        let position = self.position(after)? + 1;
        self.insert(position, name, step)
    }

    /// Puts another step in the place of the one named `name`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when there is no such step.
    pub fn replace(&mut self, name: &str, step: Arc<dyn Step<S>>) -> Result<()> {
        let position = self.position(name)?;
        if let Some(slot) = self.steps.get_mut(position) {
            slot.step = step;
        }
        Ok(())
    }

    /// Takes a step out.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when there is no such step.
    pub fn remove(&mut self, name: &str) -> Result<()> {
        let position = self.position(name)?;
        self.steps.remove(position);
        Ok(())
    }

    fn insert(&mut self, position: usize, name: &str, step: Arc<dyn Step<S>>) -> Result<()> {
        if name.trim().is_empty() {
            return Err(Error::config("a step of a pipeline needs a name"));
        }
        if self.step_names().any(|known| known == name) {
            return Err(Error::config(format!(
                "the {} pipeline already has a step {name:?}",
                self.name
            )));
        }
        let name = name.into();
        self.steps.insert(position, NamedStep { name, step });
        Ok(())
    }

    /// Where the step with this name stands.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), listing the names there are.
    pub(crate) fn position(&self, name: &str) -> Result<usize> {
        self.step_names()
            .position(|known| known == name)
            .ok_or_else(|| {
                let names: Vec<_> = self.step_names().collect();
                Error::config(format!(
                    "the {} pipeline has no step {name:?}; it has {}",
                    self.name,
                    names.join(", ")
                ))
            })
    }

    /// Runs the steps from `first` on.
    ///
    /// # Errors
    /// The first step's that fails, with its name as context.
    pub(crate) async fn run_from(
        &self,
        first: usize,
        context: &Context,
        state: &mut S,
    ) -> Result<()> {
        for named in self.steps.iter().skip(first) {
            let info = StepInfo {
                pipeline: self.name,
                step: named.name.clone(),
            };
            for interceptor in context.interceptors() {
                interceptor.before(&info).await?;
            }
            if let Err(error) = named.step.run(context, state).await {
                for interceptor in context.interceptors() {
                    interceptor.on_error(&info, &error).await;
                }
                return Err(error);
            }
            for interceptor in context.interceptors() {
                interceptor.after(&info).await?;
            }
        }
        Ok(())
    }
}
