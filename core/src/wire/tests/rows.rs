//! Every row there and back, byte for byte as frozen, and whatever else a disk may hold.

use proptest::prelude::*;

use super::super::Malformed;
use super::super::rows::{Row, decode_row, encode_entry, encode_head, encode_known, entry_key, head_key, origin_key};
use super::{context, expiring, hex, in_batch, origin};
use crate::limits::{MAX_KEY_BYTES, MAX_RANGES, MAX_ROW_BYTES, MAX_VALUE_BYTES};
use crate::replica::{Head, Known, SavedEntry, Seen, Timestamp};

fn head() -> Head {
    Head { clock: Timestamp(0x0001_8000_0000), epoch: 0x0102, pruned_ms: 0x1234, presence: true, signed: false }
}

fn known() -> Known {
    let seen = context().of(&origin(1)).cloned().expect("seen");
    let refused = Some(Seen { upto: Timestamp(9), ranges: Vec::new() });
    Known { origin: origin(1), seen, refused, past: Timestamp(77), forgotten: Timestamp(5), beaten: Timestamp(0) }
}

fn stranger() -> Known {
    let (seen, refused) = (Seen::default(), None);
    Known { origin: origin(2), seen, refused, past: Timestamp::ZERO, forgotten: Timestamp::ZERO, beaten: Timestamp::ZERO }
}

fn saved((slot, record): (crate::replica::Slot, crate::replica::Record)) -> (Vec<u8>, Vec<u8>) {
    (entry_key(slot.key()), encode_entry(&SavedEntry { origin: 7, record }))
}

