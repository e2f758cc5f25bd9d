//! Keeps a durable map on disk.
//!
//! Writers that wait for the disk take turns: one of them takes everything that has changed, by whomever, and saves it with one
//! sync for all; the others find theirs saved, or are the next. A thread of the map's own does the same for what peers brought,
//! and compacts. What was cut for the network waits here until it is saved.

use std::collections::{HashMap, VecDeque};
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::clock::random;
use super::saved::{self, Loading};
use super::state::MapState;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::DELTA_TARGET_BYTES;
use crate::net::Network;
use crate::options::{Durability, MapSettings, OnStorageError};
use crate::replica::{Origin, Replica, SavedEntry, Slot};
use crate::store::{Cut, DataDir, SnapshotWriter, Store};
use crate::wire;

/// Messages that wait for the disk before they leave; the rest waits in the outbox, where writes to one key are one.
const MAX_PARKED: usize = 8;
/// Entries that a snapshot reads at a time.
const SNAPSHOT_CHUNK: usize = 256;
/// A compaction that failed is not tried again before.
const COMPACT_AGAIN: Duration = Duration::from_secs(10);
/// What a row takes beside key and value, about.
const ROW_BYTES: u64 = 40;

/// Threads: any, but for the map's own thread, which it starts. Locks: the store's before the map's writer lock, never the other
/// way round.
pub struct Keeper {
    durability: Durability,
    interval: Duration,
    goes_on_in_memory: bool,
    store: Mutex<Option<Store>>,
    /// Every change up to this one is on disk.
    saved: AtomicU64,
    turn: Mutex<Turn>,
    turn_over: Condvar,
    /// The log grows faster than snapshots are written: writers wait for the next one.
    overgrown: AtomicBool,
    failed: OnceLock<Error>,
    /// What the store said last: nobody waits for it to know.
    log_bytes: AtomicU64,
    due: Mutex<Due>,
    bell: Condvar,
    /// Messages cut from the map, and the change up to which it must be saved before each leaves.
    parked: Mutex<VecDeque<(u64, Vec<u8>)>>,
    /// What was cut from a torn log when the map was opened.
    pub cut: Option<Cut>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// All is saved, and nothing is kept any more.
    closed: AtomicBool,
}

#[derive(Default)]
struct Turn {
    taken: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Due {
    #[default]
    Nothing,
    Save,
    Over,
}

impl Keeper {
    /// Reads a map from its directory.
    ///
    /// Errors: `Corrupted`, `Unsupported`, `Storage`, `Locked`, `InvalidConfig`; nothing on disk has changed.
    pub fn open(name: &str, settings: &MapSettings, dir: &DataDir, mut loading: Loading) -> Result<(Replica, Self)> {
        let path = dir.path().to_owned();
        let (mut store, found) = dir.open_map(name.as_bytes(), random(), &mut |key, value| loading.row(&path, key, value))?;
        if let Some(cut) = &found.cut {
            let (path, offset, bytes, what) = (cut.path.display(), cut.offset, cut.bytes, cut.what);
            tracing::warn!(map = name, %path, offset, bytes, "the end of the log was cut: {what}");
        }
        let mut replica = loading.finish(&path)?;
        // This opening is on disk before anything is stamped with it: none will ever be taken for another.
        if let Some(unsaved) = replica.take_unsaved() {
            saved::append(&mut store, &unsaved)?;
            store.sync()?;
        }
        let keeper = Self::new(settings, store, found.cut);
        keeper.saved.store(replica.edits(), Ordering::Release);
        Ok((replica, keeper))
    }

    fn new(settings: &MapSettings, store: Store, cut: Option<Cut>) -> Self {
        Self {
            durability: settings.durability,
            interval: Duration::from_millis(settings.fsync_interval_ms),
            goes_on_in_memory: settings.on_storage_error == OnStorageError::Memory,
            saved: AtomicU64::new(0),
            turn: Mutex::default(),
            turn_over: Condvar::new(),
            overgrown: AtomicBool::new(false),
            failed: OnceLock::new(),
            log_bytes: AtomicU64::new(store.log_bytes()),
            store: Mutex::new(Some(store)),
            due: Mutex::default(),
            bell: Condvar::new(),
            parked: Mutex::default(),
            cut,
            thread: Mutex::default(),
            closed: AtomicBool::new(false),
        }
    }

    /// Errors: `Storage`, when a thread cannot be started.
    pub fn start(self: &Arc<Self>, map: Arc<MapState>, network: Weak<Network>) -> Result<()> {
        let keeper = self.clone();
        let run = move || {
            let (mut compact_at, mut sync_at) = (Instant::now(), None);
            while keeper.wait_until_due(sync_at) {
                sync_at = keeper.save_all(&map, sync_at);
                network.upgrade().inspect(|network| network.wake(map.topic));
                if Instant::now() >= compact_at
                    && let Err(error) = keeper.compact(&map)
                {
                    tracing::warn!(map = map.name, "{error}: the log goes on growing");
                    compact_at = Instant::now() + COMPACT_AGAIN;
                }
                keeper.go_on();
            }
        };
        let thread = thread::Builder::new().name("p2pmap-disk".to_owned()).spawn(run);
        let thread =
            thread.map_err(|error| Error::new(ErrorKind::Storage, format!("cannot start a thread for the disk: {error}")))?;
        *self.thread.lock() = Some(thread);
        Ok(())
    }

