//! Map handles: p2pmap's own operations. What makes them Python mappings is in `mapping.rs`.

use std::sync::Arc;

use p2pmap::{ErrorKind, SubscribeOptions};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};

use crate::batch::Batch;
use crate::entry::{Entry, generic_alias};
use crate::errors::{raise, refuse, refuse_pickle};
use crate::face::Face;
use crate::node::Node;
use crate::options::config;
use crate::process::OpenNode;
use crate::scan::{Scan, Yields, scan_options};
use crate::stamp::Stamp;
use crate::status::map_status;
use crate::stream::Stream;
use crate::ttl::Ttl;
use crate::wait::{interruptible, seconds};

/// This node's copy of a named, replicated map: a `MutableMapping` whose keys are in the order of their bytes.
///
/// Reads are reads of local memory and never wait; writes are local and reach the other copies by themselves. Every method
/// may be called from any thread, callbacks included. Usable as a context manager, which closes it.
///
/// `p2pmap.open` and `Node.map` make them. Once closed, everything but `name`, `node`, `closed` and `close` raises `Closed`.
#[pyclass(frozen, mapping, weakref, module = "p2pmap")]
pub struct Map {
    pub(crate) core: p2pmap::Map,
    pub(crate) face: Face,
    node: Arc<OpenNode>,
}

impl Map {
    pub(crate) fn new(core: p2pmap::Map, face: Face, node: Arc<OpenNode>) -> Self {
        Self { core, face, node }
    }

    /// The same with another handle to its map.
    pub(crate) fn with(&self, core: p2pmap::Map) -> Self {
        Self { core, face: self.face, node: self.node.clone() }
    }

    pub(crate) fn apply_core(&self, py: Python<'_>, batch: &p2pmap::Batch) -> PyResult<Option<Stamp>> {
        Ok(py.detach(|| self.core.apply(batch)).map_err(raise)?.map(Stamp))
    }

    fn stream(&self, py: Python<'_>, prefix: Option<&Bound<'_, PyAny>>, snapshot: bool) -> PyResult<Stream> {
        let prefix = prefix.map(|prefix| self.face.encode_key(prefix)).transpose()?;
        let options = SubscribeOptions { prefix: prefix.unwrap_or_default().into_owned(), snapshot };
        let watch = py.detach(|| self.core.watch(options)).map_err(raise)?;
        Ok(Stream::new(watch, self.face, self.node.clone()))
    }
}

/// Opens a map on a node of its own: the two-line start. Closing the map closes that node.
///
/// Args:
///     name: The map's name: the same in every process that shares it.
///     keys: What keys are: 'str' (UTF-8) or 'bytes'.
///     codec: What values are: None or 'bytes' (any buffer in, bytes out), 'utf8' (str) or 'json' (what `json` takes).
///     config: A TOML file with options.
///     env: Whether to read options from environment variables: `P2PMAP_BOOTSTRAP` is `bootstrap`, and so on.
///     **options: The options of `p2pmap.options()`, as for `Node`. A `validator` that is a function is called with a key
///         and a value as this handle shows them; raising or returning False refuses.
///
/// Raises:
///     InvalidConfig: An unknown option or a value it does not allow.
///     AddressInUse: A listen address that another socket holds.
///     NetworkError: An address that cannot be listened on.
#[pyfunction]
#[pyo3(signature = (name, /, *, keys="str", codec=None, config=None, env=false, **options))]
pub fn open(
    py: Python<'_>,
    name: &str,
    keys: &str,
    codec: Option<&str>,
    config: Option<std::path::PathBuf>,
    env: bool,
    options: Option<&Bound<'_, PyDict>>,
) -> PyResult<Map> {
    let face = Face::parse(keys, codec)?;
    let config = self::config(config, env, options, face)?;
    let map = py.detach(|| p2pmap::open(name, config)).map_err(raise)?;
    let node = OpenNode::new(map.node());
    Ok(Map::new(map, face, node))
}

#[pymethods]
impl Map {
    /// The map's name.
    #[getter]
    fn name(&self) -> &str {
        self.core.name()
    }

    /// The node it is open on.
    #[getter]
    fn node(&self) -> Node {
        Node { open: self.node.clone() }
    }

