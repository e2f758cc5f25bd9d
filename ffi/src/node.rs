//! Nodes
//!
//! A node is one process's participation in a cluster: an identity, a network endpoint, and the maps opened on it.

use std::ffi::c_char;
use std::mem::{MaybeUninit, offset_of};

use p2pmap::{Config, Node};

use crate::config::p2pmap_config;
use crate::error::{P2PMAP_OK, c_array, p2pmap_error, p2pmap_status};
use crate::guard::{guard, guard_or};
use crate::handle::{Handle, Home, free, give, live, required};
use crate::input::{self, Flag, Versioned};
use crate::peer::{P2PMAP_UNKNOWN, p2pmap_peer_list, p2pmap_string_list};
use crate::stamp::p2pmap_peer_id;

/// A handle to a node.
pub struct p2pmap_node {
    home: Home,
    pub(crate) node: Node,
    /// Whether freeing this handle closes the node.
    owns: bool,
}

/// What a node says of itself. Set `struct_size` before the call.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct p2pmap_node_report {
    /// sizeof(p2pmap_node_report)
    pub struct_size: usize,
    pub id: p2pmap_peer_id,
    /// NUL-terminated UTF-8.
    pub cluster_id: [c_char; 256],
    /// Peers connected.
    pub peers: usize,
    /// Members of the cluster known, connected or not, without this one.
    pub members: usize,
    /// Maps open.
    pub maps: usize,
    /// Messages dropped because they were malformed, oversized or for no map of this node.
    pub rejected_messages: u64,
    /// How far the others' clocks are ahead of this node's, in milliseconds: the median of its peers; behind when
    /// negative; `P2PMAP_UNKNOWN` without peers.
    pub clock_drift_ms: i64,
    /// Whether this node's clock is the odd one out: most peers agree with each other, and not with it. What it writes may
    /// be set aside by all, or lose against older writes: mend the clock.
    pub clock_suspect: Flag,
    /// Why this node has left the network for good, if so: another one runs with its identity, because its `data_dir` was
    /// copied. Its maps are read, and take no writes: `P2PMAP_LOCKED`. NUL-terminated UTF-8, empty while all is well.
    pub identity_error: [c_char; 1024],
    /// Why the node that was dialled last is no peer, if one of the two is a stranger to the other: no secret in common,
    /// another cluster, not allowed, another version. NUL-terminated UTF-8, empty once a dialled node is a peer.
    pub admission_error: [c_char; 512],
}

// SAFETY: `repr(C)`, begins with `struct_size`, and its fields are numbers, arrays of numbers and a `Flag`.
unsafe impl Versioned for p2pmap_node_report {
    const NAME: &'static str = "p2pmap_node_report";
    const FIRST: usize = offset_of!(Self, clock_drift_ms);
}

impl Handle for p2pmap_node {
    const NAME: &'static str = "node";

    #[inline]
    fn home(&self) -> &Home {
        &self.home
    }
}

impl p2pmap_node {
    /// Another handle to a node that something else closes.
    pub(crate) fn borrowed(node: Node) -> Self {
        Self { home: Home::here(), node, owns: false }
    }

    pub(crate) fn node(&self) -> &Node {
        &self.node
    }
}

/// Starts a node: listens, and dials what `bootstrap` names in the background. NULL for `config` means defaults.
/// `P2PMAP_INVALID_CONFIG`, `P2PMAP_ADDRESS_IN_USE`, `P2PMAP_NETWORK`.
///
/// Ownership: borrows `config`; `*node` is the caller's, to be freed with `p2pmap_node_free`.
/// Threads: any.
/// Blocks: until it listens.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_node_open(
    config: Option<&p2pmap_config>,
    node: Option<&mut MaybeUninit<*mut p2pmap_node>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let out = required(node, "node")?;
        let home = Home::here();
        let node = Node::open(config.map_or_else(Config::new, |config| config.config.clone()))?;
        give(out, p2pmap_node { home, node, owns: true });
        Ok(P2PMAP_OK)
    })
}

/// Who this node is.
///
/// Ownership: writes into the caller's `id`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_node_id(
    node: Option<&p2pmap_node>,
    id: Option<&mut MaybeUninit<p2pmap_peer_id>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let (node, id) = (live(node)?, required(id, "id")?);
        id.write(node.node.id().into());
        Ok(P2PMAP_OK)
    })
}

