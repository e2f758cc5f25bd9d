//! Status and errors
//!
//! Zero is success, above zero an outcome to expect, below zero an error. Numbers are never given a second meaning.

use std::ffi::{CStr, CString, c_char};

use p2pmap::{Error, ErrorKind};

use crate::guard::guard_or;

/// What a call came to: one of the numbers below.
pub type p2pmap_status = i32;

/// Done.
pub const P2PMAP_OK: p2pmap_status = 0;
/// Absent: there is no live value under this key.
pub const P2PMAP_NOT_FOUND: p2pmap_status = 1;
/// The value does not fit into the buffer; the length it needs was written, the buffer was not.
pub const P2PMAP_BUFFER_TOO_SMALL: p2pmap_status = 2;
/// The end: a scan has no more entries, or a watch was closed and everything was taken.
pub const P2PMAP_END: p2pmap_status = 3;
/// Nothing came in the time given; ask again.
pub const P2PMAP_EMPTY: p2pmap_status = 4;
/// An argument that no state could make valid, such as NULL. Nothing changed.
pub const P2PMAP_INVALID_ARGUMENT: p2pmap_status = -1;
/// An unknown option, or a value that the option does not allow. Nothing changed.
pub const P2PMAP_INVALID_CONFIG: p2pmap_status = -2;
/// The map's validator said no. Nothing changed.
pub const P2PMAP_INVALID_VALUE: p2pmap_status = -3;
/// A key, value or batch over its limit. Nothing changed.
pub const P2PMAP_TOO_LARGE: p2pmap_status = -4;
/// The node, map or watch was closed. Nothing changed.
pub const P2PMAP_CLOSED: p2pmap_status = -5;
/// A data directory in use by another process; or it was copied, and another node runs with the identity in it.
pub const P2PMAP_LOCKED: p2pmap_status = -6;
/// The disk refused: full, read-only or broken.
pub const P2PMAP_STORAGE: p2pmap_status = -7;
/// A stored file is damaged.
pub const P2PMAP_CORRUPTED: p2pmap_status = -8;
/// An address that cannot be parsed, listened on or reached.
pub const P2PMAP_NETWORK: p2pmap_status = -9;
/// A listen address that another socket holds. No node was opened.
pub const P2PMAP_ADDRESS_IN_USE: p2pmap_status = -10;
/// The time given ran out; what was asked for may still happen.
pub const P2PMAP_TIMEOUT: p2pmap_status = -11;
/// `max_entries` or `max_bytes` is reached. Nothing changed.
pub const P2PMAP_FULL: p2pmap_status = -12;
/// A format or protocol version that this library does not speak.
pub const P2PMAP_UNSUPPORTED: p2pmap_status = -13;
/// The handle was opened before a `fork`, and this is the child.
pub const P2PMAP_FORKED: p2pmap_status = -14;
/// The map's `writers` do not include this node. Nothing changed.
pub const P2PMAP_NOT_PERMITTED: p2pmap_status = -15;
/// A bug in p2pmap: a panic, caught. Please report it.
pub const P2PMAP_INTERNAL: p2pmap_status = -100;

