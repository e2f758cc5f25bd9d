//! What readers see: point reads and ordered scans without locks, while one writer changes it.
//!
//! Two indexes share the slots: a hash index for point reads and an ordered one for scans. Both change only when a key
//! appears; an overwrite swaps the record behind its slot.

use std::ops::{Bound, RangeBounds};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use scc::{Guard, HashIndex, TreeIndex};

use super::entry::{Record, Slot};

/// A stretch of keys, in key order.
pub type KeyRange<'a> = (Bound<&'a [u8]>, Bound<&'a [u8]>);

/// Threads: any number of readers, one writer. Reads never wait for it, nor it for them.
pub struct Index {
    by_key: HashIndex<Slot, (), foldhash::fast::RandomState>,
    ordered: TreeIndex<Slot, ()>,
    live: AtomicUsize,
    hidden: AtomicUsize,
    tombstones: AtomicUsize,
    bytes: AtomicU64,
}

impl Index {
    pub(super) fn new() -> Self {
        Self {
            by_key: HashIndex::with_hasher(foldhash::fast::RandomState::default()),
            ordered: TreeIndex::new(),
            live: AtomicUsize::new(0),
            hidden: AtomicUsize::new(0),
            tombstones: AtomicUsize::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    /// Reads a value of the view in place. Cost: O(1), one hash and two cache misses when cold; `now_ms` is asked only for entries
    /// that expire.
    #[inline]
    pub fn read<R>(&self, key: &[u8], now_ms: impl FnOnce() -> u64, read: impl FnOnce(&[u8]) -> R) -> Option<R> {
        self.by_key.peek_with(key, |slot, ()| slot.read(now_ms, read))?
    }

    /// The key's record, value or tombstone, counted.
    #[inline]
    pub fn record(&self, key: &[u8]) -> Option<Record> {
        self.by_key.peek_with(key, |slot, ()| slot.record())
    }

    /// The key's slot, live or not.
    pub fn slot(&self, key: &[u8]) -> Option<Slot> {
        self.by_key.peek_with(key, |slot, ()| slot.clone())
    }

    /// Visits entries of a range in key order, forward or `reverse`, until `visit` says stop: all of them, in the view or not.
    /// Entries there throughout are visited once; entries that come or go meanwhile may or may not be.
    pub fn visit(&self, range: KeyRange<'_>, reverse: bool, mut visit: impl FnMut(&Slot, Record) -> bool) {
        let guard = Guard::new();
        let searched = self.searched(range, reverse, &guard);
        let wider = searched != range;
        let mut slots = self.ordered.range::<[u8], _>(searched, &guard);
        while let Some((slot, ())) = if reverse { slots.next_back() } else { slots.next() } {
            // Come meanwhile, beyond a bound that was left out.
            if wider && !contains(range, slot.key()) {
                continue;
            }
            if !visit(slot, slot.record()) {
                return;
            }
        }
    }

    /// The range as the tree is asked for it: without a bound that lies beyond all keys, on the side where the visit begins. To find
    /// such a bound, the tree goes through its leaves once for each of them: seconds for a hundred thousand keys.
    fn searched<'a>(&self, (low, high): KeyRange<'a>, reverse: bool, guard: &Guard) -> KeyRange<'a> {
        let mut all = self.ordered.iter(guard);
        let end = if reverse { all.next_back() } else { all.next() };
        let Some((end, ())) = end else { return (low, high) };
        match reverse {
            true if contains((Bound::Unbounded, high), end.key()) => (low, Bound::Unbounded),
            false if contains((low, Bound::Unbounded), end.key()) => (Bound::Unbounded, high),
            _ => (low, high),
        }
    }

    /// Entries in the view, but for those that have just expired.
    pub fn live(&self) -> usize {
        self.live.load(Ordering::Relaxed)
    }

    /// Entries that presence hides.
    pub fn hidden(&self) -> usize {
        self.hidden.load(Ordering::Relaxed)
    }

    pub fn tombstones(&self) -> usize {
        self.tombstones.load(Ordering::Relaxed)
    }

    /// Bytes of all keys (tombstones' too) and values.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Writer only: a key that was not there.
    pub(super) fn insert(&self, slot: &Slot, record: &Record) {
        self.announce(slot.key(), record);
        // Invariant: the one writer looked and did not find the key.
        let new = self.by_key.insert_sync(slot.clone(), ()).is_ok() && self.ordered.insert_sync(slot.clone(), ()).is_ok();
        debug_assert!(new);
    }

    /// Writer only: counts a key that was not there, and is going to be.
    pub(super) fn announce(&self, key: &[u8], record: &Record) {
        self.count(record, 1);
        self.bytes.fetch_add((key.len() + record.bytes().len()) as u64, Ordering::Relaxed);
    }

