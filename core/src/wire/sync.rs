//! The messages of a sync: compare digests, then pull pages.

use bincode::{BorrowDecode, Encode};

use super::codec::{
    OriginTable, WireEntry, WireOrigin, WirePulse, WireSeen, decode as decode_message, decode_proven, encode as encode_message,
    encode_proven, open_context, open_entries, open_origins, open_past, open_position, open_timestamp, prove, wire_context,
    wire_past,
};
use super::{Malformed, Topic};
use crate::limits::{MAX_ORIGINS, MAX_PAGE_ENTRIES, MAX_SYNC_BYTES, MAX_SYNC_MAPS};
use crate::replica::{Digest, Forgotten, Incoming, Origin, Page, PageEnd, Request as PullRequest, Sign, Stamp, Start};

const VERSION: u8 = 1;

/// How the maps of one side are, and what its clock says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digests {
    /// Milliseconds since the Unix epoch.
    pub now_ms: u64,
    pub maps: Vec<(Topic, Digest)>,
}

/// What one side asks.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// These are my digests: what are yours?
    Compare(Digests),
    /// The next page of that map, please.
    Pull(Topic, PullRequest),
    /// Have you seen that write?
    Holds(Topic, Stamp),
}

/// What the other side answers.
#[derive(Debug, PartialEq, Eq)]
pub enum Response<'a> {
    /// The digests of the maps that both have.
    Compared(Digests),
    Page(Vec<Incoming<'a>>, PageEnd),
    /// That map is not open here.
    NoMap,
    /// Whether that map is open here and what it has seen covers that write.
    Holds(bool),
}

#[derive(Encode, BorrowDecode)]
struct WireDigests {
    now_ms: u64,
    maps: Vec<([u8; 16], [u8; 32])>,
}

#[derive(Encode, BorrowDecode)]
enum WireRequest<'a> {
    Compare(WireDigests),
    Pull { topic: [u8; 16], base: Vec<WireSeen<'a>>, since: u64, cursor: Option<(WireOrigin<'a>, u64)> },
    Holds { topic: [u8; 16], origin: WireOrigin<'a>, timestamp: u64 },
}

#[derive(Encode, BorrowDecode)]
enum WireResponse<'a> {
    Compared(WireDigests),
    Page {
        origins: Vec<WireOrigin<'a>>,
        entries: Vec<WireEntry<'a>>,
        start: Option<Box<WireStart<'a>>>,
        cursor: Option<(u32, u64)>,
        past: Vec<(u32, u64)>,
        digest: Option<[u8; 32]>,
        signs: Vec<(WirePulse<'a>, u64)>,
    },
    NoMap,
    Holds(bool),
}

#[derive(Encode, BorrowDecode)]
struct WireStart<'a> {
    context: Vec<WireSeen<'a>>,
    revision: u64,
    forgotten: Vec<(u32, u64)>,
    beaten: Vec<(u32, u64)>,
    forgotten_revision: u64,
    pruned_ms: u64,
}

pub fn encode_compare(digests: &Digests) -> Vec<u8> {
    encode_message(VERSION, &WireRequest::Compare(wire_digests(digests)), 16 + 48 * digests.maps.len())
}

pub fn encode_pull(topic: Topic, request: &PullRequest) -> Vec<u8> {
    let cursor = request.cursor.as_ref().map(|(origin, timestamp)| (WireOrigin::from(origin), timestamp.0));
    let wire = WireRequest::Pull { topic: topic.0, base: wire_context(&request.base), since: request.since, cursor };
    encode_message(VERSION, &wire, 64 + 64 * request.base.len())
}

pub fn encode_holds(topic: Topic, stamp: &Stamp) -> Vec<u8> {
    let (origin, timestamp) = (WireOrigin::from(&stamp.origin), stamp.timestamp.0);
    encode_message(VERSION, &WireRequest::Holds { topic: topic.0, origin, timestamp }, 104)
}

pub fn decode_request(bytes: &[u8]) -> Result<Request, Malformed> {
    Ok(match decode_message(VERSION, bytes, MAX_SYNC_BYTES)? {
        WireRequest::Compare(digests) => Request::Compare(open_digests(&digests)?),
        WireRequest::Pull { topic, base, since, cursor } => {
            let cursor = match cursor {
                Some((origin, timestamp)) => Some((origin.open()?, open_timestamp(timestamp)?)),
                None => None,
            };
            Request::Pull(Topic(topic), PullRequest { base: open_context(&base)?, since, cursor })
        }
        WireRequest::Holds { topic, origin, timestamp } => {
            Request::Holds(Topic(topic), Stamp { timestamp: open_timestamp(timestamp)?, origin: origin.open()? })
        }
    })
}

