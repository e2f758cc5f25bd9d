//! What travels: a delta in its origin's order, and the entries of a sync page.

use super::clock::Timestamp;
use super::entry::{Record, Slot};
use super::stamp::{Origin, Stamp};

/// A write to be stamped.
#[derive(Clone, Copy, Debug)]
pub struct Write<'a> {
    pub key: &'a [u8],
    /// `None`: a removal.
    pub value: Option<&'a [u8]>,
    /// Milliseconds since the Unix epoch; 0: never.
    pub expires_at_ms: u64,
}

/// An arriving entry. Its bytes are borrowed from the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming<'a> {
    pub key: &'a [u8],
    /// `None`: a tombstone.
    pub value: Option<&'a [u8]>,
    /// Milliseconds since the Unix epoch; 0: never.
    pub expires_at_ms: u64,
    /// How many writes of its batch were stamped before it.
    pub place: u32,
    pub stamp: Stamp,
    /// Its author's; empty where the map is not signed.
    pub proof: &'a [u8],
}

impl Incoming<'_> {
    /// Whether this one was stamped after that one in the same batch, with nothing left in between.
    pub fn follows_in_batch(&self, before: &Self) -> bool {
        let first = |entry: &Self| entry.stamp.timestamp.0.wrapping_sub(u64::from(entry.place));
        self.place > 0 && self.stamp.origin == before.stamp.origin && first(self) == first(before)
    }
}

/// A delta as it arrives: every key that its origin stamped in (prev, last], each once, in its newest state there (which
/// another origin may have written since).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta<'a> {
    pub origin: Origin,
    pub prev: Timestamp,
    pub last: Timestamp,
    /// What advanced in the author's `past` since its previous delta.
    pub past: Vec<(Origin, Timestamp)>,
    pub entries: Vec<Incoming<'a>>,
}

/// A delta as it leaves.
pub struct Outgoing {
    pub origin: Origin,
    pub prev: Timestamp,
    pub last: Timestamp,
    pub past: Vec<(Origin, Timestamp)>,
    pub entries: Vec<(Slot, Record)>,
}
