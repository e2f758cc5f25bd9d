//! A replica that was damaged is found by the comparison of digests, and mended by a full pull.

use super::super::{Comparison, Replica, Stamp};
use super::stage::{DAY, HORIZON, Pull, WHOLE, has, holds, peer, put, remove, replica, sweep, tell};
use crate::replica::table::Content;

fn equals() -> (Replica, Replica) {
    let (mut a, mut b) = (replica(1), replica(2));
    for key in ["x", "y", "z"] {
        put(&mut a, key, DAY);
    }
    tell(&mut a, &mut [&mut b], DAY);
    assert_eq!(a.digest().compare(&b.digest()), Comparison::Equal);
    (a, b)
}

/// Puts an entry in a key's place past every rule.
fn damage(replica: &mut Replica, key: &str, value: &[u8], stamp: Stamp) {
    let held = replica.table.index.slot(key.as_bytes());
    let content = Content { key: key.as_bytes(), value: Some(value), expires_at_ms: 0, place: 0, proof: &[], hidden: false };
    replica.table.set(held, &content, stamp, DAY);
}

/// Takes a key out past every rule.
fn lose_key(replica: &mut Replica, key: &str) {
    let slot = replica.index().slot(key.as_bytes()).expect("it is held");
    replica.table.forget(&slot);
}

/// What a node does when digests are suspicious: both sides pull in full.
fn mend(a: &mut Replica, b: &mut Replica) {
    assert_eq!(a.digest().compare(&b.digest()), Comparison::Suspicious);
    Pull::full(b, WHOLE).finish(b, a, DAY + 1);
    Pull::full(a, WHOLE).finish(a, b, DAY + 1);
    assert_eq!(a.digest().compare(&b.digest()), Comparison::Equal);
}

#[test]
fn an_entry_that_went_back_to_an_older_write_is_healed() {
    let (mut a, mut b) = equals();
    let old = Stamp::new((DAY - 1) << 16, 1, peer(1));
    damage(&mut b, "x", b"outdated", old);
    mend(&mut a, &mut b);
    for replica in [&a, &b] {
        assert_eq!(replica.index().record(b"x").unwrap().value(), Some(&b"value"[..]));
    }
}

#[test]
fn an_entry_that_nobody_wrote_is_healed() {
    let (mut a, mut b) = equals();
    put(&mut a, "w", DAY + 1);
    remove(&mut a, "w", DAY + 2);
    tell(&mut a, &mut [&mut b], DAY + 2);
    for replica in [&mut a, &mut b] {
        sweep(replica, DAY + 2 + HORIZON + 1);
    }
    let covered = Stamp::new((DAY << 16) + 9, 1, peer(1));
    damage(&mut b, "ghost", b"boo", covered);
    mend(&mut a, &mut b);
    assert!(!holds(&a, "ghost") && !holds(&b, "ghost"));
}

#[test]
fn g4_an_entry_that_was_lost_is_healed() {
    let (mut a, mut b) = equals();
    lose_key(&mut b, "y");
    mend(&mut a, &mut b);
    assert!(has(&a, "y", DAY + 1) && has(&b, "y", DAY + 1));
}

#[test]
fn g4_an_entry_that_was_lost_here_is_not_taken_from_who_pulls_first() {
    let (mut a, mut b) = equals();
    lose_key(&mut b, "y");
    Pull::full(&a, WHOLE).finish(&mut a, &b, DAY + 1);
    assert!(has(&a, "y", DAY + 1), "b has forgotten nothing, so y cannot have been removed there");
    mend(&mut a, &mut b);
    assert!(has(&b, "y", DAY + 1));
}

/// The limit: what is older than something forgotten may have been removed.
#[test]
fn a_lost_entry_that_is_older_than_something_forgotten_counts_as_removed_and_all_agree() {
    let (mut a, mut b) = equals();
    remove(&mut a, "z", DAY + 2);
    tell(&mut a, &mut [&mut b], DAY + 2);
    for replica in [&mut a, &mut b] {
        sweep(replica, DAY + 2 + HORIZON + 1);
    }
    lose_key(&mut b, "y");
    mend(&mut a, &mut b);
    assert_eq!((has(&a, "x", DAY), has(&a, "y", DAY)), (true, false));
}

#[test]
fn a_damaged_value_under_an_unchanged_stamp_is_beyond_the_self_check() {
    let (a, mut b) = equals();
    let stamp = b.index().record(b"x").unwrap().stamp().clone();
    damage(&mut b, "x", b"flipped", stamp);
    assert_eq!(a.digest().compare(&b.digest()), Comparison::Equal, "the fingerprint is over keys and stamps");
}
