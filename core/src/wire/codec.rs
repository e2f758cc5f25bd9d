//! The one place that knows bincode, and the parts that several messages share.

use std::collections::HashMap;

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::{BorrowDecode, Encode};

use super::Malformed;
use crate::limits::{
    MAX_BATCH_ENTRIES, MAX_KEY_BYTES, MAX_NAMED_ORIGINS, MAX_ORIGINS, MAX_RANGES, MAX_SYNC_BYTES, MAX_VALUE_BYTES,
};
use crate::peer::PeerId;
use crate::replica::{Context, Incoming, Origin, Pulse, Record, Slot, Stamp, Timestamp, Value};

/// What a decoder may take up at most, whatever a message claims: a multiple of the message's own size.
const LITTLE: Within<{ 64 * 1024 }> = bincode::config::standard().with_limit();
const SOME: Within<{ 1024 * 1024 }> = bincode::config::standard().with_limit();
const MUCH: Within<{ 4 * MAX_SYNC_BYTES }> = bincode::config::standard().with_limit();

type Within<const BYTES: usize> = Configuration<LittleEndian, Varint, Limit<BYTES>>;

/// A version byte, then the message.
pub fn encode(version: u8, message: &impl Encode, capacity: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(capacity);
    bytes.push(version);
    // Invariant: writing to memory does not fail, and every type here is encodable.
    bincode::encode_into_std_write(message, &mut bytes, bincode::config::standard()).expect("encoding into memory");
    bytes
}

/// The message after its version byte, all of it.
pub fn decode<'a, T: BorrowDecode<'a, ()>>(version: u8, bytes: &'a [u8], max_bytes: usize) -> Result<T, Malformed> {
    if bytes.len() > max_bytes {
        return Err(Malformed("over its limit"));
    }
    let (&found, rest) = bytes.split_first().ok_or(Malformed("empty"))?;
    if found != version {
        return Err(Malformed("unknown version"));
    }
    let decoded = match rest.len() {
        ..=4_096 => bincode::borrow_decode_from_slice(rest, LITTLE),
        4_097..=65_536 => bincode::borrow_decode_from_slice(rest, SOME),
        _ => bincode::borrow_decode_from_slice(rest, MUCH),
    };
    let (message, used) = decoded.map_err(|_| Malformed("not decodable"))?;
    if used != rest.len() {
        return Err(Malformed("trailing bytes"));
    }
    Ok(message)
}

/// A message's version where it is not signed, and where it is.
const PLAIN: u8 = 1;
const SIGNED: u8 = 2;

/// A message with entries; on a signed map with the proof of each behind it, in the same order.
pub fn encode_proven<'a>(message: impl Encode, records: impl Iterator<Item = &'a Record> + Clone, capacity: usize) -> Vec<u8> {
    if records.clone().all(|record| record.proof().is_empty()) {
        return encode(PLAIN, &message, capacity);
    }
    let proofs: Vec<&[u8]> = records.map(Record::proof).collect();
    let bytes: usize = proofs.iter().map(|proof| proof.len() + 1).sum();
    encode(SIGNED, &(message, proofs), capacity + bytes)
}

/// One for each entry of a message, if it is signed.
pub type Proofs<'a> = Option<Vec<&'a [u8]>>;

/// A message, and the proofs of its entries.
pub fn decode_proven<'a, T>(bytes: &'a [u8], max_bytes: usize) -> Result<(T, Proofs<'a>), Malformed>
where
    T: BorrowDecode<'a, ()>,
{
    if bytes.first() != Some(&SIGNED) {
        return Ok((decode(PLAIN, bytes, max_bytes)?, None));
    }
    let (message, proofs): (T, Vec<&[u8]>) = decode(SIGNED, bytes, max_bytes)?;
    Ok((message, Some(proofs)))
}

/// Gives each entry its proof.
pub fn prove<'a>(entries: &mut [Incoming<'a>], proofs: Proofs<'a>) -> Result<(), Malformed> {
    let Some(proofs) = proofs else { return Ok(()) };
    if proofs.len() != entries.len() {
        return Err(Malformed("not one proof for each entry"));
    }
    for (entry, proof) in entries.iter_mut().zip(proofs) {
        Value::proven(entry.value, proof).ok_or(Malformed("proof"))?;
        entry.proof = proof;
    }
    Ok(())
}

