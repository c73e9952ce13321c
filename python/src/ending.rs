//! How the interpreter ends, beside threads of the core that go on.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use memu::core::store::Store;
use pyo3::prelude::*;

use crate::runtime::runtime;

/// Whether the interpreter is ending, and how many threads of the core hold it or wait for it.
static ENDING: AtomicBool = AtomicBool::new(false);
static ATTACHED: AtomicUsize = AtomicUsize::new(0);

/// How long files are waited for at the end: others may hold them.
const LONGEST: Duration = Duration::from_secs(1);

/// The stores that may be open, with the processes that opened them.
static OPEN: Mutex<Vec<(u32, Weak<dyn Store>)>> = Mutex::new(Vec::new());

/// Counts a thread that holds the interpreter, or waits for it, until it is dropped.
pub(crate) struct Holding;

impl Holding {
    /// `None` once the interpreter is ending.
    pub(crate) fn unless_ending() -> Option<Self> {
        ATTACHED.fetch_add(1, SeqCst);
        let holding = Self;
        (!ENDING.load(SeqCst)).then_some(holding)
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        ATTACHED.fetch_sub(1, SeqCst);
    }
}

/// Holds the interpreter on a thread of the core. `None` once it is ending: a thread that then
/// waits for it is never heard of again.
pub(crate) fn attached<R>(function: impl for<'py> FnOnce(Python<'py>) -> R) -> Option<R> {
    let _holding = Holding::unless_ending()?;
    Some(Python::attach(function))
}

/// Tells that this process is a forked child: none of the threads that its parent counted is here.
pub(crate) fn in_child() {
    ATTACHED.store(0, SeqCst);
}

/// Sees to it that a store leaves its file alone, without a log, when the interpreter ends.
pub(crate) fn settled_at_end(store: &Arc<dyn Store>) {
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    let store = Arc::downgrade(store);
    open.retain(|(_, known)| known.strong_count() > 0 && !known.ptr_eq(&store));
    open.push((std::process::id(), store));
}

/// Leaves files complete, and lets the threads of the core go from the interpreter, which ends.
#[pyfunction]
pub(crate) fn end(py: Python<'_>) {
    let runtime = runtime();
    // Functions that were registered before this one may still use the stores.
    let stores = std::mem::take(&mut *OPEN.lock().unwrap_or_else(PoisonError::into_inner));
    py.detach(|| {
        let Some(runtime) = runtime else {
            ENDING.store(true, SeqCst);
            return;
        };
        let last = Instant::now() + LONGEST;
        let ours = stores.iter().filter(|(of, _)| *of == std::process::id());
        for store in ours.filter_map(|(_, store)| store.upgrade()) {
            let left = last.saturating_duration_since(Instant::now());
            let settle = async { tokio::time::timeout(left, store.settle()).await };
            // All that was written is durable; one that is closed has nothing to settle.
            let _ = runtime.block_on(settle);
        }
        ENDING.store(true, SeqCst);
        while ATTACHED.load(SeqCst) > 0 {
            thread::sleep(Duration::from_millis(1));
        }
    });
}
