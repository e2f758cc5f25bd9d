//! Maps
//!
//! A map handle is this node's copy of a named replicated map. Where two nodes write the same key, the write with
//! the greater stamp wins, everywhere.

use std::ffi::{CString, c_char};
use std::mem::{MaybeUninit, offset_of};

use p2pmap::{Config, Durability, Map, MapOptions};

use crate::config::p2pmap_config;
use crate::error::{P2PMAP_OK, c_array, c_text, p2pmap_error, p2pmap_status};
use crate::guard::{guard, guard_or};
use crate::handle::{Handle, Home, free, give, live, required};
use crate::input::{self, Versioned};
use crate::map_options::p2pmap_map_options;
use crate::node::p2pmap_node;
use crate::peer::p2pmap_map_peer_list;
use crate::stamp::p2pmap_digest;

/// A handle to a map.
pub struct p2pmap_map {
    home: Home,
    map: Map,
    name: CString,
    /// Whether the map brought a node of its own, so that freeing this handle closes both.
    owns: bool,
}

/// What a map says of itself. Set `struct_size` before the call.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct p2pmap_map_report {
    /// sizeof(p2pmap_map_report)
    pub struct_size: usize,
    /// Entries in the view.
    pub live: usize,
    /// Removals, and entries that expired, remembered.
    pub tombstones: usize,
    /// Keys and values held, in bytes.
    pub bytes: u64,
    pub digest: p2pmap_digest,
    /// Writes that wait for the network.
    pub outbox: usize,
    /// Connected peers that have this map open.
    pub peers: usize,
    /// Entries from peers that the validator or a limit refused.
    pub refused_entries: u64,
    /// Entries from peers set aside because they were stamped too far ahead.
    pub ahead_entries: u64,
    /// Messages dropped because they were malformed.
    pub rejected_messages: u64,
    /// Gaps seen in what arrived; a sync closes each.
    pub gaps: u64,
    /// Syncs completed.
    pub syncs: u64,
    /// Entries that presence hides, because their author is gone.
    pub hidden: usize,
    /// Comparisons that found the same writes seen and yet another state: a full sync follows each.
    pub self_checks: u64,
    /// Removals and expired entries forgotten since the map was opened.
    pub forgotten: u64,
    /// Openings of this map, by any node, that its causal context names.
    pub origins: usize,
    /// How far this map's clock is ahead of this node's wall clock, because a peer's or its own was, in milliseconds.
    pub clock_ahead_ms: u64,
    /// How long what is written lasts: "none", "async" or "sync". The library's; valid for ever.
    pub durability: *const c_char,
    /// What was cut off a torn log when the map was opened, in bytes.
    pub cut_bytes: u64,
    /// Log on disk beside the snapshot, in bytes.
    pub log_bytes: u64,
    /// Why the disk is not written to any more, if so: the map refuses writes, or goes on in memory, as `on_storage_error`
    /// says. "" while all is well; cut off where it is longer than fits.
    pub storage_error: [c_char; 512],
}

// SAFETY: `repr(C)`, begins with `struct_size`, and its fields are numbers, arrays of numbers and a pointer that may be NULL.
unsafe impl Versioned for p2pmap_map_report {
    const NAME: &'static str = "p2pmap_map_report";
    const FIRST: usize = offset_of!(Self, hidden);
}

fn durability_name(durability: Durability) -> *const c_char {
    match durability {
        Durability::None => c"none",
        Durability::Async => c"async",
        Durability::Sync => c"sync",
    }
    .as_ptr()
}

impl Handle for p2pmap_map {
    const NAME: &'static str = "map";

    #[inline]
    fn home(&self) -> &Home {
        &self.home
    }
}

impl p2pmap_map {
    fn new(map: Map, owns: bool) -> Self {
        Self { home: Home::here(), name: c_text(map.name()), map, owns }
    }

    #[inline]
    pub(crate) fn map(&self) -> &Map {
        &self.map
    }
}

/// Opens a map on a node of its own: the quick start. NULL for `config` means defaults. Closing the map closes the
/// node. Errors as for `p2pmap_node_open` and `p2pmap_map_open`.
///
/// Ownership: borrows `name` and `config`; `*map` is the caller's, to be freed with `p2pmap_map_free`.
/// Threads: any.
/// Blocks: until the node listens.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn p2pmap_open(
    name: *const c_char,
    config: Option<&p2pmap_config>,
    map: Option<&mut MaybeUninit<*mut p2pmap_map>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let out = required(map, "map")?;
        // SAFETY: the caller passes a NUL-terminated string.
        let name = unsafe { input::text(name, "name") }?;
        let config = config.map_or_else(Config::new, |config| config.config.clone());
        give(out, p2pmap_map::new(p2pmap::open(name, config)?, true));
        Ok(P2PMAP_OK)
    })
}