    /// Writes a value, as `map[key] = value` does. With `durability="sync"` this, and every write, waits until the disk has it;
    /// `p2pmap.aio` has twins that do not block an event loop.
    ///
    /// Args:
    ///     key: The key.
    ///     value: The value, of this map's codec.
    ///     ttl: How long it lives: seconds or a timedelta; None for ever; left out, the map's `default_ttl_ms`. Then it is absent on
    ///         every node, and each tells its subscribers with an `expire`. A later put renews.
    ///
    /// Returns:
    ///     The write's stamp.
    ///
    /// Raises:
    ///     InvalidValue: The validator said no.
    ///     TooLarge: The key or the value is over its limit.
    ///     Full: The map is at `max_entries` or `max_bytes`.
    ///     InvalidArgument: `ttl` is not above zero, or above 100 years.
    ///     StorageError: The disk refused.
    ///     Closed: The map was closed.
    #[pyo3(signature = (key, value, /, *, ttl=Ttl::Default), text_signature = "($self, key, value, /, *, ttl=...)")]
    fn put(&self, py: Python<'_>, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>, ttl: Ttl) -> PyResult<Stamp> {
        let (key, value) = (self.face.encode_key(key)?, self.face.encode_value(value)?);
        self.write(py, move |map| ttl.put(map, key, value)).map(Stamp)
    }

    /// A key's value with its stamp, author, time and expiry; None if it is absent.
    ///
    /// Raises:
    ///     Closed: The map was closed.
    #[pyo3(signature = (key, /))]
    fn entry(&self, key: &Bound<'_, PyAny>) -> PyResult<Option<Entry>> {
        let entry = self.core.entry(self.face.encode_key(key)?).map_err(raise)?;
        Ok(entry.map(|entry| Entry::new(entry, self.face)))
    }

    /// Removes a key. Unlike `del map[key]`, it is fine if the key is absent.
    ///
    /// Returns:
    ///     Whether a live value was there.
    ///
    /// Raises:
    ///     Closed: The map was closed.
    #[pyo3(signature = (key, /))]
    pub(crate) fn remove(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        let encoded = self.face.encode_key(key)?;
        self.write(key.py(), move |map| map.remove(encoded))
    }

    /// Removes every key that starts with a prefix, in one batch.
    ///
    /// Returns:
    ///     How many there were.
    ///
    /// Raises:
    ///     TooLarge: More keys than a batch holds; nothing was removed.
    ///     Closed: The map was closed.
    #[pyo3(signature = (prefix, /))]
    fn remove_prefix(&self, py: Python<'_>, prefix: &Bound<'_, PyAny>) -> PyResult<usize> {
        let prefix = self.face.encode_key(prefix)?;
        py.detach(|| self.core.remove_prefix(prefix)).map_err(raise)
    }

    /// A new batch, for `apply` or for a `with` block:
    ///
    ///     with flags.batch() as batch:
    ///         batch["a"] = b"1"
    ///         del batch["b"]
    fn batch(slf: Bound<'_, Self>) -> Batch {
        let face = slf.get().face;
        Batch::new(slf.unbind(), face)
    }

    /// Applies a batch whole. The batch keeps its writes, and may be applied again.
    ///
    /// Returns:
    ///     The stamp of its last write; None if nothing was written.
    ///
    /// Raises:
    ///     TooLarge: The batch is over its limit; nothing was applied.
    ///     InvalidValue: The validator said no to one of its values; nothing was applied.
    ///     InvalidArgument: A `ttl` in it is zero or above 100 years; nothing was applied.
    ///     Full: The map is at `max_entries` or `max_bytes`; nothing was applied.
    ///     Closed: The map was closed.
    #[pyo3(signature = (batch, /))]
    fn apply(&self, py: Python<'_>, batch: &Bound<'_, Batch>) -> PyResult<Option<Stamp>> {
        self.apply_core(py, &batch.get().snapshot())
    }

    /// Iterates over entries in the order of their keys' bytes. All limits are optional and combine.
    ///
    /// It sees each key once, never blocks a writer, and may or may not see what is written meanwhile.
    ///
    /// Args:
    ///     prefix: Only keys that start with this.
    ///     start: Only keys from this on.
    ///     end: Only keys below this.
    ///     limit: At most so many entries.
    ///     reverse: From the greatest key down.
    ///
    /// Raises:
    ///     InvalidArgument: `limit` is below zero.
    ///     Closed: The map was closed.
    #[pyo3(signature = (*, prefix=None, start=None, end=None, limit=None, reverse=false))]
    fn scan(
        &self,
        prefix: Option<&Bound<'_, PyAny>>,
        start: Option<&Bound<'_, PyAny>>,
        end: Option<&Bound<'_, PyAny>>,
        limit: Option<isize>,
        reverse: bool,
    ) -> PyResult<Scan> {
        let options = scan_options(self.face, prefix, start, end, limit, reverse)?;
        let scan = self.core.scan(options).map_err(raise)?;
        Ok(Scan::new(scan, Yields::Entries, self.face))
    }

