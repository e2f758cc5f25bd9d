//! Messages as bytes: versions, limits, encoding. Pure.
//!
//! Every message starts with a version byte; the rest is bincode (variable-length integers) behind a byte limit. Nothing is
//! allocated before its size was checked, decoded bytes borrow from the message, and trailing bytes are an error.
//! The formats are drawn in `docs/wire.md` and frozen by byte vectors.

mod codec;
pub mod gossip;
pub(crate) mod hello;
pub(crate) mod members;
pub mod rows;
pub mod sync;
#[cfg(test)]
mod tests;

use xxhash_rust::xxh3::xxh3_128;

/// The name of a map on the wire: a hash of cluster id and map name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Topic(pub [u8; 16]);

impl Topic {
    pub fn new(cluster_id: &str, map: &str) -> Self {
        Self(hash(&["p2pmap topic", cluster_id, map]))
    }

    /// Of a signed map, which exchanges nothing with one of the same name that is not.
    pub fn signed(cluster_id: &str, map: &str) -> Self {
        Self(hash(&["p2pmap signed topic", cluster_id, map]))
    }
}

/// A hash of strings that no concatenation confuses.
pub fn hash(parts: &[&str]) -> [u8; 16] {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    xxh3_128(&bytes).to_be_bytes()
}

/// A message that is not what it should be, and in what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed message: {0}")]
pub struct Malformed(pub &'static str);
