//! A cluster of replicas on a network that loses, repeats, delays and reorders; syncs that anything may interrupt. After every
//! step the coverage invariant holds; in the end all are equal, and equal to an oracle that merged every write.

use std::collections::HashMap;

use proptest::prelude::*;

use std::ops::Bound;

use super::super::digest::Fingerprint;
use super::super::*;
use super::{cut, deliver, pull, pull_step, replica};

/// A seeded generator: a failing case is named by its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % sides
    }
}

struct Session {
    to: usize,
    from: usize,
    puller: Puller,
}

struct Cluster {
    dice: Dice,
    now_ms: u64,
    replicas: Vec<Replica>,
    /// Deltas under way: (to, bytes).
    network: Vec<(usize, Vec<u8>)>,
    sessions: Vec<Session>,
    /// Every write that was made: (key, stamp, value).
    history: Vec<(Vec<u8>, Stamp, Option<Vec<u8>>)>,
}

impl Cluster {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let replicas = (0..2 + dice.roll(4) as u8).map(replica).collect();
        Self { dice, now_ms: 1, replicas, network: Vec::new(), sessions: Vec::new(), history: Vec::new() }
    }

    fn step(&mut self) {
        self.now_ms += [0, 0, 1, 2, 7][self.dice.roll(5)];
        let at = self.dice.roll(self.replicas.len());
        match self.dice.roll(100) {
            0..30 => self.write(at),
            30..50 => self.gossip(at),
            50..65 => self.arrive(),
            65..75 => self.start_sync(at),
            75..98 => self.continue_sync(),
            _ => self.replicas[at].clear_outbox(),
        }
    }

    fn write(&mut self, at: usize) {
        let keys: Vec<Vec<u8>> = (0..1 + self.dice.roll(3)).map(|_| vec![b'a' + self.dice.roll(6) as u8]).collect();
        let values: Vec<Option<Vec<u8>>> =
            keys.iter().map(|_| (self.dice.roll(3) > 0).then(|| vec![self.dice.roll(256) as u8; self.dice.roll(40)])).collect();
        let writes = keys.iter().zip(&values).map(|(key, value)| (&key[..], value.as_deref()));
        // Clocks drift: each replica's own is off by a few milliseconds.
        for change in self.replicas[at]
            .apply(writes.map(|(key, value)| Write { key, value, expires_at_ms: 0 }), self.now_ms + 3 * at as u64)
        {
            let value = change.new.value().map(<[u8]>::to_vec);
            self.history.push((change.slot.key().to_vec(), change.new.stamp().clone(), value));
        }
    }

    fn gossip(&mut self, at: usize) {
        let target = 1 + self.dice.roll(100);
        let Some(delta) = cut(&mut self.replicas[at], target) else { return };
        for to in (0..self.replicas.len()).filter(|&to| to != at) {
            for _ in 0..[0, 1, 1, 2][self.dice.roll(4)] {
                self.network.push((to, delta.clone()));
            }
        }
    }

    fn arrive(&mut self) {
        if !self.network.is_empty() {
            let (to, delta) = self.network.swap_remove(self.dice.roll(self.network.len()));
            deliver(&mut self.replicas[to], &delta);
        }
    }

    fn start_sync(&mut self, to: usize) {
        let from = self.dice.roll(self.replicas.len());
        if from != to {
            let puller = Puller::new(self.replicas[to].context().clone());
            self.sessions.push(Session { to, from, puller });
        }
    }

    fn continue_sync(&mut self) {
        if self.sessions.is_empty() {
            return;
        }
        let at = self.dice.roll(self.sessions.len());
        let broken = self.dice.roll(10) == 0;
        let Session { to, from, puller } = &mut self.sessions[at];
        let [to, from] = self.replicas.get_disjoint_mut([*to, *from]).expect("two replicas");
        if broken || pull_step(puller, to, from, 20) {
            self.sessions.swap_remove(at);
        }
    }

    /// What a context covers is held, or beaten.
    fn check_coverage(&self) {
        for replica in &self.replicas {
            for (key, stamp, _) in &self.history {
                if replica.context().covers(stamp) {
                    let held = replica.index().slot(key).map(|slot| slot.record().stamp().clone());
                    assert!(held.as_ref() >= Some(stamp), "covers {stamp:?} of {key:?}, holds {held:?}");
                }
            }
        }
    }

    fn check_fingerprints(&self) {
        for replica in &self.replicas {
            let mut fingerprint = Fingerprint::default();
            let mut live = 0;
            replica.index().visit((Bound::Unbounded, Bound::Unbounded), false, |slot, record| {
                if record.is_live() {
                    fingerprint.add(slot.key(), record.stamp());
                    live += 1;
                }
                true
            });
            assert_eq!((replica.table.fingerprint(), replica.index().live()), (fingerprint, live));
        }
    }

    /// Everyone pulls from everyone, twice: news needs one round to come together and one to spread.
    fn quiesce(&mut self) {
        for _ in 0..2 {
            for to in 0..self.replicas.len() {
                for from in (0..self.replicas.len()).filter(|&from| from != to) {
                    let [to, from] = self.replicas.get_disjoint_mut([to, from]).expect("two replicas");
                    pull(to, from, 64);
                }
            }
        }
    }

    fn check_convergence(&self) {
        let mut oracle: HashMap<&[u8], (&Stamp, &Option<Vec<u8>>)> = HashMap::new();
        for (key, stamp, value) in &self.history {
            let newest = oracle.entry(key).or_insert((stamp, value));
            if stamp > newest.0 {
                *newest = (stamp, value);
            }
        }
        for replica in &self.replicas {
            assert_eq!(replica.digest(), self.replicas[0].digest());
            for (key, (stamp, value)) in &oracle {
                let record = replica.index().slot(key).expect("every key written is there, if only as a tombstone").record();
                assert_eq!((record.stamp(), record.value()), (*stamp, value.as_deref()));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn g1_g4_any_order_loss_and_repetition_ends_in_equal_digests_and_loses_nothing(seed: u64) {
        let mut cluster = Cluster::new(seed);
        for _ in 0..250 {
            cluster.step();
            cluster.check_coverage();
        }
        cluster.check_fingerprints();
        cluster.quiesce();
        // What was still under way arrives late and changes nothing.
        for (to, delta) in std::mem::take(&mut cluster.network) {
            deliver(&mut cluster.replicas[to], &delta);
        }
        cluster.check_coverage();
        cluster.check_convergence();
        cluster.check_fingerprints();
    }

    #[test]
    fn g1_merging_is_commutative_associative_and_idempotent(seed: u64, orders in prop::array::uniform2(any::<u64>())) {
        let mut cluster = Cluster::new(seed);
        for _ in 0..12 {
            let at = cluster.dice.roll(cluster.replicas.len());
            cluster.now_ms += cluster.dice.roll(3) as u64;
            cluster.write(at);
        }
        let entries: Vec<Incoming<'_>> = cluster.history.iter()
            .map(|(key, stamp, value)| Incoming { key, value: value.as_deref(), expires_at_ms: 0, place: 0, stamp: stamp.clone() })
            .collect();
        let merged = orders.map(|order| {
            let (mut dice, mut state) = (Dice(order), replica(99));
            let mut waiting: Vec<Incoming<'_>> = entries.iter().chain(&entries).cloned().collect();
            while !waiting.is_empty() {
                // In groups of any size, some of them twice.
                let group: Vec<_> = (0..=dice.roll(waiting.len())).map(|_| waiting.swap_remove(dice.roll(waiting.len()))).collect();
                state.merge_entries(&group, &[], false, 1, &mut Vec::new());
            }
            state.table.fingerprint()
        });
        prop_assert_eq!(merged[0], merged[1]);
    }
}