/// The addresses it listens on, each ending in `/p2p/<peer id>`: what another node takes as `bootstrap`.
///
/// Ownership: `*addrs` is the caller's, to be freed with `p2pmap_string_list_free`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_node_addrs(
    node: Option<&p2pmap_node>,
    addrs: Option<&mut MaybeUninit<p2pmap_string_list>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let (node, addrs) = (live(node)?, required(addrs, "addrs")?);
        addrs.write(p2pmap_string_list::new(node.node.addrs()));
        Ok(P2PMAP_OK)
    })
}

/// Dials a peer. NULL for `peer` if its id is not asked for. `P2PMAP_INVALID_ARGUMENT` for what is no address,
/// `P2PMAP_NETWORK`, `P2PMAP_TIMEOUT`.
///
/// Ownership: borrows `addr`; writes into the caller's `peer`.
/// Threads: any.
/// Blocks: until it is connected, `timeout_ms` at most.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn p2pmap_node_connect(
    node: Option<&p2pmap_node>,
    addr: *const c_char,
    timeout_ms: u64,
    peer: Option<&mut MaybeUninit<p2pmap_peer_id>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let node = live(node)?;
        // SAFETY: the caller passes a NUL-terminated string.
        let addr = unsafe { input::text(addr, "addr") }?;
        let id = node.node.connect(addr, input::finite_timeout(timeout_ms))?;
        if let Some(peer) = peer {
            peer.write((&id).into());
        }
        Ok(P2PMAP_OK)
    })
}

/// The peers it is connected to.
///
/// Ownership: `*peers` is the caller's, to be freed with `p2pmap_peer_list_free`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_node_peers(
    node: Option<&p2pmap_node>,
    peers: Option<&mut MaybeUninit<p2pmap_peer_list>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let (node, peers) = (live(node)?, required(peers, "peers")?);
        peers.write(p2pmap_peer_list::new(&node.node.peers()?));
        Ok(P2PMAP_OK)
    })
}

/// The names of the maps open on it.
///
/// Ownership: `*names` is the caller's, to be freed with `p2pmap_string_list_free`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_node_maps(
    node: Option<&p2pmap_node>,
    names: Option<&mut MaybeUninit<p2pmap_string_list>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let (node, names) = (live(node)?, required(names, "names")?);
        names.write(p2pmap_string_list::new(node.node.maps()?));
        Ok(P2PMAP_OK)
    })
}

/// What it says of itself.
///
/// Ownership: writes into the caller's `report`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn p2pmap_node_status(
    node: Option<&p2pmap_node>,
    report: *mut p2pmap_node_report,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let node = live(node)?;
        // SAFETY: the caller's struct is as long as its `struct_size` says.
        unsafe { input::checked_output(report) }?;
        let told = node.node.status()?;
        let value = p2pmap_node_report {
            struct_size: 0,
            id: (&told.id).into(),
            cluster_id: c_array(&told.cluster_id),
            peers: told.peers.len(),
            members: told.members,
            maps: told.maps.len(),
            rejected_messages: told.rejected_messages,
            clock_drift_ms: told.clock_drift_ms.unwrap_or(P2PMAP_UNKNOWN),
            clock_suspect: told.clock_suspect.into(),
            identity_error: c_array(told.identity_error.as_deref().unwrap_or_default()),
            admission_error: c_array(told.admission_error.as_deref().unwrap_or_default()),
        };
        // SAFETY: checked above.
        unsafe { input::write_output(report, &value) };
        Ok(P2PMAP_OK)
    })
}

/// Says goodbye to the peers, closes every map, ends every thread. Closing again is fine; the handle remains, and
/// calls with it and with its maps give `P2PMAP_CLOSED`.
///
/// Ownership: borrows `node`.
/// Threads: any, callbacks included.
/// Blocks: until it is closed and running callbacks have returned; within a callback it only begins to close.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_node_close(
    node: Option<&p2pmap_node>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        live(node)?.node.close();
        Ok(P2PMAP_OK)
    })
}

/// Frees a handle. One from `p2pmap_node_open` closes the node first, if it is not closed; one from `p2pmap_map_node`
/// leaves it open. NULL is fine. In a forked child nothing happens.
///
/// Ownership: takes `node`.
/// Threads: any; no other call may use this handle any more.
/// Blocks: as closing does.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_node_free(node: Option<Box<p2pmap_node>>) {
    guard_or((), || {
        free(node, |node| {
            if node.owns {
                node.node.close();
            }
        });
    });
}
