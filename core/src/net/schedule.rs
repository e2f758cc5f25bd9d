//! When to sync what with whom. Pure: time comes in, [`Act`]s come out.
//!
//! - One comparison a peer at a time; it covers all maps. One that is wanted while it runs is run once more afterwards.
//! - One pull a map at a time, so that a node that meets many peers does not take the same entries from each. The others
//!   wait their turn, and start with a comparison.
//! - A pull that repeats for the same map and peer is held back: [`DEBOUNCE`] at first, longer when pull after pull does
//!   not end in equality (a peer may hold what this node refuses).

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use libp2p::PeerId as Id;

use crate::wire::Topic;

/// Two pulls of one map from one peer start at least so far apart.
const DEBOUNCE: Duration = Duration::from_millis(50);
/// So many pulls that do not end in equality are ordinary where there are writes.
const PATIENCE: u32 = 4;
/// The longest that [`DEBOUNCE`] grows.
const MAX_DEBOUNCE: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Compare(Id),
    Pull(Topic, Id),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Later {
    Compare(Id),
    Pull(Topic, Id),
}

#[derive(Default)]
pub(super) struct Schedule {
    /// Running comparisons; whether to run another one afterwards.
    comparing: HashMap<Id, bool>,
    lanes: HashMap<Topic, Lane>,
    tries: HashMap<(Topic, Id), Tries>,
    later: BTreeSet<(Instant, Later)>,
    acts: VecDeque<Act>,
}

/// One map's pulls.
#[derive(Default)]
struct Lane {
    busy: Option<Busy>,
    queue: VecDeque<Id>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Busy {
    /// The comparison says whether to pull.
    Comparing(Id),
    Pulling(Id),
}

/// The pulls of one map from one peer.
struct Tries {
    last: Instant,
    unequal: u32,
}

impl Tries {
    fn debounce(&self) -> Duration {
        let doublings = self.unequal.saturating_sub(PATIENCE).min(16);
        (DEBOUNCE * 2u32.pow(doublings)).min(MAX_DEBOUNCE)
    }
}

impl Schedule {
    /// A peer and this node have found that both have that map open.
    pub fn met(&mut self, topic: Topic, peer: Id) {
        let lane = self.lanes.entry(topic).or_default();
        if lane.busy.is_some() {
            lane.wait(peer);
        } else {
            lane.busy = Some(Busy::Comparing(peer));
            self.compare(peer);
        }
    }

    /// The peer has sent what follows on something missing here.
    pub fn gap(&mut self, topic: Topic, peer: Id, now: Instant) {
        self.pull(topic, peer, now);
    }

    /// The peer's request has shown that it holds what is missing here.
    pub fn differs(&mut self, topic: Topic, peer: Id, now: Instant) {
        self.pull(topic, peer, now);
    }

    /// Compares with a peer, now or when the comparison that runs has ended.
    pub fn compare(&mut self, peer: Id) {
        match self.comparing.get_mut(&peer) {
            Some(again) => *again = true,
            None => {
                self.comparing.insert(peer, false);
                self.acts.push_back(Act::Compare(peer));
            }
        }
    }

    pub fn compare_at(&mut self, peer: Id, at: Instant) {
        self.put_off(Later::Compare(peer), at);
    }

    /// A comparison has ended: the maps that differ; none if it failed.
    pub fn compared(&mut self, peer: Id, differs: &[Topic], now: Instant) {
        let again = self.comparing.remove(&peer) == Some(true);
        let waited: Vec<_> =
            self.lanes.iter().filter(|(_, lane)| lane.busy == Some(Busy::Comparing(peer))).map(|(topic, _)| *topic).collect();
        for &topic in differs {
            let lane = self.lanes.entry(topic).or_default();
            if lane.busy == Some(Busy::Comparing(peer)) {
                lane.busy = None;
            }
            self.pull(topic, peer, now);
        }
        // Equal, or to be pulled later: the next peer's turn.
        for topic in waited {
            if self.lanes.get(&topic).is_some_and(|lane| !matches!(lane.busy, Some(Busy::Pulling(_)))) {
                self.next_in(topic);
            }
        }
        if again {
            self.compare(peer);
        }
    }

    /// A pull has ended: whether the replicas were then equal; `None` if it failed.
    pub fn pulled(&mut self, topic: Topic, peer: Id, equal: Option<bool>, now: Instant) {
        if let Some(tries) = self.tries.get_mut(&(topic, peer)) {
            tries.last = now;
            tries.unequal = if equal == Some(true) { 0 } else { tries.unequal.saturating_add(1) };
        }
        if self.lanes.get(&topic).is_some_and(|lane| lane.busy == Some(Busy::Pulling(peer))) {
            self.next_in(topic);
        }
    }

