//! The claims of the papers that the code relies on, one test each.
//!
//! HLC: Kulkarni, Demirbas, Madeppa, Avva, Leone, "Logical Physical Clocks and Consistent Snapshots in Globally Distributed
//! Databases", 2014. Deltas: Almeida, Shoker, Baquero, "Delta State Replicated Data Types", 2018. Registers: Shapiro, Preguica,
//! Baquero, Zawirski, "A comprehensive study of Convergent and Commutative Replicated Data Types", 2011.

use proptest::prelude::*;

use super::super::*;
use super::stage::{DAY, DRIFT, HORIZON, cut, deliver, has, holds, lose, peer, pull, put, remove, replica, sweep, tell};

// ---- hybrid logical clocks ----

/// A run of nodes that write and hear of each other's writes, each with its own physical clock.
struct Run {
    clocks: Vec<Hlc>,
    /// Each event: its node, its timestamp, its node's physical time, and which events happened before it (or are it).
    events: Vec<(usize, Timestamp, u64, Vec<bool>)>,
}

/// Node, whose last event it has heard of, and physical time.
type Step = (usize, usize, u64);

const NODES: usize = 3;

fn steps(latest_ms: u64) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec((0..NODES, 0..NODES, 1..latest_ms), 1..40)
}

impl Run {
    fn of(steps: &[Step]) -> Self {
        let mut run = Self { clocks: vec![Hlc::default(); NODES], events: Vec::new() };
        for &(node, heard, physical_ms) in steps {
            let mut before = vec![false; run.events.len()];
            for from in [node, heard] {
                let Some(last) = run.events.iter().rposition(|(of, ..)| *of == from) else { continue };
                run.clocks[node].observe(run.events[last].1);
                run.events[last].3.iter().enumerate().for_each(|(at, happened)| before[at] |= happened);
            }
            before.push(true);
            let timestamp = run.clocks[node].tick(physical_ms);
            run.events.push((node, timestamp, physical_ms, before));
        }
        run
    }
}

fn counter(timestamp: Timestamp) -> u64 {
    timestamp.0 & 0xffff
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// HLC, section 3.1 (requirement 1) and section 3.4, Theorem 1: if e happened before f, then (l.e, c.e) < (l.f, c.f). Also
    /// with physical clocks that go back.
    #[test]
    fn hlc_an_event_is_stamped_after_all_that_happened_before_it(steps in steps(20)) {
        let run = Run::of(&steps);
        for (at, (_, timestamp, _, before)) in run.events.iter().enumerate() {
            for earlier in (0..at).filter(|earlier| before[*earlier]) {
                prop_assert!(run.events[earlier].1 < *timestamp);
            }
        }
    }

    /// HLC, section 3.4, Theorem 2: l.f >= pt.f.
    #[test]
    fn hlc_a_reading_is_never_behind_the_physical_clock(steps in steps(1_000)) {
        for (_, timestamp, physical_ms, _) in Run::of(&steps).events {
            prop_assert!(timestamp.ms() >= physical_ms);
        }
    }

    /// HLC, section 3.4, Theorem 3 and Corollary 1: l.f is the greatest physical time that f is aware of, and so within the
    /// clocks' error of its own node's. (But for a counter that carries, which takes 65,536 events in one millisecond.)
    #[test]
    fn hlc_a_reading_is_the_greatest_physical_time_heard_of(steps in steps(1_000)) {
        let run = Run::of(&steps);
        for (_, timestamp, _, before) in &run.events {
            let aware = run.events.iter().zip(before).filter(|(_, happened)| **happened);
            prop_assert_eq!(timestamp.ms(), aware.map(|((_, _, physical_ms, _), _)| *physical_ms).max().unwrap());
        }
    }

    /// HLC, section 3.4, Theorem 4 and Corollary 2: c.f is bounded by the number of events before f with the same l.
    #[test]
    fn hlc_the_counter_counts_no_more_than_the_events_of_one_millisecond(steps in steps(6)) {
        let run = Run::of(&steps);
        for (_, timestamp, _, before) in &run.events {
            let same = run.events.iter().zip(before).filter(|((_, other, ..), happened)| **happened && other.ms() == timestamp.ms());
            prop_assert!(counter(*timestamp) < same.count() as u64);
        }
    }

    /// HLC, section 3.1 (requirement 1) for one node: strictly monotonic, whatever its physical clock does.
    #[test]
    fn hlc_own_readings_grow_also_when_the_clock_goes_back(times in prop::collection::vec(0u64..1 << 48, 1..50)) {
        let mut clock = Hlc::default();
        let readings: Vec<Timestamp> = times.iter().map(|now| clock.tick(*now)).collect();
        prop_assert!(readings.windows(2).all(|two| two[0] < two[1]));
    }
}

