//! Version
//!
//! A program linked against the shared library gets the interface it was compiled for: the soname changes whenever
//! the interface does. One that loads the library by hand compares `p2pmap_abi_version()` with `P2PMAP_ABI_VERSION`.

use std::ffi::{CStr, c_char};

/// The version of the interface in this header.
pub const P2PMAP_ABI_VERSION: u32 = 1;

/// The version of the interface that the loaded library has.
///
/// Ownership: nothing.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_abi_version() -> u32 {
    P2PMAP_ABI_VERSION
}

/// The library's version, such as "0.1.0".
///
/// Ownership: the library's; valid for ever.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_version() -> *const c_char {
    const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => panic!("a version without NUL"),
    };
    VERSION.as_ptr()
}
