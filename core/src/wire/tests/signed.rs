//! Messages and rows of a signed map: there and back, as frozen, and whatever else a peer may send.

use proptest::prelude::*;

use super::super::gossip::{Gossip, decode, encode_delta, encode_pulse, encode_signed, is_pulse, split_signed};
use super::super::rows::{Row, decode_row, encode_entry, encode_head, entry_key, head_key};
use super::super::sync::{Response, decode_response, encode_page};
use super::{Malformed, entry, expiring, hex, outgoing, page, pulse};
use crate::replica::{Head, Incoming, Outgoing, Page, Record, RecordParts, SavedEntry, Slot, Timestamp};

/// The same with a proof of that byte; what has ended says what it was.
fn proven((slot, record): (Slot, Record), byte: u8) -> (Slot, Record) {
    let has_ended = !record.is_live() && record.expires_at_ms().is_some();
    let proof = vec![byte; if has_ended { 96 } else { 64 }];
    let expires_at_ms = record.expires_at_ms().unwrap_or_default();
    let parts = RecordParts { stamp: record.stamp().clone(), expires_at_ms, place: record.place(), revision: 1 };
    (slot, Record::signed(parts, record.value(), &proof, false))
}

fn all_proven(entries: Vec<(Slot, Record)>) -> Vec<(Slot, Record)> {
    entries.into_iter().zip(1..).map(|(entry, byte)| proven(entry, byte)).collect()
}

fn delta() -> Outgoing {
    let plain = outgoing();
    Outgoing { entries: all_proven(plain.entries), ..plain }
}

fn signed_page() -> Page {
    let Page { entries, end } = page();
    Page { entries: all_proven(entries), end }
}

fn head() -> Head {
    Head { clock: Timestamp(0x0001_8000_0000), epoch: 0x0102, pruned_ms: 0x1234, presence: true, signed: true }
}

fn row(entry: (Slot, Record)) -> Vec<u8> {
    encode_entry(&SavedEntry { origin: 7, record: proven(entry, 9).1 })
}

fn messages() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("delta", encode_signed(&[5; 64], &encode_delta(&delta()))),
        ("pulse", encode_signed(&[6; 64], &encode_pulse(&pulse()))),
        ("page", encode_page(&signed_page())),
    ]
}

fn rows() -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    vec![
        ("head", head_key(), encode_head(&head())),
        ("value", entry_key(b"key"), row(entry(1, 6, b"key", Some(b"value")))),
        ("removed", entry_key(b""), row(entry(3, 300, b"", None))),
        ("expired", entry_key(b"was"), row(expiring(1, 8, b"was", None, 0x10_0000))),
    ]
}

fn same(arrived: &[Incoming<'_>], left: &[(Slot, Record)]) -> bool {
    let same = |(arrived, (slot, record)): (&Incoming<'_>, &(Slot, Record))| {
        (arrived.key, arrived.value, arrived.proof) == (slot.key(), record.value(), record.proof())
    };
    arrived.len() == left.len() && arrived.iter().zip(left).all(same)
}

/// The message within, as anybody may decode it.
fn open(bytes: &[u8]) -> Result<Gossip<'_>, Malformed> {
    decode(split_signed(bytes).ok_or(Malformed("not signed"))?.1)
}

#[test]
fn a_signed_delta_and_a_signed_page_arrive_as_they_left() {
    let bytes = encode_signed(&[5; 64], &encode_delta(&delta()));
    assert_eq!(split_signed(&bytes).map(|(signature, _)| *signature), Some([5; 64]));
    let Ok(Gossip::Delta(arrived)) = open(&bytes) else { panic!("a delta decodes") };
    assert!(same(&arrived.entries, &delta().entries) && !is_pulse(&bytes));
    let bytes = encode_page(&signed_page());
    let Ok(Response::Page(entries, _)) = decode_response(&bytes) else { panic!("a page decodes") };
    assert!(same(&entries, &signed_page().entries));
}

#[test]
fn a_signed_pulse_arrives_as_it_left() {
    let bytes = encode_signed(&[6; 64], &encode_pulse(&pulse()));
    assert_eq!(open(&bytes), Ok(Gossip::Pulse(pulse())));
    assert!(is_pulse(&bytes));
}

#[test]
fn a_signed_row_comes_back_as_it_left() {
    for (name, key, value) in rows() {
        match (name, decode_row(&key, &value)) {
            ("head", Ok(Row::Head(found))) => assert_eq!(found, head()),
            ("expired", Ok(Row::Entry(found))) => assert_eq!((found.value, found.proof), (None, &[9; 96][..])),
            (_, Ok(Row::Entry(found))) => assert_eq!((found.key, found.proof), (&key[1..], &[9; 64][..])),
            _ => panic!("{name} is read"),
        }
    }
}

#[test]
fn the_bytes_of_signed_messages_and_rows_are_frozen() {
    let mut now: String = messages().iter().map(|(name, bytes)| format!("{name}: {}\n", hex(bytes))).collect();
    now.extend(rows().iter().map(|(name, key, value)| format!("row {name}: {} {}\n", hex(key), hex(value))));
    assert_eq!(now, include_str!("../../../../tests/golden/signed-v1.txt"));
}

#[test]
fn g10_proofs_that_do_not_fit_the_entries_are_refused() {
    let taken = |value: Option<&[u8]>, expires_at_ms: u64, len: usize| {
        let mut delta = delta();
        let (slot, record) = delta.entries.swap_remove(0);
        let parts = RecordParts { stamp: record.stamp().clone(), expires_at_ms, place: 0, revision: 1 };
        delta.entries.push((slot, Record::signed(parts, value, &vec![1; len], false)));
        decode(&encode_delta(&delta)).map(drop)
    };
    let value = Some(&b"value"[..]);
    assert_eq!([taken(value, 0, 64), taken(None, 0, 64), taken(None, 9, 96)], [Ok(()); 3]);
    for (value, len) in [(value, 0), (value, 63), (value, 65), (value, 96), (None, 0), (None, 97)] {
        assert_eq!(taken(value, 0, len), Err(Malformed("proof")), "{len} bytes");
    }
}

#[test]
fn every_cut_and_every_longer_signed_message_is_refused() {
    for (name, bytes) in messages() {
        let reads = |bytes: &[u8]| if name == "page" { decode_response(bytes).is_ok() } else { open(bytes).is_ok() };
        assert!(reads(&bytes), "{name}");
        assert!((0..bytes.len()).all(|length| !reads(&bytes[..length])), "{name} cut");
        assert!(!reads(&[&bytes[..], &[0]].concat()), "{name} with a byte more");
    }
}

proptest! {
    #[test]
    fn g10_damaged_signed_messages_and_rows_never_panic(which in 0..7usize, at in any::<prop::sample::Index>(), byte: u8) {
        let all = messages().into_iter().map(|(_, bytes)| (b"e".to_vec(), bytes));
        let (key, mut bytes) = all.chain(rows().into_iter().map(|(_, key, value)| (key, value))).nth(which).expect("seven");
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = (open(&bytes), decode(&bytes), decode_response(&bytes), decode_row(&key, &bytes));
    }
}