/// HLC, section "Compact Timestamping using l and c": 48 bits of physical time and 16 bits of counter order like (l, c); what
/// exceeds the counter goes on in l.
#[test]
fn hlc_one_number_orders_like_the_pair_and_a_full_counter_carries() {
    let mut clock = Hlc::default();
    let readings: Vec<Timestamp> = (0..3 << 16).map(|_| clock.tick(7)).collect();
    let pairs: Vec<(u64, u64)> = readings.iter().map(|reading| (reading.ms(), counter(*reading))).collect();
    assert!(readings.windows(2).all(|two| two[0] < two[1]) && pairs.windows(2).all(|two| two[0] < two[1]));
    assert_eq!((pairs[0], pairs[65_535], pairs[65_536]), ((7, 0), (7, 65_535), (8, 0)));
    assert_eq!(clock.tick(100), Timestamp::from_ms(100), "and the physical clock catches up");
}

/// HLC, section 4 ("Resilience of HLC"), masking of synchronization errors: a message whose l is too far ahead of the receiver's
/// physical clock is not taken in, so that one corrupt clock does not spread.
#[test]
fn hlc_a_clock_far_ahead_does_not_spread() {
    let (mut corrupt, mut b, mut c) = (replica(1), replica(2), replica(3));
    put(&mut corrupt, "k", DAY + 100 * DRIFT);
    tell(&mut corrupt, &mut [&mut b], DAY);
    let stamp = put(&mut b, "k", DAY);
    tell(&mut b, &mut [&mut c], DAY);
    pull(&mut c, &b, DAY);
    assert_eq!((stamp.time_ms(), put(&mut c, "k", DAY).time_ms()), (DAY, DAY));
}

// ---- registers, joins and deltas ----

/// A write as it would arrive: key, value, timestamp and author.
type Arriving = (u8, u8, u64, u8);

fn writes() -> impl Strategy<Value = Vec<Arriving>> {
    // A stamp names one write, so the value follows from it.
    prop::collection::vec((0..4u8, 1..30u64, 1..4u8), 0..20).prop_map(|all| {
        all.into_iter().map(|(key, at, author)| (key, (at as u8) << 2 | author, at << 4 | u64::from(key), author)).collect()
    })
}

fn merge(into: &mut Replica, writes: &[Arriving]) {
    for (key, value, timestamp, author) in writes {
        let (key, value) = ([*key], [*value]);
        // A third of them are removals.
        let value = (value[0] % 3 > 0).then_some(&value[..]);
        let stamp = Stamp::new(*timestamp, 1, peer(*author));
        let entry = Incoming { key: &key, value, expires_at_ms: 0, place: 0, stamp, proof: &[] };
        into.merge_entries(&[entry], &[], false, DAY, &mut Vec::new());
    }
}

/// All that is held: key, value, stamp.
fn state(replica: &Replica) -> Vec<(Vec<u8>, Option<Vec<u8>>, Stamp)> {
    let mut state = Vec::new();
    replica.index().visit((std::ops::Bound::Unbounded, std::ops::Bound::Unbounded), false, |slot, record| {
        state.push((slot.key().to_vec(), record.value().map(<[u8]>::to_vec), record.stamp().clone()));
        true
    });
    state
}

