//! Subscriptions: changes of the view, pushed to a callback or pulled from a watch.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::Duration;

use parking_lot::Mutex;

use super::event::Event;
use super::queue::Queue;
use crate::error::{Error, ErrorKind, Result};
use crate::fork;

/// What a subscription covers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubscribeOptions {
    /// Only keys that start with these bytes.
    pub prefix: Vec<u8>,
    /// First a `put` for every entry of the view, then `synced`, then the changes: nothing missed, nothing doubled.
    pub snapshot: bool,
}

/// Events that one call of a callback gets at most.
const MAX_BATCH: usize = 256;

/// A callback's registration. Dropping it unsubscribes.
pub struct Subscription(pub(super) Arc<Delivery>);

impl Subscription {
    /// Ends the subscription. When this returns, no callback of it is running or will run, and the callback was
    /// dropped. Called from within the callback itself it returns at once, and that holds when the callback returns.
    ///
    /// Threads: any. Do not hold a lock that the callback takes. Idempotent.
    pub fn unsubscribe(&self) {
        self.0.stop();
    }

    /// Whether callbacks may still come: neither unsubscribed nor the map closed.
    pub fn is_active(&self) -> bool {
        !self.0.queue.is_closed()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// The thread that calls one callback.
pub(super) struct Delivery {
    pub queue: Arc<Queue>,
    thread: Mutex<Option<JoinHandle<()>>>,
    id: ThreadId,
    generation: u32,
}

impl Delivery {
    pub fn start(queue: Arc<Queue>, mut callback: impl FnMut(&[Event]) + Send + 'static) -> Result<Arc<Self>> {
        let events = queue.clone();
        let deliver = move || loop {
            let batch = events.recv(MAX_BATCH, None);
            if batch.is_empty() {
                break;
            }
            if catch_unwind(AssertUnwindSafe(|| callback(&batch))).is_err() {
                tracing::error!("a subscriber's callback panicked");
            }
        };
        let thread = thread::Builder::new()
            .name("p2pmap-events".to_owned())
            .spawn(deliver)
            .map_err(|error| Error::new(ErrorKind::Internal, format!("no thread for a subscription: {error}")))?;
        let id = thread.thread().id();
        Ok(Arc::new(Self { queue, thread: Mutex::new(Some(thread)), id, generation: fork::generation() }))
    }

    /// Discards what waits; returns when the callback has ended, unless called from it.
    pub fn stop(&self) {
        if self.generation != fork::generation() {
            // A forked child has no such thread.
            std::mem::forget(self.thread.try_lock().and_then(|mut thread| thread.take()));
            return;
        }
        self.queue.close(true);
        if thread::current().id() == self.id {
            return;
        }
        // Whoever comes second waits here for the first.
        let mut thread = self.thread.lock();
        if let Some(thread) = thread.take() {
            let _ = thread.join();
        }
    }
}

/// A pulled stream of events: an iterator that waits, or a `futures::Stream`.
///
/// Threads: any; one may wait while another closes. Memory: bounded, see [`Map::watch`](super::Map::watch).
pub struct Watch(pub(super) Arc<Queue>);

impl Watch {
    /// Up to `max` events, in order; waits until there is one, the time is up or the watch is closed (both: none).
    /// `Duration::ZERO` never waits, `None` waits for ever.
    pub fn recv(&self, max: usize, timeout: Option<Duration>) -> Vec<Event> {
        self.0.recv(max, timeout)
    }

    /// Whether `recv` can never return an event again: the watch or its map was closed, and everything was taken.
    pub fn is_closed(&self) -> bool {
        self.0.is_done()
    }

    /// Ends the watch, drops what waits and wakes whoever waits. Idempotent.
    pub fn close(&self) {
        self.0.close(true);
    }

    /// Calls `wake` each time the watch turns from empty to not empty, and when it ends, on whatever thread brings that.
    /// It must be quick and must not call back into the map. A later call replaces it.
    pub fn on_ready(&self, wake: impl Fn() + Send + Sync + 'static) {
        self.0.on_ready(Arc::new(wake));
    }
}

impl Iterator for Watch {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        self.0.recv(1, None).pop()
    }
}

impl futures::Stream for Watch {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        self.0.poll_next(context)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.close(true);
    }
}
