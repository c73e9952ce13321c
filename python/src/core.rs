//! A service, as Python holds it.

use std::sync::Arc;
use std::time::Instant;

use memu::core::config::RetrieveConfig;
use memu::settings::{Layers, Settings};
use memu::{MemoryService, MemoryServiceBuilder};
use pyo3::prelude::*;

use crate::answer::Answer;
use crate::database::NativeDatabase;
use crate::ending::settled_at_end;
use crate::errors::exception;
use crate::hooks::{Hooks, interceptor};
use crate::runtime::{of_this_process, run, start, wait};
use crate::steps::{self, Edit};
use crate::value::json;
use crate::verbs::Call;

/// A memory service.
#[pyclass(frozen, module = "memu._memu")]
pub(crate) struct Core {
    service: MemoryService,
    /// How questions are answered, unless one wants it otherwise.
    retrieve_config: RetrieveConfig,
    hooks: Arc<Hooks>,
    process: u32,
}

/// Settings from a dictionary with the sections of MemU's configuration, over what `MEMU_*`
/// variables say.
fn settings(settings: &Bound<'_, PyAny>) -> PyResult<Settings> {
    let variables = std::env::vars_os().filter_map(|(name, value)| {
        let text = (name.into_string().ok()?, value.into_string().ok()?);
        Some(text)
    });
    let layers = Layers::new().variables(variables).value(json(settings)?);
    layers
        .settings()
        .map_err(|error| exception(settings.py(), &error))
}

#[pymethods]
impl Core {
    /// Opens the memory that the settings name, and makes it where there is none.
    ///
    /// `hooks.dispatch(event, info, payload)` is told what happens while `watch` is on.
    #[staticmethod]
    fn open(
        py: Python<'_>,
        settings: &Bound<'_, PyAny>,
        scope_fields: Option<Vec<String>>,
        hooks: Py<PyAny>,
    ) -> PyResult<Self> {
        let builder = builder(settings, scope_fields)?;
        Self::built(py, builder, Arc::new(Hooks::new(hooks)))
    }

    /// A service with other settings over the same open store.
    fn reopen(&self, py: Python<'_>, settings: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.checked(py)?;
        let builder = builder(settings, None)?.store(self.service.store().clone());
        Self::built(py, builder, self.hooks.clone())
    }

    /// Does what the verb says, and waits for it.
    fn run<'py>(
        &self,
        py: Python<'py>,
        verb: &str,
        request: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.checked(py)?;
        let call = Call::new(verb, request, &self.retrieve_config)?;
        let answer: Answer = run(py, verb, request, call.run(&self.service))?;
        answer(py)
    }

    /// Begins what the verb says; a future of the running event loop.
    fn start<'py>(
        &self,
        py: Python<'py>,
        verb: &str,
        request: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.checked(py)?;
        let call = Call::new(verb, request, &self.retrieve_config)?;
        let service = self.service.clone();
        start(py, verb, request, async move { call.run(&service).await })
    }

    /// How long a verb takes in the core alone, in nanoseconds per call; for benchmarks.
    fn measure(
        &self,
        py: Python<'_>,
        verb: &str,
        request: &Bound<'_, PyAny>,
        count: u32,
    ) -> PyResult<f64> {
        let call = Call::new(verb, request, &self.retrieve_config)?;
        wait(py, async {
            let started = Instant::now();
            for _ in 0..count {
                drop(call.clone().run(&self.service).await?);
            }
            Ok(started.elapsed().as_nanos() as f64 / f64::from(count.max(1)))
        })
    }

    /// The store below the verbs.
    fn database(&self) -> NativeDatabase {
        NativeDatabase::of(&self.service, self.process)
    }

    /// Whether the hooks are told what happens.
    fn watch(&self, watched: bool) {
        self.hooks.watch(watched);
    }

    /// The names of the steps of a pipeline, in order.
    fn steps(&self, py: Python<'_>, pipeline: &str) -> PyResult<Vec<String>> {
        steps::names(&self.service, pipeline).map_err(|error| exception(py, &error))
    }

    /// Changes a pipeline: `insert_before`, `insert_after`, `replace` or `remove`.
    #[pyo3(signature = (pipeline, change, target, name = "", handler = None))]
    fn edit(
        &self,
        py: Python<'_>,
        pipeline: &str,
        change: &str,
        target: &str,
        name: &str,
        handler: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        Edit::named(change)
            .and_then(|edit| steps::edit(&self.service, pipeline, edit, target, name, handler))
            .map_err(|error| exception(py, &error))
    }
}

impl Core {
    fn built(py: Python<'_>, builder: MemoryServiceBuilder, hooks: Arc<Hooks>) -> PyResult<Self> {
        let service = wait(py, builder.interceptor(interceptor(&hooks)).build())?;
        settled_at_end(service.store());
        Ok(Self {
            retrieve_config: service.context().parts().retrieve_config.clone(),
            service,
            hooks,
            process: std::process::id(),
        })
    }

    fn checked(&self, py: Python<'_>) -> PyResult<()> {
        of_this_process(self.process).map_err(|error| exception(py, &error))
    }
}

/// A builder with these settings. A new memory has the scope fields given; one that exists must
/// have them.
pub(crate) fn builder(
    given: &Bound<'_, PyAny>,
    scope_fields: Option<Vec<String>>,
) -> PyResult<MemoryServiceBuilder> {
    let builder = MemoryServiceBuilder::new().settings(settings(given)?);
    Ok(match scope_fields {
        Some(fields) => builder.default_scope_fields(fields),
        None => builder,
    })
}
