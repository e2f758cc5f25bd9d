//! The replica against its claims: unit by unit, and as a small cluster on a network that loses, repeats and reorders.

mod aside;
mod away;
mod batches;
mod context;
mod expiry;
mod forget;
mod gathered;
mod heal;
pub mod hooks;
mod ledger;
mod origins;
mod papers;
mod presence;
mod stage;

use super::*;
use crate::wire::gossip::Gossip;

/// A replica of its own author.
fn replica(name: u8) -> Replica {
    let peer = PeerId::from_bytes(&[name]).expect("one byte is a peer id");
    Replica::new(Origin::new(peer, 1), RULES)
}

const RULES: Rules = Rules {
    presence: false,
    signed: false,
    tombstone_ttl_ms: 1_000,
    origin_retention_ms: 1_000_000,
    peer_timeout_ms: 1_000,
    max_clock_drift_ms: u64::MAX,
};

/// Everything that waits, as one delta's bytes.
fn cut(replica: &mut Replica, target_bytes: usize) -> Option<Vec<u8>> {
    replica.cut_delta(target_bytes).map(|delta| crate::wire::gossip::encode_delta(&delta))
}

fn deliver(to: &mut Replica, delta: &[u8]) -> Merged {
    let Ok(Gossip::Delta(delta)) = crate::wire::gossip::decode(delta) else { panic!("our own encoding decodes") };
    to.merge_delta(&delta, &[], 1, &mut Vec::new())
}

/// A whole pull through the wire format, with nothing in between.
fn pull(to: &mut Replica, from: &Replica, page_bytes: usize) {
    let mut puller = Puller::new(to.context().clone());
    while !pull_step(&mut puller, to, from, page_bytes) {}
}

/// One page of a pull; true when it was the last.
fn pull_step(puller: &mut Puller, to: &mut Replica, from: &Replica, page_bytes: usize) -> bool {
    let request = crate::wire::sync::encode_pull(crate::wire::Topic([0; 16]), puller.request());
    let Ok(crate::wire::sync::Request::Pull(_, request)) = crate::wire::sync::decode_request(&request) else {
        panic!("our own request decodes")
    };
    let response = crate::wire::sync::encode_page(&from.page(&request, page_bytes));
    let Ok(crate::wire::sync::Response::Page(entries, end)) = crate::wire::sync::decode_response(&response) else {
        panic!("our own page decodes")
    };
    let unclaimed = to.merge_entries(&entries, &[], puller.mends(), 1, &mut Vec::new());
    match puller.page(&entries, end, unclaimed) {
        Step::More => false,
        Step::Join(join) => {
            to.join(&join, 1, &mut Vec::new());
            true
        }
        Step::Malformed => panic!("our own page fits its request"),
    }
}

fn value(replica: &Replica, key: &[u8]) -> Option<Vec<u8>> {
    replica.index().read(key, || 0, <[u8]>::to_vec)
}

#[test]
fn g2_an_older_stamp_never_wins() {
    let (mut early, mut late) = (replica(1), replica(2));
    early.put(b"k", b"old", 0, 10);
    late.put(b"k", b"new", 0, 20);
    let (old, new) = (cut(&mut early, 1).unwrap(), cut(&mut late, 1).unwrap());
    deliver(&mut late, &old);
    deliver(&mut early, &new);
    assert_eq!((value(&early, b"k"), value(&late, b"k")), (Some(b"new".to_vec()), Some(b"new".to_vec())));
    assert_eq!(early.digest(), late.digest());
}

#[test]
fn g2_equal_timestamps_are_settled_by_the_origin_alike_on_both_sides() {
    let (mut a, mut b) = (replica(1), replica(2));
    a.put(b"k", b"a", 0, 10);
    b.put(b"k", b"b", 0, 10);
    let (from_a, from_b) = (cut(&mut a, 1).unwrap(), cut(&mut b, 1).unwrap());
    deliver(&mut a, &from_b);
    deliver(&mut b, &from_a);
    assert_eq!((value(&a, b"k"), value(&b, b"k")), (Some(b"b".to_vec()), Some(b"b".to_vec())));
}

#[test]
fn g2_the_stamp_that_is_returned_is_the_one_that_travels() {
    let (mut a, mut b) = (replica(1), replica(2));
    let stamp = a.put(b"k", b"v", 0, 10).new.stamp().clone();
    let delta = cut(&mut a, 1).unwrap();
    deliver(&mut b, &delta);
    assert_eq!(*b.index().slot(b"k").unwrap().record().stamp(), stamp);
}

#[test]
fn a_write_here_follows_every_write_seen_here() {
    let (mut ahead, mut behind) = (replica(1), replica(2));
    ahead.put(b"k", b"ahead", 0, 1_000_000);
    let delta = cut(&mut ahead, 1).unwrap();
    deliver(&mut behind, &delta);
    behind.put(b"k", b"behind", 0, 5);
    assert_eq!(value(&behind, b"k"), Some(b"behind".to_vec()), "a node reads its own write");
}

#[test]
fn a_missed_delta_is_a_gap_until_a_sync_closes_it() {
    let (mut a, mut b) = (replica(1), replica(2));
    let mut deltas = Vec::new();
    for at in 0..3u8 {
        a.put(&[at], b"", 0, 10);
        deltas.push(cut(&mut a, 1).unwrap());
    }
    assert_eq!(deliver(&mut b, &deltas[0]), Merged::Whole);
    assert_eq!(deliver(&mut b, &deltas[2]), Merged::Gap);
    pull(&mut b, &a, 1 << 20);
    assert_eq!(b.digest(), a.digest());
    a.put(b"next", b"", 0, 10);
    let next = cut(&mut a, 1).unwrap();
    assert_eq!(deliver(&mut b, &next), Merged::Whole);
}

