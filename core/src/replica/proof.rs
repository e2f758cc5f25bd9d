//! Who wrote an entry, proven: on a signed map each entry carries its author's signature over all that it says.
//!
//! Shape of a proof: the signature (64 bytes); and, where a value has ended, what it was is left behind as its hash (32 bytes), so
//! that the tombstone proves as much as the value did.

use std::sync::Arc;

use ring::digest::{SHA256, digest};

use super::Stamp;

/// An Ed25519 signature.
pub type Signature = [u8; SIGNATURE_BYTES];
pub const SIGNATURE_BYTES: usize = 64;
const HASH_BYTES: usize = 32;

/// What every statement begins with: no other signature of the same key is one of an entry.
const DOMAIN: &[u8] = b"p2pmap entry 1\0";

/// Signs a statement.
pub type Signer = Arc<dyn Fn(&[u8]) -> Signature + Send + Sync>;

/// How a replica signs what it writes.
#[derive(Clone)]
pub struct Signing {
    /// The map, on the wire: an entry of one proves nothing in another.
    pub map: [u8; 16],
    pub sign: Signer,
}

/// All that an entry says.
pub struct Said<'a> {
    pub key: &'a [u8],
    pub value: Value<'a>,
    pub expires_at_ms: u64,
    pub place: u32,
    pub stamp: &'a Stamp,
}

/// What an entry says of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    Removed,
    Is(&'a [u8]),
    /// It had this hash.
    Was(&'a [u8; HASH_BYTES]),
}

impl<'a> Value<'a> {
    /// `None`: a removal.
    pub fn of(value: Option<&'a [u8]>) -> Self {
        value.map_or(Self::Removed, Self::Is)
    }

    /// What an entry with that value and that proof says, and the signature. `None`: no proof has that shape.
    pub fn proven(value: Option<&'a [u8]>, proof: &'a [u8]) -> Option<(Self, &'a Signature)> {
        let (signature, rest) = proof.split_first_chunk()?;
        match (value, rest) {
            (value, []) => Some((Self::of(value), signature)),
            (None, rest) => Some((Self::Was(rest.try_into().ok()?), signature)),
            (Some(_), _) => None,
        }
    }
}

impl Signing {
    pub fn sign(&self, said: &Said<'_>) -> Signature {
        (self.sign)(&said.statement(&self.map))
    }
}

impl Said<'_> {
    /// The bytes that are signed: each part has its length or a fixed one, so that no two entries have the same.
    pub fn statement(&self, map: &[u8; 16]) -> Vec<u8> {
        let Self { key, value, expires_at_ms, place, stamp } = self;
        let peer = stamp.origin.peer().as_bytes();
        let mut bytes = Vec::with_capacity(DOMAIN.len() + 16 + 1 + peer.len() + 8 + 8 + 4 + 8 + 1 + HASH_BYTES + key.len());
        bytes.extend_from_slice(DOMAIN);
        bytes.extend_from_slice(map);
        // Invariant: a peer id has at most 64 bytes.
        bytes.push(peer.len() as u8);
        bytes.extend_from_slice(peer);
        bytes.extend_from_slice(&stamp.origin.epoch().to_be_bytes());
        bytes.extend_from_slice(&stamp.timestamp.0.to_be_bytes());
        bytes.extend_from_slice(&place.to_be_bytes());
        bytes.extend_from_slice(&expires_at_ms.to_be_bytes());
        match value {
            Value::Removed => bytes.push(0),
            Value::Is(value) => {
                bytes.push(1);
                bytes.extend_from_slice(digest(&SHA256, value).as_ref());
            }
            Value::Was(hash) => {
                bytes.push(1);
                bytes.extend_from_slice(*hash);
            }
        }
        bytes.extend_from_slice(key);
        bytes
    }
}

/// The proof of an entry whose value is gone now. Tombstones keep theirs.
pub fn of_ended(proof: &[u8], value: Option<&[u8]>) -> Vec<u8> {
    match value {
        Some(value) => [proof, digest(&SHA256, value).as_ref()].concat(),
        None => proof.to_vec(),
    }
}