    /// Calls back on every change, one event a call.
    ///
    /// The subscription lasts until `Subscription.unsubscribe`, or until the map closes, even if nobody holds it. What the
    /// callback raises goes to `sys.unraisablehook`. A callback that falls behind is told the newest state of each key.
    ///
    /// Args:
    ///     callback: A function of one `Event`. It may call anything, `unsubscribe` included.
    ///     prefix: Only keys that start with this.
    ///     snapshot: First a `put` for every entry, then `synced`, then the changes: nothing missed, nothing doubled.
    ///     loop: The asyncio event loop to call back on. Otherwise a thread of the subscription's own does.
    ///
    /// Raises:
    ///     Closed: The map was closed.
    #[pyo3(signature = (callback, /, *, prefix=None, snapshot=false, r#loop=None))]
    fn subscribe<'py>(
        &self,
        callback: &Bound<'py, PyAny>,
        prefix: Option<&Bound<'py, PyAny>>,
        snapshot: bool,
        r#loop: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = callback.py();
        let class = py.import("p2pmap._watch")?.getattr("Subscription")?;
        class.call_method1("_check", (callback,))?;
        class.call1((self.stream(py, prefix, snapshot)?, self.name(), callback, r#loop))
    }

    /// The same events as `subscribe` gives, to iterate over with `for` or `async for`.
    ///
    /// Args:
    ///     prefix: Only keys that start with this.
    ///     snapshot: First a `put` for every entry, then `synced`, then the changes: nothing missed, nothing doubled.
    ///
    /// Raises:
    ///     Closed: The map was closed.
    #[pyo3(signature = (*, prefix=None, snapshot=false))]
    fn watch<'py>(&self, py: Python<'py>, prefix: Option<&Bound<'py, PyAny>>, snapshot: bool) -> PyResult<Bound<'py, PyAny>> {
        let stream = self.stream(py, prefix, snapshot)?;
        py.import("p2pmap._watch")?.getattr("Watch")?.call1((stream, self.name()))
    }

    /// Reconciles now with every connected peer; returns when equal with each.
    ///
    /// Args:
    ///     timeout: Seconds to wait.
    ///
    /// Raises:
    ///     Timeout: Not equal in time; the reconciliation goes on.
    ///     Closed: The map was closed.
    #[pyo3(signature = (timeout=10.0))]
    fn sync(&self, py: Python<'_>, timeout: f64) -> PyResult<()> {
        let (map, timeout) = (self.core.clone(), seconds(timeout)?);
        interruptible(py, move || map.sync(timeout))
    }

    /// Waits until other nodes hold a write, or a later one to its key. `p2pmap.aio` has its twin.
    ///
    /// Args:
    ///     stamp: What `put` or `apply` returned, here or elsewhere.
    ///     peers: How many of the peers connected to this node. With 0 it returns at once.
    ///     timeout: Seconds to wait.
    ///
    /// Returns:
    ///     The ids of the peers that hold it: at least so many.
    ///
    /// Raises:
    ///     Timeout: Fewer in time; the message says how many. The write goes on its way.
    ///     InvalidArgument: `peers` is below zero, or this copy itself does not hold the write.
    ///     Closed: The map was closed.
    #[pyo3(signature = (stamp, /, peers=1, timeout=10.0))]
    fn wait_replicated(&self, py: Python<'_>, stamp: &Stamp, peers: isize, timeout: f64) -> PyResult<Vec<String>> {
        let peers = usize::try_from(peers).map_err(|_| refuse(ErrorKind::InvalidArgument, "`peers` is below zero"))?;
        let (map, stamp, timeout) = (self.core.clone(), stamp.0.clone(), seconds(timeout)?);
        let holders = interruptible(py, move || map.wait_replicated(&stamp, peers, timeout))?;
        Ok(holders.iter().map(ToString::to_string).collect())
    }

    /// What the map says of itself.
    ///
    /// Raises:
    ///     Closed: The map was closed.
    fn status<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        map_status(py, py.detach(|| self.core.status()).map_err(raise)?)
    }

    /// Stops this copy; the others go on. A map from `p2pmap.open` closes its node too. Idempotent.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.core.close());
    }

    /// Closes, and deletes what this node stored of the map. It erases nothing elsewhere.
    fn destroy(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.core.destroy()).map_err(raise)
    }

    /// Whether it was closed.
    #[getter]
    fn closed(&self) -> bool {
        self.core.is_closed()
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
    ) {
        let _ = (exc_type, exc_value, traceback);
        self.close(py);
    }

    fn __repr__(&self) -> String {
        let state = match self.core.len() {
            Ok(1) => "1 entry".to_owned(),
            Ok(count) => format!("{count} entries"),
            Err(error) => error.kind().name().to_lowercase(),
        };
        format!("<p2pmap.Map {:?} ({state})>", self.name())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(refuse_pickle("map"))
    }

    /// `Map[str, bytes]`, for annotations.
    #[classmethod]
    #[pyo3(signature = (item, /))]
    fn __class_getitem__<'py>(cls: &Bound<'py, PyType>, item: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        generic_alias(cls, item)
    }
}