pub fn encode_compared(digests: &Digests) -> Vec<u8> {
    encode_message(VERSION, &WireResponse::Compared(wire_digests(digests)), 16 + 48 * digests.maps.len())
}

pub fn encode_no_map() -> Vec<u8> {
    encode_message(VERSION, &WireResponse::NoMap, 2)
}

pub fn encode_held(holds: bool) -> Vec<u8> {
    encode_message(VERSION, &WireResponse::Holds(holds), 3)
}

pub fn encode_page(page: &Page) -> Vec<u8> {
    let mut table = OriginTable::default();
    let entries: Vec<_> = page.entries.iter().map(|(slot, record)| WireEntry::from(&mut table, slot, record)).collect();
    let past = wire_past(&mut table, &page.end.past);
    let cursor = page.end.cursor.as_ref().map(|(origin, timestamp)| (table.position(origin), timestamp.0));
    let bytes: usize = page.entries.iter().map(|(slot, record)| slot.key().len() + record.bytes().len() + 20).sum();
    let start = page.end.start.as_ref().map(|start| {
        Box::new(WireStart {
            context: wire_context(&start.context),
            revision: start.revision,
            forgotten: wire_past(&mut table, &start.forgotten.newest),
            beaten: wire_past(&mut table, &start.forgotten.beaten),
            forgotten_revision: start.forgotten.revision,
            pruned_ms: start.forgotten.pruned_ms,
        })
    });
    let signs: Vec<_> = page.end.signs.iter().map(|sign| (WirePulse::from(&sign.pulse), sign.silent_ms)).collect();
    let origins = table.wire();
    let vectors = origins.len() + signs.len() + start.as_ref().map_or(0, |start| start.context.len());
    let capacity = bytes + 64 * vectors + 64;
    let digest = page.end.digest.map(|digest| digest.0);
    let wire = WireResponse::Page { origins, entries, start, cursor, past, digest, signs };
    encode_proven(wire, page.entries.iter().map(|(_, record)| record), capacity)
}

pub fn decode_response(bytes: &[u8]) -> Result<Response<'_>, Malformed> {
    let (response, proofs) = decode_proven(bytes, MAX_SYNC_BYTES)?;
    Ok(match response {
        WireResponse::Compared(digests) => Response::Compared(open_digests(&digests)?),
        WireResponse::NoMap => Response::NoMap,
        WireResponse::Holds(holds) => Response::Holds(holds),
        WireResponse::Page { origins, entries, start, cursor, past, digest, signs } => {
            let origins = open_origins(&origins)?;
            let start = match start {
                Some(start) => Some(open_start(&start, &origins)?),
                None => None,
            };
            let cursor = match cursor {
                Some((position, timestamp)) => Some((open_position(position, &origins)?, open_timestamp(timestamp)?)),
                None => None,
            };
            let (past, signs) = (open_past(&past, &origins)?, open_signs(&signs)?);
            let end = PageEnd { start, cursor, past, digest: digest.map(Digest), signs };
            let mut entries = open_entries(&entries, &origins, MAX_PAGE_ENTRIES)?;
            prove(&mut entries, proofs)?;
            Response::Page(entries, end)
        }
    })
}

fn open_start(start: &WireStart<'_>, origins: &[Origin]) -> Result<Start, Malformed> {
    let (newest, beaten) = (open_past(&start.forgotten, origins)?, open_past(&start.beaten, origins)?);
    let forgotten = Forgotten { newest, beaten, revision: start.forgotten_revision, pruned_ms: start.pruned_ms };
    Ok(Start { context: open_context(&start.context)?, revision: start.revision, forgotten })
}

fn open_signs(signs: &[(WirePulse<'_>, u64)]) -> Result<Vec<Sign>, Malformed> {
    if signs.len() > MAX_ORIGINS + 1 {
        return Err(Malformed("too many signs"));
    }
    signs.iter().map(|(pulse, silent_ms)| Ok(Sign { pulse: pulse.open()?, silent_ms: *silent_ms })).collect()
}

fn wire_digests(digests: &Digests) -> WireDigests {
    let maps = digests.maps.iter().map(|(topic, digest)| (topic.0, digest.0)).collect();
    WireDigests { now_ms: digests.now_ms, maps }
}

fn open_digests(digests: &WireDigests) -> Result<Digests, Malformed> {
    if digests.maps.len() > MAX_SYNC_MAPS {
        return Err(Malformed("too many maps"));
    }
    let maps = digests.maps.iter().map(|&(topic, digest)| (Topic(topic), Digest(digest))).collect();
    Ok(Digests { now_ms: digests.now_ms, maps })
}
