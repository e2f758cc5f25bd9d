//! Clusters of real processes, on loopback and in network namespaces.
//!
//! Nothing here waits for a time to pass and hopes: states are polled until they are as expected, with a deadline that only a
//! failure reaches. What is measured on the way is printed (`--nocapture` shows it).
//!
//! Those in a [`lab`] need root and `ip` for their namespaces; without, they say so and are skipped.
//!
//! `make soak` runs them at full length (`P2PMAP_SOAK_S`, seconds of chaos); without, whatever need not last is shorter.

mod chaos;
mod copies;
mod cost;
mod heal;
mod hostile;
mod lab;
mod loopback;
mod membership;
mod oracle;
mod outage;
mod partition;
mod presence;
#[allow(dead_code, reason = "shared with the tests of durable maps")]
mod process;
mod rotation;
mod waiting;

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

static MACHINE: RwLock<()> = RwLock::new(());

/// Lets one cluster run at a time, so that what is measured is not the other tests.
fn alone() -> RwLockWriteGuard<'static, ()> {
    MACHINE.write().unwrap_or_else(PoisonError::into_inner)
}

/// For clusters that mostly wait, and need little of the machine: these run beside each other.
fn together() -> RwLockReadGuard<'static, ()> {
    MACHINE.read().unwrap_or_else(PoisonError::into_inner)
}
