//! Every message there and back, byte for byte as frozen, and whatever else a peer may send.

mod rows;
mod signed;

use proptest::prelude::*;

use super::gossip::Gossip;
use super::sync::{Digests, Request, Response};
use super::{Malformed, Topic, gossip, sync};
use crate::limits::{MAX_DELTA_BYTES, MAX_KEY_BYTES, MAX_ORIGINS, MAX_SYNC_BYTES, MAX_VALUE_BYTES};
use crate::peer::PeerId;
use crate::replica::{
    Context, Digest, Forgotten, Origin, Outgoing, Page, PageEnd, Pulse, Record, RecordParts, Request as PullRequest, Sign,
    Slot, Stamp, Start, Timestamp,
};

fn origin(name: u8) -> Origin {
    Origin::new(PeerId::from_bytes(&[name; 3]).unwrap(), 0x0102)
}

fn stamp() -> Stamp {
    Stamp { timestamp: Timestamp(0x0001_8000_0000), origin: origin(3) }
}

fn entry(name: u8, timestamp: u64, key: &[u8], value: Option<&[u8]>) -> (Slot, Record) {
    expiring(name, timestamp, key, value, 0)
}

fn expiring(name: u8, timestamp: u64, key: &[u8], value: Option<&[u8]>, expires_at_ms: u64) -> (Slot, Record) {
    let stamp = Stamp { timestamp: Timestamp(timestamp), origin: origin(name) };
    let record = Record::new(RecordParts { stamp, expires_at_ms, place: 0, revision: 1 }, value, false);
    (Slot::new(key, record.clone()), record)
}

fn in_batch(timestamp: u64, place: u32) -> (Slot, Record) {
    let stamp = Stamp { timestamp: Timestamp(timestamp), origin: origin(1) };
    let record = Record::new(RecordParts { stamp, expires_at_ms: 0, place, revision: 1 }, Some(b"b"), false);
    (Slot::new(&[place as u8], record.clone()), record)
}

fn pulse() -> Pulse {
    Pulse { origin: origin(1), beat: 0x1_0000, leaving: true }
}

fn digests() -> Digests {
    Digests { now_ms: 0x1234, maps: vec![(Topic::new("cluster", "map"), Digest([9; 32]))] }
}

fn context() -> Context {
    let mut context = Context::default();
    context.add(&origin(1), Timestamp(0), Timestamp(5));
    context.add(&origin(1), Timestamp(7), Timestamp(9));
    context.add(&origin(2), Timestamp(0), Timestamp(0x1_0000));
    context
}

fn outgoing() -> Outgoing {
    Outgoing {
        origin: origin(1),
        prev: Timestamp(5),
        last: Timestamp(0x0001_8000_0000),
        past: vec![(origin(2), Timestamp(77))],
        entries: vec![
            entry(1, 6, b"key", Some(b"value")),
            entry(3, 300, b"", None),
            expiring(1, 7, b"soon", Some(b"over"), 0x10_0000),
            expiring(1, 8, b"was", None, 0x10_0000),
            in_batch(9, 0),
            in_batch(10, 1),
        ],
    }
}

fn page() -> Page {
    let (newest, beaten) = (vec![(origin(3), Timestamp(4))], vec![(origin(3), Timestamp(5))]);
    let forgotten = Forgotten { newest, beaten, revision: 8, pruned_ms: 0x1234 };
    let end = PageEnd {
        start: Some(Start { context: context(), revision: 9, forgotten }),
        cursor: None,
        past: vec![(origin(2), Timestamp(77))],
        digest: Some(Digest([7; 32])),
        signs: vec![Sign { pulse: pulse(), silent_ms: 5 }],
    };
    Page { entries: vec![entry(1, 6, b"key", Some(b"")), entry(1, 7, b"k\0", None)], end }
}

