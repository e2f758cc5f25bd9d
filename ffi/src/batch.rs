//! Batches
//!
//! Many puts and removes that travel together and are applied whole, here and on every other node. A batch is plain
//! data: it may be applied more than once, to any map.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use p2pmap::Batch;

use crate::error::{P2PMAP_OK, p2pmap_error, p2pmap_status};
use crate::guard::{guard, guard_or};
use crate::handle::{live, required};
use crate::input;
use crate::map::p2pmap_map;
use crate::stamp::p2pmap_stamp;

/// Puts and removes, in order. Used by one thread at a time.
pub struct p2pmap_batch {
    batch: Batch,
}

/// An empty batch. NULL only when memory is out.
///
/// Ownership: the caller's, to be freed with `p2pmap_batch_free`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_batch_new() -> *mut p2pmap_batch {
    guard_or(std::ptr::null_mut(), || Box::into_raw(Box::new(p2pmap_batch { batch: Batch::new() })))
}

/// Adds a put.
///
/// Ownership: copies key and value.
/// Threads: one at a time for one batch.
/// Blocks: no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn p2pmap_batch_put(
    batch: Option<&mut p2pmap_batch>,
    key: *const c_void,
    key_len: usize,
    value: *const c_void,
    value_len: usize,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let batch = required(batch, "batch")?;
        // SAFETY: the caller passes the lengths of what it points to.
        let (key, value) = unsafe { (input::bytes(key, key_len, "key")?, input::bytes(value, value_len, "value")?) };
        batch.batch.put(key, value);
        Ok(P2PMAP_OK)
    })
}

/// Adds a put with a time to live, as for `p2pmap_map_put_ttl`; `ttl_ms` counts from when the batch is applied, and is
/// checked then.
///
/// Ownership: copies key and value.
/// Threads: one at a time for one batch.
/// Blocks: no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn p2pmap_batch_put_ttl(
    batch: Option<&mut p2pmap_batch>,
    key: *const c_void,
    key_len: usize,
    value: *const c_void,
    value_len: usize,
    ttl_ms: u64,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let batch = required(batch, "batch")?;
        // SAFETY: the caller passes the lengths of what it points to.
        let (key, value) = unsafe { (input::bytes(key, key_len, "key")?, input::bytes(value, value_len, "value")?) };
        batch.batch.put_ttl(key, value, input::ttl(ttl_ms));
        Ok(P2PMAP_OK)
    })
}

/// Adds a remove.
///
/// Ownership: copies `key`.
/// Threads: one at a time for one batch.
/// Blocks: no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn p2pmap_batch_remove(
    batch: Option<&mut p2pmap_batch>,
    key: *const c_void,
    key_len: usize,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let batch = required(batch, "batch")?;
        // SAFETY: the caller passes the length of what it points to.
        batch.batch.remove(unsafe { input::bytes(key, key_len, "key") }?);
        Ok(P2PMAP_OK)
    })
}

/// How many puts and removes it holds; 0 for NULL.
///
/// Ownership: borrows `batch`.
/// Threads: one at a time for one batch.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_batch_len(batch: Option<&p2pmap_batch>) -> usize {
    guard_or(0, || batch.map_or(0, |batch| batch.batch.len()))
}

/// Empties it. NULL is fine.
///
/// Ownership: borrows `batch`.
/// Threads: one at a time for one batch.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_batch_clear(batch: Option<&mut p2pmap_batch>) {
    guard_or((), || {
        if let Some(batch) = batch {
            batch.batch.clear();
        }
    });
}

/// Frees a batch. NULL is fine.
///
/// Ownership: takes `batch`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_batch_free(batch: Option<Box<p2pmap_batch>>) {
    guard_or((), || drop(batch));
}

/// Applies a batch whole. `*last` is the stamp of its last write, and all zero when nothing was written; NULL if it
/// is not asked for. Errors as for `p2pmap_map_put_ttl`, for the whole batch: then nothing of it was applied.
///
/// Ownership: borrows `batch`; writes into the caller's `last`.
/// Threads: any.
/// Blocks: no; with `durability=sync` until the disk has it.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_map_apply(
    map: Option<&p2pmap_map>,
    batch: Option<&p2pmap_batch>,
    last: Option<&mut MaybeUninit<p2pmap_stamp>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let (map, batch) = (live(map)?, required(batch, "batch")?);
        let written = map.map().apply(&batch.batch)?;
        if let Some(last) = last {
            last.write(written.as_ref().map_or(p2pmap_stamp::NONE, p2pmap_stamp::from));
        }
        Ok(P2PMAP_OK)
    })
}
