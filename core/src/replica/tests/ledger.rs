//! What is saved of a replica, through the bytes of its rows, and what comes back.

use std::collections::BTreeMap;

use super::super::*;
use super::stage::{
    DAY, Pull, RETENTION, RULES, WHOLE, cut, deliver, deliver_to_validator, has, lose, opening, peer, put, put_until, remove,
    sweep,
};
use crate::dice::Dice;
use crate::wire::rows::{self, Row};

/// A map's rows, as a store keeps them.
type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// An opening whose changes are noted.
fn kept(name: u8, epoch: u64, rules: Rules) -> Replica {
    let mut replica = Replica::new(Origin::new(peer(name), epoch), rules);
    replica.keep();
    replica
}

/// What changed goes into the rows.
fn save(replica: &mut Replica, rows: &mut Rows) {
    let unsaved = replica.take_unsaved().expect("its changes are noted");
    for (slot, saved) in &unsaved.entries {
        match saved {
            Some(saved) => drop(rows.insert(rows::entry_key(slot.key()), rows::encode_entry(saved))),
            None => drop(rows.remove(&rows::entry_key(slot.key()))),
        }
    }
    unsaved.dropped.iter().for_each(|slot| drop(rows.remove(&rows::entry_key(slot.key()))));
    for (number, known) in &unsaved.origins {
        match known {
            Some(known) => drop(rows.insert(rows::origin_key(*number), rows::encode_known(known))),
            None => drop(rows.remove(&rows::origin_key(*number))),
        }
    }
    rows.insert(rows::head_key(), rows::encode_head(&unsaved.head));
}

/// What comes back, whichever row comes first.
fn restore(rows: &Rows, origin: Origin, rules: Rules, now_ms: u64, backwards: bool) -> Replica {
    let mut restorer = Restorer::new(origin, rules, now_ms);
    let mut waiting: Vec<(&Vec<u8>, &Vec<u8>)> = rows.iter().collect();
    if backwards {
        waiting.reverse();
    }
    for pass in 0..2 {
        waiting.retain(|(key, value)| match rows::decode_row(key, value).expect("our own row") {
            Row::Head(head) => {
                restorer.head(&head);
                false
            }
            Row::Origin(number, known) => {
                restorer.origin(number, known);
                false
            }
            Row::Entry(entry) => !restorer.entry(&entry),
        });
        assert!(pass == 0 || waiting.is_empty(), "an entry without its origin");
    }
    restorer.finish(|one, other| {
        one();
        other();
    })
}

/// The next life of an author, with the same clock: epochs are as the node makes them.
fn reopened(replica: &mut Replica, rows: &mut Rows, now_ms: u64) -> Replica {
    save(replica, rows);
    restore(rows, Origin::new(replica.origin().peer().clone(), now_ms << 16), replica.rules, now_ms, false)
}

// ---- nothing is missed ----

/// A durable replica among two others, to whom everything happens that can.
struct Life {
    dice: Dice,
    now_ms: u64,
    own: Replica,
    others: [Replica; 2],
    messages: Vec<Vec<u8>>,
    rows: Rows,
}

