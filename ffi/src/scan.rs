//! Scans
//!
//! Entries of the view in the order of their keys' bytes. A scan sees each key once, keeps no writer waiting, and
//! may stay open as long as it likes.
//!
//!     p2pmap_scan_options options = {.struct_size = sizeof options, .prefix = "http/", .prefix_len = 5};
//!     p2pmap_scan *scan;
//!     p2pmap_entry entry;
//!     if (p2pmap_map_scan(map, &options, &scan, NULL) == P2PMAP_OK) {
//!       while (p2pmap_scan_next(scan, &entry, NULL) == P2PMAP_OK)
//!         printf("%.*s\n", (int)entry.key_len, (const char *)entry.key);
//!       p2pmap_scan_free(scan);
//!     }

use std::ffi::c_void;
use std::mem::MaybeUninit;

use p2pmap::{Entry, Scan, ScanOptions};

use crate::error::{P2PMAP_END, P2PMAP_OK, p2pmap_error, p2pmap_status};
use crate::guard::{guard, guard_or};
use crate::handle::{Handle, Home, free, give, live, live_mut, required};
use crate::input::{self, Flag, Versioned};
use crate::map::p2pmap_map;
use crate::read::p2pmap_entry;

/// What a scan covers: everything, where all but `struct_size` is zero. Bounds combine.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct p2pmap_scan_options {
    /// sizeof(p2pmap_scan_options)
    pub struct_size: usize,
    /// Only keys that start with these bytes.
    pub prefix: *const c_void,
    pub prefix_len: usize,
    /// Only keys from here on; NULL for no bound.
    pub start: *const c_void,
    pub start_len: usize,
    /// Only keys below this one; NULL for no bound.
    pub end: *const c_void,
    pub end_len: usize,
    /// At most this many entries; 0 for no limit.
    pub limit: usize,
    /// From the greatest key down.
    pub reverse: Flag,
}

// SAFETY: `repr(C)`, begins with `struct_size`, and its fields are pointers, numbers and a `Flag`.
unsafe impl Versioned for p2pmap_scan_options {
    const NAME: &'static str = "p2pmap_scan_options";
    const FIRST: usize = size_of::<Self>();
}

/// A scan under way. Used by one thread at a time.
pub struct p2pmap_scan {
    home: Home,
    scan: Scan,
    /// What the last `p2pmap_scan_next` showed.
    entry: Option<Entry>,
}

impl Handle for p2pmap_scan {
    const NAME: &'static str = "scan";

    fn home(&self) -> &Home {
        &self.home
    }
}

impl p2pmap_scan_options {
    /// # Safety
    /// The pointers are as long as they say.
    unsafe fn read(&self) -> p2pmap::Result<ScanOptions> {
        // SAFETY: by this function's own contract.
        let bytes = |data, len, name| unsafe { input::bytes(data, len, name) }.map(<[u8]>::to_vec);
        let bound = |data: *const c_void, len, name| {
            if data.is_null() && len == 0 { Ok(None) } else { bytes(data, len, name).map(Some) }
        };
        Ok(ScanOptions {
            prefix: bytes(self.prefix, self.prefix_len, "prefix")?,
            start: bound(self.start, self.start_len, "start")?,
            end: bound(self.end, self.end_len, "end")?,
            limit: (self.limit != 0).then_some(self.limit),
            reverse: self.reverse.is_set(),
        })
    }
}

/// Begins a scan. NULL for `options` means everything.
///
/// Ownership: copies `options`; `*scan` is the caller's, to be freed with `p2pmap_scan_free`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn p2pmap_map_scan(
    map: Option<&p2pmap_map>,
    options: *const p2pmap_scan_options,
    scan: Option<&mut MaybeUninit<*mut p2pmap_scan>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let (map, out) = (live(map)?, required(scan, "scan")?);
        // SAFETY: the caller's struct is as long as its `struct_size` says, and so are the bytes that it points to.
        let options = unsafe { input::options(options)?.read() }?;
        give(out, p2pmap_scan { home: Home::here(), scan: map.map().scan(options)?, entry: None });
        Ok(P2PMAP_OK)
    })
}

/// The next entry; `P2PMAP_END` when there are no more.
///
/// Ownership: what `*entry` points to is the scan's; valid until the next call or until the scan is freed.
/// Threads: one at a time for one scan.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_scan_next(
    scan: Option<&mut p2pmap_scan>,
    entry: Option<&mut MaybeUninit<p2pmap_entry>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let (scan, out) = (live_mut(scan)?, required(entry, "entry")?);
        scan.entry = scan.scan.next();
        let Some(entry) = &scan.entry else {
            return Ok(P2PMAP_END);
        };
        out.write(p2pmap_entry::borrowed(entry));
        Ok(P2PMAP_OK)
    })
}

/// Frees a scan. NULL is fine.
///
/// Ownership: takes `scan`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_scan_free(scan: Option<Box<p2pmap_scan>>) {
    guard_or((), || free(scan, |_| ()));
}