    /// Writer only: keys that were announced, each once, for point reads.
    pub(super) fn fill_by_key(&self, slots: Vec<Slot>) {
        // A table that is more than four fifths full grows.
        let _room = self.by_key.reserve(slots.len() + slots.len() / 4);
        for slot in slots {
            let new = self.by_key.insert_sync(slot, ()).is_ok();
            debug_assert!(new);
        }
    }

    /// Writer only: keys that were announced, each once and best in their order, for scans.
    pub(super) fn fill_ordered(&self, slots: impl Iterator<Item = Slot>) {
        for slot in slots {
            let new = self.ordered.insert_sync(slot, ()).is_ok();
            debug_assert!(new);
        }
    }

    /// Writer only: a key's next record; returns the one before.
    pub(super) fn replace(&self, slot: &Slot, record: Record) -> Record {
        self.count(&record, 1);
        self.bytes.fetch_add(record.bytes().len() as u64, Ordering::Relaxed);
        let old = slot.replace(record);
        self.count(&old, usize::MAX);
        self.bytes.fetch_sub(old.bytes().len() as u64, Ordering::Relaxed);
        old
    }

    /// Writer only: presence hides a record or shows it again.
    pub(super) fn hide(&self, record: &Record, hidden: bool) {
        self.count(record, usize::MAX);
        record.hide(hidden);
        self.count(record, 1);
    }

    /// Writer only: forgets a key.
    pub(super) fn remove(&self, slot: &Slot) {
        self.by_key.remove_sync(slot.key());
        self.ordered.remove_sync(slot.key());
        let record = slot.record();
        self.count(&record, usize::MAX);
        self.bytes.fetch_sub((slot.key().len() + record.bytes().len()) as u64, Ordering::Relaxed);
    }

    /// Adds to the right counter; `usize::MAX` is minus one.
    fn count(&self, record: &Record, change: usize) {
        let counter = match (record.is_live(), record.is_hidden()) {
            (true, false) => &self.live,
            (true, true) => &self.hidden,
            (false, _) => &self.tombstones,
        };
        counter.fetch_add(change, Ordering::Relaxed);
    }
}

fn contains(range: KeyRange<'_>, key: &[u8]) -> bool {
    RangeBounds::<[u8]>::contains(&range, key)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::peer::PeerId;
    use crate::replica::{Origin, Replica, Rules};

    const RULES: Rules = Rules {
        presence: false,
        signed: false,
        tombstone_ttl_ms: 1_000,
        origin_retention_ms: 1_000_000,
        peer_timeout_ms: 1_000,
        max_clock_drift_ms: u64::MAX,
    };

    fn with(keys: &[&str]) -> Replica {
        let peer = PeerId::from_bytes(&[1]).expect("one byte is a peer id");
        let mut replica = Replica::new(Origin::new(peer, 1), RULES);
        for key in keys {
            replica.put(key.as_bytes(), b"value", 0, 1);
        }
        replica
    }

    fn bounds(key: &str) -> [Bound<&[u8]>; 3] {
        [Bound::Included(key.as_bytes()), Bound::Excluded(key.as_bytes()), Bound::Unbounded]
    }

    #[test]
    fn every_range_is_visited_in_order_both_ways() {
        let keys = ["b", "bb", "c", "d", "dd"];
        let replica = with(&keys);
        for (from, to) in ["", "a", "b", "bb", "c"].iter().flat_map(|from| ["bb", "d", "dd", "e"].map(|to| (*from, to))) {
            for range in bounds(from).into_iter().flat_map(|low| bounds(to).map(|high| (low, high))) {
                let within: BTreeSet<_> = keys.iter().map(|key| key.as_bytes()).filter(|key| contains(range, key)).collect();
                let visited = |reverse| {
                    let mut visited = Vec::new();
                    replica.index().visit(range, reverse, |slot, _| {
                        visited.push(slot.key().to_vec());
                        true
                    });
                    visited
                };
                assert_eq!(visited(false), within.iter().copied().collect::<Vec<_>>(), "{range:?}");
                assert_eq!(visited(true), within.iter().rev().copied().collect::<Vec<_>>(), "{range:?}");
            }
        }
    }

    #[test]
    fn the_tree_never_looks_for_a_bound_beyond_all_keys() {
        let (replica, guard) = (with(&["b", "c"]), Guard::new());
        let [b, after_b, all] = bounds("b");
        let [c, before_c, _] = bounds("c");
        let forward = |low| replica.index().searched((low, c), false, &guard);
        assert_eq!(bounds("a").map(forward), [(all, c); 3]);
        assert_eq!([b, after_b].map(forward), [(all, c), (after_b, c)]);
        let backward = |high| replica.index().searched((b, high), true, &guard);
        assert_eq!(bounds("d").map(backward), [(b, all); 3]);
        assert_eq!([c, before_c].map(backward), [(b, all), (b, before_c)]);
    }
}
