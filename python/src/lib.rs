//! The native module of the Python package: a thin face of the Rust core.
//!
//! Python hands over plain values and gets plain values back: requests become the requests of
//! [`memu`], answers become dictionaries. Nothing is decided here.

mod answer;
mod core;
mod database;
mod ending;
mod errors;
mod hooks;
mod runtime;
mod steps;
mod value;
mod vectors;
mod verbs;

use pyo3::prelude::*;

/// The native module of the package `memu`.
#[pymodule]
fn _memu(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let at_exit = module.py().import("atexit")?;
    at_exit.call_method1("register", (wrap_pyfunction!(ending::end, module)?,))?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<core::Core>()?;
    module.add_class::<database::NativeDatabase>()?;
    module.add_function(wrap_pyfunction!(vectors::content_hash, module)?)?;
    module.add_function(wrap_pyfunction!(vectors::cosine_topk, module)?)?;
    module.add_function(wrap_pyfunction!(vectors::cosine_topk_salience, module)?)?;
    module.add_function(wrap_pyfunction!(vectors::salience_score, module)?)?;
    Ok(())
}