    /// The peer has gone: what waited for it does not.
    pub fn gone(&mut self, peer: Id) {
        self.comparing.remove(&peer);
        self.tries.retain(|(_, id), _| *id != peer);
        self.later.retain(|(_, later)| !matches!(later, Later::Compare(id) | Later::Pull(_, id) if *id == peer));
        self.acts.retain(|act| !matches!(act, Act::Compare(id) | Act::Pull(_, id) if *id == peer));
        let mut waited = Vec::new();
        for (topic, lane) in &mut self.lanes {
            lane.queue.retain(|id| *id != peer);
            if matches!(lane.busy, Some(Busy::Comparing(id) | Busy::Pulling(id)) if id == peer) {
                waited.push(*topic);
            }
        }
        for topic in waited {
            self.next_in(topic);
        }
    }

    /// The map was closed here.
    pub fn closed(&mut self, topic: Topic) {
        self.lanes.remove(&topic);
        self.tries.retain(|(other, _), _| *other != topic);
        self.later.retain(|(_, later)| !matches!(later, Later::Pull(other, _) if *other == topic));
        self.acts.retain(|act| !matches!(act, Act::Pull(other, _) if *other == topic));
    }

    /// The next thing to do now.
    pub fn next_act(&mut self, now: Instant) -> Option<Act> {
        while let Some(&(at, later)) = self.later.first() {
            if at > now {
                break;
            }
            self.later.pop_first();
            match later {
                Later::Compare(peer) => self.compare(peer),
                Later::Pull(topic, peer) => self.pull(topic, peer, now),
            }
        }
        self.acts.pop_front()
    }

    /// When something that was put off is due.
    pub fn next_due(&self) -> Option<Instant> {
        self.later.first().map(|(at, _)| *at)
    }

    /// Pulls now, or when the map's turn has come, or when the last pull is long enough ago.
    fn pull(&mut self, topic: Topic, peer: Id, now: Instant) {
        let lane = self.lanes.entry(topic).or_default();
        match lane.busy {
            Some(_) => lane.wait(peer),
            None => {
                let due = self.tries.get(&(topic, peer)).map(|tries| tries.last + tries.debounce());
                if let Some(due) = due.filter(|due| *due > now) {
                    return self.put_off(Later::Pull(topic, peer), due);
                }
                lane.busy = Some(Busy::Pulling(peer));
                self.later.retain(|(_, later)| *later != Later::Pull(topic, peer));
                let unequal = self.tries.get(&(topic, peer)).map_or(0, |tries| tries.unequal);
                self.tries.insert((topic, peer), Tries { last: now, unequal });
                self.acts.push_back(Act::Pull(topic, peer));
            }
        }
    }

    fn put_off(&mut self, later: Later, at: Instant) {
        match self.later.iter().find(|(_, other)| *other == later).copied() {
            Some((sooner, _)) if sooner <= at => {}
            Some(other) => {
                self.later.remove(&other);
                self.later.insert((at, later));
            }
            None => {
                self.later.insert((at, later));
            }
        }
    }

