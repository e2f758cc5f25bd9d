//! Writing
//!
//! A write is done when the call returns: the next read here sees it, and with `durability=sync` it is on disk, too. It
//! reaches the other copies by itself; where it matters that some of them hold it, `p2pmap_map_wait_replicated` waits for
//! that.
//!
//! An entry written with a time to live expires: when its time is up, every node by its own clock hides it and tells an
//! expire event, without a message. Whoever wants it to stay puts it again in time, with a third of the time to live as
//! a good interval:
//!
//!     p2pmap_map_put_ttl(services, "db/1", 4, addr, addr_len, 15000, NULL, &error);  // every 5 seconds
//!
//! What belongs to a process that may die needs no renewal on a map opened with `presence=true`: there an entry is in
//! the view only while the node that wrote it is in the cluster.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use crate::error::{P2PMAP_OK, p2pmap_error, p2pmap_status};
use crate::guard::guard;
use crate::handle::{live, required};
use crate::input;
use crate::map::p2pmap_map;
use crate::peer::p2pmap_string_list;
use crate::stamp::p2pmap_stamp;

/// Writes. NULL for `stamp` if it is not asked for. `P2PMAP_INVALID_VALUE`, `P2PMAP_TOO_LARGE`, `P2PMAP_FULL`,
/// `P2PMAP_CLOSED`. On a map opened with `default_ttl_ms` the entry expires when that has passed.
///
/// Ownership: copies key and value; writes into the caller's `stamp`.
/// Threads: any.
/// Blocks: no; with `durability=sync` until the disk has it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn p2pmap_map_put(
    map: Option<&p2pmap_map>,
    key: *const c_void,
    key_len: usize,
    value: *const c_void,
    value_len: usize,
    stamp: Option<&mut MaybeUninit<p2pmap_stamp>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let map = live(map)?;
        // SAFETY: the caller passes the lengths of what it points to.
        let (key, value) = unsafe { (input::bytes(key, key_len, "key")?, input::bytes(value, value_len, "value")?) };
        let written = map.map().put(key, value)?;
        if let Some(stamp) = stamp {
            stamp.write((&written).into());
        }
        Ok(P2PMAP_OK)
    })
}

/// Writes an entry that expires `ttl_ms` milliseconds from now; a later put renews it. `P2PMAP_FOREVER`: it never
/// expires, whatever the map's `default_ttl_ms`. Errors as for `p2pmap_map_put`, and `P2PMAP_INVALID_ARGUMENT` for a
/// `ttl_ms` of 0 or above 100 years; then nothing changed.
///
/// Ownership: copies key and value; writes into the caller's `stamp`, which may be NULL.
/// Threads: any.
/// Blocks: no; with `durability=sync` until the disk has it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn p2pmap_map_put_ttl(
    map: Option<&p2pmap_map>,
    key: *const c_void,
    key_len: usize,
    value: *const c_void,
    value_len: usize,
    ttl_ms: u64,
    stamp: Option<&mut MaybeUninit<p2pmap_stamp>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let map = live(map)?;
        // SAFETY: the caller passes the lengths of what it points to.
        let (key, value) = unsafe { (input::bytes(key, key_len, "key")?, input::bytes(value, value_len, "value")?) };
        let written = map.map().put_ttl(key, value, input::ttl(ttl_ms))?;
        if let Some(stamp) = stamp {
            stamp.write((&written).into());
        }
        Ok(P2PMAP_OK)
    })
}

/// Removes. `*removed` says whether a live value was there; when none was, nothing is written. NULL for `removed`
/// if that is not asked for.
///
/// Ownership: borrows `key`; writes into the caller's `removed`.
/// Threads: any.
/// Blocks: no; with `durability=sync` until the disk has it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn p2pmap_map_remove(
    map: Option<&p2pmap_map>,
    key: *const c_void,
    key_len: usize,
    removed: Option<&mut MaybeUninit<bool>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let map = live(map)?;
        // SAFETY: the caller passes the length of what it points to.
        let key = unsafe { input::bytes(key, key_len, "key") }?;
        let was_there = map.map().remove(key)?;
        if let Some(removed) = removed {
            removed.write(was_there);
        }
        Ok(P2PMAP_OK)
    })
}

/// Removes every key under a prefix in one batch. NULL for `removed` if their number is not asked for.
///
/// Ownership: borrows `prefix`; writes into the caller's `removed`.
/// Threads: any.
/// Blocks: no; with `durability=sync` until the disk has it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn p2pmap_map_remove_prefix(
    map: Option<&p2pmap_map>,
    prefix: *const c_void,
    prefix_len: usize,
    removed: Option<&mut MaybeUninit<usize>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let map = live(map)?;
        // SAFETY: the caller passes the length of what it points to.
        let prefix = unsafe { input::bytes(prefix, prefix_len, "prefix") }?;
        let count = map.map().remove_prefix(prefix)?;
        if let Some(removed) = removed {
            removed.write(count);
        }
        Ok(P2PMAP_OK)
    })
}

/// Returns when every write made here before is on disk: for maps with `durability=async`. `P2PMAP_STORAGE`.
///
/// Ownership: borrows `map`.
/// Threads: any.
/// Blocks: on the disk; not at all if the map is not kept there.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_map_flush(
    map: Option<&p2pmap_map>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        live(map)?.map().flush()?;
        Ok(P2PMAP_OK)
    })
}

/// Waits until `peers` other nodes hold a write, or a greater one for its key. `stamp` is what a put or an applied batch
/// gave, here or on another node whose write has arrived here. Only nodes that this one is connected to are asked: see
/// `target_peers`. 0 peers: returns at once.
///
/// `*who` lists the peer ids, as text, of those that do: at least `peers`. NULL if they are not asked for.
/// `P2PMAP_TIMEOUT`, and the message says how many do; `P2PMAP_INVALID_ARGUMENT` for a stamp that this copy does not hold
/// itself; `P2PMAP_CLOSED`, also when the map is closed meanwhile.
///
/// Ownership: borrows `stamp`; `*who` is the caller's, to be freed with `p2pmap_string_list_free`.
/// Threads: any.
/// Blocks: until that many hold it, `timeout_ms` at most.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_map_wait_replicated(
    map: Option<&p2pmap_map>,
    stamp: Option<&p2pmap_stamp>,
    peers: usize,
    timeout_ms: u64,
    who: Option<&mut MaybeUninit<p2pmap_string_list>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let (map, stamp) = (live(map)?, required(stamp, "stamp")?.read()?);
        let holders = map.map().wait_replicated(&stamp, peers, input::finite_timeout(timeout_ms))?;
        if let Some(who) = who {
            who.write(p2pmap_string_list::new(holders.iter().map(ToString::to_string)));
        }
        Ok(P2PMAP_OK)
    })
}
