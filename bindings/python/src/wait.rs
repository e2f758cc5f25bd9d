//! Waiting without the GIL, in a way that Ctrl-C ends.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use p2pmap::ErrorKind;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::errors::{raise, refuse};

/// How long a signal may go unnoticed.
pub(crate) const SLICE: Duration = Duration::from_millis(50);

/// Seconds as Python says them. Errors: `InvalidArgument` unless finite and not below zero.
pub(crate) fn seconds(timeout: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(timeout)
        .map_err(|_| refuse(ErrorKind::InvalidArgument, "`timeout` must be a number of seconds, finite and not below zero"))
}

/// Runs what waits on a thread of its own, and lets Python handle signals meanwhile. A signal handler that raises ends the
/// wait at once; what was begun then ends by itself, at the latest when its own time is up.
pub(crate) fn interruptible<T: Send + 'static>(
    py: Python<'_>,
    wait: impl FnOnce() -> p2pmap::Result<T> + Send + 'static,
) -> PyResult<T> {
    let (done, result) = sync_channel(1);
    std::thread::Builder::new()
        .name("p2pmap-wait".to_owned())
        .spawn(move || done.send(wait()))
        .map_err(|error| PyRuntimeError::new_err(format!("cannot start a thread: {error}")))?;
    // A `Receiver` is Send but not Sync: it goes into each detached section, and comes back.
    let mut result = result;
    loop {
        let (receiver, outcome) = py.detach(move || {
            let outcome = result.recv_timeout(SLICE);
            (result, outcome)
        });
        result = receiver;
        match outcome {
            Ok(outcome) => return outcome.map_err(raise),
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(refuse(ErrorKind::Internal, "a panic ended the call; this is a bug in p2pmap, please report it"));
            }
        }
    }
}
