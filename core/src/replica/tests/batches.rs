//! A batch is whole: in one delta, on one page, and claimed at once or not at all.

use super::super::*;
use super::stage::{DAY, Pull, WHOLE, cut, deliver, has, pull, put, replica};

/// Writes the keys of a batch.
fn apply(replica: &mut Replica, keys: &[&str], now_ms: u64) -> Vec<Stamp> {
    let writes = keys.iter().map(|key| Write { key: key.as_bytes(), value: Some(b"batch"), expires_at_ms: 0 });
    replica.apply(writes, now_ms).iter().map(|change| change.new.stamp().clone()).collect()
}

/// The keys of each page that a new replica would be sent.
fn pages(from: &Replica, page_bytes: usize) -> Vec<Vec<String>> {
    let mut request = Request { base: Context::default(), since: 0, cursor: None };
    let mut pages = Vec::new();
    loop {
        let page = from.page(&request, page_bytes);
        pages.push(page.entries.iter().map(|(slot, _)| String::from_utf8_lossy(slot.key()).into_owned()).collect());
        match page.end.cursor {
            Some(cursor) => request.cursor = Some(cursor),
            None => return pages,
        }
    }
}

#[test]
fn a_batch_is_stamped_in_a_row() {
    let mut a = replica(1);
    put(&mut a, "before", DAY);
    let stamps = apply(&mut a, &["x", "y", "z"], DAY);
    assert!(stamps.windows(2).all(|two| two[0].timestamp() + 1 == two[1].timestamp()));
}

#[test]
fn a_batch_is_never_split_over_pages() {
    let mut a = replica(1);
    put(&mut a, "before", DAY);
    apply(&mut a, &["x", "y", "z"], DAY);
    put(&mut a, "between", DAY);
    apply(&mut a, &["u", "v", "w"], DAY);
    put(&mut a, "after", DAY);
    let expected = [vec!["before"], vec!["x", "y", "z"], vec!["between"], vec!["u", "v", "w"], vec!["after"]];
    assert_eq!(pages(&a, 1), expected);
    assert_eq!(pages(&a, WHOLE), [expected.concat()]);
}

#[test]
fn what_is_left_of_a_batch_stays_together_after_overwrites() {
    let mut a = replica(1);
    apply(&mut a, &["u", "v", "w", "x", "y", "z"], DAY);
    put(&mut a, "u", DAY);
    put(&mut a, "x", DAY);
    assert_eq!(pages(&a, 1), [vec!["v", "w", "y", "z"], vec!["u"], vec!["x"]]);
}

#[test]
fn who_received_a_batch_passes_it_on_whole() {
    let (mut a, mut b) = (replica(1), replica(2));
    put(&mut a, "before", DAY);
    apply(&mut a, &["x", "y", "z"], DAY);
    deliver(&mut b, &cut(&mut a), DAY);
    assert_eq!(pages(&b, 1), [vec!["before"], vec!["x", "y", "z"]]);
    let mut c = replica(3);
    pull(&mut c, &a, DAY);
    assert_eq!(pages(&c, 1), [vec!["before"], vec!["x", "y", "z"]]);
}

#[test]
fn a_batch_is_one_link_of_its_origins_chain() {
    let (mut a, mut b) = (replica(1), replica(2));
    put(&mut a, "before", DAY);
    let stamps = apply(&mut a, &["x", "y", "z"], DAY);
    let first = a.cut_delta(1).expect("something waits");
    let second = a.cut_delta(1).expect("the batch waits");
    assert_eq!((second.prev, second.last), (first.last, stamps[2].timestamp));
    assert_eq!(second.entries.len(), 3);
    assert_eq!(deliver(&mut b, &wire_bytes(&second), DAY), Merged::Gap);
    assert!(stamps.iter().all(|stamp| b.context().covers(stamp)));
    assert!(["x", "y", "z"].iter().all(|key| has(&b, key, DAY)));
}

fn wire_bytes(delta: &Outgoing) -> Vec<u8> {
    crate::wire::gossip::encode_delta(delta)
}

#[test]
fn a_pull_that_breaks_off_behind_a_batch_claims_none_of_it() {
    let (mut a, mut b) = (replica(1), replica(2));
    let stamps = apply(&mut a, &["x", "y", "z"], DAY);
    put(&mut a, "after", DAY);
    let mut broken = Pull::new(&b, 1);
    assert!(broken.page(&mut b, &a, DAY));
    assert!(["x", "y", "z"].iter().all(|key| has(&b, key, DAY)), "all of it is there");
    assert!(!stamps.iter().any(|stamp| b.context().covers(stamp)), "and all of it comes again");
    drop(broken);
    pull(&mut b, &a, DAY);
    assert!(stamps.iter().all(|stamp| b.context().covers(stamp)));
}

#[test]
fn an_outbox_that_overflows_drops_whole_batches() {
    let (mut a, mut b) = (replica(1), replica(2));
    let keys: Vec<String> = (0..50_000).map(|at| at.to_string()).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let batches: Vec<Vec<Stamp>> = (0..6).map(|_| apply(&mut a, &keys, DAY)).collect();
    assert!(a.waiting() < 6 * keys.len(), "some were dropped");
    while let Some(delta) = a.cut_delta(1) {
        let message = wire_bytes(&delta);
        deliver(&mut b, &message, DAY + 5);
    }
    for stamps in &batches {
        let covered = stamps.iter().filter(|stamp| b.context().covers(stamp)).count();
        assert!(covered == 0 || covered == stamps.len(), "{covered} of {}", stamps.len());
    }
    assert!(b.context().covers(&batches[5][0]));
}

#[test]
fn a_batch_that_writes_a_key_twice_ends_at_the_later_write() {
    let (mut a, mut b) = (replica(1), replica(2));
    let writes = [Some(&b"1"[..]), None, Some(b"2")].map(|value| Write { key: b"k", value, expires_at_ms: 0 });
    a.apply(writes, DAY);
    deliver(&mut b, &cut(&mut a), DAY);
    for replica in [&a, &b] {
        assert_eq!(replica.index().record(b"k").unwrap().value(), Some(&b"2"[..]));
    }
    assert_eq!(a.digest(), b.digest());
}