fn merged(parts: &[&[Arriving]]) -> Replica {
    let mut replica = replica(99);
    parts.iter().for_each(|part| merge(&mut replica, part));
    replica
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Shapiro et al. 2011, section 3.2.1 (LWW-Register): the value with the greatest timestamp, whatever the order of merges.
    #[test]
    fn lww_a_register_holds_the_write_with_the_greatest_stamp(writes in writes()) {
        let replica = merged(&[&writes]);
        for key in 0..4u8 {
            let greatest = writes.iter().filter(|write| write.0 == key).max_by_key(|write| (write.2, write.3));
            let held = replica.index().record(&[key]).map(|held| (held.stamp().timestamp(), held.stamp().author().clone()));
            prop_assert_eq!(held, greatest.map(|write| (write.2, peer(write.3))));
        }
    }

    /// Shapiro et al. 2011, section 2.3.2 (state-based convergence) and Almeida et al. 2018, section "System model": merge is
    /// the join of a semilattice: commutative, associative and idempotent.
    #[test]
    fn delta_merge_is_commutative_associative_and_idempotent(a in writes(), b in writes(), c in writes()) {
        let joined = state(&merged(&[&a, &b, &c]));
        prop_assert_eq!(&state(&merged(&[&c, &b, &a])), &joined);
        prop_assert_eq!(&state(&merged(&[&b, &c, &a, &b, &a, &c])), &joined);
        // The join of joins: what two others hold, rather than what was written.
        let (left, right) = (merged(&[&a, &b]), merged(&[&b, &c]));
        let mut whole = replica(98);
        pull(&mut whole, &left, DAY);
        pull(&mut whole, &right, DAY);
        prop_assert_eq!(&state(&whole), &joined);
    }

    /// Shapiro et al. 2011, section 2.3.2: an update is an inflation. A key's stamp only grows.
    #[test]
    fn delta_a_merge_never_takes_a_key_back(a in writes(), b in writes()) {
        let mut replica = merged(&[&a]);
        let before = state(&replica);
        merge(&mut replica, &b);
        for (key, _, stamp) in before {
            prop_assert!(replica.index().record(&key).is_some_and(|held| *held.stamp() >= stamp));
        }
    }

    /// Almeida et al. 2018, Definitions 2 and 3 and the section on state convergence: joining delta-groups of any size gives
    /// the state that joining the full state gives.
    #[test]
    fn delta_groups_of_any_size_give_what_the_full_state_gives(
        keys in prop::collection::vec((0..5u8, any::<bool>()), 1..30),
        sizes in prop::collection::vec(1..100usize, 30),
    ) {
        let (mut a, mut by_delta, mut by_state) = (replica(1), replica(2), replica(3));
        let mut sizes = sizes.into_iter();
        for (at, (key, removes)) in keys.iter().enumerate() {
            let key = [*key];
            if *removes { a.remove(&key, DAY); } else { a.put(&key, &[at as u8], 0, DAY); }
            if at % 3 == 0 {
                send(&mut a, &mut by_delta, sizes.next().unwrap_or(1));
            }
        }
        while send(&mut a, &mut by_delta, sizes.next().unwrap_or(1)) {}
        pull(&mut by_state, &a, DAY);
        prop_assert_eq!(state(&by_delta), state(&by_state));
        prop_assert_eq!((by_delta.digest(), by_state.digest()), (a.digest(), a.digest()));
    }

    /// Almeida et al. 2018, Definition 6 (causal delta-merging condition): a delta-interval is joined only into a state that has
    /// what came before it. Ours may be taken in early, and is then not claimed to be gap-free: whichever deltas are lost,
    /// nothing of them is ever claimed.
    #[test]
    fn delta_what_was_lost_is_never_claimed(lost in prop::collection::vec(any::<bool>(), 1..20)) {
        let (mut a, mut b) = (replica(1), replica(2));
        let mut stamps = Vec::new();
        for (at, lost) in lost.iter().enumerate() {
            stamps.push(put(&mut a, &(at % 3).to_string(), DAY));
            let message = cut(&mut a);
            if !lost {
                deliver(&mut b, &message, DAY);
            }
        }
        for (stamp, lost) in stamps.iter().zip(&lost) {
            prop_assert_eq!(b.context().covers(stamp), !lost);
        }
        let first_lost = lost.iter().position(|lost| *lost).unwrap_or(lost.len());
        let gap_free = first_lost.checked_sub(1).map_or(Timestamp::ZERO, |last| stamps[last].timestamp);
        prop_assert_eq!(b.context().upto(a.origin()), gap_free);
        pull(&mut b, &a, DAY);
        prop_assert!(stamps.iter().all(|stamp| b.context().covers(stamp)));
    }
}

