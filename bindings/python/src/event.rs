//! Events: changes of the view.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyString, PyTuple, PyType};

use crate::entry::{decode_once, generic_alias, represent};
use crate::face::Face;
use crate::stamp::Stamp;

/// One change of the view.
///
/// Matches as `case Event("put", key, value)`. Values are decoded when they are first asked for, so that one value of
/// another codec spoils no subscription.
#[pyclass(frozen, module = "p2pmap")]
pub struct Event {
    core: p2pmap::Event,
    face: Face,
    value: PyOnceLock<Py<PyAny>>,
    old: PyOnceLock<Py<PyAny>>,
}

impl Event {
    pub(crate) fn new(core: p2pmap::Event, face: Face) -> Self {
        Self { core, face, value: PyOnceLock::new(), old: PyOnceLock::new() }
    }
}

#[pymethods]
impl Event {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        PyTuple::new(py, ["kind", "key", "value", "old", "stamp", "author", "local"])
    }

    /// What happened: `put`, `remove`, `expire` (its time ran out), `prune` (its author left), or `synced`, which ends a snapshot.
    #[getter]
    fn kind<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        match self.core.kind() {
            p2pmap::EventKind::Put => intern!(py, "put").clone(),
            p2pmap::EventKind::Remove => intern!(py, "remove").clone(),
            other => PyString::intern(py, other.name()),
        }
    }

    /// The key; empty for `synced`.
    #[getter]
    fn key<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.face.decode_key(py, self.core.key())
    }

    /// The new value of a `put`; else None.
    ///
    /// Raises:
    ///     ValueError: The bytes are not of this map's codec.
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        decode_once(py, &self.value, self.face, self.core.value())
    }

    /// What the view held before; None if it held nothing.
    ///
    /// Raises:
    ///     ValueError: The bytes are not of this map's codec.
    #[getter]
    fn old<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        decode_once(py, &self.old, self.face, self.core.old_value())
    }

    /// The write that made the change; of `expire` and `prune`, the one that put there what is gone. None for `synced`.
    #[getter]
    fn stamp(&self) -> Option<Stamp> {
        self.core.stamp().map(Stamp)
    }

    /// The peer id of who made that write; None for `synced`.
    #[getter]
    fn author(&self) -> Option<String> {
        self.core.author().map(|author| author.to_string())
    }

    /// Whether that write was made through this process's own node.
    #[getter]
    fn local(&self) -> bool {
        self.core.is_local()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        represent(slf.as_any(), "Event", &["kind", "key", "value", "old", "author", "local"])
    }

    /// `Event[str, bytes]`, for annotations.
    #[classmethod]
    #[pyo3(signature = (item, /))]
    fn __class_getitem__<'py>(cls: &Bound<'py, PyType>, item: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        generic_alias(cls, item)
    }
}
