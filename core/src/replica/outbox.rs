//! Own writes that wait for the network: a log in stamp order.
//!
//! A delta is a prefix of it. It says (prev, last] and carries, each once and in its newest state, every key stamped in there. So
//! writes to one key are conflated within a delta and never across deltas: a receiver that misses a delta never claims a write
//! that travelled in it.

use std::collections::{HashSet, VecDeque};

use super::clock::Timestamp;
use super::entry::Slot;
use super::mutation::{Mutation, mutated};
use crate::limits::MAX_OUTBOX_ENTRIES;

#[derive(Default)]
pub(super) struct Outbox {
    log: VecDeque<Waiting>,
    /// Everything up to here was cut into a delta, or dropped.
    sent: Timestamp,
}

struct Waiting {
    timestamp: Timestamp,
    slot: Slot,
    /// The next one belongs to the same batch, and so to the same delta.
    joined: bool,
}

/// A prefix of the log, taken.
pub(super) struct Cut {
    pub prev: Timestamp,
    pub last: Timestamp,
    /// The keys written, each once, in the order of their first write.
    pub slots: Vec<Slot>,
}

impl Outbox {
    /// Appends a write; `joined` when the next one belongs to the same batch, until `end_batch`.
    pub fn push(&mut self, timestamp: Timestamp, slot: Slot, joined: bool) {
        if mutated(Mutation::ConflateAcrossDeltas) {
            self.log.retain(|waiting| waiting.slot != slot);
        }
        self.log.push_back(Waiting { timestamp, slot, joined });
        if !joined {
            self.bound();
        }
    }

    /// The last write pushed was its batch's last.
    pub fn end_batch(&mut self) {
        if let Some(last) = self.log.back_mut() {
            last.joined = false;
        }
        self.bound();
    }

    /// When the oldest that waits was written.
    pub fn oldest(&self) -> Option<Timestamp> {
        self.log.front().map(|waiting| waiting.timestamp)
    }

    pub fn len(&self) -> usize {
        self.log.len()
    }

    /// Takes the next delta's worth: about that many bytes, and always whole batches.
    pub fn cut(&mut self, target_bytes: usize) -> Option<Cut> {
        let mut cut = Cut { prev: self.sent, last: self.sent, slots: Vec::new() };
        let mut taken = HashSet::with_hasher(foldhash::fast::RandomState::default());
        let mut bytes = 0;
        let mut joined = false;
        while bytes < target_bytes || joined {
            let Some(waiting) = self.log.pop_front() else { break };
            cut.last = waiting.timestamp;
            joined = waiting.joined;
            if taken.insert(waiting.slot.clone()) {
                bytes += waiting.slot.key().len() + waiting.slot.value_len() + ENTRY_FRAME_BYTES;
                cut.slots.push(waiting.slot);
            }
        }
        self.sent = cut.last;
        (!cut.slots.is_empty()).then_some(cut)
    }

    /// Forgets what waits: nobody listens, and who comes later pulls it. Leaves a gap that a sync closes.
    pub fn clear(&mut self) {
        self.drop_oldest(self.log.len());
    }

    fn bound(&mut self) {
        if self.log.len() > MAX_OUTBOX_ENTRIES {
            self.drop_oldest(MAX_OUTBOX_ENTRIES / 2);
        }
    }

    fn drop_oldest(&mut self, count: usize) {
        let mut joined = false;
        let mut dropped = 0;
        while dropped < count || joined {
            let Some(waiting) = self.log.pop_front() else { break };
            self.sent = waiting.timestamp;
            joined = waiting.joined;
            dropped += 1;
        }
    }
}

/// What one entry costs on the wire beside its key and value.
const ENTRY_FRAME_BYTES: usize = 16;
