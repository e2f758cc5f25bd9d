//! Entries and events as one buffer a batch: making one Buffer costs more than a hundred records.
//!
//! Shape (all numbers little-endian): u32 where the authors start; then the records; then the authors.
//! A record: u8 kind (0 an entry, else the event's number), u8 flags, u16 author's index, u64 timestamp, u64 epoch,
//! u32 length of key, of value, of old value, then those three, then f64 when it expires, if it does.
//! An author: u8 length, then the peer id as text.

use p2pmap::{Entry, Event, EventKind, PeerId, Stamp};

use crate::hot::stamp_bytes;

/// Where a batch of entries stops taking more.
pub const ENTRIES_BYTES: usize = 64 * 1024;
/// The same for events, which hold on to their batch: as large as a piece of the pool that small Buffers share.
pub const EVENTS_BYTES: usize = 8 * 1024;
/// Records in a batch at most; below what a u16 counts.
pub const MAX_RECORDS: usize = 256;

const LOCAL: u8 = 1;
const HAS_VALUE: u8 = 2;
const HAS_OLD_VALUE: u8 = 4;
const HAS_STAMP: u8 = 8;
const EXPIRES: u8 = 16;
const KIND_ENTRY: u8 = 0;

/// A batch being written.
pub struct Flat {
    target_bytes: usize,
    bytes: Vec<u8>,
    authors: Vec<PeerId>,
    records: usize,
}

impl Flat {
    pub fn new(target_bytes: usize) -> Self {
        Self { target_bytes, bytes: vec![0; 4], authors: Vec::new(), records: 0 }
    }

    pub fn is_full(&self) -> bool {
        self.bytes.len() >= self.target_bytes || self.records >= MAX_RECORDS
    }

    /// Adds an entry, with its value if asked for.
    pub fn entry(&mut self, entry: &Entry, with_value: bool) {
        let value = with_value.then(|| &**entry.value());
        let expires_at_ms = entry.expires_at_ms();
        let flags = if expires_at_ms.is_some() { EXPIRES } else { 0 };
        self.record(KIND_ENTRY, flags, Some(&entry.stamp()), entry.key(), value, None);
        if let Some(ms) = expires_at_ms {
            self.bytes.extend_from_slice(&(ms as f64).to_le_bytes());
        }
    }

    pub fn event(&mut self, event: &Event) {
        let local = if event.is_local() { LOCAL } else { 0 };
        let value = event.value().map(|value| &**value);
        let old_value = event.old_value().map(|value| &**value);
        self.record(number(event.kind()), local, event.stamp().as_ref(), event.key(), value, old_value);
    }

    /// The batch; nothing when nothing was added.
    pub fn finish(mut self) -> Option<Vec<u8>> {
        let authors_at = (self.bytes.len() as u32).to_le_bytes();
        self.bytes[..4].copy_from_slice(&authors_at);
        for author in &self.authors {
            let text = author.to_string();
            self.bytes.push(text.len() as u8);
            self.bytes.extend_from_slice(text.as_bytes());
        }
        (self.records > 0).then_some(self.bytes)
    }

    fn record(
        &mut self,
        kind: u8,
        flags: u8,
        stamp: Option<&Stamp>,
        key: &[u8],
        value: Option<&[u8]>,
        old_value: Option<&[u8]>,
    ) {
        let has = |part: bool, flag: u8| if part { flag } else { 0 };
        let flags =
            flags | has(value.is_some(), HAS_VALUE) | has(old_value.is_some(), HAS_OLD_VALUE) | has(stamp.is_some(), HAS_STAMP);
        let author = stamp.map_or(0, |stamp| self.author(stamp.author()));
        let parts = [key, value.unwrap_or_default(), old_value.unwrap_or_default()];
        self.bytes.extend_from_slice(&[kind, flags]);
        self.bytes.extend_from_slice(&author.to_le_bytes());
        self.bytes.extend_from_slice(&stamp.map(stamp_bytes).unwrap_or_default());
        for part in parts {
            self.bytes.extend_from_slice(&(part.len() as u32).to_le_bytes());
        }
        for part in parts {
            self.bytes.extend_from_slice(part);
        }
        self.records += 1;
    }

    /// The author's index. Few write at a time, so looking through them is quick.
    fn author(&mut self, author: &PeerId) -> u16 {
        let known = self.authors.iter().position(|known| known == author);
        known.unwrap_or_else(|| {
            self.authors.push(author.clone());
            self.authors.len() - 1
        }) as u16
    }
}

fn number(kind: EventKind) -> u8 {
    kind as i32 as u8
}
