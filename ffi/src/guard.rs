//! The guard at every entry: errors and panics become a status, and a `p2pmap_error` where one is asked for.

use std::any::Any;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

use p2pmap::{Error, ErrorKind, Result};

use crate::error::{p2pmap_error, p2pmap_status};

/// Runs an entry's work. Nothing unwinds into C.
#[inline]
pub(crate) fn guard(
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
    work: impl FnOnce() -> Result<p2pmap_status>,
) -> p2pmap_status {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(status)) => status,
        Ok(Err(cause)) => report(error, cause),
        Err(panic) => report(error, caught(&*panic)),
    }
}

/// Runs the work of an entry that cannot report: what it answers when it panics is `otherwise`.
#[inline]
pub(crate) fn guard_or<R>(otherwise: R, work: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(otherwise)
}

#[cold]
fn report(error: Option<&mut MaybeUninit<*mut p2pmap_error>>, cause: Error) -> p2pmap_status {
    let status = cause.kind().code();
    if let Some(error) = error {
        error.write(Box::into_raw(Box::new(p2pmap_error::new(&cause))));
    }
    status
}

#[cold]
fn caught(panic: &(dyn Any + Send)) -> Error {
    let what = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    Error::new(ErrorKind::Internal, format!("a panic in p2pmap, caught ({what}); please report it"))
}