/// A row's name, key and value.
type Named = (&'static str, (Vec<u8>, Vec<u8>));

/// All kinds of rows, with names for those that fail.
fn rows() -> Vec<Named> {
    vec![
        ("head", (head_key(), encode_head(&head()))),
        ("origin", (origin_key(0x0102_0304), encode_known(&known()))),
        ("stranger", (origin_key(0), encode_known(&stranger()))),
        ("value", saved(expiring(1, 6, b"key", Some(b"value"), 0))),
        ("removed", saved(expiring(3, 300, b"", None, 0))),
        ("expiring", saved(expiring(1, 7, b"soon", Some(b"over"), 0x10_0000))),
        ("expired", saved(expiring(1, 8, b"was", None, 0x10_0000))),
        ("batch", saved(in_batch(10, 1))),
    ]
}

#[test]
fn a_row_comes_back_as_it_left() {
    let row = |name: &str| rows().into_iter().find(|(known, _)| *known == name).expect("a row").1;
    let (key, value) = row("head");
    assert!(matches!(decode_row(&key, &value), Ok(Row::Head(found)) if found == head()));
    let (key, value) = row("origin");
    assert!(matches!(decode_row(&key, &value), Ok(Row::Origin(0x0102_0304, found)) if found == known()));
    let (key, value) = row("stranger");
    assert!(matches!(decode_row(&key, &value), Ok(Row::Origin(0, found)) if found == stranger()));
    let entry = |name: &str| {
        let (key, value) = row(name);
        let Ok(Row::Entry(entry)) = decode_row(&key, &value) else { panic!("{name} is an entry") };
        assert_eq!(entry.origin, 7);
        (entry.key.to_vec(), entry.value.map(<[u8]>::to_vec), entry.timestamp.0, entry.place, entry.expires_at_ms)
    };
    assert_eq!(entry("value"), (b"key".to_vec(), Some(b"value".to_vec()), 6, 0, 0));
    assert_eq!(entry("removed"), (b"".to_vec(), None, 300, 0, 0));
    assert_eq!(entry("expiring"), (b"soon".to_vec(), Some(b"over".to_vec()), 7, 0, 0x10_0000));
    assert_eq!(entry("expired"), (b"was".to_vec(), None, 8, 0, 0x10_0000));
    assert_eq!(entry("batch"), (vec![1], Some(b"b".to_vec()), 10, 1, 0));
}

#[test]
fn the_largest_of_everything_fits_in_a_row() {
    let mut largest = known();
    let ranges = (0..MAX_RANGES as u64).map(|at| (Timestamp(u64::MAX - 9_000 + 4 * at), Timestamp(u64::MAX - 8_998 + 4 * at)));
    largest.seen = Seen { upto: Timestamp(5), ranges: ranges.collect() };
    largest.refused = Some(largest.seen.clone());
    let value = encode_known(&largest);
    assert!(value.len() < MAX_ROW_BYTES);
    assert!(matches!(decode_row(&origin_key(1), &value), Ok(Row::Origin(1, found)) if found == largest));
    let (key, value) = saved(expiring(1, u64::MAX - 1, &[0; MAX_KEY_BYTES], Some(&vec![0; MAX_VALUE_BYTES]), 1));
    assert!(value.len() <= MAX_ROW_BYTES && matches!(decode_row(&key, &value), Ok(Row::Entry(_))));
}

/// What version 1 looks like for ever: a directory of today must open tomorrow.
#[test]
fn the_rows_of_version_1_are_frozen() {
    let frozen = include_str!("../../../../tests/golden/rows-v1.txt");
    let now: String = rows().iter().map(|(name, (key, value))| format!("{name}: {} {}\n", hex(key), hex(value))).collect();
    assert_eq!(now, frozen);
}

#[test]
fn every_cut_and_every_longer_row_is_refused() {
    for (name, (key, value)) in rows() {
        assert!(decode_row(&key, &value).is_ok(), "{name}");
        for length in 0..value.len() {
            assert!(decode_row(&key, &value[..length]).is_err(), "{name} cut to {length}");
        }
        assert!(decode_row(&key, &[&value[..], &[0]].concat()).is_err(), "{name} with a byte more");
        assert!(decode_row(&key, &[&[9], &value[1..]].concat()).is_err(), "{name} of another version");
    }
}

#[test]
fn each_row_that_is_not_what_it_should_be_is_refused_by_name() {
    let refusal = |key: &[u8], value: &[u8]| decode_row(key, value).err();
    let head = encode_head(&head());
    for key in [&b""[..], b"x", b"hh"] {
        assert_eq!(refusal(key, &head), Some(Malformed("row")));
    }
    for key in [&b"o"[..], b"o123", b"o12345"] {
        assert_eq!(refusal(key, &encode_known(&known())), Some(Malformed("origin number")));
    }
    let (_, value) = saved(expiring(1, 6, b"k", Some(b"v"), 0));
    assert_eq!(refusal(&entry_key(&[0; MAX_KEY_BYTES + 1]), &value), Some(Malformed("row")));
    let of = |entry| saved(entry).1;
    assert_eq!(refusal(b"ek", &of(expiring(1, 0, b"k", None, 0))), Some(Malformed("timestamp")));
    assert_eq!(refusal(b"ek", &of(expiring(1, u64::MAX, b"k", None, 0))), Some(Malformed("timestamp")));
    assert_eq!(refusal(b"ek", &of(expiring(1, 6, b"k", None, 1 << 48))), Some(Malformed("expiry")));
    assert_eq!(refusal(b"ek", &of(in_batch(3, 4))), Some(Malformed("place in a batch")));
    let large = vec![0; MAX_VALUE_BYTES + 1];
    assert_eq!(refusal(b"ek", &of(expiring(1, 6, b"k", Some(&large), 0))), Some(Malformed("value over its limit")));
    assert_eq!(refusal(b"ek", &vec![1; MAX_ROW_BYTES + 1]), Some(Malformed("over its limit")));
    let mut many = known();
    many.seen.ranges = (0..=MAX_RANGES as u64).map(|at| (Timestamp(100 + 4 * at), Timestamp(102 + 4 * at))).collect();
    assert!(refusal(&origin_key(1), &encode_known(&many)).is_some(), "too many ranges");
}

proptest! {
    #[test]
    fn random_rows_never_panic(key in prop::collection::vec(any::<u8>(), 0..12), value in prop::collection::vec(any::<u8>(), 0..200)) {
        for kind in [&b""[..], b"h", b"e", b"o"] {
            let _ = decode_row(&[kind, &key].concat(), &value);
            let _ = decode_row(&[kind, &key].concat(), &[&[1], &value[..]].concat());
            let _ = decode_row(&[kind, &[0; 4]].concat(), &[&[1], &value[..]].concat());
        }
        let _ = decode_row(b"h", &[&[1], &value[..]].concat());
    }

    #[test]
    fn damaged_rows_never_panic(which in 0..8usize, at in any::<prop::sample::Index>(), byte: u8, more: u8) {
        let (key, mut value) = rows().swap_remove(which).1;
        let at = at.index(value.len());
        value[at] = byte;
        let _ = decode_row(&key, &value);
        value.insert(at, more);
        let _ = decode_row(&key, &value);
    }
}
