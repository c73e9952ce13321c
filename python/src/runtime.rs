//! The threads that the core runs on, and how Python waits for them.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use memu::{Error, Result};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use tokio::runtime::{Builder, Runtime};
use tokio::task::AbortHandle;

use crate::answer::Answer;
use crate::errors::exception;

/// How often a waiting thread looks whether it was interrupted.
const SIGNALS: Duration = Duration::from_millis(50);
/// More threads than this only wait for each other: reading and writing have their own.
const MOST_THREADS: usize = 4;

/// The runtime of this process. A child that was forked has none of its parent's threads, and
/// makes its own.
static RUNTIME: Mutex<Option<(u32, Arc<Runtime>)>> = Mutex::new(None);

static RUNNING_LOOP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

tokio::task_local! {
    /// On whose behalf the current task works.
    static CALLER: Arc<Caller>;
}

/// Who called a verb.
#[derive(Debug)]
pub(crate) struct Caller {
    /// The event loop that awaits the answer; `None` where a thread waits for it.
    pub(crate) event_loop: Option<Py<PyAny>>,
    /// The verb, and its arguments.
    pub(crate) verb: String,
    pub(crate) arguments: Py<PyAny>,
}

/// On whose behalf the current task works.
pub(crate) fn caller() -> Option<Arc<Caller>> {
    CALLER.try_with(Arc::clone).ok()
}

/// Whether the interpreter is ending, and how many threads of the core hold it or wait for it.
static ENDING: AtomicBool = AtomicBool::new(false);
static ATTACHED: AtomicUsize = AtomicUsize::new(0);

/// Holds the interpreter on a thread of the core. `None` once it is ending: a thread that then
/// waits for it is never heard of again.
pub(crate) fn attached<R>(function: impl for<'py> FnOnce(Python<'py>) -> R) -> Option<R> {
    struct Leaving;
    impl Drop for Leaving {
        fn drop(&mut self) {
            ATTACHED.fetch_sub(1, SeqCst);
        }
    }
    ATTACHED.fetch_add(1, SeqCst);
    let _leaving = Leaving;
    if ENDING.load(SeqCst) {
        return None;
    }
    Some(Python::attach(function))
}

/// Lets the threads of the core go from the interpreter, which ends.
#[pyfunction]
pub(crate) fn end(py: Python<'_>) {
    ENDING.store(true, SeqCst);
    py.detach(|| {
        while ATTACHED.load(SeqCst) > 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
}

fn runtime() -> PyResult<Arc<Runtime>> {
    let process = std::process::id();
    let mut known = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((of, runtime)) = &*known
        && *of == process
    {
        return Ok(runtime.clone());
    }
    // To drop the parent's would be to wait for its threads, which are not here.
    std::mem::forget(known.take());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let runtime = Builder::new_multi_thread()
        .worker_threads(cores.min(MOST_THREADS))
        .thread_name("memu")
        .enable_all()
        .build()
        .map_err(|error| PyRuntimeError::new_err(format!("no thread can be started: {error}")))?;
    let runtime = Arc::new(runtime);
    *known = Some((process, runtime.clone()));
    Ok(runtime)
}

/// Waits for what a verb with these arguments does, as [`wait`].
pub(crate) fn run<T: Send>(
    py: Python<'_>,
    verb: &str,
    arguments: &Bound<'_, PyAny>,
    work: impl Future<Output = Result<T>> + Send,
) -> PyResult<T> {
    let caller = Caller {
        event_loop: None,
        verb: verb.to_owned(),
        arguments: arguments.clone().unbind(),
    };
    wait(py, CALLER.scope(Arc::new(caller), work))
}

/// Waits for work without holding the interpreter. Ctrl-C drops the work, and is raised.
pub(crate) fn wait<T: Send>(
    py: Python<'_>,
    work: impl Future<Output = Result<T>> + Send,
) -> PyResult<T> {
    let runtime = runtime()?;
    let done = py.detach(|| {
        runtime.block_on(async {
            let mut work = pin!(work);
            loop {
                match tokio::time::timeout(SIGNALS, &mut work).await {
                    Ok(result) => return Ok(result),
                    // A closure, for the method alone is not general enough.
                    #[expect(clippy::redundant_closure_for_method_calls)]
                    Err(_) => Python::attach(|py| py.check_signals())?,
                }
            }
        })
    });
    let result: PyResult<Result<T>> = done;
    result?.map_err(|error| exception(py, &error))
}

/// A future of the running event loop that the work of a verb with these arguments settles, in
/// another thread. When it is cancelled, the work is dropped.
pub(crate) fn start<'py>(
    py: Python<'py>,
    verb: &str,
    arguments: &Bound<'py, PyAny>,
    work: impl Future<Output = Result<Answer>> + Send + 'static,
) -> PyResult<Bound<'py, PyAny>> {
    let runtime = runtime()?;
    let running = RUNNING_LOOP.import(py, "asyncio", "get_running_loop")?;
    let event_loop = running.call0()?;
    let future = event_loop.call_method0("create_future")?;
    let (to, of) = (event_loop.clone().unbind(), future.clone().unbind());
    let caller = Caller {
        event_loop: Some(event_loop.unbind()),
        verb: verb.to_owned(),
        arguments: arguments.clone().unbind(),
    };
    let task = runtime.spawn(CALLER.scope(Arc::new(caller), async move {
        let result = work.await;
        attached(|py| deliver(py, to.bind(py), of.bind(py), result));
    }));
    let cancel = Cancel(task.abort_handle());
    future.call_method1("add_done_callback", (cancel,))?;
    Ok(future)
}

/// Hands a result over to the thread of the event loop.
fn deliver(
    py: Python<'_>,
    event_loop: &Bound<'_, PyAny>,
    future: &Bound<'_, PyAny>,
    result: Result<Answer>,
) {
    let made = match result {
        Ok(answer) => answer(py),
        Err(error) => Err(exception(py, &error)),
    };
    let (method, value) = match made {
        Ok(value) => ("set_result", value.unbind()),
        Err(error) => ("set_exception", error.into_value(py).into_any()),
    };
    let settle = Settle { method, value };
    // A loop that was closed meanwhile has nobody who waits.
    let _ = event_loop.call_method1("call_soon_threadsafe", (settle, future));
}

/// Sets the result of a future, unless it was cancelled.
#[pyclass(frozen)]
struct Settle {
    method: &'static str,
    value: Py<PyAny>,
}

#[pymethods]
impl Settle {
    fn __call__(&self, future: &Bound<'_, PyAny>) -> PyResult<()> {
        if !future.call_method0("done")?.extract::<bool>()? {
            future.call_method1(self.method, (self.value.bind(future.py()),))?;
        }
        Ok(())
    }
}

/// Drops the work of a future that was cancelled.
#[pyclass(frozen)]
struct Cancel(AbortHandle);

#[pymethods]
impl Cancel {
    fn __call__(&self, future: &Bound<'_, PyAny>) -> PyResult<()> {
        if future.call_method0("cancelled")?.extract::<bool>()? {
            self.0.abort();
        }
        Ok(())
    }
}

/// An error for what was made in a process of which this one is a fork.
pub(crate) fn of_this_process(process: u32) -> Result<()> {
    if process == std::process::id() {
        return Ok(());
    }
    Err(Error::unsupported(
        "this was opened before the process forked: open it anew in the child",
    ))
}
