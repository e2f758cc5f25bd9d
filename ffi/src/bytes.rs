//! Bytes
//!
//! Keys and values go in as a pointer and a length: any bytes, empty ones and NUL bytes included. They come out in
//! one of two forms: as a copy that is the caller's own, or as a view of the bytes that the map itself holds, which
//! costs the same whatever their length. Under about 1 KiB copy; above, prefer the view.

use std::ffi::c_void;
use std::mem::{MaybeUninit, align_of};

use p2pmap::Value;

use crate::guard::guard_or;

/// Without a limit, where a time in milliseconds is asked for: waits for ever, never expires.
pub const P2PMAP_FOREVER: u64 = u64::MAX;

/// A copy that is the caller's own. A zero byte follows, not counted in `len`, so text can be used as a C string.
#[repr(C)]
pub struct p2pmap_bytes {
    pub data: *mut u8,
    pub len: usize,
}

/// Counted bytes: what `data` points at stays as it is, after the key was overwritten or removed and after the map was
/// closed and freed, until the view is released. May be passed to another thread; `owner` is the library's.
#[repr(C)]
pub struct p2pmap_view {
    pub data: *const u8,
    pub len: usize,
    pub owner: [*mut c_void; 2],
}

const _: () = assert!(size_of::<Value>() <= size_of::<[*mut c_void; 2]>() && align_of::<Value>() <= align_of::<*mut c_void>());

impl p2pmap_bytes {
    pub(crate) fn copy(bytes: &[u8]) -> Self {
        let mut copy = Vec::with_capacity(bytes.len() + 1);
        copy.extend_from_slice(bytes);
        copy.push(0);
        Self { data: Box::into_raw(copy.into_boxed_slice()).cast(), len: bytes.len() }
    }
}

impl p2pmap_view {
    pub(crate) fn new(value: Value) -> Self {
        let (data, len) = pointer(&value);
        let mut owner: [*mut c_void; 2] = [std::ptr::null_mut(); 2];
        // SAFETY: a `Value` fits into `owner` (asserted above). It is taken out again by `p2pmap_view_release` only.
        unsafe { owner.as_mut_ptr().cast::<Value>().write(value) };
        Self { data, len, owner }
    }
}

/// Bytes as C takes them: never NULL, also when there are none.
#[inline]
pub(crate) fn pointer(bytes: &[u8]) -> (*const u8, usize) {
    if bytes.is_empty() { (c"".as_ptr().cast(), 0) } else { (bytes.as_ptr(), bytes.len()) }
}

/// Bytes as C takes them, or NULL for none.
pub(crate) fn optional_pointer(bytes: Option<&[u8]>) -> (*const u8, usize) {
    bytes.map_or((std::ptr::null(), 0), pointer)
}

/// Frees a copy, and sets it to nothing. NULL and nothing are fine.
///
/// Ownership: takes what `bytes` holds.
/// Threads: any; one at a time for one `bytes`.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_bytes_free(bytes: Option<&mut p2pmap_bytes>) {
    let Some(bytes) = bytes else { return };
    let data = std::mem::replace(&mut bytes.data, std::ptr::null_mut());
    let len = std::mem::take(&mut bytes.len);
    if !data.is_null() {
        // SAFETY: `p2pmap_bytes::copy` made it, with one byte more than `len`; it is taken back once, since `data`
        // is NULL now.
        guard_or((), || drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(data, len + 1)) }));
    }
}

/// Releases a view, and sets it to nothing. NULL and nothing are fine.
///
/// Ownership: takes what `view` holds.
/// Threads: any; one at a time for one `view`.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_view_release(view: Option<&mut p2pmap_view>) {
    let Some(view) = view else { return };
    let data = std::mem::replace(&mut view.data, std::ptr::null());
    view.len = 0;
    if !data.is_null() {
        let owner: MaybeUninit<[*mut c_void; 2]> = MaybeUninit::new(view.owner);
        // SAFETY: `p2pmap_view::new` put a `Value` there; it is taken out once, since `data` is NULL now.
        guard_or((), || drop(unsafe { owner.as_ptr().cast::<Value>().read() }));
    }
}
