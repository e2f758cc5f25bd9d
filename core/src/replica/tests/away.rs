//! A peer that was away for longer than removals are remembered: it pulls everything, gives up what was removed meanwhile, and
//! keeps what it wrote meanwhile.

use super::super::Replica;
use super::stage::{DAY, HORIZON, Pull, RETENTION, WHOLE, has, lose, pull, put, remove, replica, sweep, sync, tell};

/// Two replicas that hold the keys 0 to 19.
fn met() -> (Replica, Replica) {
    let (mut home, mut away) = (replica(1), replica(2));
    for key in 0..20 {
        put(&mut home, &key.to_string(), DAY);
    }
    tell(&mut home, &mut [&mut away], DAY);
    (home, away)
}

/// Removes those keys where nobody hears of it, and forgets that.
fn remove_and_forget(home: &mut Replica, keys: std::ops::Range<usize>, now_ms: u64) -> u64 {
    for key in keys {
        remove(home, &key.to_string(), now_ms);
    }
    lose(home);
    let later = now_ms + HORIZON + 1;
    sweep(home, later);
    assert_eq!(home.index().tombstones(), 0);
    later
}

fn keys(replica: &Replica, now_ms: u64) -> Vec<usize> {
    (0..100).filter(|key| has(replica, &key.to_string(), now_ms)).collect()
}

#[test]
fn g3_g4_who_was_away_gives_up_what_was_removed_and_keeps_and_spreads_what_it_wrote() {
    let (mut home, mut away) = met();
    put(&mut away, "20", DAY + 1);
    put(&mut away, "12", DAY + 1);
    let now = remove_and_forget(&mut home, 0..10, DAY + 5);
    // Written without having seen the removal, and later: it beats it.
    put(&mut away, "3", now);
    put(&mut home, "21", now);
    let pulled = Pull::new(&away, 1).finish(&mut away, &home, now);
    assert!(pulled.was_full && pulled.pages > 10, "{} pages", pulled.pages);
    let kept: Vec<usize> = [3].into_iter().chain(10..22).collect();
    assert_eq!(keys(&away, now), kept);
    pull(&mut home, &away, now);
    assert_eq!(keys(&home, now), kept);
    assert_eq!(home.digest(), away.digest());
}

#[test]
fn who_was_away_is_told_of_each_key_that_it_gives_up() {
    let (mut home, mut away) = met();
    let now = remove_and_forget(&mut home, 0..10, DAY + 5);
    let pulled = pull(&mut away, &home, now);
    let gone: Vec<_> = pulled.changes.iter().filter(|change| change.old.is_some() && !change.shows).collect();
    assert_eq!(gone.len(), 10);
    assert!(gone.iter().all(|change| !change.new.is_live()));
    assert_eq!((away.index().live(), away.index().tombstones()), (10, 0));
}

#[test]
fn who_has_seen_every_forgotten_removal_pulls_no_more_than_it_lacks() {
    let (mut home, mut away) = met();
    for key in 0..10 {
        remove(&mut home, &key.to_string(), DAY + 5);
    }
    tell(&mut home, &mut [&mut away], DAY + 5);
    let now = DAY + 5 + HORIZON + 1;
    sweep(&mut home, now);
    put(&mut home, "20", now);
    lose(&mut home);
    let pulled = pull(&mut away, &home, now);
    assert!(!pulled.was_full);
    assert_eq!(pulled.changes.len(), 1);
    assert_eq!(home.digest(), away.digest());
}

#[test]
fn g1_changes_while_a_full_pull_is_under_way_are_all_brought() {
    let (mut home, mut away) = met();
    let now = remove_and_forget(&mut home, 0..5, DAY + 5);
    let mut pulled = Pull::new(&away, 1);
    let mut step = 0;
    while pulled.page(&mut away, &home, now + step) {
        step += 1;
        match step {
            3 => drop(put(&mut home, "5", now + step)),
            6 => drop(remove(&mut home, "19", now + step)),
            9 => drop(remove(&mut home, "6", now + step)),
            12 => drop(put(&mut home, "40", now + step)),
            14 => drop(put(&mut away, "41", now + step)),
            16 => drop(put(&mut away, "0", now + step)),
            40 => panic!("it does not end"),
            _ => {}
        }
    }
    assert!(pulled.was_full && step > 16, "{step} pages");
    let expected: Vec<usize> = [0, 5].into_iter().chain(7..19).chain(40..42).collect();
    assert_eq!(keys(&away, now + step), expected);
    pull(&mut home, &away, now + step);
    assert_eq!(keys(&home, now + step), expected);
    assert_eq!(home.digest(), away.digest());
}

#[test]
fn g3_a_removed_value_goes_also_where_another_of_the_same_millisecond_stays() {
    let (mut low, mut high, mut away) = (replica(1), replica(2), replica(3));
    put(&mut high, "k", DAY);
    tell(&mut high, &mut [&mut away], DAY);
    put(&mut low, "k", DAY);
    lose(&mut low);
    let now = DAY + 1 + HORIZON + 1;
    remove(&mut high, "k", DAY + 1);
    lose(&mut high);
    sweep(&mut high, now);
    pull(&mut low, &high, now);
    pull(&mut away, &low, now);
    assert!(!has(&away, "k", now), "what its author removed");
    assert!(has(&low, "k", now), "a tie: nobody had seen it");
    // Contexts are equal and entries are not: the self-check.
    Pull::full(&away, WHOLE).finish(&mut away, &low, now);
    Pull::full(&low, WHOLE).finish(&mut low, &away, now);
    assert_eq!(away.digest(), low.digest());
}

