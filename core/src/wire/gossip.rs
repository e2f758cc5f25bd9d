//! What is gossiped: deltas, and on presence maps signs of life.

use bincode::{BorrowDecode, Encode};

use super::Malformed;
use super::codec::{
    OriginTable, Proofs, WireEntry, WireOrigin, WirePulse, decode_proven, encode as encode_message, encode_proven,
    open_entries, open_origins, open_past, open_position, open_timestamp, prove, wire_past,
};
use crate::limits::{MAX_DELTA_BYTES, MAX_DELTA_ENTRIES};
use crate::peer::PeerId;
use crate::replica::{Delta, Outgoing, Pulse, Timestamp};

const VERSION: u8 = 1;
/// Of what its author has signed, as a whole: then the signature, then the message.
const SIGNED: u8 = 3;
const SIGNATURE_BYTES: usize = 64;

/// One gossip message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gossip<'a> {
    Delta(Delta<'a>),
    Pulse(Pulse),
}

impl Gossip<'_> {
    /// Whose it is: nobody else sends it first.
    pub fn author(&self) -> &PeerId {
        match self {
            Self::Delta(delta) => delta.origin.peer(),
            Self::Pulse(pulse) => pulse.origin.peer(),
        }
    }
}

#[derive(Encode, BorrowDecode)]
enum WireGossip<'a> {
    Delta(WireDelta<'a>),
    Pulse(WirePulse<'a>),
}

#[derive(Encode, BorrowDecode)]
struct WireDelta<'a> {
    /// The first one is the delta's own.
    origins: Vec<WireOrigin<'a>>,
    prev: u64,
    last: u64,
    past: Vec<(u32, u64)>,
    entries: Vec<WireEntry<'a>>,
}

pub fn encode_delta(delta: &Outgoing) -> Vec<u8> {
    let mut table = OriginTable::default();
    table.position(&delta.origin);
    let past = wire_past(&mut table, &delta.past);
    let entries: Vec<_> = delta.entries.iter().map(|(slot, record)| WireEntry::from(&mut table, slot, record)).collect();
    let bytes: usize = delta.entries.iter().map(|(slot, record)| slot.key().len() + record.bytes().len() + 20).sum();
    let wire = WireDelta { origins: table.wire(), prev: delta.prev.0, last: delta.last.0, past, entries };
    let capacity = bytes + 64 * wire.origins.len() + 64;
    encode_proven(WireGossip::Delta(wire), delta.entries.iter().map(|(_, record)| record), capacity)
}

pub fn encode_pulse(pulse: &Pulse) -> Vec<u8> {
    encode_message(VERSION, &WireGossip::Pulse(WirePulse::from(pulse)), 96)
}

/// A message with its author's signature.
pub fn encode_signed(signature: &[u8; SIGNATURE_BYTES], message: &[u8]) -> Vec<u8> {
    [&[SIGNED], &signature[..], message].concat()
}

/// The signature, and the message that it is of; `None`: it has none.
pub fn split_signed(bytes: &[u8]) -> Option<(&[u8; SIGNATURE_BYTES], &[u8])> {
    bytes.strip_prefix(&[SIGNED])?.split_first_chunk()
}

/// Whether that is a pulse, which takes no time to take in, if it is anything.
pub fn is_pulse(bytes: &[u8]) -> bool {
    split_signed(bytes).map_or(bytes, |(_, message)| message).get(1) == Some(&1)
}

/// Errors: the first thing that is wrong with it.
pub fn decode(bytes: &[u8]) -> Result<Gossip<'_>, Malformed> {
    match decode_proven(bytes, MAX_DELTA_BYTES)? {
        (WireGossip::Delta(delta), proofs) => open(&delta, proofs).map(Gossip::Delta),
        (WireGossip::Pulse(pulse), None) => pulse.open().map(Gossip::Pulse),
        (WireGossip::Pulse(_), Some(_)) => Err(Malformed("a signed pulse")),
    }
}

fn open<'a>(wire: &WireDelta<'a>, proofs: Proofs<'a>) -> Result<Delta<'a>, Malformed> {
    let origins = open_origins(&wire.origins)?;
    let (prev, last) = (Timestamp(wire.prev), open_timestamp(wire.last)?);
    if prev >= last {
        return Err(Malformed("empty chain link"));
    }
    let mut entries = open_entries(&wire.entries, &origins, MAX_DELTA_ENTRIES)?;
    prove(&mut entries, proofs)?;
    Ok(Delta { origin: open_position(0, &origins)?, prev, last, past: open_past(&wire.past, &origins)?, entries })
}
