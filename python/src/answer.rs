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
    Times::new(py)?.put_into(&value)?;
    Ok(value)
}

/// Makes times of texts.
struct Times<'py> {
    from_iso: Bound<'py, PyAny>,
    in_utc: Bound<'py, PyDict>,
    /// The last moment: when a record was made is mostly when it was last changed, too.
    last: Option<(Bound<'py, PyString>, Bound<'py, PyAny>)>,
}

impl<'py> Times<'py> {
    fn new(py: Python<'py>) -> PyResult<Self> {
        let (from_iso, in_utc) = TIMES.get_or_try_init(py, || {
            let module = py.import("datetime")?;
            let from_iso = module.getattr("datetime")?.getattr("fromisoformat")?;
            let in_utc = PyDict::new(py);
            in_utc.set_item("tzinfo", module.getattr("timezone")?.getattr("utc")?)?;
            Ok::<_, PyErr>((from_iso.unbind(), in_utc.unbind()))
        })?;
        Ok(Self {
            from_iso: from_iso.bind(py).clone(),
            in_utc: in_utc.bind(py).clone(),
            last: None,
        })
    }

    /// Puts times in the place of what a value holds as texts.
    fn put_into(&mut self, value: &Bound<'py, PyAny>) -> PyResult<()> {
        if let Ok(list) = value.cast::<PyList>() {
            for item in list {
                self.put_into(&item)?;
            }
        }
        let Ok(dict) = value.cast::<PyDict>() else {
            return Ok(());
        };
        for (key, value) in dict.iter() {
            let key = key.cast::<PyString>()?;
            let name = key.to_str()?;
            let is_moment = MOMENTS.contains(&name);
            let text = value.cast::<PyString>().ok();
            match text.filter(|_| is_moment || name == READING) {
                Some(text) if is_moment => dict.set_item(key, self.moment(text)?)?,
                // One that Python cannot say (a year above 9999) stays a text.
                Some(text) => {
                    if let Ok(time) = self.from_iso.call1((text,)) {
                        dict.set_item(key, time)?;
                    }
                }
                None if name != EXTRA => self.put_into(&value)?,
                None => {}
            }
        }
        Ok(())
    }

    /// A moment in UTC; as it is, when Python cannot say it.
    fn moment(&mut self, text: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        if let Some((known, moment)) = &self.last
            && known.to_str()? == text.to_str()?
        {
            return Ok(moment.clone());
        }
        let Ok(time) = self.from_iso.call1((text,)) else {
            return Ok(text.clone().into_any());
        };
        let moment = time.call_method("replace", (), Some(&self.in_utc))?;
        self.last = Some((text.clone(), moment.clone()));
        Ok(moment)
    }
}
