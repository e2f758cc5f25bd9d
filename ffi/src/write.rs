//! Writing
//!
//! A write is done when the call returns: the next read here sees it. It reaches the other copies by itself.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use crate::error::{P2PMAP_OK, p2pmap_error, p2pmap_status};
use crate::guard::guard;
use crate::handle::live;
use crate::input;
use crate::map::p2pmap_map;
use crate::stamp::p2pmap_stamp;

/// Writes. NULL for `stamp` if it is not asked for. `P2PMAP_INVALID_VALUE`, `P2PMAP_TOO_LARGE`, `P2PMAP_CLOSED`.
///
/// Ownership: copies key and value; writes into the caller's `stamp`.
/// Threads: any.
/// Blocks: no.
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

/// Removes. `*removed` says whether a live value was there; when none was, nothing is written. NULL for `removed`
/// if that is not asked for.
///
/// Ownership: borrows `key`; writes into the caller's `removed`.
/// Threads: any.
/// Blocks: no.
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
/// Blocks: no.
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
