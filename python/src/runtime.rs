//! The threads that the core runs on, and how Python waits for them.

use std::future::Future;
use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{AbortHandle, Abortable, maybe_done};
use memu::{Error, Result};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::answer::Answer;
use crate::ending::{self, Holding, attached};
use crate::errors::exception;

/// How often a waiting thread looks whether it was interrupted.
const SIGNALS: Duration = Duration::from_millis(50);
/// More threads than this only wait for each other: reading and writing have their own.
const MOST_THREADS: usize = 4;

/// The threads of this process. A child that was forked has none of its parent's, and makes its
/// own.
static THREADS: Mutex<Option<(u32, Arc<Threads>)>> = Mutex::new(None);

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

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What the core runs on.
struct Threads {
    runtime: Runtime,
    /// Those that begin tasks, in turn.
    beginners: Vec<Sender<Task>>,
    next: AtomicUsize,
}

impl Threads {
    fn new() -> io::Result<Arc<Self>> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let count = cores.min(MOST_THREADS);
        let runtime = Builder::new_multi_thread()
            .worker_threads(count)
            .thread_name("memu")
            .enable_all()
            .build()?;
        let mut beginners = Vec::with_capacity(count);
        for _ in 0..count {
            let (sender, tasks) = mpsc::channel();
            let runtime = runtime.handle().clone();
            let builder = thread::Builder::new().name("memu-begin".to_owned());
            builder.spawn(move || begin(tasks, &runtime))?;
            beginners.push(sender);
        }
        Ok(Arc::new(Self {
            runtime,
            beginners,
            next: AtomicUsize::new(0),
        }))
    }

    /// Begins a task on a thread of its own for that. The runtime would wake one thread to find
    /// it and another to look for more, which takes longer than most verbs.
    fn begin(&self, task: Task) -> PyResult<()> {
        let turn = self.next.fetch_add(1, Relaxed);
        let beginner = self.beginners.get(turn % self.beginners.len().max(1));
        let begun = beginner.and_then(|beginner| beginner.send(task).ok());
        begun.ok_or_else(|| PyRuntimeError::new_err("the threads of the core have ended"))
    }
}

/// Begins tasks; one that has to wait goes on in the runtime.
///
/// The interpreter gets to know the thread once: it would make all that it keeps of one, a stack
/// among it, for each answer anew.
fn begin(tasks: Receiver<Task>, runtime: &Handle) {
    let Some(holding) = Holding::unless_ending() else {
        return;
    };
    Python::attach(|py| {
        // `end` cannot go on before this thread has let go.
        drop(holding);
        py.detach(move || begin_each(&tasks, runtime));
    });
}

fn begin_each(tasks: &Receiver<Task>, runtime: &Handle) {
    let _within = runtime.enter();
    for mut task in tasks {
        let mut context = Context::from_waker(Waker::noop());
        if task.as_mut().poll(&mut context).is_pending() {
            runtime.spawn(task);
        }
    }
}

/// The threads of this process, if it has made any.
pub(crate) fn runtime() -> Option<Handle> {
    let known = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
    let (of, threads) = known.as_ref()?;
    // A child that was forked has not the threads of its parent.
    (*of == std::process::id()).then(|| threads.runtime.handle().clone())
}

fn threads() -> PyResult<Arc<Threads>> {
    let process = std::process::id();
    let mut known = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((of, threads)) = &*known
        && *of == process
    {
        return Ok(threads.clone());
    }
    // To drop the parent's would be to wait for threads that are not here; nor does any of them
    // hold the interpreter of this process.
    if let Some(of_parent) = known.take() {
        std::mem::forget(of_parent);
        ending::in_child();
    }
    let threads = Threads::new()
        .map_err(|error| PyRuntimeError::new_err(format!("no thread can be started: {error}")))?;
    *known = Some((process, threads.clone()));
    Ok(threads)
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
    let threads = threads()?;
    let done = py.detach(|| {
        threads.runtime.block_on(async {
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

/// Begins work that is then waited for: what it hands to other threads goes on meanwhile.
pub(crate) fn begun<T: Send>(
    py: Python<'_>,
    work: impl Future<Output = Result<T>> + Send,
) -> PyResult<impl Future<Output = Result<T>> + Send> {
    let threads = threads()?;
    let mut work = Box::pin(maybe_done(work));
    py.detach(|| {
        let _within = threads.runtime.enter();
        let mut context = Context::from_waker(Waker::noop());
        // What it says is asked for again.
        let _ = work.as_mut().poll(&mut context);
    });
    Ok(async move {
        work.as_mut().await;
        let done = work.as_mut().take_output();
        done.unwrap_or_else(|| Err(Error::internal("work ended without a result")))
    })
}

/// A future of the running event loop that the work of a verb with these arguments settles, in
/// another thread. When it is cancelled, the work is dropped.
pub(crate) fn start<'py>(
    py: Python<'py>,
    verb: &str,
    arguments: &Bound<'py, PyAny>,
    work: impl Future<Output = Result<Answer>> + Send + 'static,
) -> PyResult<Bound<'py, PyAny>> {
    let core = threads()?;
    let running = RUNNING_LOOP.import(py, "asyncio", "get_running_loop")?;
    let event_loop = running.call0()?;
    let future = event_loop.call_method0("create_future")?;
    let (to, of) = (event_loop.clone().unbind(), future.clone().unbind());
    let caller = Caller {
        event_loop: Some(event_loop.unbind()),
        verb: verb.to_owned(),
        arguments: arguments.clone().unbind(),
    };
    let (handle, registration) = AbortHandle::new_pair();
    let work = Abortable::new(AssertUnwindSafe(work).catch_unwind(), registration);
    let task = CALLER.scope(Arc::new(caller), async move {
        if let Ok(done) = work.await {
            let result = done.unwrap_or_else(|_| Err(Error::internal("a verb panicked")));
            attached(|py| deliver(py, to.bind(py), of.bind(py), result));
        }
    });
    core.begin(Box::pin(task))?;
    future.call_method1("add_done_callback", (Cancel(handle),))?;
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
