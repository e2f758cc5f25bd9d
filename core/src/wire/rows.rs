//! The rows of a durable map: what is known of it, entry by entry and origin by origin, as bytes on disk.
//!
//! Shape of a row's key: `h` the head; `o` and a number (4 bytes, big-endian) an origin; `e` and a key an entry. Each value starts
//! with the version of its format.

use bincode::{BorrowDecode, Encode};

use super::Malformed;
use super::codec::{WireOrigin, WireState, claim, decode, encode, open_timestamp};
use crate::limits::{MAX_BATCH_ENTRIES, MAX_KEY_BYTES, MAX_ROW_BYTES};
use crate::replica::{Context, Head, Known, Record, Restored, SavedEntry, Seen, Timestamp, Value};

const VERSION: u8 = 1;
/// Of the head and the entries of a signed map.
const SIGNED: u8 = 2;

/// A row that was read.
pub enum Row<'a> {
    Head(Head),
    Origin(u32, Known),
    Entry(Restored<'a>),
}

pub fn head_key() -> Vec<u8> {
    b"h".to_vec()
}

pub fn origin_key(number: u32) -> Vec<u8> {
    [b"o", &number.to_be_bytes()[..]].concat()
}

pub fn entry_key(key: &[u8]) -> Vec<u8> {
    [b"e", key].concat()
}

#[derive(Encode, BorrowDecode)]
struct WireHead {
    clock: u64,
    epoch: u64,
    pruned_ms: u64,
    presence: bool,
}

#[derive(Encode, BorrowDecode)]
struct WireKnown<'a> {
    origin: WireOrigin<'a>,
    seen: WireRanges,
    refused: Option<WireRanges>,
    past: u64,
    forgotten: u64,
    beaten: u64,
}

#[derive(Encode, BorrowDecode)]
struct WireRanges {
    upto: u64,
    ranges: Vec<(u64, u64)>,
}

#[derive(Encode, BorrowDecode)]
struct WireSaved<'a> {
    origin: u32,
    timestamp: u64,
    place: u32,
    state: WireState<'a>,
}

pub fn encode_head(head: &Head) -> Vec<u8> {
    let &Head { clock, epoch, pruned_ms, presence, signed } = head;
    encode(if signed { SIGNED } else { VERSION }, &WireHead { clock: clock.0, epoch, pruned_ms, presence }, 32)
}

pub fn encode_known(known: &Known) -> Vec<u8> {
    let Known { origin, seen, refused, past, forgotten, beaten } = known;
    let wire = WireKnown {
        origin: WireOrigin::from(origin),
        seen: WireRanges::from(seen),
        refused: refused.as_ref().map(WireRanges::from),
        past: past.0,
        forgotten: forgotten.0,
        beaten: beaten.0,
    };
    encode(VERSION, &wire, 128 + 20 * seen.ranges.len())
}

pub fn encode_entry(entry: &SavedEntry) -> Vec<u8> {
    let record: &Record = &entry.record;
    let stamp = record.stamp();
    let wire =
        WireSaved { origin: entry.origin, timestamp: stamp.timestamp.0, place: record.place(), state: WireState::of(record) };
    match record.proof() {
        [] => encode(VERSION, &wire, record.bytes().len() + 32),
        proof => encode(SIGNED, &(wire, proof), record.bytes().len() + proof.len() + 32),
    }
}

/// Errors: what is wrong with it. A row that passed its checksum and is malformed was written by something else.
pub fn decode_row<'a>(key: &'a [u8], value: &'a [u8]) -> Result<Row<'a>, Malformed> {
    match key.split_first() {
        Some((b'h', [])) => {
            let signed = value.first() == Some(&SIGNED);
            let version = if signed { SIGNED } else { VERSION };
            let WireHead { clock, epoch, pruned_ms, presence } = decode(version, value, MAX_ROW_BYTES)?;
            Ok(Row::Head(Head { clock: Timestamp(clock), epoch, pruned_ms, presence, signed }))
        }
        Some((b'o', number)) => {
            let number: [u8; 4] = number.try_into().map_err(|_| Malformed("origin number"))?;
            let known: WireKnown<'_> = decode(VERSION, value, MAX_ROW_BYTES)?;
            Ok(Row::Origin(u32::from_be_bytes(number), known.open()?))
        }
        Some((b'e', key)) if key.len() <= MAX_KEY_BYTES => {
            let (saved, proof): (WireSaved<'_>, &[u8]) = match value.first() {
                Some(&SIGNED) => decode(SIGNED, value, MAX_ROW_BYTES)?,
                _ => (decode(VERSION, value, MAX_ROW_BYTES)?, &[]),
            };
            let (value, expires_at_ms) = saved.state.open()?;
            if !proof.is_empty() {
                Value::proven(value, proof).ok_or(Malformed("proof"))?;
            }
            let timestamp = open_timestamp(saved.timestamp)?;
            if saved.place as usize >= MAX_BATCH_ENTRIES || u64::from(saved.place) >= timestamp.0 {
                return Err(Malformed("place in a batch"));
            }
            let WireSaved { origin, place, .. } = saved;
            Ok(Row::Entry(Restored { key, origin, timestamp, place, value, expires_at_ms, proof }))
        }
        _ => Err(Malformed("row")),
    }
}

impl WireKnown<'_> {
    fn open(&self) -> Result<Known, Malformed> {
        let origin = self.origin.open()?;
        let open = |ranges: &WireRanges| {
            let mut context = Context::default();
            claim(&mut context, &origin, ranges.upto, &ranges.ranges)?;
            Ok(context.of(&origin).cloned().unwrap_or_default())
        };
        let seen = open(&self.seen)?;
        let refused = self.refused.as_ref().map(open).transpose()?;
        let (past, forgotten, beaten) = (Timestamp(self.past), Timestamp(self.forgotten), Timestamp(self.beaten));
        Ok(Known { seen, refused, past, forgotten, beaten, origin })
    }
}

impl WireRanges {
    fn from(seen: &Seen) -> Self {
        Self { upto: seen.upto.0, ranges: seen.ranges.iter().map(|(after, last)| (after.0, last.0)).collect() }
    }
}
