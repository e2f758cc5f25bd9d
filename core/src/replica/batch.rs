//! Batches stay whole: who is told of one write of a batch is told of all that is left of it.

use std::collections::HashSet;

use super::{Record, Replica, Slot, Timestamp};
use crate::limits::{MAX_BATCH_BYTES, MAX_BATCH_ENTRIES};

/// Whether a record was written in one batch with the one before it.
pub(super) fn same_batch(last: &Record, next: &Record) -> bool {
    next.place() > 0 && last.stamp().origin == next.stamp().origin && first(last) == first(next)
}

/// When the first write of a record's batch was stamped.
fn first(record: &Record) -> Timestamp {
    Timestamp(record.stamp().timestamp.0.saturating_sub(u64::from(record.place())))
}

impl Replica {
    /// Adds the rest of every batch of which a delta up to `last` has a part only: a key that waited may have been written again
    /// since, in a batch. What would make the delta as large as two batches is left to the batch's own.
    pub(super) fn complete_batches(&self, entries: &mut Vec<(Slot, Record)>, last: Timestamp) {
        let written_since = |record: &Record| record.stamp().origin != self.origin || record.stamp().timestamp > last;
        let parts: Vec<Record> = entries.iter().map(|(_, record)| record).filter(|r| written_since(r)).cloned().collect();
        if parts.is_empty() {
            return;
        }
        let mut there: HashSet<Slot, foldhash::fast::RandomState> = entries.iter().map(|(slot, _)| slot.clone()).collect();
        let mut bytes =
            entries.iter().map(|(slot, record)| slot.key().len() + record.bytes().len() + record.proof().len()).sum::<usize>();
        for part in parts {
            let Some(stamps) = self.table.by_origin().get(&part.stamp().origin) else { continue };
            let records = stamps.after(first(&part).before()).map(|(_, slot)| (slot, slot.record()));
            for (slot, record) in records.take_while(|(_, record)| first(record) == first(&part)) {
                bytes += slot.key().len() + record.bytes().len() + record.proof().len();
                if bytes > MAX_BATCH_BYTES || entries.len() >= MAX_BATCH_ENTRIES {
                    return;
                }
                if there.insert(slot.clone()) {
                    entries.push((slot.clone(), record));
                }
            }
        }
    }
}
