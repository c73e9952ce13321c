//! Many items at once.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use memu::database::{CreateItem, MemoryItemRepo};
use pyo3::prelude::*;

use crate::answer::python;
use crate::errors::exception;
use crate::runtime::{begun, wait};

/// Puts items, which become values of Python while another thread stores them; `finish` is called
/// with these.
pub(super) fn create_items<'py>(
    py: Python<'py>,
    repo: &MemoryItemRepo,
    items: Vec<CreateItem>,
    finish: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let new = py.detach(|| {
        let new = repo.new_items(items)?;
        Ok((new.records(), new))
    });
    let (records, new) = new.map_err(|error| exception(py, &error))?;
    let stopped = AtomicBool::new(false);
    let putting = begun(py, async {
        for batch in new.batches() {
            if stopped.load(Relaxed) {
                break;
            }
            repo.put_items(batch).await?;
        }
        Ok(())
    })?;
    let finished = python(py, &records).and_then(|records| finish.call1((records,)));
    // Where that was interrupted, a transaction that has begun is waited for even so: were it
    // dropped, it might be committed after the caller has looked.
    stopped.store(finished.is_err(), Relaxed);
    let put = wait(py, putting);
    let finished = finished?;
    put?;
    Ok(finished)
}
