//! A key's place in the map, and its current state: bytes held once, shared by all indexes and all readers.

use std::borrow::Borrow;
use std::cmp;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::{ArcSwapAny, Guard};
use triomphe::ThinArc;

use super::proof;
use super::stamp::Stamp;

/// The state of one key at one time: a value or a tombstone, with the stamp of the write that made it.
///
/// Shape: one allocation; head, the value's bytes, then on a signed map its author's proof. Immutable, but for whether it is hidden. Cost: cloning counts a reference.
#[derive(Clone)]
pub struct Record(ThinArc<Head, u8>);

struct Head {
    stamp: Stamp,
    revision: u64,
    /// 0: never.
    expires_at_ms: u64,
    place: u32,
    live: bool,
    /// How many bytes at the end are the proof's.
    proof: u8,
    /// By presence: set and taken back by the one writer.
    hidden: AtomicBool,
}

/// What a record is made of beside its value's bytes.
#[derive(Clone, Debug)]
pub struct RecordParts {
    pub stamp: Stamp,
    /// Milliseconds since the Unix epoch; 0: never.
    pub expires_at_ms: u64,
    /// How many writes of its batch were stamped before it.
    pub place: u32,
    pub revision: u64,
}

impl Record {
    /// `None`: a tombstone.
    pub fn new(parts: RecordParts, value: Option<&[u8]>, hidden: bool) -> Self {
        Self::of(parts, value.is_some(), value.unwrap_or_default(), 0, hidden)
    }

    /// The same, with the proof of who wrote it: see [`proof`].
    pub fn signed(parts: RecordParts, value: Option<&[u8]>, proof: &[u8], hidden: bool) -> Self {
        // Invariant: a proof has fewer bytes than that.
        let len = u8::try_from(proof.len()).unwrap_or_default();
        Self::of(parts, value.is_some(), &[value.unwrap_or_default(), proof].concat(), len, hidden)
    }

    fn of(parts: RecordParts, live: bool, bytes: &[u8], proof: u8, hidden: bool) -> Self {
        let RecordParts { stamp, expires_at_ms, place, revision } = parts;
        let head = Head { stamp, revision, expires_at_ms, place, live, proof, hidden: AtomicBool::new(hidden) };
        Self(ThinArc::from_header_and_slice(head, bytes))
    }

    /// The tombstone that is left when a record's time is over.
    pub fn ended(&self) -> Self {
        let expires_at_ms = self.head().expires_at_ms;
        match self.proof() {
            [] => self.without_value(expires_at_ms, &[]),
            proof => self.without_value(expires_at_ms, &proof::of_ended(proof, self.value())),
        }
    }

    /// What is told of a record that was removed elsewhere: its time was not over.
    pub fn removed(&self) -> Self {
        self.without_value(0, &[])
    }

    fn without_value(&self, expires_at_ms: u64, proof: &[u8]) -> Self {
        let Head { stamp, revision, place, .. } = self.head();
        let parts = RecordParts { stamp: stamp.clone(), expires_at_ms, place: *place, revision: *revision };
        Self::signed(parts, None, proof, false)
    }

    fn head(&self) -> &Head {
        &self.0.header.header
    }

    pub fn stamp(&self) -> &Stamp {
        &self.head().stamp
    }

    /// Which change of this replica brought it: local, and never told as a fact about the entry.
    pub fn revision(&self) -> u64 {
        self.head().revision
    }

    /// How many writes of its batch were stamped before it: its own timestamp less this is the batch's first.
    pub fn place(&self) -> u32 {
        self.head().place
    }

    /// When it expires, or did. Units: milliseconds since the Unix epoch.
    pub fn expires_at_ms(&self) -> Option<u64> {
        Some(self.head().expires_at_ms).filter(|&at| at != 0)
    }

    /// Not a tombstone. Whether readers see it is another question: see [`shows`](Self::shows).
    pub fn is_live(&self) -> bool {
        self.head().live
    }

    pub fn is_hidden(&self) -> bool {
        self.head().hidden.load(Ordering::Relaxed)
    }

    /// Whether readers see it at the time that `now_ms` tells; it is asked only if that matters.
    #[inline]
    pub fn shows(&self, now_ms: impl FnOnce() -> u64) -> bool {
        self.head().shows(now_ms)
    }

    /// Writer only.
    pub(super) fn hide(&self, hidden: bool) {
        self.head().hidden.store(hidden, Ordering::Relaxed);
    }

    /// `None` for a tombstone.
    #[inline]
    pub fn value(&self) -> Option<&[u8]> {
        self.is_live().then(|| self.bytes())
    }

    /// The value's bytes; empty for a tombstone.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        value_of(&self.0)
    }

    /// Its author's proof; empty where the map is not signed.
    pub fn proof(&self) -> &[u8] {
        &self.0.slice[self.bytes().len()..]
    }
}

/// The value's bytes: all but the proof.
#[inline]
fn value_of(record: &ThinArc<Head, u8>) -> &[u8] {
    let len = record.slice.len() - usize::from(record.header.header.proof);
    &record.slice[..len]
}

impl Head {
    #[inline]
    fn shows(&self, now_ms: impl FnOnce() -> u64) -> bool {
        self.live && !self.hidden.load(Ordering::Relaxed) && (self.expires_at_ms == 0 || now_ms() < self.expires_at_ms)
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

    /// Reads the value in the view in place, without counting a reference.
    #[inline]
    pub fn read<R>(&self, now_ms: impl FnOnce() -> u64, read: impl FnOnce(&[u8]) -> R) -> Option<R> {
        let record: Guard<ThinArc<Head, u8>> = self.0.header.header.0.load();
        record.header.header.shows(now_ms).then(|| read(value_of(&record)))
    }

    /// The value's length, in view or not; 0 for a tombstone.
    pub fn value_len(&self) -> usize {
        value_of(&self.0.header.header.0.load()).len()
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
    fn cmp(&self, other: &Self) -> cmp::Ordering {
        self.key().cmp(other.key())
    }
}

impl PartialOrd for Slot {
    fn partial_cmp(&self, other: &Self) -> Option<cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Slot {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}
