//! One simulated node: a replica, a clock, what it refuses, and a subscriber that believes what it is told.

use std::collections::BTreeMap;

use super::clock::WallClock;
use super::disk::NodeDisk;
use super::oracle::{Key, Writes};
use super::trace;
use crate::peer::PeerId;
use crate::replica::{Change, Incoming, Origin, Replica, Rules, Stamp, Timestamp};

pub struct Node {
    pub peer: PeerId,
    pub epoch: u64,
    pub replica: Replica,
    /// `None`: all is in memory.
    pub disk: Option<NodeDisk>,
    pub clock: WallClock,
    pub refuses: Refuses,
    pub up: bool,
    /// All that it causally depends on.
    pub seen: Writes,
    /// All that it ever covered or held.
    pub covered: Writes,
    /// What the events so far come to.
    pub view: BTreeMap<Key, Stamp>,
    /// The stamp held for each key when last looked at.
    pub held: BTreeMap<Key, Stamp>,
    /// No reading of its clock may be less than this, its own or one that it took in,
    pub newest: Timestamp,
    /// nor greater than this and its wall clock.
    pub newest_heard: Timestamp,
    pub counts: Counts,
    /// Told to its subscriber, in words: for scenarios.
    pub events: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Entries that the validator or a limit refused.
    pub refused: usize,
    /// Messages that were malformed.
    pub rejected: usize,
    /// Bytes of gossip and of syncs that it sent.
    pub sent_bytes: usize,
}

/// What a node does not take from others.
#[derive(Clone, Copy, Debug)]
pub struct Refuses {
    /// Longer values.
    pub max_value_bytes: usize,
    /// Values that start so.
    pub first_byte: Option<u8>,
}

impl Refuses {
    pub const NOTHING: Self = Self { max_value_bytes: usize::MAX, first_byte: None };

    pub fn value(&self, value: &[u8]) -> bool {
        value.len() > self.max_value_bytes || self.first_byte.is_some_and(|byte| value.first() == Some(&byte))
    }

    /// Whether it may refuse more than what is only ahead.
    pub fn any(&self) -> bool {
        self.max_value_bytes < usize::MAX || self.first_byte.is_some()
    }
}

impl Node {
    pub fn new(peer: PeerId, epoch: u64, rules: Rules, clock: WallClock, refuses: Refuses) -> Self {
        Self {
            replica: Replica::new(Origin::new(peer.clone(), epoch), rules),
            disk: None,
            peer,
            epoch,
            clock,
            refuses,
            up: true,
            seen: Writes::default(),
            covered: Writes::default(),
            view: BTreeMap::new(),
            held: BTreeMap::new(),
            newest: Timestamp::ZERO,
            newest_heard: Timestamp::ZERO,
            counts: Counts::default(),
            events: Vec::new(),
        }
    }

    /// The same process's next life, or another's: nothing is left of its memory.
    pub fn restart(&mut self, peer: PeerId, epoch: u64, rules: Rules) {
        *self = Self::new(peer, epoch, rules, self.clock.clone(), self.refuses);
    }

    pub fn life(&self) -> (PeerId, u64) {
        (self.peer.clone(), self.epoch)
    }

    pub fn name(&self) -> String {
        trace::author(self.replica.origin())
    }

    /// The positions of the entries that may not be merged, as the real node finds them.
    pub fn refused(&mut self, entries: &[Incoming<'_>]) -> Vec<usize> {
        let is_refused = |at: &usize| entries[*at].value.is_some_and(|value| self.refuses.value(value));
        let refused: Vec<usize> = (0..entries.len()).filter(is_refused).collect();
        self.counts.refused += refused.len();
        refused
    }

    /// Takes in what its subscriber is told. Errors: the event does not fit the view that the events before it came to.
    pub fn told(&mut self, change: &Change) -> Result<(), String> {
        let key = change.slot.key();
        let old = change.old.as_ref().map(|record| record.stamp());
        if old != self.view.get(key) {
            let (said, was) = (old.map(trace::stamp), self.view.get(key).map(trace::stamp));
            return Err(format!("{} told of {}: from {said:?}, but it showed {was:?}", self.name(), trace::bytes(key)));
        }
        if change.shows {
            self.view.insert(key.to_vec(), change.new.stamp().clone());
        } else {
            self.view.remove(key);
        }
        self.events.extend(event(change));
        Ok(())
    }
}

/// `k put(new)`, or `remove`, `expire` or `prune` with the value that there was; as the real node's events are.
fn event(change: &Change) -> Option<String> {
    let (kind, record) = match (&change.old, change.shows) {
        (Some(old), true) if old.bytes() == change.new.bytes() => return None,
        (_, true) => ("put", &change.new),
        (None, false) => return None,
        (Some(old), false) if change.new.is_live() => ("prune", old),
        (Some(old), false) if change.new.expires_at_ms().is_some() => ("expire", old),
        (Some(old), false) => ("remove", old),
    };
    Some(format!("{} {kind}({})", trace::bytes(change.slot.key()), trace::bytes(record.bytes())))
}