impl Life {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let rules = Rules { presence: dice.chance(25), origin_retention_ms: dice.pick(&[5_000, RETENTION]), ..RULES };
        let mut others = [2, 3].map(|name| Replica::new(Origin::new(peer(name), 1), rules));
        others.iter_mut().for_each(|other| drop(sweep(other, DAY)));
        Self { dice, now_ms: DAY, own: kept(1, 1, rules), others, messages: Vec::new(), rows: Rows::new() }
    }

    fn step(&mut self) {
        self.now_ms += self.dice.pick(&[0, 1, 200, 2_000]);
        let (now_ms, key) = (self.now_ms, [b'a' + self.dice.roll(6) as u8]);
        let other = self.dice.roll(2);
        match self.dice.weighted(&[20, 10, 20, 20, 15, 5, 10, 3]) {
            0 => drop(self.own.put(&key, b"own", if self.dice.chance(20) { now_ms + 500 } else { 0 }, now_ms)),
            1 => drop(self.own.remove(&key, now_ms)),
            2 => {
                let ahead_ms = if self.dice.chance(5) { 10 * RULES.max_clock_drift_ms } else { 0 };
                let writes = [
                    Write { key: &key, value: Some(b"other"), expires_at_ms: 0 },
                    Write { key: b"z", value: self.dice.chance(50).then_some(b"batch"), expires_at_ms: 0 },
                ];
                drop(self.others[other].apply(writes, now_ms + ahead_ms));
                if self.dice.chance(20) {
                    self.others[other].clear_outbox();
                }
                self.messages.extend(self.others[other].cut_delta(WHOLE).map(|d| crate::wire::gossip::encode_delta(&d)));
            }
            3 if !self.messages.is_empty() => {
                let at = self.dice.roll(self.messages.len());
                let message = self.messages.swap_remove(at);
                let refused = self.dice.pick(&["a", "z", "nothing"]);
                deliver_to_validator(&mut self.own, &message, |key| key != refused, now_ms);
            }
            4 => {
                let mut pull = if self.dice.chance(20) { Pull::full(&self.own, 1) } else { Pull::new(&self.own, 1) };
                for _ in 0..self.dice.between(1, 40) {
                    if !pull.page(&mut self.own, &self.others[other], now_ms) {
                        break;
                    }
                }
            }
            5 => {
                let [one, two] = &mut self.others;
                super::stage::sync(one, two, now_ms);
            }
            6 => {
                sweep(&mut self.own, now_ms);
                sweep(&mut self.others[other], now_ms);
            }
            7 => {
                // Another life, from what was saved of this one, which is all of it.
                self.own = reopened(&mut self.own, &mut self.rows, now_ms);
            }
            _ => {}
        }
    }
}

#[test]
fn g7_whatever_happens_what_was_saved_is_what_there_is() {
    for seed in 0..60 {
        let mut life = Life::new(seed);
        for step in 0..150 {
            life.step();
            save(&mut life.own, &mut life.rows);
            let (own, now_ms) = (&life.own, life.now_ms);
            let back = restore(&life.rows, Origin::new(peer(1), now_ms), own.rules, now_ms, life.dice.chance(50));
            if let Some(what) = back.lasting().differs_from(&own.lasting().at(now_ms)) {
                panic!("seed {seed}, step {step}: {what}");
            }
            back.check_indexes().unwrap_or_else(|what| panic!("seed {seed}, step {step}: {what}"));
            assert!(back.origin() > own.origin(), "seed {seed}, step {step}");
            // The clock may have gone back, and what had ended has.
            let earlier = restore(&life.rows, Origin::new(peer(1), DAY), own.rules, DAY, false);
            assert_eq!(earlier.lasting().differs_from(&own.lasting()), None, "seed {seed}, step {step}");
        }
    }
}

#[test]
fn what_has_not_changed_is_not_saved_again() {
    let mut a = kept(1, 1, RULES);
    put(&mut a, "k", DAY);
    put(&mut a, "k", DAY + 1);
    let first = a.take_unsaved().expect("noted");
    assert_eq!((first.entries.len(), first.origins.len()), (1, 1));
    assert_eq!(first.edits, a.edits());
    let second = a.take_unsaved().expect("noted");
    assert!(second.entries.is_empty() && second.origins.is_empty());
    assert_eq!(second.edits, first.edits);
    assert!(replica_in_memory().take_unsaved().is_none(), "what is not kept is not noted");
}

fn replica_in_memory() -> Replica {
    let mut replica = opening(9, 1);
    put(&mut replica, "k", DAY);
    replica
}

// ---- the next life ----

#[test]
fn an_opening_is_later_than_the_one_before_also_when_the_clock_is_not() {
    let (mut a, mut rows) = (kept(1, DAY, RULES), Rows::new());
    let before = put(&mut a, "k", DAY);
    save(&mut a, &mut rows);
    let mut last = a.origin().clone();
    for now_ms in [DAY - 3_600_000, DAY, DAY - 7_200_000, DAY + 1] {
        let mut next = restore(&rows, Origin::new(peer(1), now_ms), RULES, now_ms, false);
        assert!(next.origin().peer() == last.peer() && next.origin().epoch() > last.epoch(), "{:?}", next.origin());
        let stamp = put(&mut next, "k", now_ms);
        assert!(stamp > before, "its clock goes on");
        assert_eq!(next.index().record(b"k").expect("held").stamp(), &stamp, "a node reads its own write");
        save(&mut next, &mut rows);
        last = next.origin().clone();
    }
}