    /// The map's lane is free: the next in its queue compares.
    fn next_in(&mut self, topic: Topic) {
        let Some(lane) = self.lanes.get_mut(&topic) else { return };
        lane.busy = None;
        if let Some(peer) = lane.queue.pop_front() {
            lane.busy = Some(Busy::Comparing(peer));
            self.compare(peer);
        }
    }
}

impl Lane {
    fn wait(&mut self, peer: Id) {
        if !self.queue.contains(&peer) {
            self.queue.push_back(peer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: Topic = Topic([1; 16]);
    const OTHER: Topic = Topic([2; 16]);

    fn acts(schedule: &mut Schedule, now: Instant) -> Vec<Act> {
        std::iter::from_fn(|| schedule.next_act(now)).collect()
    }

    fn peers() -> (Id, Id) {
        (Id::random(), Id::random())
    }

    #[test]
    fn meeting_a_peer_compares_and_pulls_what_differs() {
        let (mut schedule, (peer, _), now) = (Schedule::default(), peers(), Instant::now());
        schedule.met(MAP, peer);
        assert_eq!(acts(&mut schedule, now), [Act::Compare(peer)]);
        schedule.compared(peer, &[MAP, OTHER], now);
        assert_eq!(acts(&mut schedule, now), [Act::Pull(MAP, peer), Act::Pull(OTHER, peer)]);
        schedule.pulled(MAP, peer, Some(true), now);
        assert_eq!(acts(&mut schedule, now), []);
    }

    #[test]
    fn one_comparison_covers_all_maps_met_at_once() {
        let (mut schedule, (peer, _), now) = (Schedule::default(), peers(), Instant::now());
        schedule.met(MAP, peer);
        schedule.met(OTHER, peer);
        assert_eq!(acts(&mut schedule, now), [Act::Compare(peer)]);
        // The second was asked for while the first ran, which may have missed it.
        schedule.compared(peer, &[], now);
        assert_eq!(acts(&mut schedule, now), [Act::Compare(peer)]);
        schedule.compared(peer, &[], now);
        assert_eq!(acts(&mut schedule, now), []);
    }

    #[test]
    fn a_map_is_pulled_from_one_peer_at_a_time() {
        let (mut schedule, (first, second), now) = (Schedule::default(), peers(), Instant::now());
        schedule.met(MAP, first);
        schedule.met(MAP, second);
        assert_eq!(acts(&mut schedule, now), [Act::Compare(first)]);
        schedule.compared(first, &[MAP], now);
        assert_eq!(acts(&mut schedule, now), [Act::Pull(MAP, first)]);
        schedule.pulled(MAP, first, Some(true), now);
        assert_eq!(acts(&mut schedule, now), [Act::Compare(second)], "and only then whether anything is left");
        schedule.compared(second, &[], now);
        assert_eq!(acts(&mut schedule, now), []);
    }

    #[test]
    fn when_the_peer_goes_the_next_has_its_turn() {
        let (mut schedule, (first, second), now) = (Schedule::default(), peers(), Instant::now());
        schedule.gap(MAP, first, now);
        schedule.gap(MAP, second, now);
        assert_eq!(acts(&mut schedule, now), [Act::Pull(MAP, first)]);
        schedule.gone(first);
        assert_eq!(acts(&mut schedule, now), [Act::Compare(second)]);
        // The end of a pull that no longer counts changes nothing.
        schedule.pulled(MAP, first, Some(false), now);
        assert_eq!(acts(&mut schedule, now), []);
    }

    #[test]
    fn the_first_gap_is_filled_at_once_and_the_next_after_a_while() {
        let (mut schedule, (peer, _), now) = (Schedule::default(), peers(), Instant::now());
        schedule.gap(MAP, peer, now);
        assert_eq!(acts(&mut schedule, now), [Act::Pull(MAP, peer)]);
        schedule.pulled(MAP, peer, Some(true), now);
        schedule.gap(MAP, peer, now);
        schedule.gap(MAP, peer, now);
        assert_eq!(acts(&mut schedule, now), []);
        assert_eq!(schedule.next_due(), Some(now + DEBOUNCE));
        assert_eq!(acts(&mut schedule, now + DEBOUNCE), [Act::Pull(MAP, peer)]);
    }

    #[test]
    fn peers_that_never_become_equal_do_not_pull_for_ever() {
        let (mut schedule, (peer, _), start) = (Schedule::default(), peers(), Instant::now());
        let (mut now, mut pulls) = (start, 0);
        while now < start + Duration::from_secs(60) {
            schedule.differs(MAP, peer, now);
            for act in acts(&mut schedule, now) {
                assert_eq!(act, Act::Pull(MAP, peer));
                pulls += 1;
                schedule.pulled(MAP, peer, Some(false), now);
            }
            now += Duration::from_millis(10);
        }
        assert!((15..40).contains(&pulls), "{pulls} pulls in a minute");
    }

    #[test]
    fn a_closed_map_is_not_pulled() {
        let (mut schedule, (peer, _), now) = (Schedule::default(), peers(), Instant::now());
        schedule.gap(MAP, peer, now);
        schedule.closed(MAP);
        assert_eq!(acts(&mut schedule, now), []);
        assert_eq!(schedule.next_due(), None);
    }

    #[test]
    fn what_is_put_off_twice_is_done_once_and_at_the_sooner_time() {
        let (mut schedule, (peer, _), now) = (Schedule::default(), peers(), Instant::now());
        schedule.compare_at(peer, now + DEBOUNCE);
        schedule.compare_at(peer, now + 2 * DEBOUNCE);
        schedule.compare_at(peer, now + DEBOUNCE / 2);
        assert_eq!(schedule.next_due(), Some(now + DEBOUNCE / 2));
        assert_eq!(acts(&mut schedule, now + 3 * DEBOUNCE), [Act::Compare(peer)]);
        assert_eq!(schedule.next_due(), None);
    }
}