/// Every status, with the core's kind where it is an error.
const STATUSES: [(p2pmap_status, &CStr, Option<ErrorKind>); 21] = [
    (P2PMAP_OK, c"OK", None),
    (P2PMAP_NOT_FOUND, c"NOT_FOUND", None),
    (P2PMAP_BUFFER_TOO_SMALL, c"BUFFER_TOO_SMALL", None),
    (P2PMAP_END, c"END", None),
    (P2PMAP_EMPTY, c"EMPTY", None),
    (P2PMAP_INVALID_ARGUMENT, c"INVALID_ARGUMENT", Some(ErrorKind::InvalidArgument)),
    (P2PMAP_INVALID_CONFIG, c"INVALID_CONFIG", Some(ErrorKind::InvalidConfig)),
    (P2PMAP_INVALID_VALUE, c"INVALID_VALUE", Some(ErrorKind::InvalidValue)),
    (P2PMAP_TOO_LARGE, c"TOO_LARGE", Some(ErrorKind::TooLarge)),
    (P2PMAP_CLOSED, c"CLOSED", Some(ErrorKind::Closed)),
    (P2PMAP_LOCKED, c"LOCKED", Some(ErrorKind::Locked)),
    (P2PMAP_STORAGE, c"STORAGE", Some(ErrorKind::Storage)),
    (P2PMAP_CORRUPTED, c"CORRUPTED", Some(ErrorKind::Corrupted)),
    (P2PMAP_NETWORK, c"NETWORK", Some(ErrorKind::Network)),
    (P2PMAP_ADDRESS_IN_USE, c"ADDRESS_IN_USE", Some(ErrorKind::AddressInUse)),
    (P2PMAP_TIMEOUT, c"TIMEOUT", Some(ErrorKind::Timeout)),
    (P2PMAP_FULL, c"FULL", Some(ErrorKind::Full)),
    (P2PMAP_UNSUPPORTED, c"UNSUPPORTED", Some(ErrorKind::Unsupported)),
    (P2PMAP_FORKED, c"FORKED", Some(ErrorKind::Forked)),
    (P2PMAP_NOT_PERMITTED, c"NOT_PERMITTED", Some(ErrorKind::NotPermitted)),
    (P2PMAP_INTERNAL, c"INTERNAL", Some(ErrorKind::Internal)),
];

/// Why a call failed: its status, and a sentence that names the thing, the limit and the remedy. It never holds a
/// value.
pub struct p2pmap_error {
    status: p2pmap_status,
    message: CString,
}

impl p2pmap_error {
    pub(crate) fn new(error: &Error) -> Self {
        Self { status: error.kind().code(), message: c_text(error.message()) }
    }
}

/// The name of a status, such as "TOO_LARGE"; "UNKNOWN" for a number that is none.
///
/// Ownership: the library's; valid for ever.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_status_name(status: p2pmap_status) -> *const c_char {
    STATUSES.iter().find(|row| row.0 == status).map_or(c"UNKNOWN", |row| row.1).as_ptr()
}

/// The status that the failed call returned; `P2PMAP_OK` for NULL.
///
/// Ownership: borrows `error`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_error_status(error: Option<&p2pmap_error>) -> p2pmap_status {
    error.map_or(P2PMAP_OK, |error| error.status)
}

/// What went wrong, in one sentence of UTF-8; "" for NULL.
///
/// Ownership: the error's; valid until it is freed.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_error_message(error: Option<&p2pmap_error>) -> *const c_char {
    error.map_or(c"".as_ptr(), |error| error.message.as_ptr())
}

/// Frees an error. NULL is fine.
///
/// Ownership: takes `error`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_error_free(error: Option<Box<p2pmap_error>>) {
    guard_or((), || drop(error));
}

/// Text as C takes it: it ends where its first NUL is.
pub(crate) fn c_text(text: &str) -> CString {
    let text = text.split('\0').next().unwrap_or_default();
    CString::new(text).unwrap_or_default()
}

/// Text in a field of a struct that is the caller's: it ends with a NUL, and is cut off where it is too long.
pub(crate) fn c_array<const BYTES: usize>(text: &str) -> [c_char; BYTES] {
    let mut array = [0; BYTES];
    let end = (0..BYTES.min(text.len() + 1)).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    for (to, &from) in array.iter_mut().zip(&text.as_bytes()[..end]) {
        *to = c_char::from_ne_bytes([from]);
    }
    array
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_in_a_field_ends_with_a_nul_and_at_a_whole_character() {
        assert_eq!(c_array::<4>("abc").map(|byte| byte as u8), *b"abc\0");
        assert_eq!(c_array::<4>("ab\u{e4}").map(|byte| byte as u8), *b"ab\0\0");
        assert_eq!(c_array::<4>("").map(|byte| byte as u8), [0; 4]);
    }

    #[test]
    fn statuses_are_the_cores_kinds() {
        for (status, name, kind) in STATUSES {
            if let Some(kind) = kind {
                assert_eq!((status, name.to_str()), (kind.code(), Ok(kind.name())));
            }
        }
        for kind in ErrorKind::ALL {
            assert!(STATUSES.iter().any(|row| row.2 == Some(kind)), "{} has no status", kind.name());
        }
    }
}
