//! A map handle: this node's copy of a named replicated map.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::batch::Batch;
use super::clock::now_ms;
use super::event::Event;
use super::node::Node;
use super::scan::{Scan, ScanOptions};
use super::state::{MapState, Wait};
use super::status::MapStatus;
use super::subscribe::{Delivery, SubscribeOptions, Subscription, Watch};
use super::ttl::Ttl;
use super::view::{Entry, Key, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::options::{Config, Durability, MapOptions};
use crate::peer::PeerId;
use crate::replica::Stamp;
use crate::wire;

/// Opens a map on a node of its own: the two-line start. Closing the map closes that node.
///
/// Errors: those of [`Node::open`] and [`Node::map`].
pub fn open(name: &str, config: Config) -> Result<Map> {
    let node = Node::open(config)?;
    let state = node.open_map(name, &MapOptions::new())?;
    Ok(Map::new(state, node, true))
}

/// This node's copy of a map. Clones share it.
///
/// Threads: every method from any thread, callbacks included.
/// Errors: every method that returns a `Result` fails with `Closed` after `close`, and with `Forked` in a forked child; what writes,
/// or waits for peers, with `Locked` when the node has left because another one runs with its identity.
#[derive(Clone)]
pub struct Map(Arc<Handle>, Wait);

struct Handle {
    state: Arc<MapState>,
    node: Node,
    owns_node: bool,
}

impl Map {
    pub(super) fn new(state: Arc<MapState>, node: Node, owns_node: bool) -> Self {
        Self(Arc::new(Handle { state, node, owns_node }), Wait::Disk)
    }

    pub fn name(&self) -> &str {
        &self.0.state.name
    }

    /// How long what is written lasts. `Sync`: writes block until the disk has them.
    pub fn durability(&self) -> Durability {
        self.0.state.settings.durability
    }

    /// The node it is open on.
    pub fn node(&self) -> Node {
        self.0.node.clone()
    }

    // ---- writes ----

    /// Writes a value; returns the write's stamp. The change is visible here when this returns, and on its way to the others.
    ///
    /// Errors: `TooLarge`, `InvalidValue`, `Full`; nothing changed. `Storage`, on a map that is kept on disk: the write counts here,
    /// and may be gone when the map is opened again.
    /// Cost: no IO, and O(log n) for a new key; with `durability=sync` every write blocks until the disk has it, with one sync for all
    /// who wait.
    pub fn put(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<Stamp> {
        let stamp = self.open_state()?.put(key.as_ref(), value.as_ref(), Ttl::Default, self.1)?;
        self.gossip();
        Ok(stamp)
    }

    /// Writes a value that expires: from then on it is absent on every replica, which each tells its subscribers by itself. A
    /// later put renews. `None`: it never expires, whatever the map's `default_ttl_ms`, which [`put`](Self::put) goes by.
    ///
    /// Units: what is less than a millisecond counts as one. The time is that of this node's clock; a replica whose clock is off
    /// hides the entry earlier or later by as much.
    /// Errors: those of `put`, and `InvalidArgument` for a time to live of 0 or above 100 years; nothing changed.
    pub fn put_ttl(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>, ttl: Option<Duration>) -> Result<Stamp> {
        let stamp = self.open_state()?.put(key.as_ref(), value.as_ref(), ttl.into(), self.1)?;
        self.gossip();
        Ok(stamp)
    }

    /// Removes; says whether a live value was there. Absent: nothing is written.
    pub fn remove(&self, key: impl AsRef<[u8]>) -> Result<bool> {
        let removed = self.open_state()?.remove(key.as_ref(), self.1)?;
        if removed {
            self.gossip();
        }
        Ok(removed)
    }

    /// Removes every key under a prefix in one batch; says how many.
    ///
    /// Errors: `TooLarge` when that is more than a batch can take; nothing changed.
    pub fn remove_prefix(&self, prefix: impl AsRef<[u8]>) -> Result<usize> {
        let removed = self.open_state()?.remove_prefix(prefix.as_ref(), self.1)?;
        if removed > 0 {
            self.gossip();
        }
        Ok(removed)
    }

    /// Applies a batch whole, here and on every replica; the last stamp, or `None` when nothing was written.
    ///
    /// Errors: `TooLarge`, `InvalidValue`, `Full`; nothing changed.
    pub fn apply(&self, batch: &Batch) -> Result<Option<Stamp>> {
        let last = self.open_state()?.apply(batch, self.1)?;
        if last.is_some() {
            self.gossip();
        }
        Ok(last)
    }

    /// A handle to the same map whose writes never wait for the disk, whatever the map's durability: [`flush`](Self::flush) does.
    /// For callers that must not block; what is written meanwhile is told to no peer of a `sync` map before it is on disk.
    pub fn deferred(&self) -> Self {
        Self(self.0.clone(), Wait::Nothing)
    }

    /// Returns when every write made here before is on disk; at once if the map is not kept there.
    ///
    /// Errors: `Storage`. Cost: blocks on the disk, with one sync for all who wait.
    pub fn flush(&self) -> Result<()> {
        self.open_state()?.flush()
    }

    fn gossip(&self) {
        self.0.node.network().wake(self.0.state.topic);
    }

    // ---- reads ----

    /// The newest live value here. Cost: O(1), no lock, nothing copied.
    #[inline]
    pub fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<Value>> {
        let record = self.open_state()?.index.record(key.as_ref());
        Ok(record.filter(|record| record.shows(now_ms)).map(Value))
    }

    /// Reads the newest live value in place, without counting a reference: the quickest way to copy a small one.
    /// `read` must not block.
    #[inline]
    pub fn get_with<R>(&self, key: impl AsRef<[u8]>, read: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        Ok(self.open_state()?.index.read(key.as_ref(), now_ms, read))
    }

    /// Value, stamp and author.
    pub fn entry(&self, key: impl AsRef<[u8]>) -> Result<Option<Entry>> {
        let slot = self.open_state()?.index.slot(key.as_ref());
        Ok(slot.and_then(|slot| {
            let record = slot.record();
            record.shows(now_ms).then(|| Entry { key: Key(slot), value: Value(record) })
        }))
    }

    pub fn contains(&self, key: impl AsRef<[u8]>) -> Result<bool> {
        Ok(self.get_with(key, |_| ())?.is_some())
    }

    /// Entries in the view.
    pub fn len(&self) -> Result<usize> {
        Ok(self.open_state()?.index.live())
    }

    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Entries in key order; all, by prefix, by range, with limit and reverse.
    pub fn scan(&self, options: ScanOptions) -> Result<Scan> {
        Ok(Scan::new(self.open_state()?.index.clone(), options))
    }

    // ---- changes ----

    /// Calls back on every change of the view, up to 256 at a time, in the order in which they were made here.
    ///
    /// Threads: one of the library's, of this subscription's own; under no lock, so the callback may call anything. A slow
    /// callback delays nobody: beyond 1,024 waiting events, waiting changes to one key are conflated into one.
    pub fn subscribe(
        &self,
        options: SubscribeOptions,
        callback: impl FnMut(&[Event]) + Send + 'static,
    ) -> Result<Subscription> {
        let state = self.open_state()?;
        let delivery = Delivery::start(state.subscribe(options)?, callback)?;
        state.adopt(&delivery);
        Ok(Subscription(delivery))
    }

    /// The same as a stream to pull from, conflated likewise when nobody pulls.
    pub fn watch(&self, options: SubscribeOptions) -> Result<Watch> {
        Ok(Watch(self.open_state()?.subscribe(options)?))
    }

    // ---- the rest ----

    /// Reconciles now with every connected peer that has the map open; returns when equal with each.
    ///
    /// Errors: `Timeout`, with how many were equal. Blocks on the network.
    pub fn sync(&self, timeout: Duration) -> Result<()> {
        let topic = self.open_state()?.topic;
        self.0.node.network().sync(topic, timeout)
    }

    /// Waits until that many peers hold a write, or a greater one for its key; returns who does, at least that many.
    /// 0 peers: returns at once, with nobody.
    ///
    /// Only peers connected to this node are asked: see `target_peers`.
    /// Errors: `Timeout`, with the number reached; `InvalidArgument` for a stamp that this copy does not hold itself. Blocks on the
    /// network.
    pub fn wait_replicated(&self, stamp: &Stamp, peers: usize, timeout: Duration) -> Result<Vec<PeerId>> {
        let state = self.open_state()?;
        if !state.writer().replica.context().covers(stamp) {
            let message =
                format!("the map `{}` holds no write {stamp} here: wait for one that it has made or received", state.name);
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let request = wire::sync::encode_holds(state.topic, stamp);
        let (holders, reached) = self.0.node.network().wait_held(state.topic, request, peers, timeout)?;
        if reached {
            return Ok(holders);
        }
        let (count, ms) = (holders.len(), timeout.as_millis());
        let message =
            format!("{count} of {peers} peers held the write {stamp} after {ms} ms: give it more time, or ask for fewer");
        Err(Error::new(ErrorKind::Timeout, message))
    }

    pub fn status(&self) -> Result<MapStatus> {
        let state = self.open_state()?;
        let connected = self.0.node.network().peers();
        Ok(state.status(&connected, &self.0.node.drifts(&connected)))
    }

    pub fn is_closed(&self) -> bool {
        self.0.state.is_closed()
    }

    /// Stops this copy: sends what waits, ends its subscriptions. Returns when no callback is running, but for the one that
    /// called this. Idempotent. A map from [`open`] closes its node too. In a forked child it does nothing.
    pub fn close(&self) {
        let Handle { state, node, owns_node } = &*self.0;
        if node.check_fork().is_err() {
            return;
        }
        node.close_map(state);
        if *owns_node {
            node.close();
        }
    }

    /// Closes, and deletes what this node stored of it; never a cluster-wide erase.
    ///
    /// Errors: `Forked`; `Locked` when the map has been opened again meanwhile; `Storage`. Closed already is fine.
    pub fn destroy(&self) -> Result<()> {
        let Handle { state, node, owns_node } = &*self.0;
        node.check_fork()?;
        node.close_map(state);
        let destroyed = node.destroy_map(state);
        if *owns_node {
            node.close();
        }
        destroyed
    }

    #[inline]
    pub(super) fn open_state(&self) -> Result<&MapState> {
        self.0.node.check_fork()?;
        self.0.state.check_open()?;
        Ok(&self.0.state)
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").field("name", &self.name()).field("len", &self.0.state.index.live()).finish()
    }
}
