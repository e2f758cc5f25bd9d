//! Presence maps: what is in the view while its author is, what is kept, and what is dropped for good.

use super::super::*;
use super::stage::{DAY, DRIFT, RULES, cut, deliver, has, holds, peer, pull, put, remove, sweep, sync, tell};

const TIMEOUT: u64 = RULES.peer_timeout_ms;
/// A presence map's horizon here: some timeouts long.
const GONE_FOR_GOOD: u64 = 5 * TIMEOUT;

fn member(name: u8) -> Replica {
    let rules = Rules { presence: true, tombstone_ttl_ms: GONE_FOR_GOOD, ..RULES };
    let mut replica = Replica::new(Origin::new(peer(name), 1), rules);
    sweep(&mut replica, DAY);
    replica
}

/// Time goes by for all of them, in steps that count, while those at `alive` are heard; what changed where the last one is.
fn wait(members: &mut [&mut Replica], alive: &[usize], from_ms: u64, ms: u64) -> (u64, Vec<Change>) {
    let (mut now, mut changes) = (from_ms, Vec::new());
    while now < from_ms + ms {
        now += TIMEOUT / 4;
        for &at in alive {
            let Some(pulse) = members[at].pulse(now) else { continue };
            for (_, other) in members.iter_mut().enumerate().filter(|(other, _)| *other != at) {
                other.heard(&pulse, now, &mut changes);
            }
        }
        let swept = members.iter_mut().map(|member| sweep(member, now)).last();
        changes.extend(swept.into_iter().flatten());
    }
    (now, changes)
}

#[test]
fn an_entry_is_in_the_view_while_its_author_is_heard() {
    let (mut a, mut b) = (member(1), member(2));
    put(&mut a, "a", DAY);
    tell(&mut a, &mut [&mut b], DAY);
    assert!(has(&b, "a", DAY), "its author has just sent it");
    let (now, _) = wait(&mut [&mut a, &mut b], &[0, 1], DAY, 10 * TIMEOUT);
    assert!(has(&b, "a", now));
    let (now, changes) = wait(&mut [&mut a, &mut b], &[1], now, TIMEOUT + TIMEOUT / 4);
    let [pruned] = &changes[..] else { panic!("{} changes", changes.len()) };
    assert!(pruned.old.is_some() && !pruned.shows && pruned.new.is_live());
    assert!(!has(&b, "a", now) && has(&a, "a", now));
    assert_eq!((b.index().live(), b.index().hidden()), (0, 1));
    let mut changes = Vec::new();
    let pulse = a.pulse(now + 1).expect("one is due");
    assert!(b.heard(&pulse, now + 1, &mut changes), "what it wrote meanwhile may be missing");
    let [back] = &changes[..] else { panic!("{} changes", changes.len()) };
    assert!(back.old.is_none() && back.shows);
    assert!(has(&b, "a", now + 1));
}

#[test]
fn who_says_goodbye_is_gone_at_once_and_a_late_delta_does_not_bring_it_back() {
    let (mut a, mut b) = (member(1), member(2));
    put(&mut a, "a", DAY);
    tell(&mut a, &mut [&mut b], DAY);
    put(&mut a, "late", DAY + 1);
    let late = cut(&mut a);
    let goodbye = a.farewell(DAY + 2).expect("it is a presence map");
    b.heard(&goodbye, DAY + 2, &mut Vec::new());
    assert!(!has(&b, "a", DAY + 2));
    deliver(&mut b, &late, DAY + 3);
    assert!(!has(&b, "late", DAY + 3) && holds(&b, "late"));
}

#[test]
fn what_is_hidden_is_kept_passed_on_and_equal_to_what_is_shown() {
    let (mut a, mut b, mut c) = (member(1), member(2), member(3));
    put(&mut a, "a", DAY);
    tell(&mut a, &mut [&mut b], DAY);
    b.heard(&a.farewell(DAY + 1).unwrap(), DAY + 1, &mut Vec::new());
    assert_eq!(a.digest(), b.digest());
    assert!(b.remove(b"a", DAY + 1).is_none(), "nobody removes what is not there to see");
    pull(&mut c, &b, DAY + 2);
    assert!(holds(&c, "a") && !has(&c, "a", DAY + 2));
    assert_eq!(c.digest(), a.digest());
    let pulse = a.pulse(DAY + TIMEOUT).unwrap();
    c.heard(&pulse, DAY + TIMEOUT, &mut Vec::new());
    assert!(has(&c, "a", DAY + TIMEOUT), "and it is there when its author is back");
}

#[test]
fn who_joins_sees_those_who_are_there_and_nobody_else() {
    let (mut here, mut gone, mut b) = (member(1), member(2), member(3));
    put(&mut here, "here", DAY);
    put(&mut gone, "gone", DAY);
    tell(&mut here, &mut [&mut b], DAY);
    tell(&mut gone, &mut [&mut b], DAY);
    let (now, _) = wait(&mut [&mut here, &mut gone, &mut b], &[0, 2], DAY, 2 * TIMEOUT);
    let mut late = member(4);
    sweep(&mut late, now);
    pull(&mut late, &b, now);
    assert!(has(&late, "here", now) && !has(&late, "gone", now));
    let (now, _) = wait(&mut [&mut b, &mut late], &[0], now, TIMEOUT + TIMEOUT / 4);
    assert!(!has(&late, "here", now), "what it was told grows old as what it has heard");
}

