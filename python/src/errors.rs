//! Errors of the core as exceptions of the package.

use memu::Error;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

/// What makes an exception of what the core says.
static FROM_NATIVE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The exception that says the same; one that a callable of Python raised is passed on as it is.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    let mut cause = std::error::Error::source(error);
    while let Some(one) = cause {
        if let Some(raised) = one.downcast_ref::<PyErr>() {
            return raised.clone_ref(py);
        }
        cause = one.source();
    }
    made(py, error).unwrap_or_else(|failed| failed)
}

fn made(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let context = PyDict::new(py);
    for (key, value) in error.context() {
        context.set_item(key, value)?;
    }
    let mut causes = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(one) = cause {
        causes.push(one.to_string());
        if let Some(system) = one.downcast_ref::<std::io::Error>()
            && system.kind() == std::io::ErrorKind::NotFound
        {
            context.set_item("os_error", "not_found")?;
        }
        cause = one.source();
    }
    if !causes.is_empty() {
        context.set_item("cause", causes.join(": "))?;
    }
    let from_native = FROM_NATIVE.import(py, "memu.errors", "from_native")?;
    let exception = from_native.call1((
        error.kind().as_str(),
        error.message(),
        context,
        error.is_retryable(),
    ))?;
    Ok(PyErr::from_value(exception))
}

/// An error of the core that carries what a callable of Python raised.
pub(crate) fn raised(what: &'static str, error: PyErr) -> Error {
    Error::internal(what).caused_by(error)
}
