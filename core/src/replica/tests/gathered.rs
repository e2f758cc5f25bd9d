//! Coming back with many entries, which are gathered and indexed all at once, beside the replica that took them one by one.

use std::ops::Bound;

use super::super::*;
use super::stage::{DAY, RULES, cut, deliver, peer, sweep};
use crate::dice::Dice;

/// What a replica is asked to keep, as it comes back.
type Saved = (Head, Vec<(u32, Option<Known>)>, Vec<(Slot, Option<SavedEntry>)>);

fn saved(replica: &mut Replica) -> Saved {
    let unsaved = replica.take_unsaved().expect("its changes are noted");
    (unsaved.head, unsaved.origins, unsaved.entries)
}

fn restored((head, origins, entries): &Saved, rules: Rules, now_ms: u64, both: impl FnOnce(Task<'_>, Task<'_>)) -> Replica {
    let mut restorer = Restorer::new(Origin::new(peer(1), now_ms), rules, now_ms);
    restorer.head(head);
    for (number, known) in origins {
        restorer.origin(*number, known.clone().expect("nothing was let go"));
    }
    for (slot, saved) in entries {
        let SavedEntry { origin, record } = saved.as_ref().expect("nothing was forgotten");
        let taken = restorer.entry(&Restored {
            key: slot.key(),
            origin: *origin,
            timestamp: record.stamp().timestamp,
            place: record.place(),
            value: record.value(),
            expires_at_ms: record.expires_at_ms().unwrap_or_default(),
            proof: record.proof(),
        });
        assert!(taken, "its origin is known");
    }
    restorer.finish(both)
}

/// Keys that begin alike, that begin with one another, and that end in zeros.
fn key(dice: &mut Dice) -> Vec<u8> {
    let mut key = b"key/".repeat(dice.pick(&[1, 1, 1, 5]));
    key.extend((0..dice.roll(12)).map(|_| dice.pick(&[0, 0, 1, b'a', 255])));
    key.extend(dice.roll(1 << 20).to_be_bytes().iter().skip(4 + dice.roll(4)));
    key
}

/// A replica with so many writes: values, removals, entries that expire, batches, some of another author's.
fn full(seed: u64, rules: Rules, writes: usize) -> Replica {
    let mut dice = Dice::new(seed);
    let [mut own, mut other] = [1, 2].map(|name| Replica::new(Origin::new(peer(name), 1), rules));
    own.keep();
    sweep(&mut own, DAY);
    sweep(&mut other, DAY);
    for at in 0..writes {
        let now_ms = DAY + at as u64 / 100;
        let author = if dice.chance(30) { &mut other } else { &mut own };
        let key = key(&mut dice);
        match dice.weighted(&[60, 15, 15, 10]) {
            0 => drop(author.put(&key, &key, 0, now_ms)),
            1 => drop(author.put(&key, b"for a while", now_ms + 1 + dice.roll(2_000) as u64, now_ms)),
            2 => {
                author.put(&key, b"not for long", 0, now_ms);
                drop(author.remove(&key, now_ms));
            }
            _ => {
                let (next, ended) = ([&key[..], b"+"].concat(), dice.chance(10));
                let one = Write { key: &key, value: Some(b"batch"), expires_at_ms: 0 };
                let two = Write { key: &next, value: (!ended).then_some(b"batch"), expires_at_ms: 0 };
                drop(author.apply([one, two], now_ms));
            }
        }
        if dice.chance(1) && other.waiting() > 0 {
            deliver(&mut own, &cut(&mut other), now_ms);
        }
        if dice.chance(1) && own.waiting() > 0 {
            own.clear_outbox();
        }
    }
    own
}

/// In which order two tasks run.
fn one_first(one: Task<'_>, other: Task<'_>) {
    one();
    other();
}

fn the_other_first(one: Task<'_>, other: Task<'_>) {
    other();
    one();
}

fn both_at_once(one: Task<'_>, other: Task<'_>) {
    std::thread::scope(|scope| {
        scope.spawn(one);
        other();
    });
}

#[test]
fn many_entries_come_back_as_they_were_in_whatever_order_the_indexes_are_filled() {
    for (seed, presence) in [(1, false), (2, true)] {
        let rules = Rules { presence, ..RULES };
        let mut own = full(seed, rules, 30_000);
        let (saved, now_ms) = (saved(&mut own), DAY + 1_000);
        for both in [one_first, the_other_first, both_at_once] {
            let mut asked = false;
            let back = restored(&saved, rules, now_ms, |one, other| {
                asked = true;
                both(one, other);
            });
            assert!(asked, "that is enough to do for two");
            assert_eq!(back.lasting().differs_from(&own.lasting().at(now_ms)), None, "seed {seed}");
            assert_eq!(back.check_indexes(), Ok(()), "seed {seed}");
            let (mut keys, mut backwards) = (Vec::new(), Vec::new());
            for (reverse, keys) in [(false, &mut keys), (true, &mut backwards)] {
                back.index().visit((Bound::Unbounded, Bound::Unbounded), reverse, |slot, record| {
                    let found = back.index().record(slot.key()).expect("a key that scans find is found");
                    assert_eq!((found.stamp(), found.bytes()), (record.stamp(), record.bytes()));
                    keys.push(slot.key().to_vec());
                    true
                });
            }
            assert_eq!(keys.len(), saved.2.len());
            assert!(keys.is_sorted_by(|a, b| a < b) && backwards.is_sorted_by(|a, b| a > b), "each once, in order");
        }
    }
}

#[test]
fn entries_that_came_back_are_written_over_and_forgotten_like_others() {
    let mut own = full(3, RULES, 12_000);
    let saved = saved(&mut own);
    let mut back = restored(&saved, RULES, DAY, one_first);
    let later_ms = DAY + 10 * RULES.tombstone_ttl_ms;
    for (slot, _) in saved.2.iter().step_by(3) {
        back.put(slot.key(), b"again", 0, later_ms);
    }
    for (slot, _) in saved.2.iter().skip(1).step_by(3) {
        back.remove(slot.key(), later_ms);
    }
    assert_eq!(back.check_indexes(), Ok(()));
    let before = back.index().tombstones();
    sweep(&mut back, later_ms);
    assert!(back.index().tombstones() < before, "old ones are forgotten");
    assert_eq!(back.check_indexes(), Ok(()));
}

#[test]
fn few_entries_are_not_worth_a_second_thread() {
    let mut own = full(4, RULES, 100);
    let saved = saved(&mut own);
    let back = restored(&saved, RULES, DAY, |_, _| panic!("it is asked for one"));
    assert_eq!(back.lasting().differs_from(&own.lasting().at(DAY)), None);
    assert_eq!(back.check_indexes(), Ok(()));
}