/// Opens a map on a node. The same name again gives a further handle to the same map; with other options that is
/// `P2PMAP_INVALID_CONFIG`. NULL for `options` means the node's.
///
/// Ownership: borrows all but `*map`, which is the caller's, to be freed with `p2pmap_map_free`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn p2pmap_map_open(
    node: Option<&p2pmap_node>,
    name: *const c_char,
    options: Option<&p2pmap_map_options>,
    map: Option<&mut MaybeUninit<*mut p2pmap_map>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let (node, out) = (live(node)?, required(map, "map")?);
        // SAFETY: the caller passes a NUL-terminated string.
        let name = unsafe { input::text(name, "name") }?;
        let options = options.map_or_else(MapOptions::new, |options| options.options.clone());
        give(out, p2pmap_map::new(node.node().map(name, options)?, false));
        Ok(P2PMAP_OK)
    })
}

/// Its name; NULL for NULL.
///
/// Ownership: the handle's; valid until it is freed.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_map_name(map: Option<&p2pmap_map>) -> *const c_char {
    map.map_or(std::ptr::null(), |map| map.name.as_ptr())
}

/// A further handle to the node it is open on: for the addresses and peers of a map from `p2pmap_open`.
///
/// Ownership: `*node` is the caller's, to be freed with `p2pmap_node_free`, which does not close the node.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_map_node(
    map: Option<&p2pmap_map>,
    node: Option<&mut MaybeUninit<*mut p2pmap_node>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let (map, out) = (live(map)?, required(node, "node")?);
        give(out, p2pmap_node::borrowed(map.map.node()));
        Ok(P2PMAP_OK)
    })
}

/// Reconciles now with every connected peer. `P2PMAP_TIMEOUT`.
///
/// Ownership: borrows `map`.
/// Threads: any.
/// Blocks: until this copy equals each peer's, `timeout_ms` at most.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_map_sync(
    map: Option<&p2pmap_map>,
    timeout_ms: u64,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        live(map)?.map.sync(input::finite_timeout(timeout_ms))?;
        Ok(P2PMAP_OK)
    })
}

/// What it says of itself.
///
/// Ownership: writes into the caller's `report`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn p2pmap_map_status(
    map: Option<&p2pmap_map>,
    report: *mut p2pmap_map_report,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let map = live(map)?;
        // SAFETY: the caller's struct is as long as its `struct_size` says.
        unsafe { input::checked_output(report) }?;
        let told = map.map.status()?;
        let value = p2pmap_map_report {
            struct_size: 0,
            live: told.live,
            tombstones: told.tombstones,
            bytes: told.bytes,
            digest: told.digest.into(),
            outbox: told.outbox,
            peers: told.peers.iter().filter(|peer| peer.connected).count(),
            refused_entries: told.refused_entries,
            ahead_entries: told.ahead_entries,
            rejected_messages: told.rejected_messages,
            gaps: told.gaps,
            syncs: told.syncs,
            hidden: told.hidden,
            self_checks: told.self_checks,
            forgotten: told.forgotten,
            origins: told.origins,
            clock_ahead_ms: told.clock_ahead_ms,
            durability: durability_name(told.durability),
            cut_bytes: told.cut_bytes,
            log_bytes: told.log_bytes,
            storage_error: c_array(told.storage_error.as_deref().unwrap_or_default()),
        };
        // SAFETY: checked above.
        unsafe { input::write_output(report, &value) };
        Ok(P2PMAP_OK)
    })
}

/// The connected peers that have this map open, and how their copies compare. Also authors that something is wrong with,
/// connected or not: their entries were set aside, or removals wait for their writes.
///
/// Ownership: `*peers` is the caller's, to be freed with `p2pmap_map_peer_list_free`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_map_peers(
    map: Option<&p2pmap_map>,
    peers: Option<&mut MaybeUninit<p2pmap_map_peer_list>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let (map, out) = (live(map)?, required(peers, "peers")?);
        out.write(p2pmap_map_peer_list::new(&map.map.status()?.peers));
        Ok(P2PMAP_OK)
    })
}

/// Stops this copy, for every handle to it; the other nodes' copies go on. A map from `p2pmap_open` closes its node
/// too. Closing again is fine; the handle remains, and calls with it give `P2PMAP_CLOSED`.
///
/// Ownership: borrows `map`.
/// Threads: any, callbacks included.
/// Blocks: until running callbacks have returned; within a callback it only begins to close.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_map_close(
    map: Option<&p2pmap_map>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        live(map)?.map.close();
        Ok(P2PMAP_OK)
    })
}

/// Closes this copy and deletes what this node stored of it. It erases nothing on other nodes.
///
/// Ownership: borrows `map`.
/// Threads: any, callbacks included.
/// Blocks: as closing does, and on the disk.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_map_destroy(
    map: Option<&p2pmap_map>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        live(map)?.map.destroy()?;
        Ok(P2PMAP_OK)
    })
}

/// Frees a handle. One from `p2pmap_open` closes the map and its node first; one from `p2pmap_map_open` leaves the
/// map open on its node. NULL is fine. In a forked child nothing happens.
///
/// Ownership: takes `map`.
/// Threads: any; no other call may use this handle any more.
/// Blocks: as closing does.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_map_free(map: Option<Box<p2pmap_map>>) {
    guard_or((), || {
        free(map, |map| {
            if map.owns {
                map.map.close();
            }
        });
    });
}
