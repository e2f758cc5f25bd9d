//! Clusters of real processes, on loopback and in network namespaces.
//!
//! Nothing here waits for a time to pass and hopes: states are polled until they are as expected, with a deadline that only a
//! failure reaches. What is measured on the way is printed (`--nocapture` shows it).
//!
//! The tests in [`partition`] need root and `ip` for their namespaces; without, they say so and are skipped.

mod hostile;
mod lab;
mod loopback;
mod membership;
mod partition;
mod process;
mod waiting;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Lets one cluster run at a time, so that what is measured is not the other tests.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}