#[test]
fn g5_an_author_gone_longer_than_the_horizon_is_forgotten_and_nobody_brings_it_back() {
    let (mut a, mut b, mut slow) = (member(1), member(2), member(3));
    put(&mut a, "a", DAY);
    let message = cut(&mut a);
    deliver(&mut b, &message, DAY);
    deliver(&mut slow, &message, DAY);
    let (now, _) = wait(&mut [&mut b], &[0], DAY, GONE_FOR_GOOD + TIMEOUT);
    assert!(!holds(&b, "a"));
    assert!(holds(&slow, "a"), "its time has not gone by yet");
    pull(&mut b, &slow, now);
    deliver(&mut b, &message, now);
    assert!(!holds(&b, "a"));
    wait(&mut [&mut slow], &[0], DAY, GONE_FOR_GOOD + TIMEOUT);
    pull(&mut slow, &b, now);
    pull(&mut b, &slow, now);
    assert!(!holds(&slow, "a") && !holds(&b, "a"));
    assert_eq!(b.digest(), slow.digest());
}

#[test]
fn g4_an_author_that_returns_after_that_has_renewed_what_is_its_own() {
    let (mut a, mut b) = (member(1), member(2));
    let stamp = put(&mut a, "a", DAY);
    tell(&mut a, &mut [&mut b], DAY);
    put(&mut b, "b", DAY);
    tell(&mut b, &mut [&mut a], DAY);
    // Each is alone for so long, and has given up the other.
    let (now, _) = wait(&mut [&mut a], &[0], DAY, GONE_FOR_GOOD + TIMEOUT);
    wait(&mut [&mut b], &[0], DAY, GONE_FOR_GOOD + TIMEOUT);
    assert!(!holds(&a, "b") && !holds(&b, "a"));
    let pulses = [a.pulse(now + TIMEOUT).unwrap(), b.pulse(now + TIMEOUT).unwrap()];
    assert!(b.heard(&pulses[0], now + TIMEOUT, &mut Vec::new()), "which starts a sync");
    assert!(a.heard(&pulses[1], now + TIMEOUT, &mut Vec::new()));
    sync(&mut a, &mut b, now + TIMEOUT);
    for replica in [&a, &b] {
        assert!(has(replica, "a", now + TIMEOUT) && has(replica, "b", now + TIMEOUT));
        assert!(*replica.index().record(b"a").unwrap().stamp() > stamp);
    }
    assert_eq!(a.digest(), b.digest());
}

#[test]
fn g3_what_its_author_removed_does_not_come_back_with_it() {
    let (mut a, mut b) = (member(1), member(2));
    put(&mut a, "a", DAY);
    put(&mut a, "removed", DAY);
    tell(&mut a, &mut [&mut b], DAY);
    remove(&mut a, "removed", DAY + 1);
    let goodbye = a.farewell(DAY + 2).unwrap();
    b.heard(&goodbye, DAY + 2, &mut Vec::new());
    let pulse = a.pulse(DAY + TIMEOUT).unwrap();
    b.heard(&pulse, DAY + TIMEOUT, &mut Vec::new());
    pull(&mut b, &a, DAY + TIMEOUT);
    assert!(has(&b, "a", DAY + TIMEOUT) && !has(&b, "removed", DAY + TIMEOUT));
}

#[test]
fn a_key_that_a_present_author_took_over_stays_when_the_first_one_goes() {
    let (mut a, mut b, mut c) = (member(1), member(2), member(3));
    put(&mut a, "leader", DAY);
    tell(&mut a, &mut [&mut b, &mut c], DAY);
    put(&mut b, "leader", DAY + 1);
    tell(&mut b, &mut [&mut a, &mut c], DAY + 1);
    c.heard(&a.farewell(DAY + 2).unwrap(), DAY + 2, &mut Vec::new());
    assert!(has(&c, "leader", DAY + 2));
    c.heard(&b.farewell(DAY + 3).unwrap(), DAY + 3, &mut Vec::new());
    assert!(!has(&c, "leader", DAY + 3), "and the first one's value does not show through");
}

#[test]
fn g12_an_author_whose_clock_is_off_is_not_there() {
    let (mut a, mut b) = (member(1), member(2));
    let pulse = a.pulse(DAY + DRIFT + 1).unwrap();
    assert!(!b.heard(&pulse, DAY, &mut Vec::new()));
    assert_eq!(b.ahead().get(&peer(1)), Some(&1));
}

#[test]
fn a_process_that_was_stopped_for_an_hour_finds_everyone_where_they_were() {
    let (mut a, mut b) = (member(1), member(2));
    put(&mut a, "a", DAY);
    tell(&mut a, &mut [&mut b], DAY);
    assert!(sweep(&mut b, DAY + 3_600_000).is_empty());
    assert!(has(&b, "a", DAY + 3_600_000), "it is for the others to have been silent, not for itself");
}
