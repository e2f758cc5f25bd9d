//! The core's errors as exceptions. The classes are Python's own (`_errors.py`): each has two bases and a docstring.

use p2pmap::ErrorKind;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

static CLASSES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();

/// The exception that says what `error` says.
pub(crate) fn raise(error: p2pmap::Error) -> PyErr {
    Python::attach(|py| match class_of(py, error.kind()) {
        Ok(class) => PyErr::from_type(class, error.message().to_owned()),
        Err(failure) => failure,
    })
}

/// The exception for what this package finds out by itself, before it asks the core.
pub(crate) fn refuse(kind: ErrorKind, message: impl Into<String>) -> PyErr {
    raise(p2pmap::Error::new(kind, message))
}

/// What `pickle` and `copy` are told of an object that is tied to this process.
pub(crate) fn refuse_pickle(what: &str) -> PyErr {
    PyTypeError::new_err(format!(
        "a p2pmap {what} belongs to the process that opened it and cannot be pickled or copied; \
         pass the map's name and the node's addresses, and open it there"
    ))
}

fn class_of(py: Python<'_>, kind: ErrorKind) -> PyResult<Bound<'_, PyType>> {
    let classes = CLASSES.get_or_try_init(py, || -> PyResult<_> {
        Ok(py.import("p2pmap._errors")?.getattr("CLASSES")?.cast_into::<PyDict>()?.unbind())
    })?;
    let class = classes.bind(py).as_any().get_item(kind.name())?;
    Ok(class.cast_into::<PyType>()?)
}
