//! What is passed: arguments, right and wrong, and callbacks.

use std::ffi::{CString, c_void};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::c_abi::Caller;

/// Longer than any struct with its own size may say that it is.
const WORDS: usize = 4096 / 8 + 8;

pub static REGISTERED: AtomicUsize = AtomicUsize::new(0);
static DESTROYED: AtomicUsize = AtomicUsize::new(0);

pub extern "C" fn on_events(events: *const c_void, count: usize, _: *mut c_void) {
    assert!(!events.is_null() && count > 0, "a callback is told something");
}

pub extern "C" fn destroy(_: *mut c_void) {
    let destroyed = DESTROYED.fetch_add(1, Ordering::SeqCst) + 1;
    assert!(destroyed <= REGISTERED.load(Ordering::SeqCst), "once each");
}

impl Caller<'_> {
    /// Some bytes; or NULL, with a length or without; or a length that nothing has.
    pub fn bytes(&mut self) -> (*const c_void, usize) {
        let bytes = self.feed.some();
        match self.feed.byte() {
            255 => (null(), bytes.len()),
            254 => (bytes.as_ptr().cast(), usize::MAX - bytes.len()),
            _ => (bytes.as_ptr().cast(), bytes.len()),
        }
    }

    pub fn text(&mut self) -> Option<CString> {
        let bytes = self.feed.some().split(|byte| *byte == 0).next().unwrap_or_default();
        let reads_files = bytes.windows(5).any(|word| word == b"file:");
        (self.feed.byte() != 255 && !reads_files).then(|| CString::new(bytes).expect("without NUL"))
    }

    /// A place for an output, or NULL.
    pub fn place<T>(&mut self, place: &mut T) -> *mut T {
        if self.feed.byte() == 255 { null_mut() } else { std::ptr::from_mut::<T>(place) }
    }

    /// A struct that begins with its size, right or wrong, and goes on with pairs of a pointer and a length.
    pub fn sized(&mut self, size: usize, pairs: usize) -> [u64; WORDS] {
        let mut words = [0; WORDS];
        words[0] = match self.feed.byte() {
            255 => self.feed.number(),
            254 => size as u64 + 8,
            253 => size as u64 - 8,
            _ => size as u64,
        };
        for pair in 0..pairs {
            if self.feed.byte() & 1 == 1 {
                let (data, len) = self.bytes();
                (words[1 + 2 * pair], words[2 + 2 * pair]) = (data as u64, len as u64);
            }
        }
        words[1 + 2 * pairs] = u64::from(self.feed.byte());
        words[2 + 2 * pairs] = u64::from(self.feed.byte());
        words
    }
}
