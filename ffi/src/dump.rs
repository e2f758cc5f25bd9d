//! Backups
//!
//! A map as a text file, and back: a backup that restores into any cluster. One entry a line, in key order, each a JSON
//! object with "key" and "value" (or "key_base64" and "value_base64" where the bytes are not UTF-8), "stamp", "author",
//! and "expires_at_ms" if it expires.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use p2pmap::{Map, Result};

use crate::error::{P2PMAP_OK, p2pmap_error, p2pmap_status};
use crate::guard::guard;
use crate::handle::live;
use crate::input;
use crate::map::p2pmap_map;

/// Writes every entry in the view to a file; `*count` is how many, NULL if that is not asked for. The file is there whole
/// or not at all: it takes the place of an older one when it is complete and on disk. Only its owner may read it.
/// `P2PMAP_STORAGE`: what was there before is as it was.
///
/// Ownership: borrows `path`; writes into the caller's `count`.
/// Threads: any.
/// Blocks: on the disk.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn p2pmap_map_dump(
    map: Option<&p2pmap_map>,
    path: *const c_char,
    count: Option<&mut MaybeUninit<u64>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    // SAFETY: as the caller of this one promises.
    unsafe { with_file(map, path, count, error, |map, path| map.dump(path)) }
}

/// Writes every entry of such a file into this map; `*count` is how many, NULL if that is not asked for. They are new
/// writes, which win over what is here and in the cluster. An entry's expiry is kept: one whose time is over is left out,
/// and one without any never expires.
///
/// All of the file is checked before anything is written. `P2PMAP_INVALID_ARGUMENT` for a line that is no entry,
/// `P2PMAP_TOO_LARGE`, `P2PMAP_INVALID_VALUE`: the message names the line, and nothing changed. `P2PMAP_STORAGE` when it
/// cannot be read. While it writes also `P2PMAP_FULL` and `P2PMAP_CLOSED`: the lines before are loaded, and it may be
/// loaded again.
///
/// Ownership: borrows `path`; writes into the caller's `count`.
/// Threads: any.
/// Blocks: on the disk.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn p2pmap_map_load(
    map: Option<&p2pmap_map>,
    path: *const c_char,
    count: Option<&mut MaybeUninit<u64>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    // SAFETY: as the caller of this one promises.
    unsafe { with_file(map, path, count, error, |map, path| map.load(path)) }
}

/// Has a map do something with the file at that path, and writes how many entries it was.
///
/// # Safety
/// `path` is NULL or NUL-terminated, and stays as it is until this returns.
unsafe fn with_file(
    map: Option<&p2pmap_map>,
    path: *const c_char,
    count: Option<&mut MaybeUninit<u64>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
    act: impl FnOnce(&Map, &str) -> Result<u64>,
) -> p2pmap_status {
    guard(error, || {
        let map = live(map)?;
        // SAFETY: the caller passes a NUL-terminated string.
        let path = unsafe { input::text(path, "path") }?;
        let entries = act(map.map(), path)?;
        if let Some(count) = count {
            count.write(entries);
        }
        Ok(P2PMAP_OK)
    })
}
