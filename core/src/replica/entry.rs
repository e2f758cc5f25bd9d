//! A key's place in the map, and its current state: bytes held once, shared by all indexes and all readers.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use arc_swap::{ArcSwapAny, Guard};
use triomphe::ThinArc;

use super::stamp::Stamp;

/// The state of one key at one time: a value or a tombstone, with the stamp of the write that made it.
///
/// Shape: one allocation; head, then the value's bytes. Immutable. Cost: cloning counts a reference.
#[derive(Clone)]
pub struct Record(ThinArc<Head, u8>);

struct Head {
    stamp: Stamp,
    revision: u64,
    live: bool,
}

impl Record {
    pub fn new(stamp: Stamp, value: Option<&[u8]>, revision: u64) -> Self {
        let head = Head { stamp, revision, live: value.is_some() };
        Self(ThinArc::from_header_and_slice(head, value.unwrap_or_default()))
    }

    pub fn stamp(&self) -> &Stamp {
        &self.0.header.header.stamp
    }

    /// Which change of this replica brought it: local, and never told as a fact about the entry.
    pub fn revision(&self) -> u64 {
        self.0.header.header.revision
    }

    /// When it expires, or did. Units: milliseconds since the Unix epoch.
    pub fn expires_at_ms(&self) -> Option<u64> {
        None
    }

    pub fn is_live(&self) -> bool {
        self.0.header.header.live
    }

    /// `None` for a tombstone.
    #[inline]
    pub fn value(&self) -> Option<&[u8]> {
        self.is_live().then(|| self.bytes())
    }

    /// The value's bytes; empty for a tombstone.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.0.slice
    }
}

/// A key and, behind an atomic pointer, its current record. Made once per key; an overwrite only swaps the pointer, so
/// no index changes and readers never wait.
///
/// Shape: one allocation; pointer, then the key's bytes. Cost: cloning counts a reference.
#[derive(Clone)]
pub struct Slot(ThinArc<Current, u8>);

struct Current(ArcSwapAny<ThinArc<Head, u8>>);

impl Slot {
    pub fn new(key: &[u8], record: Record) -> Self {
        Self(ThinArc::from_header_and_slice(Current(ArcSwapAny::new(record.0)), key))
    }

    #[inline]
    pub fn key(&self) -> &[u8] {
        &self.0.slice
    }

    /// The current record, counted.
    pub fn record(&self) -> Record {
        Record(self.0.header.header.0.load_full())
    }

    /// Reads the live value in place, without counting a reference.
    #[inline]
    pub fn read<R>(&self, read: impl FnOnce(&[u8]) -> R) -> Option<R> {
        let record: Guard<ThinArc<Head, u8>> = self.0.header.header.0.load();
        record.header.header.live.then(|| read(&record.slice))
    }

    /// Writer only: replaces the record.
    pub(super) fn replace(&self, record: Record) -> Record {
        Record(self.0.header.header.0.swap(record.0))
    }
}

impl Borrow<[u8]> for Slot {
    fn borrow(&self) -> &[u8] {
        self.key()
    }
}

impl PartialEq for Slot {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Slot {}

impl Ord for Slot {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(other.key())
    }
}

impl PartialOrd for Slot {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Slot {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}
