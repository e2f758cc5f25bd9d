//! A map handle: this node's copy of a named replicated map.
use std::time::Duration;
use super::*;
use crate::{Config, Result, Stamp};

/// Many puts and removes that travel as one delta and are applied whole.
#[derive(Clone, Debug, Default)]
pub struct Batch(());
impl Batch {
    pub fn new() -> Self { todo!() }
    pub fn put(&mut self, _key: impl AsRef<[u8]>, _value: impl AsRef<[u8]>) -> &mut Self { todo!() }
    pub fn remove(&mut self, _key: impl AsRef<[u8]>) -> &mut Self { todo!() }
    pub fn len(&self) -> usize { todo!() }
    pub fn is_empty(&self) -> bool { todo!() }
    pub fn clear(&mut self) { todo!() }
}

/// This node's copy of a map. Clones share it; every method may be called from any thread, callbacks included.
#[derive(Clone)]
pub struct Map(());
impl Map {
    pub fn name(&self) -> &str { todo!() }
    /// The node it is open on.
    pub fn node(&self) -> Node { todo!() }
    pub fn put(&self, _key: impl AsRef<[u8]>, _value: impl AsRef<[u8]>) -> Result<Stamp> { todo!() }
    pub fn get(&self, _key: impl AsRef<[u8]>) -> Result<Option<Value>> { todo!() }
    /// Reads in place, without counting a reference: the quickest way to copy a small value. `read` must not block.
    pub fn get_with<R>(&self, _key: impl AsRef<[u8]>, _read: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> { todo!() }
    pub fn entry(&self, _key: impl AsRef<[u8]>) -> Result<Option<Entry>> { todo!() }
    pub fn contains(&self, _key: impl AsRef<[u8]>) -> Result<bool> { todo!() }
    /// Entries in the view.
    pub fn len(&self) -> Result<usize> { todo!() }
    pub fn is_empty(&self) -> Result<bool> { todo!() }
    /// Removes; says whether a live value was there. Absent: nothing is written.
    pub fn remove(&self, _key: impl AsRef<[u8]>) -> Result<bool> { todo!() }
    /// Removes every key under a prefix in one batch; says how many.
    pub fn remove_prefix(&self, _prefix: impl AsRef<[u8]>) -> Result<usize> { todo!() }
    /// Applies a batch whole; the last stamp, or `None` when nothing was written.
    pub fn apply(&self, _batch: &Batch) -> Result<Option<Stamp>> { todo!() }
    pub fn scan(&self, _options: ScanOptions) -> Result<Scan> { todo!() }
    pub fn subscribe(&self, _options: SubscribeOptions, _callback: impl FnMut(&[Event]) + Send + 'static) -> Result<Subscription> { todo!() }
    pub fn watch(&self, _options: SubscribeOptions) -> Result<Watch> { todo!() }
    /// Reconciles now with every connected peer; returns when equal with each. Errors: `Timeout`, `Closed`.
    pub fn sync(&self, _timeout: Duration) -> Result<()> { todo!() }
    pub fn status(&self) -> Result<MapStatus> { todo!() }
    pub fn is_closed(&self) -> bool { todo!() }
    /// Stops this copy. Idempotent. A map from `open` closes its node too.
    pub fn close(&self) { todo!() }
    /// Closes, and deletes what this node stored of it; never a cluster-wide erase.
    pub fn destroy(&self) -> Result<()> { todo!() }
}

/// Opens a map on a node of its own: the two-line start. Closing the map closes that node.
pub fn open(_name: &str, _config: Config) -> Result<Map> { todo!() }
