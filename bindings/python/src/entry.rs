//! An entry: a key's current state in the view.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple, PyType};

use crate::face::Face;
use crate::stamp::Stamp;

/// A key's current state: its value, who wrote it and when, and when it expires.
///
/// The value is decoded when it is first asked for, so that one value of another codec spoils no scan.
#[pyclass(frozen, module = "p2pmap")]
pub struct Entry {
    core: p2pmap::Entry,
    face: Face,
    value: PyOnceLock<Py<PyAny>>,
}

impl Entry {
    pub(crate) fn new(core: p2pmap::Entry, face: Face) -> Self {
        Self { core, face, value: PyOnceLock::new() }
    }
}

#[pymethods]
impl Entry {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        PyTuple::new(py, ["key", "value", "stamp", "author", "time_ms", "expires_at_ms"])
    }

    /// The key.
    #[getter]
    fn key<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.face.decode_key(py, self.core.key())
    }

    /// The value.
    ///
    /// Raises:
    ///     ValueError: The bytes are not of this map's codec.
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        decode_once(py, &self.value, self.face, Some(self.core.value()))
    }

    /// The write that put it there.
    #[getter]
    fn stamp(&self) -> Stamp {
        Stamp(self.core.stamp())
    }

    /// The peer id of who wrote it.
    #[getter]
    fn author(&self) -> String {
        self.core.author().to_string()
    }

    /// When its author wrote it, by the author's clock, in milliseconds since the Unix epoch.
    #[getter]
    fn time_ms(&self) -> u64 {
        self.core.time_ms()
    }

    /// When it expires, in milliseconds since the Unix epoch; None if it never does.
    #[getter]
    fn expires_at_ms(&self) -> Option<u64> {
        self.core.expires_at_ms()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        represent(slf.as_any(), "Entry", &["key", "value", "author"])
    }

    /// `Entry[str, bytes]`, for annotations.
    #[classmethod]
    #[pyo3(signature = (item, /))]
    fn __class_getitem__<'py>(cls: &Bound<'py, PyType>, item: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        generic_alias(cls, item)
    }
}

/// Decodes a value the first time, and hands out that object from then on.
pub(crate) fn decode_once<'py>(
    py: Python<'py>,
    cell: &PyOnceLock<Py<PyAny>>,
    face: Face,
    value: Option<&p2pmap::Value>,
) -> PyResult<Bound<'py, PyAny>> {
    let decode = || match value {
        Some(value) => face.decode_value(py, value).map(Bound::unbind),
        None => Ok(py.None()),
    };
    Ok(cell.get_or_try_init(py, decode)?.bind(py).clone())
}

/// `Class(field=..., ...)`. A field that cannot be decoded is shown as what is wrong with it.
pub(crate) fn represent(object: &Bound<'_, PyAny>, class: &str, fields: &[&str]) -> PyResult<String> {
    let shown = fields.iter().map(|field| match object.getattr(*field) {
        Ok(value) => Ok(format!("{field}={}", value.repr()?)),
        Err(failure) => Ok(format!("{field}=<{}>", failure.get_type(object.py()).name()?)),
    });
    Ok(format!("{class}({})", shown.collect::<PyResult<Vec<_>>>()?.join(", ")))
}

/// What `Class[K, V]` is at run time.
pub(crate) fn generic_alias<'py>(class: &Bound<'py, PyType>, item: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let alias = class.py().import("types")?.getattr("GenericAlias")?;
    alias.call((class, item), None::<&Bound<'py, PyDict>>)
}
