//! Values of Python as JSON.

use std::borrow::Cow;

use memu::Error;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PyMapping, PySet, PyString,
    PyTuple,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};

use crate::errors::exception;

/// How deep values may lie within each other.
const MOST_DEEP: usize = 100;

const SURROGATE: &str = "a text holds half of a surrogate pair, which is no character";

/// A request with these arguments.
///
/// Arguments that are None are left out: they have their defaults.
pub(crate) fn request<T: DeserializeOwned>(arguments: &Bound<'_, PyAny>) -> PyResult<T> {
    let mut value = json(arguments)?;
    if let Value::Object(fields) = &mut value {
        fields.retain(|_, value| !value.is_null());
    }
    serde_path_to_error::deserialize(value).map_err(|cause| {
        let place = cause.path().to_string();
        // In words of Python.
        let cause = cause.into_inner().to_string();
        let cause = cause.replace("usize", "a whole number from 0");
        let message = match place.as_str() {
            "." => cause,
            place => format!("{place}: {cause}"),
        };
        refused(arguments.py(), message)
    })
}

/// What was handed over cannot be used.
pub(crate) fn refused(py: Python<'_>, message: impl Into<Cow<'static, str>>) -> PyErr {
    exception(py, &Error::input(message))
}

/// The JSON that says the same.
///
/// Times are written in ISO 8601, and models of pydantic, members of enumerations and ids as
/// what they stand for.
pub(crate) fn json(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    at(value, 0)
}

fn at(value: &Bound<'_, PyAny>, depth: usize) -> PyResult<Value> {
    if depth > MOST_DEEP {
        let message = "values lie too deep within each other";
        return Err(refused(value.py(), message));
    }
    if value.is_none() {
        return Ok(Value::Null);
    }
    if let Ok(text) = value.cast::<PyString>() {
        return match text.to_str() {
            Ok(text) => Ok(Value::String(text.to_owned())),
            Err(_) => Err(refused(value.py(), SURROGATE)),
        };
    }
    if let Ok(flag) = value.cast::<PyBool>() {
        return Ok(Value::Bool(flag.is_true()));
    }
    if value.is_instance_of::<PyInt>() {
        return whole(value);
    }
    if value.is_instance_of::<PyFloat>() {
        let number: f64 = value.extract()?;
        return match Number::from_f64(number) {
            Some(number) => Ok(Value::Number(number)),
            None => Err(refused(value.py(), format!("{number} is not a number"))),
        };
    }
    if let Ok(dict) = value.cast::<PyDict>() {
        return object(dict.iter(), depth);
    }
    if value.is_instance_of::<PyList>()
        || value.is_instance_of::<PyTuple>()
        || value.is_instance_of::<PySet>()
        || value.is_instance_of::<PyFrozenSet>()
    {
        let items = value.try_iter()?;
        return Ok(Value::Array(
            items
                .map(|item| at(&item?, depth + 1))
                .collect::<PyResult<_>>()?,
        ));
    }
    other(value, depth)
}

fn whole(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    if let Ok(number) = value.extract::<i64>() {
        return Ok(number.into());
    }
    value
        .extract::<u64>()
        .map(Value::from)
        .map_err(|_| refused(value.py(), "a whole number has more than 64 bits"))
}

/// What is not a plain value, but stands for one.
fn other(value: &Bound<'_, PyAny>, depth: usize) -> PyResult<Value> {
    if value.is_instance_of::<PyBytes>() {
        return Err(unusable(value));
    }
    for method in ["model_dump", "isoformat", "tolist"] {
        if let Ok(method) = value.getattr(method) {
            return at(&method.call0()?, depth + 1);
        }
    }
    if let Ok(mapping) = value.cast::<PyMapping>() {
        let pairs = mapping.items()?;
        let pairs = pairs
            .iter()
            .map(|pair| pair.extract::<(Bound<'_, PyAny>, _)>());
        return object(pairs.collect::<PyResult<Vec<_>>>()?.into_iter(), depth);
    }
    if value.hasattr("hex")? && value.hasattr("urn")? {
        return Ok(Value::String(value.str()?.to_str()?.to_owned()));
    }
    if let Ok(inner) = value.getattr("value")
        && value.hasattr("name")?
    {
        return at(&inner, depth + 1);
    }
    Err(unusable(value))
}

fn unusable(value: &Bound<'_, PyAny>) -> PyErr {
    let name = value.get_type().name();
    let name = name.map_or_else(|_| "value".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!("a {name} cannot be handed over; use plain values"))
}

fn object<'py>(
    pairs: impl Iterator<Item = (Bound<'py, PyAny>, Bound<'py, PyAny>)>,
    depth: usize,
) -> PyResult<Value> {
    let mut fields = Map::new();
    for (key, value) in pairs {
        let key = key
            .cast::<PyString>()
            .map_err(|_| PyTypeError::new_err("keys must be texts"))?;
        let name = key.to_str().map_err(|_| refused(key.py(), SURROGATE))?;
        fields.insert(name.to_owned(), at(&value, depth + 1)?);
    }
    Ok(Value::Object(fields))
}
