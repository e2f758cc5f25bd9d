//! A forked child has none of its parent's threads: its copies of handles must fail fast, not hang.

use std::sync::atomic::{AtomicU32, Ordering};

static GENERATION: AtomicU32 = AtomicU32::new(0);

/// To be called in a forked child, before anything else of this library (the C library registers it with
/// `pthread_atfork`, the Python package with `os.register_at_fork`). Handles opened before then fail with
/// [`Forked`](crate::ErrorKind::Forked); new nodes can be opened. Async-signal-safe.
pub fn forked_in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// How many forks lie between this process and the one that loaded the library.
#[inline]
pub(crate) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}
