//! What leaves for the network, once it is as durable as the map is.

use std::sync::atomic::Ordering;

use super::super::state::MapState;
use super::Keeper;
use crate::limits::DELTA_TARGET_BYTES;
use crate::options::Durability;
use crate::wire;

/// Messages that wait for the disk before they leave; the rest waits in the outbox, where writes to one key are one.
const MAX_PARKED: usize = 8;

impl Keeper {
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
            parked.extend(delta.map(|delta| (edits, map.signed(wire::gossip::encode_delta(&delta)))));
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
}
