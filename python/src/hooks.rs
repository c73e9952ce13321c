//! Callables of Python that watch steps and calls to models.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use async_trait::async_trait;
use memu::core::pipeline::{CallInfo, Interceptor, StepInfo};
use memu::core::provider::{ChatReply, ModelRequest};
use memu::{Error, ErrorKind, Result};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;
use serde_json::{Value, json};

use crate::answer::python;
use crate::ending::attached;
use crate::errors::{exception, raised};
use crate::runtime::{Caller, caller};

static IS_AWAITABLE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static ON_LOOP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static WITHOUT_LOOP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Tells an object of Python what happens: `dispatch(event, info, payload)`, which may be
/// awaitable.
pub(crate) struct Hooks {
    dispatcher: Py<PyAny>,
    /// Whether anybody listens, so that nothing is told to nobody.
    watched: AtomicBool,
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hooks")
    }
}

impl Hooks {
    pub(crate) fn new(dispatcher: Py<PyAny>) -> Self {
        Self {
            dispatcher,
            watched: AtomicBool::new(false),
        }
    }

    pub(crate) fn watch(&self, watched: bool) {
        self.watched.store(watched, Relaxed);
    }

    async fn tell(&self, event: &'static str, info: Value, payload: Payload) -> Result<()> {
        if !self.watched.load(Relaxed) {
            return Ok(());
        }
        let dispatch = attached(|py| self.dispatcher.clone_ref(py)).ok_or_else(ending)?;
        call(move |py, caller| {
            let payload = match payload {
                Payload::Arguments => match caller {
                    Some(caller) => caller.arguments.clone_ref(py),
                    None => PyDict::new(py).into_any().unbind(),
                },
                Payload::Json(value) => python(py, &value)?.unbind(),
                Payload::Error(error) => error.into_value(py).into_any(),
            };
            let info = python(py, &info)?;
            dispatch
                .bind(py)
                .call_method1("dispatch", (event, info, payload))
        })
        .await
        .map(drop)
    }
}

/// What goes with an event.
enum Payload {
    /// The arguments of the verb that was called.
    Arguments,
    Json(Value),
    Error(PyErr),
}

/// Calls something of Python on a thread that may wait, and awaits what it gives back where that
/// can be awaited: on the event loop of the caller, or on one of its own.
pub(crate) async fn call<F>(function: F) -> Result<Py<PyAny>>
where
    F: for<'py> FnOnce(Python<'py>, Option<&Caller>) -> PyResult<Bound<'py, PyAny>>
        + Send
        + 'static,
{
    let caller = caller();
    let given_up = GivenUp::default();
    let _giving_up = given_up.clone().on_drop();
    let called = tokio::task::spawn_blocking(move || {
        attached(|py| {
            let result = function(py, caller.as_deref())?;
            awaited(&result, caller.as_deref(), given_up).map(Bound::unbind)
        })
    });
    match called.await {
        Ok(Some(result)) => result.map_err(|error| raised("a callable of Python failed", error)),
        Ok(None) => Err(ending()),
        Err(cause) => Err(Error::internal("a callable of Python did not end").caused_by(cause)),
    }
}

/// Whether nobody waits any more for what a callable does.
#[pyclass(frozen)]
#[derive(Clone, Debug, Default)]
struct GivenUp(Arc<AtomicBool>);

impl GivenUp {
    fn on_drop(self) -> impl Drop {
        struct GiveUp(GivenUp);
        impl Drop for GiveUp {
            fn drop(&mut self) {
                self.0.0.store(true, Relaxed);
            }
        }
        GiveUp(self)
    }
}

#[pymethods]
impl GivenUp {
    fn __call__(&self) -> bool {
        self.0.load(Relaxed)
    }
}

fn awaited<'py>(
    result: &Bound<'py, PyAny>,
    caller: Option<&Caller>,
    given_up: GivenUp,
) -> PyResult<Bound<'py, PyAny>> {
    let py = result.py();
    let is_awaitable = IS_AWAITABLE.import(py, "inspect", "isawaitable")?;
    if !is_awaitable.call1((result,))?.extract::<bool>()? {
        return Ok(result.clone());
    }
    if let Some(event_loop) = caller.and_then(|caller| caller.event_loop.as_ref()) {
        let on_loop = ON_LOOP.import(py, "memu._callbacks", "on_loop")?;
        return on_loop.call1((result, event_loop.bind(py), given_up));
    }
    let without_loop = WITHOUT_LOOP.import(py, "memu._callbacks", "without_loop")?;
    without_loop.call1((result,))
}

/// The interpreter ends while something is under way.
pub(crate) fn ending() -> Error {
    Error::new(ErrorKind::Cancelled, "Python is ending")
}

fn of_step(step: &StepInfo) -> Value {
    json!({"workflow_name": step.pipeline, "step_id": &*step.step})
}

fn of_call(call: &CallInfo) -> Value {
    let (provider, model) = call.model.split_once('/').unwrap_or(("", &call.model));
    json!({
        "call": call.number,
        "operation": caller().map(|caller| caller.verb.clone()),
        "profile": &*call.profile,
        "step_id": &*call.step,
        "provider": provider,
        "model": model,
    })
}

#[async_trait]
impl Interceptor for Hooks {
    async fn before(&self, step: &StepInfo) -> Result<()> {
        self.tell("before_step", of_step(step), Payload::Arguments)
            .await
    }

    async fn after(&self, step: &StepInfo) -> Result<()> {
        self.tell("after_step", of_step(step), Payload::Arguments)
            .await
    }

    async fn on_error(&self, step: &StepInfo, error: &Error) {
        let Some(error) = attached(|py| exception(py, error)) else {
            return;
        };
        // The error itself goes on to the caller.
        let _ = self
            .tell("on_step_error", of_step(step), Payload::Error(error))
            .await;
    }

    async fn before_call(&self, call: &CallInfo, request: &ModelRequest<'_>) -> Result<()> {
        if !self.watched.load(Relaxed) {
            return Ok(());
        }
        let request = match request {
            ModelRequest::Chat(chat) => json!({"kind": "chat", "request": chat}),
            ModelRequest::Embed(texts) => json!({"kind": "embed", "texts": texts}),
        };
        self.tell("before_call", of_call(call), Payload::Json(request))
            .await
    }

    async fn after_call(&self, call: &CallInfo, reply: &ChatReply) -> Result<()> {
        if !self.watched.load(Relaxed) {
            return Ok(());
        }
        let reply = json!({
            "text": reply.text,
            "finish_reason": reply.finish_reason,
            "usage": reply.usage,
        });
        self.tell("after_call", of_call(call), Payload::Json(reply))
            .await
    }

    async fn on_call_error(&self, call: &CallInfo, error: &Error) {
        let Some(error) = attached(|py| exception(py, error)) else {
            return;
        };
        let _ = self
            .tell("on_call_error", of_call(call), Payload::Error(error))
            .await;
    }
}

/// For the builder, which shares it.
pub(crate) fn interceptor(hooks: &Arc<Hooks>) -> Arc<dyn Interceptor> {
    hooks.clone()
}
