//! Entries that expire: everywhere at their own time, in the same state, without a message.

use super::super::Write;
use super::stage::{DAY, HORIZON, cut, deliver, has, holds, lose, pull, put, put_until, remove, replica, sweep, tell};

#[test]
fn an_entry_expires_everywhere_in_the_same_state_and_without_a_message() {
    let mut replicas = [replica(1), replica(2), replica(3)];
    put_until(&mut replicas[0], "k", DAY + 100, DAY);
    let message = cut(&mut replicas[0]);
    deliver(&mut replicas[1], &message, DAY + 10);
    let (first, rest) = replicas.split_at_mut(1);
    pull(&mut rest[1], &first[0], DAY + 99);
    assert!(replicas.iter().all(|replica| has(replica, "k", DAY + 99) && replica.next_expiry_ms() == Some(DAY + 100)));
    for replica in &mut replicas {
        assert!(!has(replica, "k", DAY + 100), "readers go by the clock, not by the sweep");
        let changes = sweep(replica, DAY + 100);
        assert_eq!(changes.len(), 1);
        assert!(changes[0].old.is_some() && changes[0].new.expires_at_ms() == Some(DAY + 100));
        assert_eq!((replica.index().live(), replica.index().tombstones(), replica.waiting()), (0, 1, 0));
    }
    assert_eq!(replicas[0].digest(), replicas[1].digest());
    assert_eq!(replicas[0].digest(), replicas[2].digest());
}

#[test]
fn a_put_renews() {
    let (mut a, mut b) = (replica(1), replica(2));
    put_until(&mut a, "k", DAY + 100, DAY);
    tell(&mut a, &mut [&mut b], DAY);
    put_until(&mut a, "k", DAY + 500, DAY + 90);
    tell(&mut a, &mut [&mut b], DAY + 90);
    for replica in [&mut a, &mut b] {
        assert!(sweep(replica, DAY + 499).is_empty());
        assert!(has(replica, "k", DAY + 499));
        assert_eq!(sweep(replica, DAY + 500).len(), 1);
    }
    put_until(&mut a, "k", DAY + 900, DAY + 600);
    assert!(has(&a, "k", DAY + 899), "also one that has expired");
}

#[test]
fn g5_a_ttl_that_was_overwritten_leaves_nothing_behind() {
    let mut a = replica(1);
    for at in 0..1_000 {
        put_until(&mut a, "k", DAY + 100 + at, DAY);
    }
    assert_eq!(a.next_expiry_ms(), Some(DAY + 1_099));
    put(&mut a, "k", DAY);
    assert_eq!(a.next_expiry_ms(), None);
    put_until(&mut a, "k", DAY + 100, DAY);
    remove(&mut a, "k", DAY);
    assert_eq!(a.next_expiry_ms(), None);
    assert!(sweep(&mut a, DAY + 2_000).is_empty());
}

#[test]
fn an_entry_that_arrives_expired_is_never_seen_and_ends_what_it_replaced() {
    let (mut a, mut b, mut c) = (replica(1), replica(2), replica(3));
    put(&mut a, "k", DAY);
    tell(&mut a, &mut [&mut b], DAY);
    put_until(&mut a, "k", DAY + 100, DAY + 1);
    let message = cut(&mut a);
    let late = DAY + 200;
    deliver(&mut b, &message, late);
    assert!(!has(&b, "k", late) && holds(&b, "k"));
    deliver(&mut c, &message, late);
    assert!(!has(&c, "k", late) && holds(&c, "k"), "not even to forget it sooner: an older copy may be on its way");
    pull(&mut c, &a, late);
    sweep(&mut a, late);
    assert_eq!(a.digest(), b.digest());
    assert_eq!(a.digest(), c.digest());
}

#[test]
fn g3_what_expired_does_not_give_way_to_what_it_had_replaced() {
    let (mut a, mut b) = (replica(1), replica(2));
    put(&mut a, "k", DAY);
    let older = cut(&mut a);
    put_until(&mut a, "k", DAY + 100, DAY + 1);
    let newer = cut(&mut a);
    deliver(&mut b, &newer, DAY + 1);
    sweep(&mut b, DAY + 100);
    deliver(&mut b, &older, DAY + 101);
    assert!(!has(&b, "k", DAY + 101));
}

#[test]
fn g3_an_expired_entry_is_forgotten_when_it_has_been_over_for_the_horizon_and_does_not_come_back() {
    let (mut a, mut b) = (replica(1), replica(2));
    put_until(&mut a, "k", DAY + 5 * HORIZON, DAY);
    let late = cut(&mut a);
    deliver(&mut b, &late, DAY);
    sweep(&mut b, DAY + 6 * HORIZON);
    assert!(holds(&b, "k"), "it counts from the expiry, not from the write");
    sweep(&mut b, DAY + 6 * HORIZON + 1);
    assert!(!holds(&b, "k"));
    deliver(&mut b, &late, DAY + 6 * HORIZON + 1);
    assert!(!holds(&b, "k"));
}

#[test]
fn what_has_expired_is_not_there_to_be_removed() {
    let mut a = replica(1);
    put_until(&mut a, "k", DAY + 100, DAY);
    let stamp = a.index().record(b"k").unwrap().stamp().clone();
    assert!(a.remove(b"k", DAY + 100).is_none());
    let changes = a.apply([Write { key: b"k", value: None, expires_at_ms: 0 }], DAY + 100);
    assert!(changes.is_empty());
    assert_eq!(*a.index().record(b"k").unwrap().stamp(), stamp);
}

#[test]
fn g1_clocks_that_are_off_disagree_about_the_moment_and_not_about_the_state() {
    let (mut a, mut slow) = (replica(1), replica(2));
    put_until(&mut a, "k", DAY + 100, DAY);
    put(&mut a, "kept", DAY);
    let slow_by = 50;
    deliver(&mut slow, &cut(&mut a), DAY - slow_by);
    sweep(&mut a, DAY + 120);
    sweep(&mut slow, DAY + 120 - slow_by);
    assert!(!has(&a, "k", DAY + 120) && has(&slow, "k", DAY + 120 - slow_by));
    assert_eq!(a.digest(), slow.digest(), "it is no difference that a sync could mend");
    pull(&mut a, &slow, DAY + 120);
    assert!(!has(&a, "k", DAY + 120), "and a sync does not bring it back");
    sweep(&mut slow, DAY + 120);
    assert!(!has(&slow, "k", DAY + 120));
}

#[test]
fn a_removal_of_an_entry_with_a_ttl_is_told_as_a_removal_also_after_being_away() {
    let (mut home, mut away) = (replica(1), replica(2));
    put_until(&mut home, "k", DAY + 100 * HORIZON, DAY);
    tell(&mut home, &mut [&mut away], DAY);
    remove(&mut home, "k", DAY + 5);
    lose(&mut home);
    let now = DAY + 5 + HORIZON + 1;
    sweep(&mut home, now);
    let pulled = pull(&mut away, &home, now);
    let [change] = &pulled.changes[..] else { panic!("{} changes", pulled.changes.len()) };
    assert!(change.old.is_some() && !change.new.is_live());
    assert_eq!(change.new.expires_at_ms(), None, "its time was not over");
    assert_eq!(away.next_expiry_ms(), None);
}
