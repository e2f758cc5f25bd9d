//! What waits for the disk: the writes of maps with `durability="sync"`, and dumps.

use std::path::PathBuf;

use p2pmap::Durability;
use pyo3::prelude::*;

use crate::errors::raise;
use crate::map::Map;

impl Map {
    /// Makes a write, without the GIL if it waits for the disk.
    pub(crate) fn write<T: Send>(
        &self,
        py: Python<'_>,
        write: impl FnOnce(&p2pmap::Map) -> p2pmap::Result<T> + Send,
    ) -> PyResult<T> {
        let outcome = if self._waits() { py.detach(|| write(&self.core)) } else { write(&self.core) };
        outcome.map_err(raise)
    }
}

#[pymethods]
impl Map {
    /// Returns when every write made here before is on disk: for maps with `durability="async"`. `p2pmap.aio` has its twin.
    ///
    /// Raises:
    ///     StorageError: The disk refused.
    ///     Closed: The map was closed.
    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.core.flush()).map_err(raise)
    }

    /// Writes every entry to a file, as lines of JSON in key order. `p2pmap.aio` has its twin.
    ///
    /// The file is there whole or not at all: it takes the place of an older one when it is complete and on disk. Only its owner may
    /// read it.
    ///
    /// Args:
    ///     path: The file.
    ///
    /// Returns:
    ///     How many entries there are in it.
    ///
    /// Raises:
    ///     StorageError: The disk refused; what was there before is as it was.
    ///     Closed: The map was closed.
    #[pyo3(signature = (path, /))]
    fn dump(&self, py: Python<'_>, path: PathBuf) -> PyResult<u64> {
        py.detach(|| self.core.dump(path)).map_err(raise)
    }

    /// Writes every entry of such a file into this map. `p2pmap.aio` has its twin.
    ///
    /// They are new writes, which win over what is here and in the cluster. An entry's expiry is kept: one whose time is over is
    /// left out, and one without any never expires. All of the file is checked before anything is written.
    ///
    /// Args:
    ///     path: The file.
    ///
    /// Returns:
    ///     How many entries were written.
    ///
    /// Raises:
    ///     InvalidArgument: A line is no entry: the message says which. Nothing changed, here and in the next two cases.
    ///     TooLarge: The key or the value of a line is over its limit.
    ///     InvalidValue: The validator said no to a line.
    ///     StorageError: The file cannot be read.
    ///     Full: The map is at `max_entries` or `max_bytes`; the lines before are loaded.
    ///     Closed: The map was closed.
    #[pyo3(signature = (path, /))]
    fn load(&self, py: Python<'_>, path: PathBuf) -> PyResult<u64> {
        py.detach(|| self.core.load(path)).map_err(raise)
    }

    /// Whether writes wait for the disk.
    fn _waits(&self) -> bool {
        self.core.durability() == Durability::Sync
    }

    /// A handle to the same map whose writes do not wait for the disk; `flush` does.
    fn _deferred(&self) -> Self {
        self.with(self.core.deferred())
    }
}
