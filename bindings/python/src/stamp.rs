//! Stamps, as Python compares and hashes them.

use std::hash::{DefaultHasher, Hash, Hasher};

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::errors::raise;

/// Identifies one write. Stamps are ordered: of two writes to one key, the greater stamp wins.
///
/// `Map.put` returns them. Made from its three parts, a stamp that was told by other means is one again.
///
/// Args:
///     timestamp: The reading of the author's clock.
///     epoch: Which opening of the map by its author.
///     author: The peer id of who wrote it.
///
/// Raises:
///     InvalidArgument: `author` is not a peer id.
///     OverflowError: A number of more than 64 bits, or below zero.
#[pyclass(frozen, eq, ord, module = "p2pmap")]
#[derive(Clone, PartialEq, PartialOrd)]
pub struct Stamp(pub(crate) p2pmap::Stamp);

#[pymethods]
impl Stamp {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        PyTuple::new(py, ["timestamp", "epoch", "author"])
    }

    #[new]
    fn new(timestamp: u64, epoch: u64, author: &str) -> PyResult<Self> {
        Ok(Self(p2pmap::Stamp::new(timestamp, epoch, author.parse().map_err(raise)?)))
    }

    /// The reading of the author's hybrid logical clock: 48 bits of milliseconds, then a 16-bit counter.
    #[getter]
    fn timestamp(&self) -> u64 {
        self.0.timestamp()
    }

    /// When its author wrote it, by the author's clock, in milliseconds since the Unix epoch.
    #[getter]
    fn time_ms(&self) -> u64 {
        self.0.time_ms()
    }

    /// The peer id of who wrote it.
    #[getter]
    fn author(&self) -> String {
        self.0.author().to_string()
    }

    /// Which opening of the map by its author.
    #[getter]
    fn epoch(&self) -> u64 {
        self.0.epoch()
    }

    /// What `pickle` and `copy` make another one of.
    fn __getnewargs__(&self) -> (u64, u64, String) {
        (self.timestamp(), self.epoch(), self.author())
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.0.hash(&mut hasher);
        hasher.finish()
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<p2pmap.Stamp {}>", self.0)
    }
}
