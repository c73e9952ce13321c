//! Vectors that Python hands over, and functions on them.

use memu::core::records::content_hash as hash;
use memu::core::vector::cosine;
use memu::database::salience;
use pyo3::buffer::{Element, PyBuffer};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::value::refused;

/// A vector from a list of numbers or anything with a buffer of them, such as an array of NumPy.
/// A buffer of 32-bit floats is read as it lies in memory.
pub(crate) fn vector(value: &Bound<'_, PyAny>) -> PyResult<Vec<f32>> {
    if let Ok(list) = value.cast::<PyList>() {
        let mut numbers = Vec::with_capacity(list.len());
        // Its iterator asks the list for less than that of PyO3.
        for number in list.try_iter()? {
            let number: f64 = number?.extract().map_err(|_| unusable())?;
            numbers.push(number as f32);
        }
        return Ok(numbers);
    }
    if PyBuffer::<u8>::get(value).is_ok() {
        return Err(PyTypeError::new_err(
            "a vector is a list of numbers or a buffer of floats, not one of bytes",
        ));
    }
    if let Ok(buffer) = PyBuffer::<f32>::get(value)
        && is_native(&buffer)
    {
        one_dimension(buffer.dimensions())?;
        return buffer.to_vec(value.py());
    }
    if let Ok(buffer) = PyBuffer::<f64>::get(value)
        && is_native(&buffer)
    {
        one_dimension(buffer.dimensions())?;
        let numbers = buffer.to_vec(value.py())?;
        return Ok(numbers.into_iter().map(|number| number as f32).collect());
    }
    value.extract().map_err(|_| unusable())
}

fn unusable() -> PyErr {
    PyTypeError::new_err("a vector is a list of numbers, an array or another buffer of floats")
}

/// Whether numbers lie in memory as this machine has them. PyO3 takes those of the other byte order
/// for that, too.
fn is_native<T: Element>(buffer: &PyBuffer<T>) -> bool {
    let order = buffer.format().to_bytes().first();
    let other: &[u8] = if cfg!(target_endian = "big") {
        b"<"
    } else {
        b">!"
    };
    !order.is_some_and(|order| other.contains(order))
}

/// A number that may not be negative.
pub(crate) fn count(py: Python<'_>, name: &str, value: i64) -> PyResult<usize> {
    usize::try_from(value)
        .map_err(|_| refused(py, format!("{name} is {value}; it must not be negative")))
}

fn one_dimension(dimensions: usize) -> PyResult<()> {
    if dimensions == 1 {
        return Ok(());
    }
    Err(PyValueError::new_err(format!(
        "a vector has one dimension, not {dimensions}"
    )))
}

/// The hash that recognises an equal memory, whatever its spacing and case.
#[pyfunction]
pub(crate) fn content_hash(summary: &str, memory_type: &str) -> String {
    hash(memory_type, summary)
}

/// How much a memory counts that is so similar, was met so often, and was last met so many days
/// ago (None: nobody knows).
#[pyfunction]
pub(crate) fn salience_score(
    similarity: f64,
    reinforcement_count: f64,
    days_ago: Option<f64>,
    recency_decay_days: f64,
) -> PyResult<f64> {
    if recency_decay_days.is_nan() || recency_decay_days <= 0.0 {
        return Err(PyValueError::new_err("recency_decay_days must be above 0"));
    }
    Ok(similarity * salience(reinforcement_count, days_ago, recency_decay_days))
}

/// The `k` most similar of a corpus of pairs of an id and a vector or None, best first.
#[pyfunction]
pub(crate) fn cosine_topk(
    py: Python<'_>,
    query: &Bound<'_, PyAny>,
    corpus: &Bound<'_, PyAny>,
    k: i64,
) -> PyResult<Vec<(String, f32)>> {
    let query = vector(query)?;
    let k = count(py, "k", k)?;
    let mut known = Vec::new();
    for pair in corpus.try_iter()? {
        let (id, values): (String, Bound<'_, PyAny>) = pair?.extract()?;
        if !values.is_none() {
            known.push((id, vector(&values)?, 1.0));
        }
    }
    Ok(py.detach(|| best(&query, known, k)))
}

/// The same for a corpus that tells of each how often it was met and how many days ago, weighted
/// by that.
#[pyfunction]
pub(crate) fn cosine_topk_salience(
    py: Python<'_>,
    query: &Bound<'_, PyAny>,
    corpus: &Bound<'_, PyAny>,
    k: i64,
    recency_decay_days: f64,
) -> PyResult<Vec<(String, f32)>> {
    let query = vector(query)?;
    let k = count(py, "k", k)?;
    let mut known = Vec::new();
    for one in corpus.try_iter()? {
        type Met<'py> = (String, Bound<'py, PyAny>, f64, Option<f64>);
        let (id, values, count, days_ago): Met<'_> = one?.extract()?;
        if !values.is_none() {
            let weight = salience_score(1.0, count, days_ago, recency_decay_days)?;
            known.push((id, vector(&values)?, weight));
        }
    }
    Ok(py.detach(|| best(&query, known, k)))
}

fn best(query: &[f32], known: Vec<(String, Vec<f32>, f64)>, k: usize) -> Vec<(String, f32)> {
    let mut scored: Vec<(String, f32)> = known
        .into_iter()
        .map(|(id, values, weight)| (id, (f64::from(cosine(query, &values)) * weight) as f32))
        .collect();
    scored.sort_by(|a, b| b.1.total_cmp(&a.1));
    scored.truncate(k);
    scored
}
