//! When a removal may be forgotten, and that nothing comes back when it is.

use super::super::Merged;
use super::stage::{
    DAY, HORIZON, Pull, RETENTION, WHOLE, cut, deliver, deliver_to_validator, has, holds, lose, peer, pull, put, remove,
    replica, sweep, tell,
};
use crate::limits::MAX_SWEEP;

/// Past the horizon of what was removed at `removed_ms`.
fn past_horizon(removed_ms: u64) -> u64 {
    removed_ms + HORIZON + 1
}

#[test]
fn g5_a_removal_is_forgotten_past_the_horizon_and_not_before() {
    let mut a = replica(1);
    put(&mut a, "k", DAY);
    remove(&mut a, "k", DAY + 5);
    lose(&mut a);
    sweep(&mut a, DAY + 5 + HORIZON);
    assert!(holds(&a, "k"), "as old as the horizon is not older");
    sweep(&mut a, past_horizon(DAY + 5));
    assert!(!holds(&a, "k"));
    assert_eq!((a.forgotten_count(), a.index().bytes(), a.index().tombstones()), (1, 0, 0));
}

#[test]
fn g3_a_removal_is_not_forgotten_while_it_waits_in_the_outbox() {
    let (mut a, mut b) = (replica(1), replica(2));
    put(&mut a, "k", DAY);
    tell(&mut a, &mut [&mut b], DAY);
    remove(&mut a, "k", DAY + 5);
    sweep(&mut a, past_horizon(DAY + 5));
    assert!(holds(&a, "k"), "nobody has been told");
    tell(&mut a, &mut [&mut b], past_horizon(DAY + 5));
    assert!(!has(&b, "k", DAY));
    sweep(&mut a, past_horizon(DAY + 5));
    assert!(!holds(&a, "k"));
}

#[test]
fn g3_what_a_peer_removed_of_a_key_that_waits_is_not_forgotten_either() {
    let (mut a, mut b) = (replica(1), replica(2));
    put(&mut a, "k", DAY);
    tell(&mut a, &mut [&mut b], DAY);
    put(&mut a, "k", DAY + 1);
    remove(&mut b, "k", DAY + 5);
    tell(&mut b, &mut [&mut a], DAY + 5);
    sweep(&mut a, past_horizon(DAY + 5));
    assert!(holds(&a, "k"), "a's own put waits, and the delta must say that it was beaten");
    let message = cut(&mut a);
    let mut c = replica(3);
    deliver(&mut c, &message, past_horizon(DAY + 5));
    assert!(holds(&c, "k") && !has(&c, "k", DAY));
}

#[test]
fn g3_a_removal_is_not_forgotten_while_something_that_its_author_saw_is_missing_here() {
    let (mut a, mut b, mut c) = (replica(1), replica(2), replica(3));
    put(&mut a, "k", DAY);
    let late = cut(&mut a);
    deliver(&mut b, &late, DAY);
    remove(&mut b, "k", DAY + 5);
    tell(&mut b, &mut [&mut c], DAY + 5);
    let now = past_horizon(DAY + 5);
    assert_eq!(c.held_up_by(now), [peer(1)], "b had seen a write of a that c has not");
    sweep(&mut c, now);
    assert!(holds(&c, "k"));
    deliver(&mut c, &late, now);
    assert_eq!(c.held_up_by(now), []);
    sweep(&mut c, now);
    assert!(!holds(&c, "k"));
    deliver(&mut c, &late, now);
    assert!(!has(&c, "k", now), "once more, and seen before");
}

#[test]
fn g3_what_somebody_else_had_seen_is_depended_on_too() {
    let (mut a, mut b, mut c, mut d) = (replica(1), replica(2), replica(3), replica(4));
    put(&mut a, "k", DAY);
    tell(&mut a, &mut [&mut b], DAY);
    put(&mut b, "other", DAY + 1);
    tell(&mut b, &mut [&mut c], DAY + 1);
    put(&mut c, "third", DAY + 2);
    tell(&mut c, &mut [&mut d], DAY + 2);
    assert_eq!(d.held_up_by(DAY + 2), [peer(1), peer(2)], "c has never seen a itself, and passes on that b has");
}

#[test]
fn g3_an_old_copy_that_arrives_late_is_not_taken_back() {
    let (mut a, mut b, mut away) = (replica(1), replica(2), replica(3));
    put(&mut a, "k", DAY);
    let late = cut(&mut a);
    deliver(&mut b, &late, DAY);
    deliver(&mut away, &late, DAY);
    remove(&mut a, "k", DAY + 5);
    tell(&mut a, &mut [&mut b], DAY + 5);
    let now = past_horizon(DAY + 5);
    sweep(&mut b, now);
    assert!(!holds(&b, "k"));
    deliver(&mut b, &late, now);
    assert!(!holds(&b, "k"), "by delta");
    assert!(has(&away, "k", now));
    pull(&mut b, &away, now);
    assert!(!holds(&b, "k"), "by page");
    pull(&mut away, &b, now);
    assert!(!holds(&away, "k"), "and who has missed the removal gives it up");
}

#[test]
fn an_author_that_died_with_a_gap_holds_up_forgetting_until_its_retention_ends() {
    let (mut dead, mut b) = (replica(1), replica(2));
    put(&mut dead, "never heard", DAY);
    lose(&mut dead);
    put(&mut dead, "heard", DAY);
    assert_eq!(deliver(&mut b, &cut(&mut dead), DAY), Merged::Gap);
    put(&mut b, "k", DAY);
    remove(&mut b, "k", DAY + 5);
    lose(&mut b);
    sweep(&mut b, DAY + RETENTION);
    assert!(holds(&b, "k"));
    assert_eq!(b.held_up_by(DAY + RETENTION), [peer(1)]);
    sweep(&mut b, DAY + RETENTION + 1);
    assert!(!holds(&b, "k"));
    assert_eq!(b.held_up_by(DAY + RETENTION + 1), []);
}

