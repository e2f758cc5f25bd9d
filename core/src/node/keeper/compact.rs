//! The log gives way to a snapshot.

use std::collections::HashMap;
use std::ops::Bound;
use std::sync::atomic::Ordering;

use super::super::saved;
use super::super::state::MapState;
use super::Keeper;
use crate::error::Result;
use crate::replica::{Origin, SavedEntry, Slot};
use crate::store::{SnapshotWriter, Store};

/// Entries that a snapshot reads at a time.
const SNAPSHOT_CHUNK: usize = 256;
/// What a row takes beside key and value, about.
const ROW_BYTES: u64 = 40;

impl Keeper {
    /// Replaces a log that has grown long by what there is now. Writers go on meanwhile.
    pub(super) fn compact(&self, map: &MapState) -> Result<()> {
        let writer = match self.store.lock().as_mut() {
            Some(store) if self.failed.get().is_none() && store.check().is_ok() && store.should_compact(live_bytes(map)) => {
                store.rotate()?
            }
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
}

/// What the map's rows take, about.
pub fn live_bytes(map: &MapState) -> u64 {
    map.index.bytes() + ROW_BYTES * (map.index.live() + map.index.hidden() + map.index.tombstones()) as u64
}
