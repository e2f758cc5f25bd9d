//! Who wrote, and when: the identity of one write, and the total order that decides who wins.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use triomphe::Arc;
use xxhash_rust::xxh3::xxh3_128;

use super::clock::Timestamp;
use crate::peer::PeerId;

/// One author's one opening of one map: (peer id, epoch). A node that reopens a map gets a new origin, so no stamp is ever
/// minted twice.
///
/// Order: peer id by bytes, then epoch. Cost: cloning counts a reference.
#[derive(Clone)]
pub struct Origin(Arc<OriginId>);

struct OriginId {
    peer: PeerId,
    epoch: u64,
    hash: u128,
}

impl Origin {
    pub fn new(peer: PeerId, epoch: u64) -> Self {
        let mut bytes = Vec::with_capacity(peer.as_bytes().len() + 8);
        bytes.extend_from_slice(peer.as_bytes());
        bytes.extend_from_slice(&epoch.to_be_bytes());
        let hash = xxh3_128(&bytes);
        Self(Arc::new(OriginId { peer, epoch, hash }))
    }

    pub fn peer(&self) -> &PeerId {
        &self.0.peer
    }

    pub fn epoch(&self) -> u64 {
        self.0.epoch
    }

    /// Whether both are the same copy: quicker than equality, and may be false for equals.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The same on every machine: part of the fingerprint.
    pub(crate) fn hash128(&self) -> u128 {
        self.0.hash
    }
}

impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (self.0.epoch == other.0.epoch && self.0.peer == other.0.peer)
    }
}

impl Eq for Origin {}

impl Ord for Origin {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) {
            return Ordering::Equal;
        }
        self.0.peer.cmp(&other.0.peer).then(self.0.epoch.cmp(&other.0.epoch))
    }
}

impl PartialOrd for Origin {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Origin {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.hash as u64);
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.0.peer, self.0.epoch)
    }
}

/// Identifies one write: one is minted per write, and the same one is stored, gossiped and returned.
///
/// Order: timestamp first, then origin; the greater stamp wins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    pub(crate) timestamp: Timestamp,
    pub(crate) origin: Origin,
}

impl Stamp {
    /// The stamp of a write that was made elsewhere or told by other means; its parts are those that the methods below give.
    pub fn new(timestamp: u64, epoch: u64, author: PeerId) -> Self {
        Self { timestamp: Timestamp(timestamp), origin: Origin::new(author, epoch) }
    }

    /// The author's HLC reading: 48-bit milliseconds since the Unix epoch, then a 16-bit counter.
    pub fn timestamp(&self) -> u64 {
        self.timestamp.0
    }

    /// When it was written, by the author's clock. Units: milliseconds since the Unix epoch.
    pub fn time_ms(&self) -> u64 {
        self.timestamp.ms()
    }

    pub fn author(&self) -> &PeerId {
        self.origin.peer()
    }

    /// Which opening of the map by its author.
    pub fn epoch(&self) -> u64 {
        self.origin.epoch()
    }
}

/// `<timestamp>-<epoch>-<author>`, the numbers in hexadecimal.
impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{:016x}-{}", self.timestamp.0, self.epoch(), self.author())
    }
}
