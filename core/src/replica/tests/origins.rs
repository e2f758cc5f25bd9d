//! Openings of a map that are gone: how long they are known, and that they do not pile up.

use super::super::*;
use super::stage::{DAY, RETENTION, RULES, context_bytes, cut, deliver, has, opening, pull, put, replica, sweep, sync, tell};
use crate::limits::MAX_ORIGINS;

/// One author opens the map again and again, every `every_ms`, and writes the same key each time; `seen_by` hears of all.
fn reopen(seen_by: &mut Replica, times: u64, every_ms: u64) -> u64 {
    let author = PeerId::from_bytes(&[7; 38]).expect("as long as real ones");
    let mut now = DAY;
    for epoch in 1..=times {
        now += every_ms;
        let mut opened = Replica::new(Origin::new(author.clone(), epoch), RULES);
        put(&mut opened, "k", now);
        assert_eq!(deliver(seen_by, &cut(&mut opened), now), Merged::Whole, "opening {epoch}");
        if epoch % 100 == 0 {
            sweep(seen_by, now);
        }
    }
    now
}

#[test]
fn g5_an_origin_without_entries_leaves_after_the_retention_and_a_join_does_not_bring_it_back() {
    let (mut gone, mut a, mut b) = (replica(1), replica(2), replica(3));
    put(&mut gone, "k", DAY);
    tell(&mut gone, &mut [&mut a, &mut b], DAY);
    put(&mut a, "k", DAY + 1);
    tell(&mut a, &mut [&mut b], DAY + 1);
    let now = DAY + RETENTION + 2;
    put(&mut a, "k", now);
    tell(&mut a, &mut [&mut b], now);
    sweep(&mut a, now);
    assert!(a.context().of(gone.origin()).is_none() && b.context().of(gone.origin()).is_some());
    pull(&mut a, &b, now);
    assert!(a.context().of(gone.origin()).is_none());
    sweep(&mut b, now);
    assert_eq!(a.digest(), b.digest());
    let vectors = [b.past.keys().collect::<Vec<_>>(), b.forgotten.keys().collect()];
    assert_eq!(vectors, [vec![a.origin()], vec![]]);
}

#[test]
fn g1_who_joins_late_knows_the_origins_that_the_others_still_know() {
    let (mut gone, mut a, mut late) = (replica(1), replica(2), replica(3));
    put(&mut gone, "k", DAY);
    tell(&mut gone, &mut [&mut a], DAY);
    let now = DAY + RETENTION + 10;
    // Old copies of what has just been beaten may be about.
    put(&mut a, "k", now);
    sweep(&mut a, now);
    assert!(a.context().of(gone.origin()).is_some());
    pull(&mut late, &a, now);
    sweep(&mut late, now);
    assert_eq!(late.digest(), a.digest());
    for replica in [&mut a, &mut late] {
        sweep(replica, now + RETENTION + 1);
        assert!(replica.context().of(gone.origin()).is_none());
    }
}

#[test]
fn g4_an_origin_with_an_entry_stays_however_old_it_is() {
    let (mut gone, mut a, mut b) = (replica(1), replica(2), replica(3));
    put(&mut gone, "k", DAY);
    tell(&mut gone, &mut [&mut a], DAY);
    let now = DAY + 100 * RETENTION;
    sweep(&mut a, now);
    assert!(has(&a, "k", now) && a.context().of(gone.origin()).is_some());
    pull(&mut b, &a, now);
    assert!(has(&b, "k", now));
    assert_eq!(a.digest(), b.digest());
}

#[test]
fn an_origin_with_a_late_entry_is_known_again() {
    let (mut gone, mut a) = (replica(1), replica(2));
    put(&mut gone, "k", DAY);
    let now = DAY + 2 * RETENTION;
    sweep(&mut a, now);
    pull(&mut a, &gone, now);
    assert!(has(&a, "k", now), "nothing accepted is lost for being late");
    sweep(&mut a, now);
    assert!(a.context().of(gone.origin()).is_some());
}

