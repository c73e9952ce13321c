//! Records with their vectors, as Python sees them.

use memu::core::records::Embedding;
use memu::database::Kept;
use pyo3::prelude::*;
use pyo3::types::PyList;
use serde::Serialize;

use crate::answer::{Answer, python};

/// A record with its vector, as Python sees it.
fn kept<'py, T: Serialize>(py: Python<'py>, kept: &Kept<T>) -> PyResult<Bound<'py, PyAny>> {
    let record = python(py, &kept.record)?;
    let vector = kept.embedding.as_ref().map(Embedding::as_slice);
    record.set_item("embedding", vector)?;
    Ok(record)
}

pub(super) fn one<T: Serialize + Send + 'static>(record: Kept<T>) -> Answer {
    Box::new(move |py| kept(py, &record))
}

pub(super) fn many<T: Serialize + Send + 'static>(records: Vec<Kept<T>>) -> Answer {
    Box::new(move |py| {
        let list = PyList::empty(py);
        for record in &records {
            list.append(kept(py, record)?)?;
        }
        Ok(list.into_any())
    })
}