/// All messages, with names for those that fail.
fn messages() -> Vec<(&'static str, Vec<u8>)> {
    let request = PullRequest { base: context(), since: 300, cursor: Some((origin(2), Timestamp(3))) };
    let topic = Topic::new("cluster", "map");
    vec![
        ("delta", gossip::encode_delta(&outgoing())),
        ("pulse", gossip::encode_pulse(&pulse())),
        ("compare", sync::encode_compare(&digests())),
        ("pull", sync::encode_pull(topic, &request)),
        ("compared", sync::encode_compared(&digests())),
        ("page", sync::encode_page(&page())),
        ("no map", sync::encode_no_map()),
        ("holds", sync::encode_holds(topic, &stamp())),
        ("held", sync::encode_held(true)),
    ]
}

/// Whether the message of that name is read from those bytes.
fn decodes(name: &str, bytes: &[u8]) -> bool {
    match name {
        "delta" | "pulse" => gossip::decode(bytes).is_ok(),
        "compare" | "pull" | "holds" => sync::decode_request(bytes).is_ok(),
        _ => sync::decode_response(bytes).is_ok(),
    }
}

/// Gives those bytes to every decoder.
fn decode(bytes: &[u8]) {
    let _ = (gossip::decode(bytes), sync::decode_request(bytes), sync::decode_response(bytes));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_delta_arrives_as_it_left() {
    let (left, bytes) = (outgoing(), gossip::encode_delta(&outgoing()));
    let Ok(Gossip::Delta(arrived)) = gossip::decode(&bytes) else { panic!("a delta decodes") };
    assert_eq!((&arrived.origin, arrived.prev, arrived.last, &arrived.past), (&left.origin, left.prev, left.last, &left.past));
    for (arrived, (slot, record)) in arrived.entries.iter().zip(&left.entries) {
        assert_eq!((arrived.key, arrived.value, &arrived.stamp), (slot.key(), record.value(), record.stamp()));
        assert_eq!((arrived.expires_at_ms, arrived.place), (record.expires_at_ms().unwrap_or(0), record.place()));
    }
}

#[test]
fn a_pulse_arrives_as_it_left() {
    let bytes = gossip::encode_pulse(&pulse());
    assert_eq!(gossip::decode(&bytes), Ok(Gossip::Pulse(pulse())));
    assert!(gossip::is_pulse(&bytes) && !gossip::is_pulse(&gossip::encode_delta(&outgoing())));
}

#[test]
fn a_page_arrives_as_it_left() {
    let bytes = sync::encode_page(&page());
    let Ok(Response::Page(entries, end)) = sync::decode_response(&bytes) else { panic!("a page decodes") };
    assert_eq!(end, page().end);
    assert_eq!(entries[1].stamp, *page().entries[1].1.stamp());
    assert_eq!((entries[0].value, entries[1].value, entries[1].key), (Some(&b""[..]), None, &b"k\0"[..]));
}

#[test]
fn a_pull_arrives_as_it_left() {
    let request = PullRequest { base: context(), since: 4, cursor: Some((origin(2), Timestamp(3))) };
    let bytes = sync::encode_pull(Topic([1; 16]), &request);
    assert_eq!(sync::decode_request(&bytes), Ok(Request::Pull(Topic([1; 16]), request)));
}

#[test]
fn a_question_for_a_write_and_its_answer_arrive_as_they_left() {
    let bytes = sync::encode_holds(Topic([1; 16]), &stamp());
    assert_eq!(sync::decode_request(&bytes), Ok(Request::Holds(Topic([1; 16]), stamp())));
    for holds in [false, true] {
        assert!(matches!(sync::decode_response(&sync::encode_held(holds)), Ok(Response::Holds(held)) if held == holds));
    }
    // A timestamp that no clock gives.
    let never = Stamp { timestamp: Timestamp(0), ..stamp() };
    assert_eq!(sync::decode_request(&sync::encode_holds(Topic([1; 16]), &never)), Err(Malformed("timestamp")));
}

/// What version 1 looks like for ever: a node of tomorrow must read these, and a node of today must read what that one writes.
#[test]
fn the_bytes_of_version_1_are_frozen() {
    let frozen = include_str!("../../../tests/golden/wire-v1.txt");
    let now: String = messages().iter().map(|(name, bytes)| format!("{name}: {}\n", hex(bytes))).collect();
    assert_eq!(now, frozen);
}

#[test]
fn every_cut_and_every_longer_message_is_refused() {
    for (name, bytes) in messages() {
        assert!(decodes(name, &bytes), "{name}");
        for length in 0..bytes.len() {
            assert!(!decodes(name, &bytes[..length]), "{name} cut to {length}");
        }
        assert!(!decodes(name, &[&bytes[..], &[0]].concat()), "{name} with a byte more");
        assert!(!decodes(name, &[&[9], &bytes[1..]].concat()), "{name} of another version");
    }
}

#[test]
fn g10_each_field_over_its_limit_is_refused_by_name() {
    let refusal = |outgoing: Outgoing| gossip::decode(&gossip::encode_delta(&outgoing)).unwrap_err();
    let with = |change: fn(&mut Outgoing)| {
        let mut delta = outgoing();
        change(&mut delta);
        delta
    };
    assert_eq!(refusal(with(|d| d.prev = d.last)), Malformed("empty chain link"));
    assert_eq!(refusal(with(|d| d.last = Timestamp(u64::MAX))), Malformed("timestamp"));
    assert_eq!(refusal(with(|d| d.past[0].1 = Timestamp(0))), Malformed("timestamp"));
    assert_eq!(refusal(with(|d| d.entries[0] = entry(1, 0, b"", None))), Malformed("timestamp"));
    assert_eq!(refusal(with(|d| d.entries[0] = entry(1, 6, &[0; MAX_KEY_BYTES + 1], None))), Malformed("key over its limit"));
    assert_eq!(
        refusal(with(|d| d.entries[0] = entry(1, 6, b"", Some(&[0; MAX_VALUE_BYTES + 1])))),
        Malformed("value over its limit")
    );
    assert_eq!(refusal(with(|d| d.entries[0] = in_batch(3, 4))), Malformed("place in a batch"));
    assert_eq!(refusal(with(|d| d.entries[0] = in_batch(1 << 40, 1 << 16))), Malformed("place in a batch"));
    assert_eq!(refusal(with(|d| d.entries[0] = expiring(1, 6, b"", None, 1 << 48))), Malformed("expiry"));
    assert_eq!(gossip::decode(&vec![1; MAX_DELTA_BYTES + 1]).unwrap_err(), Malformed("over its limit"));
    assert_eq!(sync::decode_response(&vec![1; MAX_SYNC_BYTES + 1]).unwrap_err(), Malformed("over its limit"));
    let mut many = Context::default();
    for at in 0..=MAX_ORIGINS as u64 {
        many.add(&Origin::new(PeerId::from_bytes(&[1]).unwrap(), at), Timestamp(0), Timestamp(1));
    }
    let bytes = sync::encode_pull(Topic([0; 16]), &PullRequest { base: many, since: 0, cursor: None });
    assert_eq!(sync::decode_request(&bytes).unwrap_err(), Malformed("too many origins"));
}

#[test]
fn g10_a_length_that_promises_more_than_there_is_allocates_nothing() {
    // A delta whose table of origins, and one whose entries, claim 2^63 items.
    let huge = [253, 0, 0, 0, 0, 0, 0, 0, 128];
    assert!(gossip::decode(&[&[1, 0][..], &huge].concat()).is_err());
    assert!(gossip::decode(&[&[1, 0, 1, 1, 7, 0, 0, 1, 0][..], &huge].concat()).is_err());
}

proptest! {
    #[test]
    fn g10_random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        decode(&bytes);
        decode(&[&[1], &bytes[..]].concat());
        decode(&[&[1, 0], &bytes[..]].concat());
    }

    #[test]
    fn g10_damaged_messages_never_panic(which in 0..9usize, at in any::<prop::sample::Index>(), byte: u8, more: u8) {
        let mut bytes = messages().swap_remove(which).1;
        let at = at.index(bytes.len());
        bytes[at] = byte;
        decode(&bytes);
        bytes.insert(at, more);
        decode(&bytes);
    }
}