    // ---- writers ----

    /// Whether a write can be taken. Errors: `Storage`, what ended it.
    pub fn check(&self) -> Result<()> {
        self.failed.get().filter(|_| !self.goes_on_in_memory).map_or(Ok(()), |error| Err(error.clone()))
    }

    /// A write has been made, up to that change: returns when it is as durable as the map is. Errors: `Storage`.
    pub fn wrote(&self, map: &MapState, edits: u64) -> Result<()> {
        self.wait_for_room();
        match self.durability {
            Durability::Sync => self.save(map, edits),
            Durability::Async | Durability::None => {
                self.changed();
                Ok(())
            }
        }
    }

    fn wait_for_room(&self) {
        if self.overgrown.load(Ordering::Acquire) {
            self.changed();
            let mut turn = self.turn.lock();
            while self.overgrown.load(Ordering::Acquire) {
                self.turn_over.wait(&mut turn);
            }
        }
    }

    /// The log is short again, or as short as it gets: writers that waited go on.
    fn go_on(&self) {
        let _turn = self.turn.lock();
        self.overgrown.store(false, Ordering::Release);
        self.turn_over.notify_all();
    }

    /// Something has changed: the thread saves it.
    pub fn changed(&self) {
        let mut due = self.due.lock();
        if *due == Due::Nothing {
            *due = Due::Save;
            self.bell.notify_one();
        }
    }

    /// Saves what there is, or, where a sync may wait, hands it to the system. When the next sync is due.
    fn save_all(&self, map: &MapState, sync_at: Option<Instant>) -> Option<Instant> {
        let sync_at = sync_at.unwrap_or_else(|| Instant::now() + self.interval);
        let may_wait = self.durability == Durability::Async && Instant::now() < sync_at;
        // Whoever writes next is told of an error.
        if may_wait {
            if self.failed.get().is_none() {
                let _ = self.in_turn(map, |store| store.write().map(|()| false));
            }
            return (!self.is_saved(map.writer().replica.edits())).then_some(sync_at);
        }
        let edits = map.writer().replica.edits();
        let _ = self.save(map, edits);
        None
    }

    /// Returns when everything up to that change is on disk. Errors: `Storage`.
    pub fn save(&self, map: &MapState, edits: u64) -> Result<()> {
        while !self.is_saved(edits) {
            if self.failed.get().is_some() {
                return self.check();
            }
            self.in_turn(map, |store| store.sync().map(|_| true))?;
        }
        Ok(())
    }

    /// Takes everything that has changed to the store, and does that there; whether it is saved then is what that says. Who finds
    /// another one at it waits for that one, and has nothing done.
    fn in_turn(&self, map: &MapState, finish: impl FnOnce(&mut Store) -> Result<bool>) -> Result<()> {
        let mut turn = self.turn.lock();
        if turn.taken {
            self.turn_over.wait(&mut turn);
            return Ok(());
        }
        turn.taken = true;
        drop(turn);
        let outcome = self.flush(map, finish);
        turn = self.turn.lock();
        turn.taken = false;
        if let Err(error) = outcome {
            tracing::error!(map = map.name, "{error}: writes are refused until the map is opened anew");
            let _ = self.failed.set(error);
        }
        self.turn_over.notify_all();
        drop(turn);
        self.check()
    }

    fn flush(&self, map: &MapState, finish: impl FnOnce(&mut Store) -> Result<bool>) -> Result<()> {
        let mut store = self.store.lock();
        let Some(store) = store.as_mut() else {
            return Err(Error::new(ErrorKind::Closed, format!("the map `{}` is closed: open it again", map.name)));
        };
        let Some(unsaved) = map.writer().replica.take_unsaved() else { return Ok(()) };
        saved::append(store, &unsaved)?;
        if finish(store)? {
            self.saved.store(unsaved.edits, Ordering::Release);
        }
        self.log_bytes.store(store.log_bytes(), Ordering::Relaxed);
        if store.is_overgrown(live_bytes(map)) {
            self.overgrown.store(true, Ordering::Release);
            self.changed();
        }
        Ok(())
    }

    /// Whether everything up to that change is on disk.
    pub fn is_saved(&self, edits: u64) -> bool {
        self.saved.load(Ordering::Acquire) >= edits
    }

    /// Whether what was read of the map at that change may leave: it is as durable as the map is, or the disk is not asked any more.
    pub fn may_leave(&self, edits: u64) -> bool {
        self.durability != Durability::Sync
            || self.closed.load(Ordering::Acquire)
            || self.is_saved(edits)
            || (self.failed.get().is_some() && self.goes_on_in_memory)
    }

    /// Returns when that may leave; whether it ever will.
    pub fn wait_to_leave(&self, map: &MapState, edits: u64) -> bool {
        self.may_leave(edits) || self.save(map, edits).is_ok()
    }