#[test]
fn g3_the_first_delta_of_a_life_tells_all_that_its_writes_depend_on() {
    let (mut a, mut b, mut rows) = (kept(1, 1, RULES), opening(2, 1), Rows::new());
    let theirs = put(&mut b, "theirs", DAY);
    deliver(&mut a, &cut(&mut b), DAY);
    let own = put(&mut a, "own", DAY);
    lose(&mut a);
    let mut a = reopened(&mut a, &mut rows, DAY + 1);
    assert!(a.cut_delta(WHOLE).is_none(), "nothing of its own to tell yet");
    put(&mut a, "next", DAY + 1);
    let first = a.cut_delta(WHOLE).expect("a delta");
    let told: BTreeMap<_, _> = first.past.into_iter().collect();
    assert_eq!(told.get(&theirs.origin), Some(&theirs.timestamp));
    assert_eq!(told.get(&own.origin), Some(&own.timestamp), "an earlier life is another author");
    put(&mut a, "after", DAY + 2);
    assert!(a.cut_delta(WHOLE).expect("a delta").past.is_empty(), "and tells it once");
}

#[test]
fn g3_a_pull_from_one_that_restarts_meanwhile_starts_over() {
    let (mut a, mut b, mut rows) = (kept(1, DAY << 16, RULES), opening(2, 1), Rows::new());
    for at in 0..200 {
        put(&mut a, "often", DAY);
        put(&mut a, &format!("k{}", at % 10), DAY);
    }
    let mut pull = Pull::new(&b, 1);
    assert!(pull.page(&mut b, &a, DAY) && pull.page(&mut b, &a, DAY));
    // A moment later, after more changes than milliseconds, another life serves it.
    let mut a = reopened(&mut a, &mut rows, DAY + 1);
    remove(&mut a, "k0", DAY + 1);
    put(&mut a, "new", DAY + 1);
    let pull = pull.finish(&mut b, &a, DAY + 1);
    assert!(pull.was_full, "nothing is known of what was forgotten between");
    assert_eq!(b.digest(), a.digest());
    assert!(has(&b, "new", DAY + 1) && !has(&b, "k0", DAY + 1));
}

#[test]
fn what_ended_while_nobody_ran_comes_back_as_ended() {
    let (mut a, mut rows) = (kept(1, 1, RULES), Rows::new());
    put_until(&mut a, "k", DAY + 500, DAY);
    let mut a = reopened(&mut a, &mut rows, DAY + 600);
    assert_eq!((a.index().live(), a.index().tombstones(), a.next_expiry_ms()), (0, 1, None));
    let a = reopened(&mut a, &mut rows, DAY + 100);
    assert_eq!((a.index().live(), a.index().tombstones()), (0, 1), "also when the clock has gone back since");
}

#[test]
fn on_a_presence_map_own_entries_are_shown_and_others_are_until_their_authors_are_heard() {
    let rules = Rules { presence: true, ..RULES };
    let (mut a, mut b, mut rows) = (kept(1, 1, rules), Replica::new(Origin::new(peer(2), 1), rules), Rows::new());
    sweep(&mut a, DAY);
    sweep(&mut b, DAY);
    put(&mut a, "own", DAY);
    put(&mut b, "theirs", DAY);
    deliver(&mut a, &cut(&mut b), DAY);
    assert!(has(&a, "theirs", DAY));
    let mut a = reopened(&mut a, &mut rows, DAY + 1);
    assert!(has(&a, "own", DAY + 1) && !has(&a, "theirs", DAY + 1));
    assert_eq!((a.index().live(), a.index().hidden()), (1, 1));
    let pulse = b.pulse(DAY + 2).expect("one is due");
    a.heard(&pulse, DAY + 2, &mut Vec::new());
    assert!(has(&a, "theirs", DAY + 2));
}
