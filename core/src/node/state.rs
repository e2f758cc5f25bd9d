//! One open map of this node: its replica behind the writer lock, its readers' index, its subscribers.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::{Mutex, MutexGuard};

use super::batch::Batch;
use super::clock::now_ms;
use super::event::Event;
use super::keeper::Keeper;
use super::queue::Queue;
use super::subscribe::{Delivery, SubscribeOptions};
use super::sweep::Alarm;
use super::ttl::Ttl;
use crate::error::{Error, ErrorKind, Result};
use crate::net::Refusal;
use crate::options::MapSettings;
use crate::peer::PeerId;
use crate::replica::{Change, Index, Record, Replica, Signing, Stamp, Write};
use crate::wire::Topic;

/// Shared by the map's handles and the network. Locks: the writer lock is held for one write or one merge, never while user
/// code runs.
pub struct MapState {
    pub name: String,
    pub topic: Topic,
    pub settings: MapSettings,
    /// This node.
    pub me: PeerId,
    /// On a signed map.
    pub(super) signing: Option<Signing>,
    pub index: Arc<Index>,
    pub counters: Counters,
    /// How each peer's copy compared when last looked at.
    pub peers: Mutex<HashMap<PeerId, Compared>>,
    writer: Mutex<Writer>,
    /// A durable map's.
    pub keeper: Option<Arc<Keeper>>,
    deliveries: Mutex<Vec<Weak<Delivery>>>,
    pub(super) node: NodeShared,
    /// When time is looked at next.
    pub(super) next_sweep_ms: AtomicU64,
    /// Presence: the sign of life that is to leave next.
    pub(super) pulse: Mutex<Option<Vec<u8>>>,
    pub(super) said_goodbye: AtomicBool,
    closed: AtomicBool,
}

/// What all maps of a node share.
#[derive(Clone, Default)]
pub struct NodeShared {
    pub alarm: Arc<Alarm>,
    /// Why nothing may be written any more, if so.
    pub refusal: Arc<Refusal>,
    /// Entries stamped further ahead are set aside.
    pub max_clock_drift_ms: u64,
}

/// What the writer lock protects.
pub struct Writer {
    pub replica: Replica,
    subscribers: Vec<Arc<Queue>>,
}

/// What a write waits for before it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    Nothing,
    /// The disk, if the map is `sync`.
    Disk,
}