    /// The next delta that may leave.
    pub fn next_delta(&self, map: &MapState) -> Option<Vec<u8>> {
        let mut parked = self.parked.lock();
        if parked.len() < MAX_PARKED {
            let mut writer = map.writer();
            let delta = writer.replica.cut_delta(DELTA_TARGET_BYTES);
            let edits = writer.replica.edits();
            drop(writer);
            parked.extend(delta.map(|delta| (edits, wire::gossip::encode_delta(&delta))));
        }
        let (edits, _) = parked.front()?;
        if self.may_leave(*edits) {
            return parked.pop_front().map(|(_, delta)| delta);
        }
        self.changed();
        None
    }

    /// Nobody listens: a sync brings it.
    pub fn forget_parked(&self) {
        self.parked.lock().clear();
    }

    // ---- the thread ----

    /// Waits until there is something to save, or to sync. Whether to go on.
    fn wait_until_due(&self, sync_at: Option<Instant>) -> bool {
        let mut due = self.due.lock();
        while *due == Due::Nothing {
            match sync_at {
                None => self.bell.wait(&mut due),
                Some(at) if self.bell.wait_until(&mut due, at).timed_out() => break,
                Some(_) => {}
            }
        }
        if *due == Due::Save {
            *due = Due::Nothing;
        }
        *due != Due::Over
    }

    /// Replaces a log that has grown long by what there is now. Writers go on meanwhile.
    fn compact(&self, map: &MapState) -> Result<()> {
        let writer = match self.store.lock().as_mut() {
            Some(store) if store.check().is_ok() && store.should_compact(live_bytes(map)) => store.rotate()?,
            _ => return Ok(()),
        };
        let writer = self.snapshot(map, writer)?;
        // All that the walk may have seen is in the log before the snapshot counts.
        let edits = map.writer().replica.edits();
        self.save(map, edits)?;
        let Some(end) = self.store.lock().as_ref().map(Store::last) else { return Ok(()) };
        let snapshot = writer.finish(end)?;
        let replaced = match self.store.lock().as_mut() {
            Some(store) => {
                let replaced = store.install(snapshot)?;
                self.log_bytes.store(store.log_bytes(), Ordering::Relaxed);
                replaced
            }
            None => return Ok(()),
        };
        replaced.remove()
    }

    /// Hands over everything, as each is at some moment from now on.
    fn snapshot(&self, map: &MapState, mut writer: SnapshotWriter) -> Result<SnapshotWriter> {
        let (head, known) = map.writer().replica.numbered();
        saved::snapshot_known(&mut writer, &head, &known)?;
        let numbers: HashMap<Origin, u32, foldhash::fast::RandomState> =
            known.into_iter().map(|(number, known)| (known.origin, number)).collect();
        let mut last: Option<Slot> = None;
        loop {
            let mut chunk = Vec::with_capacity(SNAPSHOT_CHUNK);
            let from = last.as_ref().map_or(Bound::Unbounded, |slot| Bound::Excluded(slot.key()));
            map.index.visit((from, Bound::Unbounded), false, |slot, record| {
                chunk.push((slot.clone(), record));
                chunk.len() < SNAPSHOT_CHUNK
            });
            for (slot, record) in &chunk {
                // One whose origin has no number yet was written just now, and is in the log.
                if let Some(&origin) = numbers.get(&record.stamp().origin) {
                    saved::snapshot_entry(&mut writer, slot.key(), &SavedEntry { origin, record: record.clone() })?;
                }
            }
            match chunk.pop() {
                Some((slot, _)) => last = Some(slot),
                None => return Ok(writer),
            }
        }
    }

    // ---- the end ----

    /// Saves what there is, ends the thread and gives the files back. Errors: `Storage`: what could not be saved.
    pub fn close(&self, map: &MapState) -> Result<()> {
        *self.due.lock() = Due::Over;
        self.bell.notify_all();
        self.go_on();
        let thread = self.thread.lock().take();
        if let Some(thread) = thread.filter(|running| running.thread().id() != thread::current().id()) {
            let _ = thread.join();
        }
        let edits = map.writer().replica.edits();
        let saved = if self.store.lock().is_some() { self.save(map, edits) } else { self.check() };
        let closed = self.store.lock().take().map_or(Ok(()), |store| if saved.is_ok() { store.close() } else { Ok(()) });
        self.closed.store(saved.is_ok(), Ordering::Release);
        self.go_on();
        saved.and(closed)
    }

    /// What ended the keeping, if anything did.
    pub fn error(&self) -> Option<&Error> {
        self.failed.get()
    }

    /// Bytes of log that an opening would have to read beside the snapshot.
    pub fn log_bytes(&self) -> u64 {
        self.log_bytes.load(Ordering::Relaxed)
    }
}

/// What the map's rows take, about.
fn live_bytes(map: &MapState) -> u64 {
    map.index.bytes() + ROW_BYTES * (map.index.live() + map.index.hidden() + map.index.tombstones()) as u64
}