/// One delta of about that size; whether there was one.
fn send(from: &mut Replica, to: &mut Replica, target_bytes: usize) -> bool {
    let Some(delta) = from.cut_delta(target_bytes) else { return false };
    deliver(to, &crate::wire::gossip::encode_delta(&delta), DAY);
    true
}

/// Almeida et al. 2018, section on causal contexts and the join of causal CRDTs: what one side's context covers and its state does not hold was
/// removed there; no tombstone is needed to know it.
#[test]
fn delta_covered_and_absent_means_removed() {
    let (mut a, mut b) = (replica(1), replica(2));
    put(&mut a, "removed", DAY);
    put(&mut a, "kept", DAY);
    tell(&mut a, &mut [&mut b], DAY);
    remove(&mut a, "removed", DAY + 1);
    lose(&mut a);
    sweep(&mut a, DAY + 1 + HORIZON + 1);
    assert!(!holds(&a, "removed"), "not even a tombstone");
    pull(&mut b, &a, DAY + 1 + HORIZON + 1);
    assert!(!holds(&b, "removed") && has(&b, "kept", DAY));
}

/// The same section: what one side's context does not cover is new to it, and kept.
#[test]
fn delta_absent_and_not_covered_means_new() {
    let (mut a, mut b) = (replica(1), replica(2));
    put(&mut a, "k", DAY);
    remove(&mut a, "k", DAY + 1);
    lose(&mut a);
    sweep(&mut a, DAY + 1 + HORIZON + 1);
    put(&mut b, "k", DAY);
    pull(&mut b, &a, DAY + 1 + HORIZON + 1);
    assert!(has(&b, "k", DAY));
    pull(&mut a, &b, DAY + 1 + HORIZON + 1);
    assert!(has(&a, "k", DAY));
}

/// The same section: a join does not add again what was added and removed.
#[test]
fn delta_what_was_removed_is_not_added_again() {
    let (mut a, mut b) = (replica(1), replica(2));
    put(&mut a, "k", DAY);
    let added = cut(&mut a);
    deliver(&mut b, &added, DAY);
    remove(&mut a, "k", DAY + 1);
    tell(&mut a, &mut [&mut b], DAY + 1);
    sweep(&mut b, DAY + 1 + HORIZON + 1);
    for _ in 0..3 {
        deliver(&mut b, &added, DAY + 1 + HORIZON + 1);
    }
    assert!(!holds(&b, "k"));
}

/// Almeida et al. 2018, section on causal contexts: a context without gaps is as good as a version vector, and joins as one.
#[test]
fn delta_a_context_without_gaps_is_a_version_vector() {
    let (mut a, mut b) = (replica(1), replica(2));
    for at in 0..100 {
        put(&mut a, &at.to_string(), DAY + at);
        tell(&mut a, &mut [&mut b], DAY + at);
    }
    let seen = b.context().of(a.origin()).expect("it has heard of a");
    assert!(seen.ranges.is_empty() && Some(seen) == a.context().of(a.origin()));
}
