//! Saving: writers that wait for the disk take turns, and one saves for all.

use std::sync::atomic::Ordering;
use std::time::Instant;

use super::super::saved;
use super::super::state::MapState;
use super::Keeper;
use super::compact::live_bytes;
use crate::error::{Error, ErrorKind, Result};
use crate::options::Durability;
use crate::store::Store;

impl Keeper {
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
        let is_overgrown = || self.overgrown.load(Ordering::Acquire) && self.failed.get().is_none();
        if is_overgrown() {
            self.changed();
            self.turns.wait_while(is_overgrown);
        }
    }

    /// The log is short again, or as short as it gets: writers that waited go on.
    pub(super) fn go_on(&self) {
        self.overgrown.store(false, Ordering::Release);
        self.turns.wake();
    }

    /// Saves what there is, or, where a sync may wait, hands it to the system. When the next sync is due.
    pub(super) fn save_all(&self, map: &MapState, sync_at: Option<Instant>) -> Option<Instant> {
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
        let Some(turn) = self.turns.take() else { return Ok(()) };
        if let Err(error) = self.guarded(map, || self.flush(map, finish)) {
            self.fail(map, error);
        }
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
        let live_bytes = live_bytes(map);
        if store.should_compact(live_bytes) {
            // The thread does that, whoever has saved: early, so that nobody has to wait for it.
            self.changed();
        }
        self.overgrown.fetch_or(store.is_overgrown(live_bytes), Ordering::Release);
        Ok(())
    }

    /// Whether everything up to that change is on disk.
    pub fn is_saved(&self, edits: u64) -> bool {
        self.saved.load(Ordering::Acquire) >= edits
    }
}
