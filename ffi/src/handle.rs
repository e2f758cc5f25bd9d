//! Handles: boxes that C holds by pointer, and that know which process they were opened in.

use std::mem::MaybeUninit;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use p2pmap::{Error, ErrorKind, Result};

/// How many forks lie between this process and the one that loaded the library.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// The process a handle belongs to.
pub(crate) struct Home(u32);

impl Home {
    /// This process. From the first one on, forks are noticed.
    pub(crate) fn here() -> Self {
        static REGISTER: Once = Once::new();
        REGISTER.call_once(|| {
            // SAFETY: `in_child` is async-signal-safe: it only adds to two atomic counters. The library is linked
            // `nodelete`, so the handler cannot be unloaded.
            unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        });
        Self(GENERATION.load(Ordering::Relaxed))
    }

    #[inline]
    fn is_here(&self) -> bool {
        self.0 == GENERATION.load(Ordering::Relaxed)
    }
}

extern "C" fn in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    p2pmap::forked_in_child();
}

/// What has threads behind it, and so does not survive a fork.
pub(crate) trait Handle {
    /// Its name as an argument, for messages.
    const NAME: &'static str;

    fn home(&self) -> &Home;
}

/// The handle itself. Errors: `InvalidArgument` for NULL, `Forked` in a child of the process that opened it.
#[inline]
pub(crate) fn live<T: Handle>(handle: Option<&T>) -> Result<&T> {
    let handle = required(handle, T::NAME)?;
    if handle.home().is_here() { Ok(handle) } else { Err(forked(T::NAME)) }
}

/// As [`live`], for handles that one thread at a time uses.
pub(crate) fn live_mut<T: Handle>(handle: Option<&mut T>) -> Result<&mut T> {
    let handle = required(handle, T::NAME)?;
    if handle.home().is_here() { Ok(handle) } else { Err(forked(T::NAME)) }
}

/// Runs `close` and frees the handle; does nothing for NULL, and leaks it in a forked child, whose copy has no threads
/// that could end in order.
pub(crate) fn free<T: Handle>(handle: Option<Box<T>>, close: impl FnOnce(&T)) {
    match handle {
        Some(handle) if handle.home().is_here() => close(&handle),
        Some(handle) => std::mem::forget(handle),
        None => {}
    }
}

/// What may not be NULL. Errors: `InvalidArgument`.
#[inline]
pub(crate) fn required<T>(pointer: Option<T>, name: &str) -> Result<T> {
    pointer.ok_or_else(|| is_null(name))
}

/// Gives a new handle to the caller.
pub(crate) fn give<T>(out: &mut MaybeUninit<*mut T>, handle: T) {
    out.write(Box::into_raw(Box::new(handle)));
}

#[cold]
pub(crate) fn is_null(name: &str) -> Error {
    Error::new(ErrorKind::InvalidArgument, format!("`{name}` is NULL"))
}

#[cold]
fn forked(name: &str) -> Error {
    Error::new(
        ErrorKind::Forked,
        format!("this process is a fork of the one that opened the {name}; open a node of its own after the fork"),
    )
}
