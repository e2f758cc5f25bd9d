//! Batches: many writes that are applied whole.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::entry::generic_alias;
use crate::face::Face;
use crate::map::Map;
use crate::ttl::Ttl;

/// Many puts and removes that travel together and are applied whole, on every node.
///
/// `Map.batch` makes one. In a `with` block it is applied at the end, unless the block raised; otherwise by `Map.apply`.
#[pyclass(frozen, module = "p2pmap")]
pub struct Batch {
    core: Mutex<p2pmap::Batch>,
    map: Py<Map>,
    face: Face,
}

impl Batch {
    pub(crate) fn new(map: Py<Map>, face: Face) -> Self {
        Self { core: Mutex::new(p2pmap::Batch::new()), map, face }
    }

    /// A copy of what it holds: applying may run Python code, which must find the lock free.
    pub(crate) fn snapshot(&self) -> p2pmap::Batch {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, p2pmap::Batch> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Batch {
    /// Adds a write. A later one to the same key replaces it.
    ///
    /// Args:
    ///     key: The key.
    ///     value: The value, of the map's codec.
    ///     ttl: How long it lives, as for `Map.put`, from when the batch is applied.
    ///
    /// Raises:
    ///     InvalidArgument: `ttl` is below zero or not finite; what else it must not be, applying says.
    #[pyo3(signature = (key, value, /, *, ttl=Ttl::Default), text_signature = "($self, key, value, /, *, ttl=...)")]
    fn put(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>, ttl: Ttl) -> PyResult<()> {
        let (key, value) = (self.face.encode_key(key)?, self.face.encode_value(value)?);
        match ttl {
            Ttl::Default => self.lock().put(key, value),
            Ttl::Lasts(ttl) => self.lock().put_ttl(key, value, ttl),
        };
        Ok(())
    }

    /// Adds a removal. It is fine if nothing is there to remove.
    ///
    /// Args:
    ///     key: The key.
    #[pyo3(signature = (key, /))]
    fn remove(&self, key: &Bound<'_, PyAny>) -> PyResult<()> {
        let key = self.face.encode_key(key)?;
        self.lock().remove(key);
        Ok(())
    }

    /// Forgets what was added.
    fn clear(&self) {
        self.lock().clear();
    }

    fn __setitem__(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.put(key, value, Ttl::Default)
    }

    fn __delitem__(&self, key: &Bound<'_, PyAny>) -> PyResult<()> {
        self.remove(key)
    }

    fn __len__(&self) -> usize {
        self.lock().len()
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (exc_type, exc_value, traceback, /))]
    fn __exit__(
        &self,
        py: Python<'_>,
        exc_type: &Bound<'_, PyAny>,
        exc_value: &Bound<'_, PyAny>,
        traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let _ = (exc_value, traceback);
        if exc_type.is_none() {
            self.map.get().apply_core(py, &self.snapshot())?;
        }
        Ok(())
    }

    fn __repr__(&self) -> String {
        format!("<p2pmap.Batch of {} writes>", self.lock().len())
    }

    /// `Batch[str, bytes]`, for annotations.
    #[classmethod]
    #[pyo3(signature = (item, /))]
    fn __class_getitem__<'py>(cls: &Bound<'py, PyType>, item: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        generic_alias(cls, item)
    }
}