#[derive(Encode, BorrowDecode)]
pub struct WireOrigin<'a> {
    pub peer: &'a [u8],
    pub epoch: u64,
}

impl<'a> WireOrigin<'a> {
    pub fn from(origin: &'a Origin) -> Self {
        Self { peer: origin.peer().as_bytes(), epoch: origin.epoch() }
    }

    pub fn open(&self) -> Result<Origin, Malformed> {
        let peer = PeerId::from_bytes(self.peer).map_err(|_| Malformed("peer id"))?;
        Ok(Origin::new(peer, self.epoch))
    }
}

/// The origins that a message names, each once; the rest of it says their positions.
#[derive(Default)]
pub struct OriginTable<'a> {
    origins: Vec<&'a Origin>,
    positions: HashMap<&'a Origin, u32, foldhash::fast::RandomState>,
    /// Most entries follow one of the same origin.
    last: Option<(&'a Origin, u32)>,
}

impl<'a> OriginTable<'a> {
    pub fn position(&mut self, origin: &'a Origin) -> u32 {
        match self.last {
            Some((last, position)) if last.is(origin) => return position,
            _ => {}
        }
        let next = self.origins.len() as u32;
        let position = *self.positions.entry(origin).or_insert(next);
        if position == next {
            self.origins.push(origin);
        }
        self.last = Some((origin, position));
        position
    }

    pub fn wire(&self) -> Vec<WireOrigin<'a>> {
        self.origins.iter().map(|origin| WireOrigin::from(origin)).collect()
    }
}

/// Opens an origin table.
pub fn open_origins(origins: &[WireOrigin<'_>]) -> Result<Vec<Origin>, Malformed> {
    if origins.len() > MAX_NAMED_ORIGINS {
        return Err(Malformed("too many origins"));
    }
    origins.iter().map(WireOrigin::open).collect()
}

#[derive(Encode, BorrowDecode)]
pub struct WireEntry<'a> {
    pub origin: u32,
    pub timestamp: u64,
    pub place: u32,
    pub key: &'a [u8],
    pub state: WireState<'a>,
}

#[derive(Encode, BorrowDecode)]
pub enum WireState<'a> {
    Removed,
    Value(&'a [u8]),
    Expiring { at_ms: u64, value: &'a [u8] },
    Expired { at_ms: u64 },
}

impl<'a> WireState<'a> {
    pub fn of(record: &'a Record) -> Self {
        match (record.value(), record.expires_at_ms()) {
            (None, None) => Self::Removed,
            (Some(value), None) => Self::Value(value),
            (Some(value), Some(at_ms)) => Self::Expiring { at_ms, value },
            (None, Some(at_ms)) => Self::Expired { at_ms },
        }
    }

    /// The value, and when it expires.
    pub fn open(&self) -> Result<(Option<&'a [u8]>, u64), Malformed> {
        let (value, expires_at_ms) = match *self {
            Self::Removed => (None, 0),
            Self::Value(value) => (Some(value), 0),
            Self::Expiring { at_ms, value } => (Some(value), open_expiry(at_ms)?),
            Self::Expired { at_ms } => (None, open_expiry(at_ms)?),
        };
        if value.is_some_and(|value| value.len() > MAX_VALUE_BYTES) {
            return Err(Malformed("value over its limit"));
        }
        Ok((value, expires_at_ms))
    }
}

impl<'a> WireEntry<'a> {
    pub fn from(table: &mut OriginTable<'a>, slot: &'a Slot, record: &'a Record) -> Self {
        let stamp = record.stamp();
        let (origin, timestamp) = (table.position(&stamp.origin), stamp.timestamp.0);
        Self { origin, timestamp, place: record.place(), key: slot.key(), state: WireState::of(record) }
    }

    fn open(&self, origins: &[Origin]) -> Result<Incoming<'a>, Malformed> {
        let (value, expires_at_ms) = self.state.open()?;
        if self.key.len() > MAX_KEY_BYTES {
            return Err(Malformed("key over its limit"));
        }
        let (timestamp, origin) = (open_timestamp(self.timestamp)?, open_position(self.origin, origins)?);
        if self.place as usize >= MAX_BATCH_ENTRIES || u64::from(self.place) >= timestamp.0 {
            return Err(Malformed("place in a batch"));
        }
        let stamp = Stamp { timestamp, origin };
        Ok(Incoming { key: self.key, value, expires_at_ms, place: self.place, stamp, proof: &[] })
    }
}