#[test]
fn an_outbox_that_was_cleared_leaves_a_gap() {
    let (mut a, mut b) = (replica(1), replica(2));
    a.put(b"unheard", b"", 0, 10);
    a.clear_outbox();
    a.put(b"heard", b"", 0, 10);
    let delta = cut(&mut a, 1 << 20).unwrap();
    assert_eq!(deliver(&mut b, &delta), Merged::Gap);
    assert_eq!(value(&b, b"unheard"), None);
}

#[test]
fn an_overfull_outbox_drops_its_oldest_and_leaves_a_gap() {
    let (mut a, mut b) = (replica(1), replica(2));
    for at in 0..=crate::limits::MAX_OUTBOX_ENTRIES as u32 {
        a.put(&at.to_be_bytes(), b"", 0, 10);
    }
    assert!(a.waiting() < crate::limits::MAX_OUTBOX_ENTRIES);
    let delta = cut(&mut a, 1).unwrap();
    assert_eq!(deliver(&mut b, &delta), Merged::Gap);
}

#[test]
fn writes_to_one_key_are_conflated_within_a_delta_and_never_across() {
    let mut a = replica(1);
    for at in 0..100u8 {
        a.put(b"hot", &[at], 0, 10);
    }
    a.put(b"other", b"", 0, 10);
    let whole = a.cut_delta(1 << 20).unwrap();
    assert_eq!(whole.entries.len(), 2);
    a.put(b"hot", b"1", 0, 10);
    a.put(b"hot", b"2", 0, 10);
    let (first, second) = (a.cut_delta(1).unwrap(), a.cut_delta(1).unwrap());
    assert_eq!((first.entries.len(), second.entries.len()), (1, 1));
    assert_eq!(first.last, second.prev);
}

#[test]
fn a_batch_leaves_whole_whatever_the_size_of_a_delta() {
    let mut a = replica(1);
    let keys: Vec<[u8; 1]> = (0..50).map(|at| [at]).collect();
    a.put(b"before", b"", 0, 10);
    a.apply(keys.iter().map(|key| Write { key, value: Some(b"value"), expires_at_ms: 0 }), 10);
    a.put(b"after", b"", 0, 10);
    assert_eq!(a.cut_delta(1).unwrap().entries.len(), 1);
    assert_eq!(a.cut_delta(1).unwrap().entries.len(), 50);
    assert_eq!(a.cut_delta(1).unwrap().entries.len(), 1);
    assert!(a.cut_delta(1).is_none());
}

#[test]
fn a_refused_entry_is_not_claimed_and_comes_again() {
    let (mut a, mut b) = (replica(1), replica(2));
    a.put(b"good", b"", 0, 10);
    let bad = a.put(b"bad", b"", 0, 10).new.stamp().clone();
    a.put(b"good too", b"", 0, 10);
    let bytes = cut(&mut a, 1 << 20).unwrap();
    let Ok(Gossip::Delta(delta)) = crate::wire::gossip::decode(&bytes) else { panic!("our own encoding decodes") };
    b.merge_delta(&delta, &[1], 10, &mut Vec::new());
    assert!(!b.context().covers(&bad));
    assert_eq!((value(&b, b"good").is_some(), value(&b, b"bad"), value(&b, b"good too").is_some()), (true, None, true));
    pull(&mut b, &a, 1 << 20);
    assert!(b.context().covers(&bad) && value(&b, b"bad").is_some());
    assert_eq!(a.digest(), b.digest());
}

#[test]
fn a_delta_that_claims_our_own_origin_is_refused() {
    let (mut a, mut twin) = (replica(1), replica(1));
    twin.put(b"forged", b"", 0, 10);
    let delta = cut(&mut twin, 1).unwrap();
    assert_eq!(deliver(&mut a, &delta), Merged::Refused);
    assert_eq!(value(&a, b"forged"), None);
}

#[test]
fn past_travels_with_deltas_and_syncs() {
    let (mut a, mut b, mut c, mut d) = (replica(1), replica(2), replica(3), replica(4));
    let first = a.put(b"a", b"", 0, 10).new.stamp().clone();
    let delta = cut(&mut a, 1).unwrap();
    deliver(&mut b, &delta);
    b.put(b"b", b"", 0, 11);
    let outgoing = b.cut_delta(1).unwrap();
    assert_eq!(outgoing.past, [(first.origin.clone(), first.timestamp)]);
    let bytes = crate::wire::gossip::encode_delta(&outgoing);
    deliver(&mut c, &bytes);
    assert_eq!(c.past.get(&first.origin), Some(&first.timestamp), "c has not seen a, and knows that it depends on it");
    pull(&mut d, &c, 1 << 20);
    assert_eq!(d.past.get(&first.origin), Some(&first.timestamp));
    b.put(b"b", b"again", 0, 12);
    assert!(b.cut_delta(1).unwrap().past.is_empty(), "only what advanced since");
}

#[test]
fn five_thousand_overwrites_of_one_key_are_one_entry() {
    let mut a = replica(1);
    for at in 0..5_000u32 {
        a.put(b"k", &at.to_be_bytes(), 0, 10);
    }
    assert_eq!((a.index().live(), a.index().bytes()), (1, 5));
    assert_eq!(a.table.by_origin().values().map(|entries| entries.len()).sum::<usize>(), 1);
}
