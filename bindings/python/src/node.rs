//! Nodes.

use std::sync::Arc;

use p2pmap::MapOptions;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::{raise, refuse_pickle};
use crate::face::Face;
use crate::map::Map;
use crate::options::{config, set_all};
use crate::process::OpenNode;
use crate::status::{node_status, peer_info};
use crate::wait::{interruptible, seconds};

/// One process's participation in a cluster: an identity, a network endpoint and the maps opened on it.
///
/// Usable as a context manager, which closes it. It also closes when nothing refers to it, its maps or their subscriptions
/// any more, and when the interpreter exits.
///
/// Args:
///     config: A TOML file with options.
///     env: Whether to read options from environment variables: `P2PMAP_BOOTSTRAP` is `bootstrap`, and so on.
///     **options: The options of `p2pmap.options()`. Keyword arguments win over `env`, and `env` over `config`. A list is given
///         as a list, a switch as a bool. Options of maps are defaults for the maps opened here. A `validator` that
///         is a function is called with a key and a value, both bytes; raising or returning False refuses.
///
/// Raises:
///     InvalidConfig: An unknown option or a value it does not allow.
///     AddressInUse: A listen address that another socket holds.
///     NetworkError: An address that cannot be listened on.
#[pyclass(frozen, weakref, module = "p2pmap")]
pub struct Node {
    pub(crate) open: Arc<OpenNode>,
}

impl Node {
    fn core(&self) -> &p2pmap::Node {
        &self.open.0
    }
}

#[pymethods]
impl Node {
    #[new]
    #[pyo3(signature = (*, config=None, env=false, **options))]
    fn new(
        py: Python<'_>,
        config: Option<std::path::PathBuf>,
        env: bool,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let config = self::config(config, env, options, Face::BYTES)?;
        let node = py.detach(|| p2pmap::Node::open(config)).map_err(raise)?;
        Ok(Self { open: OpenNode::new(node) })
    }

    /// The peer id: who this node is to others.
    #[getter]
    fn id(&self) -> String {
        self.core().id().to_string()
    }

    /// The listen addresses, each ending in `/p2p/<id>`: what another node takes as `bootstrap`.
    #[getter]
    fn addrs(&self) -> Vec<String> {
        self.core().addrs()
    }

    /// Dials a peer and waits for the connection.
    ///
    /// Args:
    ///     addr: One of the peer's `addrs`.
    ///     timeout: Seconds to wait.
    ///
    /// Returns:
    ///     The id of the peer reached.
    ///
    /// Raises:
    ///     InvalidArgument: Not an address.
    ///     NetworkError: Nobody there, or not who the address says.
    ///     Timeout: No connection in time.
    ///     Closed: The node was closed.
    #[pyo3(signature = (addr, /, timeout=10.0))]
    fn connect(&self, py: Python<'_>, addr: String, timeout: f64) -> PyResult<String> {
        let (node, timeout) = (self.core().clone(), seconds(timeout)?);
        interruptible(py, move || node.connect(&addr, timeout)).map(|peer| peer.to_string())
    }

    /// Puts a node out: its connections end, it is forgotten, and not let in again while this node is open; the option
    /// `ban_peers` does so from the start. Every node decides for itself: call it on all of them. What it wrote stays.
    ///
    /// Args:
    ///     peer: Its peer id.
    ///
    /// Raises:
    ///     InvalidArgument: Not a peer id, or this node's own.
    ///     Closed: The node was closed.
    #[pyo3(signature = (peer, /))]
    fn ban(&self, peer: &str) -> PyResult<()> {
        peer.parse().and_then(|peer| self.core().ban(&peer)).map_err(raise)
    }

    /// The peer ids that are banned, sorted.
    ///
    /// Raises:
    ///     Closed: The node was closed.
    fn banned(&self) -> PyResult<Vec<String>> {
        Ok(self.core().banned().map_err(raise)?.iter().map(ToString::to_string).collect())
    }

    /// The peers connected now.
    ///
    /// Raises:
    ///     Closed: The node was closed.
    fn peers<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let peers = py.detach(|| self.core().peers()).map_err(raise)?;
        peers.into_iter().map(|peer| peer_info(py, peer)).collect()
    }

    /// What the node says of itself.
    ///
    /// Raises:
    ///     Closed: The node was closed.
    fn status<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        node_status(py, py.detach(|| self.core().status()).map_err(raise)?)
    }

    /// Opens a map. The same name again gives the same map; each handle may have its own `keys` and `codec`.
    ///
    /// Args:
    ///     name: The map's name: the same on every node that shares it.
    ///     keys: What keys are: 'str' (UTF-8) or 'bytes'.
    ///     codec: What values are: None or 'bytes' (any buffer in, bytes out), 'utf8' (str) or 'json' (what `json` takes).
    ///     **options: Options of maps, as for `Node`. A `validator` that is a function is called with a key and a value as
    ///         this handle shows them; raising or returning False refuses.
    ///
    /// Raises:
    ///     InvalidConfig: An unknown option, a value it does not allow, or other options than the open map has.
    ///     Closed: The node was closed.
    #[pyo3(signature = (name, /, *, keys="str", codec=None, **options))]
    fn map(
        &self,
        py: Python<'_>,
        name: &str,
        keys: &str,
        codec: Option<&str>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Map> {
        let face = Face::parse(keys, codec)?;
        let mut settings = MapOptions::new();
        set_all(&mut settings, options, face)?;
        let map = py.detach(|| self.core().map(name, settings)).map_err(raise)?;
        Ok(Map::new(map, face, self.open.clone()))
    }

    /// The names of the maps open here.
    ///
    /// Raises:
    ///     Closed: The node was closed.
    fn maps(&self) -> PyResult<Vec<String>> {
        self.core().maps().map_err(raise)
    }

    /// Says goodbye to peers, closes every map and ends every thread. Idempotent.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.core().close());
    }

    /// Whether it was closed.
    #[getter]
    fn closed(&self) -> bool {
        self.core().is_closed()
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
        let state = if self.closed() { "closed" } else { "open" };
        format!("<p2pmap.Node {} ({state})>", self.id())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(refuse_pickle("node"))
    }
}

/// Makes an identity, a new Ed25519 key, and keeps it in a new file, which only its owner may read.
///
/// Args:
///     path: Where, to be given to nodes as `identity_file`.
///
/// Returns:
///     The peer id of a node with that identity: what `allow_peers`, `ban_peers` and `writers` of others name.
///
/// Raises:
///     InvalidArgument: There is something at that path.
///     StorageError: The disk refused. Nothing is left there.
#[pyfunction]
#[pyo3(signature = (path, /))]
pub fn generate_identity(py: Python<'_>, path: std::path::PathBuf) -> PyResult<String> {
    py.detach(|| p2pmap::generate_identity(path)).map(|id| id.to_string()).map_err(raise)
}
