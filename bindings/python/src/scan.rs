//! Scans: ordered iterators over the view.

use std::sync::{Mutex, PoisonError};

use p2pmap::{ErrorKind, ScanOptions};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::entry::{Entry, generic_alias};
use crate::errors::refuse;
use crate::face::Face;

/// What a scan hands out of each entry.
#[derive(Clone, Copy)]
pub(crate) enum Yields {
    Entries,
    Keys,
    Values,
    Items,
}

/// An iterator over entries in the order of their keys' bytes. It sees each key once and never blocks a writer.
#[pyclass(frozen, module = "p2pmap")]
pub struct Scan {
    core: Mutex<p2pmap::Scan>,
    yields: Yields,
    face: Face,
}

impl Scan {
    pub(crate) fn new(core: p2pmap::Scan, yields: Yields, face: Face) -> Self {
        Self { core: Mutex::new(core), yields, face }
    }
}

#[pymethods]
impl Scan {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        // The lock is let go before any Python code runs.
        let next = self.core.lock().unwrap_or_else(PoisonError::into_inner).next();
        let Some(entry) = next else { return Ok(None) };
        let face = self.face;
        match self.yields {
            Yields::Entries => Entry::new(entry, face).into_bound_py_any(py),
            Yields::Keys => face.decode_key(py, entry.key()),
            Yields::Values => face.decode_value(py, entry.value()),
            Yields::Items => (face.decode_key(py, entry.key())?, face.decode_value(py, entry.value())?).into_bound_py_any(py),
        }
        .map(Some)
    }

    /// `Scan[Entry[str, bytes]]`, for annotations.
    #[classmethod]
    #[pyo3(signature = (item, /))]
    fn __class_getitem__<'py>(cls: &Bound<'py, PyType>, item: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        generic_alias(cls, item)
    }
}

/// The core's options for a scan that was asked for in Python.
pub(crate) fn scan_options(
    face: Face,
    prefix: Option<&Bound<'_, PyAny>>,
    start: Option<&Bound<'_, PyAny>>,
    end: Option<&Bound<'_, PyAny>>,
    limit: Option<isize>,
    reverse: bool,
) -> PyResult<ScanOptions> {
    let bound = |key: Option<&Bound<'_, PyAny>>| -> PyResult<Option<Vec<u8>>> {
        key.map(|key| Ok(face.encode_key(key)?.into_owned())).transpose()
    };
    let limit = limit
        .map(usize::try_from)
        .transpose()
        .map_err(|_| refuse(ErrorKind::InvalidArgument, "`limit` is below zero; leave it out to scan without a limit"))?;
    Ok(ScanOptions { prefix: bound(prefix)?.unwrap_or_default(), start: bound(start)?, end: bound(end)?, limit, reverse })
}
