//! Answers of the core as values of Python.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString};
use pythonize::pythonize;
use serde::Serialize;

/// An answer, to be turned into values of Python by whoever holds the interpreter.
pub(crate) type Answer =
    Box<dyn for<'py> FnOnce(Python<'py>) -> PyResult<Bound<'py, PyAny>> + Send>;

/// What reads times in ISO 8601, and what a time without a zone is in UTC.
static TIMES: PyOnceLock<(Py<PyAny>, Py<PyDict>)> = PyOnceLock::new();

/// The fields of records that hold moments, in UTC.
const MOMENTS: [&str; 2] = ["created_at", "updated_at"];
/// The field that holds what a clock showed, wherever it hung.
const READING: &str = "happened_at";
/// What callers keep with a record is theirs, whatever its names.
const EXTRA: &str = "extra";

/// An answer that looks as it is serialized, with times as `datetime`.
pub(crate) fn answer<T: Serialize + Send + 'static>(value: T) -> Answer {
    Box::new(move |py| python(py, &value))
}

/// The value as it is serialized, with times as `datetime`.
pub(crate) fn python<'py, T: Serialize>(py: Python<'py>, value: &T) -> PyResult<Bound<'py, PyAny>> {
    let value = pythonize(py, value)?;
    let (from_iso, in_utc) = TIMES.get_or_try_init(py, || {
        let module = py.import("datetime")?;
        let from_iso = module.getattr("datetime")?.getattr("fromisoformat")?;
        let in_utc = PyDict::new(py);
        in_utc.set_item("tzinfo", module.getattr("timezone")?.getattr("utc")?)?;
        Ok::<_, PyErr>((from_iso.unbind(), in_utc.unbind()))
    })?;
    with_times(&value, from_iso.bind(py), in_utc.bind(py))?;
    Ok(value)
}

fn with_times<'py>(
    value: &Bound<'py, PyAny>,
    from_iso: &Bound<'py, PyAny>,
    in_utc: &Bound<'py, PyDict>,
) -> PyResult<()> {
    if let Ok(list) = value.cast::<PyList>() {
        for item in list {
            with_times(&item, from_iso, in_utc)?;
        }
    }
    let Ok(dict) = value.cast::<PyDict>() else {
        return Ok(());
    };
    for (key, value) in dict.iter() {
        let key = key.cast::<PyString>()?.to_str()?;
        let is_moment = MOMENTS.contains(&key);
        if (is_moment || key == READING) && value.is_instance_of::<PyString>() {
            // One that Python cannot say (a year above 9999) stays a text.
            if let Ok(mut time) = from_iso.call1((value,)) {
                if is_moment {
                    time = time.call_method("replace", (), Some(in_utc))?;
                }
                dict.set_item(key, time)?;
            }
        } else if key != EXTRA {
            with_times(&value, from_iso, in_utc)?;
        }
    }
    Ok(())
}
