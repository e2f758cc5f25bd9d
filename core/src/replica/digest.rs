//! Two replicas are equal when their digests are.

use std::fmt;

use xxhash_rust::xxh3::xxh3_128;

use super::mutation::{Mutation, mutated};
use super::stamp::Stamp;

/// Hash of the causal context, then fingerprint of the state: equal digests mean equal replicas.
///
/// Shape: 32 bytes, two big-endian 128-bit numbers; as text 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    pub(super) fn new(context: u128, fingerprint: Fingerprint) -> Self {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&context.to_be_bytes());
        bytes[16..].copy_from_slice(&fingerprint.0.to_be_bytes());
        Self(bytes)
    }

    /// How another replica compares.
    pub(crate) fn compare(&self, theirs: &Self) -> Comparison {
        match (self == theirs, self.0[..16] == theirs.0[..16]) {
            (true, _) => Comparison::Equal,
            (false, true) if !mutated(Mutation::NoSelfCheck) => Comparison::Suspicious,
            (false, _) => Comparison::Differs,
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What two digests say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    /// One has seen what the other has not.
    Differs,
    /// Both have seen the same, and yet hold something else: one of the two is to be mended by a full pull.
    Suspicious,
}

/// An order-free hash over (key, stamp) of the entries that only another stamp can change: the sum of their hashes, so that it is kept up to date by one
/// addition and one subtraction a write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint(u128);

impl Fingerprint {
    pub fn add(&mut self, key: &[u8], stamp: &Stamp) {
        self.0 = self.0.wrapping_add(hash(key, stamp));
    }

    pub fn remove(&mut self, key: &[u8], stamp: &Stamp) {
        self.0 = self.0.wrapping_sub(hash(key, stamp));
    }
}

fn hash(key: &[u8], stamp: &Stamp) -> u128 {
    let mut bytes = [0; 40];
    bytes[..16].copy_from_slice(&xxh3_128(key).to_be_bytes());
    bytes[16..32].copy_from_slice(&stamp.origin.hash128().to_be_bytes());
    bytes[32..].copy_from_slice(&stamp.timestamp.0.to_be_bytes());
    xxh3_128(&bytes)
}