fn open_expiry(at_ms: u64) -> Result<u64, Malformed> {
    // Like a stamp's, the milliseconds have 48 bits; and zero would say "never".
    if at_ms == 0 || at_ms >> 48 != 0 { Err(Malformed("expiry")) } else { Ok(at_ms) }
}

pub fn open_entries<'a>(entries: &[WireEntry<'a>], origins: &[Origin], max: usize) -> Result<Vec<Incoming<'a>>, Malformed> {
    if entries.len() > max {
        return Err(Malformed("too many entries"));
    }
    entries.iter().map(|entry| entry.open(origins)).collect()
}

pub fn open_position(position: u32, origins: &[Origin]) -> Result<Origin, Malformed> {
    origins.get(position as usize).cloned().ok_or(Malformed("origin position"))
}

pub fn open_timestamp(timestamp: u64) -> Result<Timestamp, Malformed> {
    // Zero is before every reading; the greatest number has no successor.
    if timestamp == 0 || timestamp == u64::MAX {
        return Err(Malformed("timestamp"));
    }
    Ok(Timestamp(timestamp))
}

/// Positions of origins with a timestamp each: a `past`.
pub fn wire_past<'a>(table: &mut OriginTable<'a>, past: &'a [(Origin, Timestamp)]) -> Vec<(u32, u64)> {
    past.iter().map(|(origin, timestamp)| (table.position(origin), timestamp.0)).collect()
}

pub fn open_past(past: &[(u32, u64)], origins: &[Origin]) -> Result<Vec<(Origin, Timestamp)>, Malformed> {
    past.iter().map(|&(position, timestamp)| Ok((open_position(position, origins)?, open_timestamp(timestamp)?))).collect()
}

#[derive(Encode, BorrowDecode)]
pub struct WirePulse<'a> {
    pub origin: WireOrigin<'a>,
    pub beat: u64,
    pub leaving: bool,
}

impl<'a> WirePulse<'a> {
    pub fn from(pulse: &'a Pulse) -> Self {
        Self { origin: WireOrigin::from(&pulse.origin), beat: pulse.beat, leaving: pulse.leaving }
    }

    pub fn open(&self) -> Result<Pulse, Malformed> {
        Ok(Pulse { origin: self.origin.open()?, beat: self.beat, leaving: self.leaving })
    }
}

#[derive(Encode, BorrowDecode)]
pub struct WireSeen<'a> {
    pub origin: WireOrigin<'a>,
    pub upto: u64,
    pub ranges: Vec<(u64, u64)>,
}

pub fn wire_context(context: &Context) -> Vec<WireSeen<'_>> {
    let seen = context.origins().map(|(origin, seen)| WireSeen {
        origin: WireOrigin::from(origin),
        upto: seen.upto.0,
        ranges: seen.ranges.iter().map(|(after, last)| (after.0, last.0)).collect(),
    });
    seen.collect()
}

pub fn open_context(wire: &[WireSeen<'_>]) -> Result<Context, Malformed> {
    if wire.len() > MAX_ORIGINS {
        return Err(Malformed("too many origins"));
    }
    let mut context = Context::default();
    for seen in wire {
        claim(&mut context, &seen.origin.open()?, seen.upto, &seen.ranges)?;
    }
    Ok(context)
}

/// Takes in what is said to be seen of one origin.
pub fn claim(context: &mut Context, origin: &Origin, upto: u64, ranges: &[(u64, u64)]) -> Result<(), Malformed> {
    if ranges.len() > MAX_RANGES {
        return Err(Malformed("too many ranges"));
    }
    if upto == u64::MAX {
        return Err(Malformed("timestamp"));
    }
    context.add(origin, Timestamp::ZERO, Timestamp(upto));
    let mut end = upto;
    for &(after, last) in ranges {
        if after < end || last <= after || last == u64::MAX {
            return Err(Malformed("ranges out of order"));
        }
        end = last;
        context.add(origin, Timestamp(after), Timestamp(last));
    }
    Ok(())
}
