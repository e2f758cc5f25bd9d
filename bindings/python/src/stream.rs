//! Streams: the core's watch, and the three ways in which Python takes events from it.
//!
//! A blocking iterator calls `take`. A callback's thread calls `deliver`, which returns when the subscription ends. An event
//! loop reads the bell's file descriptor and calls `take` or `deliver_ready`. The classes that users see are in `_watch.py`.

use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use p2pmap::Watch;
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::event::Event;
use crate::face::Face;
use crate::process::OpenNode;
use crate::wait::{SLICE, seconds};

/// Events taken at once: enough to make one release of the GIL cheap for each of them.
const BATCH_EVENTS: usize = 256;

/// A source of events, shared by the thread that takes them and the one that ends it.
#[pyclass(frozen, module = "p2pmap._p2pmap")]
pub struct Stream {
    watch: Watch,
    face: Face,
    /// Ended by its user: events that were taken but not yet delivered no longer count.
    stopped: AtomicBool,
    bell: PyOnceLock<UnixStream>,
    /// A stream that nobody holds a map for goes on.
    _node: Arc<OpenNode>,
}

impl Stream {
    pub(crate) fn new(watch: Watch, face: Face, node: Arc<OpenNode>) -> Self {
        Self { watch, face, stopped: AtomicBool::new(false), bell: PyOnceLock::new(), _node: node }
    }

    /// Calls back for each event in turn; false when the stream was stopped meanwhile.
    fn call_back(&self, events: Vec<p2pmap::Event>, callback: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = callback.py();
        for event in events {
            if self.is_stopped() {
                return Ok(false);
            }
            if let Err(raised) = callback.call1((Event::new(event, self.face),)) {
                raised.write_unraisable(py, Some(callback));
            }
        }
        Ok(true)
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Makes the bell's descriptor unreadable, before the queue is looked at: what comes later rings again.
    fn silence(&self, py: Python<'_>) {
        if let Some(mut bell) = self.bell.get(py) {
            let mut rings = [0; 64];
            while matches!(bell.read(&mut rings), Ok(count) if count == rings.len()) {}
        }
    }
}

#[pymethods]
impl Stream {
    /// Waits for events and returns some; an empty list when the time is up, or when there will be none any more.
    ///
    /// Args:
    ///     timeout: Seconds to wait; None waits for ever.
    #[pyo3(signature = (timeout=None, /))]
    fn take(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Vec<Event>> {
        let deadline = timeout.map(seconds).transpose()?.map(|timeout| Instant::now() + timeout);
        loop {
            let left = deadline.map_or(SLICE, |at| at.saturating_duration_since(Instant::now()));
            let events = if self.is_stopped() {
                Vec::new()
            } else if left.is_zero() {
                self.silence(py);
                self.watch.recv(BATCH_EVENTS, Some(Duration::ZERO))
            } else {
                py.detach(|| self.watch.recv(BATCH_EVENTS, Some(left.min(SLICE))))
            };
            if !events.is_empty() || left.is_zero() || self.closed() {
                return Ok(events.into_iter().map(|event| Event::new(event, self.face)).collect());
            }
            py.check_signals()?;
        }
    }

    /// Calls back for every event until the stream ends. What the callback raises goes to `sys.unraisablehook`.
    #[pyo3(signature = (callback, /))]
    fn deliver(&self, callback: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = callback.py();
        while !self.closed() {
            let events = py.detach(|| self.watch.recv(BATCH_EVENTS, None));
            self.call_back(events, callback)?;
        }
        Ok(())
    }

    /// Calls back for what is there and does not wait; returns whether there may be more.
    #[pyo3(signature = (callback, /))]
    fn deliver_ready(&self, callback: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.silence(callback.py());
        if self.is_stopped() {
            return Ok(false);
        }
        let events = self.watch.recv(BATCH_EVENTS, Some(Duration::ZERO));
        let full = events.len() == BATCH_EVENTS;
        Ok(self.call_back(events, callback)? && full)
    }

    /// A file descriptor that is readable when events may be there to take, or the stream has ended.
    fn fileno(&self, py: Python<'_>) -> PyResult<i32> {
        let bell = self.bell.get_or_try_init(py, || -> PyResult<UnixStream> {
            let (bell, ringer) = UnixStream::pair().map_err(PyOSError::new_err)?;
            bell.set_nonblocking(true).and_then(|()| ringer.set_nonblocking(true)).map_err(PyOSError::new_err)?;
            // A full socket is a bell that rings already.
            self.watch.on_ready(move || drop((&ringer).write(&[1])));
            Ok(bell)
        })?;
        Ok(bell.as_raw_fd())
    }

    /// Ends the stream and wakes who waits. Idempotent.
    fn close(&self, py: Python<'_>) {
        self.stopped.store(true, Ordering::Release);
        py.detach(|| self.watch.close());
    }

    /// Whether there will never be an event again.
    #[getter]
    fn closed(&self) -> bool {
        self.is_stopped() || self.watch.is_closed()
    }
}