#[test]
fn g3_what_is_removed_and_forgotten_while_a_pull_is_under_way_makes_it_start_over() {
    let (home, mut late) = (met().0, replica(3));
    let mut home = home;
    let mut pulled = Pull::new(&late, 1);
    for _ in 0..5 {
        assert!(pulled.page(&mut late, &home, DAY + 1));
    }
    assert!(has(&late, "0", DAY + 1), "brought by an early page");
    let now = remove_and_forget(&mut home, 0..1, DAY + 5);
    let pulled = pulled.finish(&mut late, &home, now);
    assert!(pulled.was_full);
    assert_eq!(keys(&late, now), (1..20).collect::<Vec<_>>());
    assert_eq!(home.digest(), late.digest());
}

#[test]
fn g4_what_a_peer_gives_up_while_it_is_pulled_from_is_noticed() {
    let (mut home, mut away) = met();
    let mut late = replica(3);
    let now = remove_and_forget(&mut home, 0..10, DAY + 5);
    let mut pulled = Pull::new(&late, 1);
    for _ in 0..5 {
        assert!(pulled.page(&mut late, &away, now));
    }
    pull(&mut away, &home, now);
    pulled.finish(&mut late, &away, now);
    assert_eq!(keys(&late, now), keys(&home, now));
    assert_eq!(home.digest(), late.digest());
}

#[test]
fn g3_what_was_forgotten_elsewhere_is_taken_over_and_keeps_its_force() {
    let (mut home, mut away) = met();
    let mut longer_away = replica(3);
    sync(&mut longer_away, &mut home, DAY);
    let now = remove_and_forget(&mut home, 0..10, DAY + 5);
    pull(&mut away, &home, now);
    drop(home);
    // Who removed is gone, and so is who forgot: the one that was told of it knows.
    let pulled = pull(&mut longer_away, &away, now);
    assert!(pulled.was_full);
    assert_eq!(keys(&longer_away, now), (10..20).collect::<Vec<_>>());
    sync(&mut away, &mut longer_away, now);
    assert_eq!(keys(&away, now), (10..20).collect::<Vec<_>>());
    assert_eq!(away.digest(), longer_away.digest());
}

#[test]
fn a_pull_that_breaks_off_claims_and_removes_nothing() {
    let (mut home, mut away) = met();
    let now = remove_and_forget(&mut home, 0..10, DAY + 5);
    put(&mut home, "20", now);
    let before = away.context().clone();
    let mut broken = Pull::new(&away, 1);
    for _ in 0..8 {
        assert!(broken.page(&mut away, &home, now));
    }
    drop(broken);
    assert_eq!(*away.context(), before);
    assert!((0..20).all(|key| has(&away, &key.to_string(), now)));
    pull(&mut away, &home, now);
    assert_eq!(away.digest(), home.digest());
}

#[test]
fn g3_g4_away_for_as_long_as_origins_are_known_is_no_different() {
    let (mut home, mut away) = met();
    put(&mut away, "20", DAY + 1);
    let mut now = DAY;
    for key in 0..10 {
        now = remove_and_forget(&mut home, key..key + 1, now + RETENTION / 11);
    }
    sync(&mut away, &mut home, now);
    assert_eq!(keys(&away, now), (10..21).collect::<Vec<_>>());
    assert_eq!(home.digest(), away.digest());
}

/// The one tie that forgetting leaves: a write that nobody on the removing side had seen, older by clock than a removal that
/// one side has forgotten and the other has not.
#[test]
fn g1_a_write_older_than_a_removal_half_forgotten_ends_alike_everywhere() {
    let (mut forgets, mut remembers) = met();
    let mut unheard = replica(3);
    put(&mut unheard, "0", DAY + 2);
    remove(&mut forgets, "0", DAY + 5);
    tell(&mut forgets, &mut [&mut remembers], DAY + 5);
    let now = DAY + 5 + HORIZON + 1;
    sweep(&mut forgets, now);
    tell(&mut unheard, &mut [&mut forgets, &mut remembers], now);
    assert!(has(&forgets, "0", now) && !has(&remembers, "0", now));
    use super::super::Comparison::Suspicious;
    assert_eq!(forgets.digest().compare(&remembers.digest()), Suspicious, "the same seen, and something else held");
    Pull::full(&forgets, WHOLE).finish(&mut forgets, &remembers, now);
    Pull::full(&remembers, WHOLE).finish(&mut remembers, &forgets, now);
    assert_eq!(forgets.digest(), remembers.digest());
    assert_eq!(keys(&forgets, now), keys(&remembers, now));
}

#[test]
fn g4_a_write_older_than_a_removal_that_all_have_forgotten_counts_as_new() {
    let (mut a, mut b) = met();
    let mut unheard = replica(3);
    put(&mut unheard, "0", DAY + 2);
    remove(&mut a, "0", DAY + 5);
    tell(&mut a, &mut [&mut b], DAY + 5);
    let now = DAY + 5 + HORIZON + 1;
    sweep(&mut a, now);
    sweep(&mut b, now);
    tell(&mut unheard, &mut [&mut a, &mut b], now);
    assert!(has(&a, "0", now) && has(&b, "0", now));
    sync(&mut a, &mut unheard, now);
    assert!(has(&unheard, "0", now));
    sync(&mut b, &mut unheard, now);
    assert_eq!((a.digest(), b.digest()), (unheard.digest(), unheard.digest()));
}
