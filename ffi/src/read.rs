//! Reading
//!
//! Reads look into this process's memory: they wait for no lock, no disk and no network.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use p2pmap::Entry;

use crate::bytes::{p2pmap_bytes, p2pmap_view, pointer};
use crate::error::{P2PMAP_BUFFER_TOO_SMALL, P2PMAP_NOT_FOUND, P2PMAP_OK, p2pmap_error, p2pmap_status};
use crate::guard::{guard, guard_or};
use crate::handle::{live, required};
use crate::input;
use crate::map::p2pmap_map;
use crate::stamp::p2pmap_stamp;

/// An entry of the view. `key` and `value` are never NULL; `owner` is the library's.
#[repr(C)]
pub struct p2pmap_entry {
    pub key: *const u8,
    pub key_len: usize,
    pub value: *const u8,
    pub value_len: usize,
    /// The write that made it; its author is who wrote it.
    pub stamp: p2pmap_stamp,
    /// When its author wrote it, by the author's clock, in milliseconds since the Unix epoch.
    pub time_ms: u64,
    /// When it expires, by each node's own clock, in milliseconds since the Unix epoch; 0: never.
    pub expires_at_ms: u64,
    pub owner: *mut c_void,
}

impl p2pmap_entry {
    /// An entry that points into `entry`.
    pub(crate) fn borrowed(entry: &Entry) -> Self {
        let ((key, key_len), (value, value_len)) = (pointer(entry.key()), pointer(entry.value()));
        let (stamp, time_ms) = ((&entry.stamp()).into(), entry.time_ms());
        let expires_at_ms = entry.expires_at_ms().unwrap_or(0);
        Self { key, key_len, value, value_len, stamp, time_ms, expires_at_ms, owner: std::ptr::null_mut() }
    }

    /// An entry that keeps what it points to.
    fn owned(entry: Entry) -> Self {
        let entry = Box::new(entry);
        let mut shown = Self::borrowed(&entry);
        shown.owner = Box::into_raw(entry).cast();
        shown
    }
}

/// Reads into the caller's buffer, without allocating. `P2PMAP_NOT_FOUND` when absent. `P2PMAP_BUFFER_TOO_SMALL`
/// when the value is longer than `capacity`: then `*len` is the value's length, and the buffer is as it was. NULL
/// with 0 asks for the length.
///
/// Ownership: borrows `key`; writes into the caller's `buffer` and `len`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn p2pmap_map_get(
    map: Option<&p2pmap_map>,
    key: *const c_void,
    key_len: usize,
    buffer: *mut c_void,
    capacity: usize,
    len: Option<&mut MaybeUninit<usize>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let (map, len) = (live(map)?, required(len, "len")?);
        // SAFETY: the caller passes the lengths of what it points to, and nobody else uses the buffer.
        let (key, buffer) = unsafe { (input::bytes(key, key_len, "key")?, input::buffer(buffer, capacity)?) };
        let found = map.map().get_with(key, |value| {
            len.write(value.len());
            match buffer.get_mut(..value.len()) {
                Some(room) => {
                    // Compiled to one copy.
                    room.iter_mut().zip(value).for_each(|(room, byte)| _ = room.write(*byte));
                    P2PMAP_OK
                }
                None => P2PMAP_BUFFER_TOO_SMALL,
            }
        })?;
        Ok(found.unwrap_or(P2PMAP_NOT_FOUND))
    })
}

/// Reads into memory that it allocates. `P2PMAP_NOT_FOUND` when absent.
///
/// Ownership: borrows `key`; `*value` is the caller's, to be freed with `p2pmap_bytes_free`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn p2pmap_map_get_bytes(
    map: Option<&p2pmap_map>,
    key: *const c_void,
    key_len: usize,
    value: Option<&mut MaybeUninit<p2pmap_bytes>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let (map, out) = (live(map)?, required(value, "value")?);
        // SAFETY: the caller passes the length of what it points to.
        let key = unsafe { input::bytes(key, key_len, "key") }?;
        let Some(copy) = map.map().get_with(key, p2pmap_bytes::copy)? else {
            return Ok(P2PMAP_NOT_FOUND);
        };
        out.write(copy);
        Ok(P2PMAP_OK)
    })
}

/// Reads without copying: a counted view of the bytes that the map holds. `P2PMAP_NOT_FOUND` when absent.
///
/// Ownership: borrows `key`; `*value` is the caller's, to be released with `p2pmap_view_release`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn p2pmap_map_get_view(
    map: Option<&p2pmap_map>,
    key: *const c_void,
    key_len: usize,
    value: Option<&mut MaybeUninit<p2pmap_view>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let (map, out) = (live(map)?, required(value, "value")?);
        // SAFETY: the caller passes the length of what it points to.
        let key = unsafe { input::bytes(key, key_len, "key") }?;
        let Some(value) = map.map().get(key)? else {
            return Ok(P2PMAP_NOT_FOUND);
        };
        out.write(p2pmap_view::new(value));
        Ok(P2PMAP_OK)
    })
}

/// Reads a value with its stamp, author, time and expiry. `P2PMAP_NOT_FOUND` when absent.
///
/// Ownership: borrows `key`; `*entry` is the caller's, to be released with `p2pmap_entry_release`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn p2pmap_map_entry(
    map: Option<&p2pmap_map>,
    key: *const c_void,
    key_len: usize,
    entry: Option<&mut MaybeUninit<p2pmap_entry>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let (map, out) = (live(map)?, required(entry, "entry")?);
        // SAFETY: the caller passes the length of what it points to.
        let key = unsafe { input::bytes(key, key_len, "key") }?;
        let Some(entry) = map.map().entry(key)? else {
            return Ok(P2PMAP_NOT_FOUND);
        };
        out.write(p2pmap_entry::owned(entry));
        Ok(P2PMAP_OK)
    })
}

/// Releases an entry from `p2pmap_map_entry`, and sets its pointers to NULL. NULL is fine, and so is an entry from
/// a scan, which the scan keeps.
///
/// Ownership: takes what `entry` holds.
/// Threads: any; one at a time for one `entry`.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_entry_release(entry: Option<&mut p2pmap_entry>) {
    let Some(entry) = entry else { return };
    (entry.key, entry.key_len) = (std::ptr::null(), 0);
    (entry.value, entry.value_len) = (std::ptr::null(), 0);
    let owner = std::mem::replace(&mut entry.owner, std::ptr::null_mut());
    if !owner.is_null() {
        // SAFETY: `p2pmap_entry::owned` made it; it is taken back once, since `owner` is NULL now.
        guard_or((), || drop(unsafe { Box::from_raw(owner.cast::<Entry>()) }));
    }
}

/// Whether there is a live value under a key.
///
/// Ownership: borrows `key`; writes into the caller's `found`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn p2pmap_map_contains(
    map: Option<&p2pmap_map>,
    key: *const c_void,
    key_len: usize,
    found: Option<&mut MaybeUninit<bool>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let (map, out) = (live(map)?, required(found, "found")?);
        // SAFETY: the caller passes the length of what it points to.
        let key = unsafe { input::bytes(key, key_len, "key") }?;
        out.write(map.map().contains(key)?);
        Ok(P2PMAP_OK)
    })
}

/// How many entries are in the view.
///
/// Ownership: writes into the caller's `len`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_map_len(
    map: Option<&p2pmap_map>,
    len: Option<&mut MaybeUninit<usize>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let (map, out) = (live(map)?, required(len, "len")?);
        out.write(map.map().len()?);
        Ok(P2PMAP_OK)
    })
}