#[test]
fn who_was_idle_for_the_retention_goes_on_as_before() {
    let (mut idle, mut a) = (replica(1), replica(2));
    put(&mut idle, "k", DAY);
    tell(&mut idle, &mut [&mut a], DAY);
    put(&mut a, "k", DAY + 1);
    tell(&mut a, &mut [&mut idle], DAY + 1);
    let now = DAY + 2 * RETENTION;
    for replica in [&mut idle, &mut a] {
        put(replica, "x", now);
        sweep(replica, now);
    }
    tell(&mut a, &mut [&mut idle], now);
    tell(&mut idle, &mut [&mut a], now);
    sync(&mut a, &mut idle, now);
    assert_eq!(a.digest(), idle.digest());
    assert_eq!(a.held_up_by(now), []);
}

#[test]
fn g5_ten_thousand_reopenings_over_time_leave_a_bounded_context() {
    let mut a = replica(2);
    // As with a retention of 30 days and an opening every hour and a half: 480 in one retention.
    reopen(&mut a, 10_000, RETENTION / 480);
    let (origins, bytes) = (a.context().len(), context_bytes(&a));
    println!("10,000 reopenings, 480 in one retention: {origins} origins, {bytes} bytes of context on the wire");
    assert!(origins <= 480 + 100 && bytes <= 64 * origins, "{origins} origins, {bytes} bytes");
    assert!(a.past.len() <= origins && a.forgotten.len() <= origins);
}

#[test]
fn g5_ten_thousand_reopenings_at_once_take_what_they_take_until_the_retention_is_over() {
    let mut a = replica(2);
    let now = reopen(&mut a, 10_000, 1);
    println!("10,000 reopenings in one retention: {} bytes of context on the wire", context_bytes(&a));
    assert_eq!(a.context().len(), 10_000);
    sweep(&mut a, now + RETENTION + 1);
    assert_eq!(a.context().len(), 1, "the one that holds the entry");
}

#[test]
fn g5_more_openings_than_a_context_takes_do_not_lock_out_new_ones() {
    let mut a = replica(2);
    let now = reopen(&mut a, 2 * MAX_ORIGINS as u64, 2);
    println!("{} reopenings in one retention: {} bytes of context on the wire", 2 * MAX_ORIGINS, context_bytes(&a));
    assert!(a.context().len() <= MAX_ORIGINS / 4 * 3 + 100);
    let mut new = replica(9);
    put(&mut new, "new", now);
    assert_eq!(deliver(&mut a, &cut(&mut new), now), Merged::Whole);
    assert!(has(&a, "new", now));
}

#[test]
fn g1_replicas_that_made_room_for_new_openings_are_equal() {
    let (mut a, mut b) = (replica(2), replica(3));
    let now = reopen(&mut a, 12_000, 2);
    pull(&mut b, &a, now);
    put(&mut b, "b", now);
    tell(&mut b, &mut [&mut a], now);
    for at in 0..400 {
        let mut opened = opening(50, at);
        put(&mut opened, "k", now + at);
        let message = cut(&mut opened);
        deliver(&mut a, &message, now + at);
        deliver(&mut b, &message, now + at);
        // They look at the time at different moments, so that each finds another number of openings.
        let sweeper = if at % 7 == 0 { &mut a } else { &mut b };
        sweep(sweeper, now + at);
    }
    sync(&mut a, &mut b, now + 400);
    for replica in [&mut a, &mut b] {
        sweep(replica, now + 400);
    }
    assert!(a.context().len() <= MAX_ORIGINS / 4 * 3);
    assert_eq!(a.context().len(), b.context().len());
    assert_eq!(a.digest(), b.digest());
}

#[test]
fn g10_a_join_does_not_fill_a_context_beyond_its_bound() {
    let (mut a, mut b) = (replica(2), replica(3));
    for (to, author) in [(&mut a, 50), (&mut b, 51)] {
        for at in 0..MAX_ORIGINS as u64 - 10 {
            let mut opened = opening(author, at);
            put(&mut opened, "k", DAY);
            deliver(to, &cut(&mut opened), DAY);
        }
    }
    pull(&mut a, &b, DAY);
    assert_eq!(a.context().len(), MAX_ORIGINS);
    // So that what it says can still be read.
    let mut c = replica(4);
    pull(&mut c, &a, DAY);
    assert!(has(&c, "k", DAY));
}