#[derive(Default)]
pub struct Counters {
    pub refused_entries: AtomicU64,
    pub rejected_messages: AtomicU64,
    pub gaps: AtomicU64,
    pub syncs: AtomicU64,
    pub self_checks: AtomicU64,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Compared {
    pub equal: Option<bool>,
    /// Entries held here that the peer did not cover.
    pub behind: Option<u64>,
    pub last_sync_ms: Option<u64>,
    /// Contexts were equal and fingerprints were not: the next pull must be a full one.
    pub suspicious: bool,
    /// It was asked, since the map was opened, for what was refused in an earlier opening too: what is allowed may have changed.
    pub asked_anew: bool,
}

impl MapState {
    pub fn new(
        name: &str,
        topic: Topic,
        settings: MapSettings,
        replica: Replica,
        keeper: Option<Arc<Keeper>>,
        node: NodeShared,
    ) -> Self {
        Self {
            name: name.to_owned(),
            topic,
            settings,
            me: replica.origin().peer().clone(),
            signing: replica.signing().cloned(),
            index: replica.index().clone(),
            counters: Counters::default(),
            peers: Mutex::default(),
            writer: Mutex::new(Writer { replica, subscribers: Vec::new() }),
            keeper,
            deliveries: Mutex::default(),
            node,
            next_sweep_ms: AtomicU64::new(0),
            pulse: Mutex::default(),
            said_goodbye: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        }
    }

    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub fn check_open(&self) -> Result<()> {
        if !self.is_closed() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Closed, format!("the map `{}` is closed: open it again", self.name)))
    }

    pub fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock()
    }

    // ---- writes ----

    pub fn put(&self, key: &[u8], value: &[u8], ttl: Ttl, wait: Wait) -> Result<Stamp> {
        ttl.check()?;
        self.check_write(key, Some(value))?;
        let mut writer = self.open_writer()?;
        self.check_room(std::iter::once((key, Some(value))))?;
        let now = now_ms();
        writer.expire(now);
        let change = writer.replica.put(key, value, ttl.expires_at_ms(now, self.settings.default_ttl_ms), now);
        writer.tell(std::slice::from_ref(&change));
        self.set_alarm(&writer);
        self.keep(writer, wait)?;
        Ok(change.new.stamp().clone())
    }

    pub fn remove(&self, key: &[u8], wait: Wait) -> Result<bool> {
        self.check_permitted(key)?;
        let mut writer = self.open_writer()?;
        let now = now_ms();
        writer.expire(now);
        let change = writer.replica.remove(key, now);
        writer.tell(change.as_slice());
        self.keep(writer, wait)?;
        Ok(change.is_some())
    }

    /// The stamp of its last write, if it wrote at all.
    pub fn apply(&self, batch: &Batch, wait: Wait) -> Result<Option<Stamp>> {
        batch.check(self.settings.signed)?;
        let now = now_ms();
        let writes = batch.writes(now, self.settings.default_ttl_ms);
        for write in writes.clone() {
            self.check_write(write.key, write.value)?;
        }
        let mut writer = self.open_writer()?;
        self.check_room(writes.clone().map(|write| (write.key, write.value)))?;
        let changes = writer.apply(writes, now);
        self.set_alarm(&writer);
        self.keep(writer, wait)?;
        Ok(changes.last().map(|change| change.new.stamp().clone()))
    }

    pub fn remove_prefix(&self, prefix: &[u8], wait: Wait) -> Result<usize> {
        let mut writer = self.open_writer()?;
        let now = now_ms();
        let mut batch = Batch::new();
        let options = super::scan::ScanOptions { prefix: prefix.to_vec(), ..Default::default() };
        for entry in super::scan::Scan::new(self.index.clone(), options) {
            batch.remove(&**entry.key());
        }
        batch.check(self.settings.signed)?;
        for write in batch.writes(now, 0) {
            self.check_permitted(write.key)?;
        }
        let removed = writer.apply(batch.writes(now, 0), now).len();
        self.keep(writer, wait)?;
        Ok(removed)
    }

    /// Returns when everything that was written is on disk, if the map is kept there.
    pub fn flush(&self) -> Result<()> {
        let Some(keeper) = &self.keeper else { return Ok(()) };
        let edits = self.writer().replica.edits();
        keeper.save(self, edits)
    }

    /// A write has been made: returns when it is as durable as the map is, or at once.
    fn keep(&self, writer: MutexGuard<'_, Writer>, wait: Wait) -> Result<()> {
        let Some(keeper) = &self.keeper else { return Ok(()) };
        if wait == Wait::Nothing {
            keeper.changed();
            return Ok(());
        }
        let edits = writer.replica.edits();
        drop(writer);
        keeper.wrote(self, edits)
    }

    /// Whether that write, or a greater one for its key, is here, and on disk if the map is durable.
    pub fn holds(&self, stamp: &Stamp) -> bool {
        let writer = self.writer();
        let (covers, edits) = (writer.replica.context().covers(stamp), writer.replica.edits());
        drop(writer);
        covers && self.keeper.as_ref().is_none_or(|keeper| keeper.is_saved(edits))
    }

    /// Peers, or time, have changed something: it is saved by and by.
    pub fn changed(&self) {
        self.keeper.iter().for_each(|keeper| keeper.changed());
    }

    /// The writer lock of a map that is open and takes writes, and stays open while it is held.
    fn open_writer(&self) -> Result<MutexGuard<'_, Writer>> {
        let writer = self.writer();
        self.check_open()?;
        self.node.refusal.get().map_or(Ok(()), |refusal| Err(refusal.clone()))?;
        self.keeper.as_ref().map_or(Ok(()), |keeper| keeper.check())?;
        Ok(writer)
    }

    /// What can be said of a write without looking at the map. Runs user code: call it outside every lock.
    pub(super) fn check_write(&self, key: &[u8], value: Option<&[u8]>) -> Result<()> {
        let settings = &self.settings;
        if key.len() > settings.max_key_bytes {
            return Err(self.too_large("key", key.len(), "max_key_bytes", settings.max_key_bytes));
        }
        self.check_permitted(key)?;
        let Some(value) = value else { return Ok(()) };
        if value.len() > settings.max_value_bytes {
            return Err(self.too_large("value", value.len(), "max_value_bytes", settings.max_value_bytes));
        }
        match settings.validators.refuse(key, value) {
            None => Ok(()),
            Some(reason) => {
                let key = key.escape_ascii();
                let message = format!("the validator of the map `{}` refused the value for `{key}`: {reason}", self.name);
                Err(Error::new(ErrorKind::InvalidValue, message))
            }
        }
    }

    fn too_large(&self, what: &str, bytes: usize, option: &str, limit: usize) -> Error {
        let map = &self.name;
        let message =
            format!("a {what} of {bytes} bytes; the map `{map}` takes at most {limit}: raise `{option}` on every node");
        Error::new(ErrorKind::TooLarge, message)
    }

    /// Whether the map's own limits leave room for those writes. Under the writer lock.
    fn check_room<'a>(&self, writes: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)>) -> Result<()> {
        let (max_entries, max_bytes) = (self.settings.max_entries, self.settings.max_bytes);
        if max_entries == 0 && max_bytes == 0 {
            return Ok(());
        }
        let after: HashMap<_, _> = writes.collect();
        let (mut entries, mut bytes) = (self.index.live() as i128, i128::from(self.index.bytes()));
        for (key, value) in after {
            let held = self.index.record(key).filter(Record::is_live).map(|held| held.bytes().len());
            entries += i128::from(value.is_some()) - i128::from(held.is_some());
            bytes += value.map_or(0, <[u8]>::len) as i128 - held.unwrap_or(0) as i128;
            bytes += if value.is_some() && self.index.slot(key).is_none() { key.len() as i128 } else { 0 };
        }
        let full = |option: &str, limit: u64| {
            let message =
                format!("the map `{}` is full: it holds at most {limit} ({option}); remove entries or raise it", self.name);
            Err(Error::new(ErrorKind::Full, message))
        };
        let grows = (entries > self.index.live() as i128, bytes > i128::from(self.index.bytes()));
        if max_entries > 0 && grows.0 && entries > i128::from(max_entries) {
            return full("max_entries", max_entries);
        }
        if max_bytes > 0 && grows.1 && bytes > i128::from(max_bytes) {
            return full("max_bytes", max_bytes);
        }
        Ok(())
    }

    // ---- subscribers ----

    /// Registers a subscriber's queue; with a snapshot, the view of this moment waits in it.
    pub fn subscribe(&self, options: SubscribeOptions) -> Result<Arc<Queue>> {
        let mut writer = self.writer();
        self.check_open()?;
        // What has just expired is in nobody's snapshot, and so no event of the new subscriber.
        writer.expire(now_ms());
        let mut events = VecDeque::new();
        if options.snapshot {
            let own = writer.replica.origin();
            let scan = super::scan::ScanOptions { prefix: options.prefix.clone(), ..Default::default() };
            for entry in super::scan::Scan::new(self.index.clone(), scan) {
                events.push_back(Event::snapshot(&entry.key.0, entry.value.0, own));
            }
            events.push_back(Event::synced());
        }
        let queue = Arc::new(Queue::new(options.prefix, events));
        writer.subscribers.push(queue.clone());
        Ok(queue)
    }

    /// Remembers a delivery thread, to be ended with the map.
    pub fn adopt(&self, delivery: &Arc<Delivery>) {
        let mut deliveries = self.deliveries.lock();
        deliveries.retain(|delivery| delivery.strong_count() > 0);
        deliveries.push(Arc::downgrade(delivery));
        let closed = self.is_closed();
        drop(deliveries);
        if closed {
            delivery.stop();
        }
    }

    /// No further reads, writes or events. Returns when no callback is running, but for one that called this. Says whether it
    /// was open.
    pub fn close(&self) -> bool {
        let subscribers = {
            let mut writer = self.writer();
            if self.closed.swap(true, Ordering::AcqRel) {
                return false;
            }
            std::mem::take(&mut writer.subscribers)
        };
        for queue in subscribers {
            queue.close(false);
        }
        let deliveries = std::mem::take(&mut *self.deliveries.lock());
        for delivery in deliveries.iter().filter_map(Weak::upgrade) {
            delivery.stop();
        }
        true
    }

    /// Brings a closed map's last changes to the disk, and lets go of it.
    pub fn finish(&self) {
        let Some(keeper) = &self.keeper else { return };
        if let Err(error) = keeper.close(self) {
            tracing::error!(map = self.name, "{error}");
        }
    }
}

impl Writer {
    /// Ends what expires by now: before anything else is changed, so that events are in order.
    fn expire(&mut self, now_ms: u64) {
        let mut changes = Vec::new();
        self.replica.expire(now_ms, &mut changes);
        self.tell(&changes);
    }

    fn apply<'a>(&mut self, writes: impl Iterator<Item = Write<'a>>, now_ms: u64) -> Vec<Change> {
        self.expire(now_ms);
        let changes = self.replica.apply(writes, now_ms);
        self.tell(&changes);
        changes
    }

    /// Tells the subscribers what changed in the view, in order.
    pub fn tell(&mut self, changes: &[Change]) {
        if self.subscribers.is_empty() || changes.is_empty() {
            return;
        }
        let own = self.replica.origin();
        let events: Vec<Event> = changes.iter().filter_map(|change| Event::of(change, own)).collect();
        self.subscribers.retain(|queue| !queue.is_closed());
        for queue in &self.subscribers {
            queue.push(&events);
        }
    }
}
