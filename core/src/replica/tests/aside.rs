//! Entries from too far ahead: set aside, counted, and taken in once their time has come.

use super::super::Merged;
use super::stage::{DAY, DRIFT, HORIZON, cut, deliver, has, holds, lose, peer, pull, put, remove, replica, sweep, tell};

const HOUR: u64 = 3_600_000;

#[test]
fn g12_an_entry_from_too_far_ahead_is_set_aside_and_does_not_move_the_clock() {
    let (mut ahead, mut b) = (replica(1), replica(2));
    let stamp = put(&mut ahead, "k", DAY + HOUR);
    let message = cut(&mut ahead);
    deliver(&mut b, &message, DAY);
    assert!(!holds(&b, "k") && !b.context().covers(&stamp));
    assert_eq!(b.ahead().get(&peer(1)), Some(&1));
    let own = put(&mut b, "own", DAY);
    assert_eq!((own.time_ms(), b.clock_ahead_ms(DAY)), (DAY, 0));
    pull(&mut b, &ahead, DAY);
    assert!(!holds(&b, "k") && !b.context().covers(&stamp), "by page as by delta");
    assert_eq!(b.ahead().get(&peer(1)), Some(&2), "counted each time that it comes");
}

#[test]
fn g12_an_entry_within_the_limit_is_taken_and_moves_the_clock_no_further_than_that() {
    let (mut ahead, mut b) = (replica(1), replica(2));
    put(&mut ahead, "at the limit", DAY + DRIFT);
    deliver(&mut b, &cut(&mut ahead), DAY);
    assert!(has(&b, "at the limit", DAY));
    assert_eq!(b.clock_ahead_ms(DAY), DRIFT);
    let mut beyond = replica(3);
    put(&mut beyond, "beyond", DAY + DRIFT + 1);
    deliver(&mut b, &cut(&mut beyond), DAY);
    assert!(!holds(&b, "beyond"));
    assert_eq!(b.clock_ahead_ms(DAY), DRIFT);
}

#[test]
fn g4_an_entry_that_was_set_aside_is_taken_in_when_it_is_no_longer_ahead() {
    let (mut ahead, mut b, mut c) = (replica(1), replica(2), replica(3));
    put(&mut ahead, "k", DAY + HOUR);
    tell(&mut ahead, &mut [&mut b, &mut c], DAY);
    let later = DAY + HOUR - DRIFT;
    pull(&mut b, &ahead, later - 1);
    assert!(!holds(&b, "k"));
    pull(&mut b, &ahead, later);
    assert!(has(&b, "k", later));
    pull(&mut c, &b, later);
    assert!(has(&c, "k", later), "from whoever has it");
    assert_eq!((b.digest(), c.digest()), (ahead.digest(), ahead.digest()));
}

#[test]
fn g12_one_in_a_delta_does_not_keep_the_others_out() {
    let (mut a, mut b) = (replica(1), replica(2));
    put(&mut a, "now", DAY);
    put(&mut a, "ahead", DAY + HOUR);
    put(&mut a, "ahead too", DAY);
    deliver(&mut b, &cut(&mut a), DAY);
    assert!(has(&b, "now", DAY) && !holds(&b, "ahead"));
    assert!(!holds(&b, "ahead too"), "its author's clock does not go back, so it is ahead as well");
    assert_eq!(b.ahead().get(&peer(1)), Some(&2));
}

#[test]
fn g5_what_is_set_aside_does_not_hold_up_forgetting() {
    let (mut ahead, mut b) = (replica(1), replica(2));
    put(&mut b, "k", DAY);
    remove(&mut b, "k", DAY + 5);
    lose(&mut b);
    // For as long as its clock is off, it writes.
    let mut now = DAY;
    for at in 0..10 {
        now = DAY + 5 + at * HORIZON / 8;
        put(&mut ahead, &at.to_string(), now + HOUR);
        deliver(&mut b, &cut(&mut ahead), now);
    }
    assert_eq!(b.held_up_by(now), []);
    sweep(&mut b, now);
    assert!(!holds(&b, "k"));
}

#[test]
fn g12_what_is_set_aside_by_the_one_that_pulls_is_not_removed_from_the_other() {
    let (mut ahead, mut b) = (replica(1), replica(2));
    put(&mut ahead, "k", DAY + HOUR);
    lose(&mut ahead);
    put(&mut b, "gone", DAY);
    remove(&mut b, "gone", DAY + 5);
    lose(&mut b);
    let now = DAY + 5 + HORIZON + 1;
    pull(&mut b, &ahead, now);
    sweep(&mut b, now);
    pull(&mut ahead, &b, now);
    assert!(has(&ahead, "k", now + HOUR));
}

#[test]
fn g12_a_clock_that_jumps_does_not_break_the_order_of_own_writes() {
    let (mut a, mut b) = (replica(1), replica(2));
    let mut last = None;
    for now in [DAY, DAY + HOUR, DAY - HOUR, DAY, DAY + 2 * HOUR, 0, DAY] {
        let stamp = put(&mut a, "k", now);
        assert!(last.as_ref() < Some(&stamp));
        last = Some(stamp);
    }
    assert_eq!(a.clock_ahead_ms(DAY), 2 * HOUR);
    assert_eq!(deliver(&mut b, &cut(&mut a), DAY + 2 * HOUR), Merged::Whole);
    assert_eq!(Some(b.index().record(b"k").unwrap().stamp()), last.as_ref());
}