#[test]
fn many_removals_are_forgotten_bit_by_bit() {
    let mut a = replica(1);
    for at in 0..2 * MAX_SWEEP + 1 {
        put(&mut a, &at.to_string(), DAY);
        remove(&mut a, &at.to_string(), DAY);
    }
    while a.cut_delta(WHOLE).is_some() {}
    let now = past_horizon(DAY + 10);
    let mut sweeps = 1;
    while a.sweep(now, &mut Vec::new()) {
        sweeps += 1;
    }
    assert_eq!((sweeps, a.index().tombstones()), (3, 0));
}

#[test]
fn forgetting_does_not_change_the_digest() {
    let (mut a, mut b) = (replica(1), replica(2));
    put(&mut a, "kept", DAY);
    put(&mut a, "k", DAY);
    remove(&mut a, "k", DAY + 5);
    tell(&mut a, &mut [&mut b], DAY + 5);
    sweep(&mut a, past_horizon(DAY + 5));
    assert!(!holds(&a, "k") && holds(&b, "k"));
    assert_eq!(a.digest(), b.digest());
}

#[test]
fn a_refused_entry_is_not_covered_and_holds_up_nothing() {
    let (mut a, mut b) = (replica(1), replica(2));
    put(&mut a, "good", DAY);
    let bad = put(&mut a, "bad", DAY);
    put(&mut a, "good too", DAY);
    let merged = deliver_to_validator(&mut b, &cut(&mut a), |key| key != "bad", DAY);
    assert_eq!(merged, Merged::Whole, "nothing is missing that a sync could bring");
    assert!(!b.context().covers(&bad) && !holds(&b, "bad"));
    remove(&mut b, "good", DAY + 5);
    let message = cut(&mut b);
    let now = past_horizon(DAY + 5);
    assert_eq!(b.held_up_by(now), []);
    sweep(&mut b, now);
    assert!(!holds(&b, "good"));
    deliver(&mut a, &message, now);
    assert!(has(&a, "bad", now) && !has(&a, "good", now), "a refusal elsewhere removes nothing");
    pull(&mut b, &a, now);
    assert!(has(&b, "bad", now), "and once b's validator allows it, a sync brings it");
}

#[test]
fn g4_a_full_pull_from_who_refused_an_entry_does_not_remove_it() {
    let (mut a, mut strict) = (replica(1), replica(2));
    put(&mut a, "bad", DAY);
    put(&mut a, "k", DAY);
    deliver_to_validator(&mut strict, &cut(&mut a), |key| key != "bad", DAY);
    remove(&mut strict, "k", DAY + 5);
    lose(&mut strict);
    let now = past_horizon(DAY + 5);
    sweep(&mut strict, now);
    let pulled = pull(&mut a, &strict, now);
    assert!(pulled.was_full);
    assert!(!has(&a, "k", now), "removed there");
    assert!(has(&a, "bad", now), "refused there");
}

#[test]
fn g8_who_refuses_an_entry_does_not_pull_everything_each_time() {
    let (mut a, mut strict) = (replica(1), replica(2));
    put(&mut a, "bad", DAY);
    put(&mut a, "k", DAY);
    deliver_to_validator(&mut strict, &cut(&mut a), |key| key != "bad", DAY);
    remove(&mut a, "k", DAY + 5);
    tell(&mut a, &mut [&mut strict], DAY + 5);
    let now = past_horizon(DAY + 5);
    sweep(&mut a, now);
    assert!(!holds(&a, "k"), "forgotten, and newer than what was refused");
    put(&mut a, "new", now);
    lose(&mut a);
    let pulled = Pull::new(&strict, WHOLE).validated(|key| key != "bad").finish(&mut strict, &a, now);
    assert!(!pulled.was_full);
    assert!(has(&strict, "new", now) && !holds(&strict, "bad") && !has(&strict, "k", now));
}

#[test]
fn g3_who_refuses_an_entry_still_learns_of_the_removals_that_it_missed() {
    let (mut a, mut strict) = (replica(1), replica(2));
    put(&mut a, "bad", DAY);
    put(&mut a, "k", DAY);
    deliver_to_validator(&mut strict, &cut(&mut a), |key| key != "bad", DAY);
    remove(&mut a, "k", DAY + 5);
    remove(&mut a, "bad", DAY + 5);
    lose(&mut a);
    let now = past_horizon(DAY + 5);
    sweep(&mut a, now);
    let pulled = Pull::new(&strict, WHOLE).validated(|key| key != "bad").finish(&mut strict, &a, now);
    assert!(pulled.was_full && !has(&strict, "k", now));
    assert_eq!(a.digest(), strict.digest(), "and nothing is left to be refused");
}

#[test]
fn g4_a_pull_does_not_claim_what_its_validator_refused() {
    let (mut a, mut strict) = (replica(1), replica(2));
    let bad = put(&mut a, "bad", DAY);
    put(&mut a, "good", DAY);
    lose(&mut a);
    let pulled = Pull::new(&strict, 1).validated(|key| key != "bad").finish(&mut strict, &a, DAY);
    assert!(pulled.pages > 1);
    assert!(has(&strict, "good", DAY) && !holds(&strict, "bad") && !strict.context().covers(&bad));
    pull(&mut a, &strict, DAY);
    assert!(has(&a, "bad", DAY));
}
