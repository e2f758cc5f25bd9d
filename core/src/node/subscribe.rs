//! Subscriptions: changes of the view, pushed to a callback or pulled from a watch.
use std::time::Duration;
use super::Event;
use crate::Result;

/// What a subscription covers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubscribeOptions {
    /// Only keys that start with these bytes.
    pub prefix: Vec<u8>,
    /// First a `put` for every entry of the view, then `synced`, then the changes: nothing missed, nothing doubled.
    pub snapshot: bool,
}

/// A callback's registration. Dropping it unsubscribes.
pub struct Subscription(());
impl Subscription {
    /// Ends the subscription. When this returns, no callback of it is running or will run, and the callback was
    /// dropped; called from within the callback itself it returns at once, and that holds when the callback returns.
    pub fn unsubscribe(&self) { todo!() }
    /// Ends when the map closes or after `unsubscribe`.
    pub fn is_active(&self) -> bool { todo!() }
}

/// A pulled stream of events. `Iterator` waits for the next one; `futures::Stream` polls. Send and Sync: one thread
/// may wait while another closes.
pub struct Watch(());
impl Watch {
    /// Up to `max` events; waits until there is one, the time is up (empty) or the watch is closed (empty).
    /// `Duration::ZERO` never waits; `None` waits for ever.
    pub fn recv(&self, _max: usize, _timeout: Option<Duration>) -> Vec<Event> { todo!() }
    /// Whether `recv` can never return an event again: closed (or the map closed), and everything was taken.
    pub fn is_closed(&self) -> bool { todo!() }
    /// Ends the watch and wakes who waits. Idempotent.
    pub fn close(&self) { todo!() }
    /// Calls `wake` from whatever thread brings an event (or the end) when the watch was empty: once for each time it turns
    /// from empty to not empty. It must be quick and must not call back into the map.
    pub fn on_ready(&self, _wake: impl Fn() + Send + Sync + 'static) -> Result<()> { todo!() }
}
impl Iterator for Watch { type Item = Event; fn next(&mut self) -> Option<Event> { todo!() } }
