//! Keeps a durable map on disk.
//!
//! Writers that wait for the disk take turns: one of them takes everything that has changed, by whomever, and saves it with one
//! sync for all; the others find theirs saved, or are the next. A thread of the map's own does the same for what peers brought,
//! and compacts. What was cut for the network waits here until it is saved.

mod compact;
mod leave;
mod save;
mod turns;

use std::collections::VecDeque;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use self::turns::Turns;
use super::clock::random;
use super::saved::{self, Loading};
use super::state::MapState;
use crate::error::{Error, ErrorKind, Result};
use crate::net::Network;
use crate::options::{Durability, MapSettings, OnStorageError};
use crate::replica::Replica;
use crate::store::{Cut, DataDir, Store};

/// A compaction that failed is not tried again before.
const COMPACT_AGAIN: Duration = Duration::from_secs(10);

/// Threads: any, but for the map's own thread, which it starts. Locks: the store's before the map's writer lock, never the other
/// way round.
pub struct Keeper {
    durability: Durability,
    interval: Duration,
    goes_on_in_memory: bool,
    store: Mutex<Option<Store>>,
    /// Every change up to this one is on disk.
    saved: AtomicU64,
    turns: Turns,
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
            turns: Turns::default(),
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

    // ---- the thread ----

    /// Errors: `Storage`, when a thread cannot be started.
    pub fn start(self: &Arc<Self>, map: Arc<MapState>, network: Weak<Network>) -> Result<()> {
        let keeper = self.clone();
        let run = move || keeper.guarded(&map, || keeper.run(&map, &network));
        let thread = thread::Builder::new().name("p2pmap-disk".to_owned()).spawn(run);
        let thread =
            thread.map_err(|error| Error::new(ErrorKind::Storage, format!("cannot start a thread for the disk: {error}")))?;
        *self.thread.lock() = Some(thread);
        Ok(())
    }

    fn run(&self, map: &MapState, network: &Weak<Network>) {
        let (mut compact_at, mut sync_at) = (Instant::now(), None);
        while self.wait_until_due(sync_at) {
            sync_at = self.save_all(map, sync_at);
            network.upgrade().inspect(|network| network.wake(map.topic));
            if Instant::now() >= compact_at
                && let Err(error) = self.compact(map)
            {
                tracing::warn!(map = map.name, "{error}: the log goes on growing");
                compact_at = Instant::now() + COMPACT_AGAIN;
            }
            self.go_on();
        }
    }

    /// Something has changed: the thread saves it.
    pub fn changed(&self) {
        let mut due = self.due.lock();
        if *due == Due::Nothing {
            *due = Due::Save;
            self.bell.notify_one();
        }
    }

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

    /// Nothing is written any more, and whoever waits for the disk is told why.
    fn fail(&self, map: &MapState, error: Error) {
        let told = error.to_string();
        if self.failed.set(error).is_ok() {
            let then =
                if self.goes_on_in_memory { "it goes on in memory" } else { "writes are refused until it is opened anew" };
            tracing::error!(map = map.name, "{told}: {then}");
        }
        self.turns.wake();
    }

    /// Does something that no panic may end without a word: nobody would know what is on disk then, nor go on with it.
    fn guarded<T>(&self, map: &MapState, work: impl FnOnce() -> T) -> T {
        let guard = Guard { keeper: self, map };
        let done = work();
        mem::forget(guard);
        done
    }

    // ---- what is told ----

    /// Looks whether the files are still there: what nobody writes to is not missed otherwise. Not while somebody writes, who
    /// finds out too.
    pub fn look(&self, map: &MapState) {
        let Some(mut held) = self.store.try_lock() else { return };
        let outcome = held.as_mut().filter(|_| self.failed.get().is_none()).map_or(Ok(()), Store::look);
        drop(held);
        if let Err(error) = outcome {
            self.fail(map, error);
        }
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

/// Dropped where a panic passes.
struct Guard<'a> {
    keeper: &'a Keeper,
    map: &'a MapState,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        // What has gathered there may be half a commit.
        *self.keeper.store.lock() = None;
        let message = "a bug in p2pmap ended the writing to the disk: open the map again, and report what the panic said";
        self.keeper.fail(self.map, Error::new(ErrorKind::Storage, message));
    }
}
