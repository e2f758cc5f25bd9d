//! The nodes, what they can be made to do, and what is written down of it. Whoever drives it (chance, or a scenario) decides what
//! happens next; every replica that something happened to is then held against every claim.

use std::collections::HashSet;
use std::fmt;
use std::ops::AddAssign;

use super::claims;
use super::clock::WallClock;
use super::network::{Links, Packet, Session};
use super::node::{Node, Refuses};
use super::oracle::{Key, Oracle, Written};
use super::plan::Plan;
use super::trace::{self, START_MS, Trace};
use crate::dice::Dice;
use crate::peer::PeerId;
use crate::replica::{Change, Puller, Stamp, Write};

/// A claim that does not hold.
#[derive(Debug)]
pub struct Violation {
    pub claim: &'static str,
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.claim, self.what)
    }
}

pub type Kept<T = ()> = Result<T, Violation>;

pub fn violated<T>(claim: &'static str, what: impl Into<String>) -> Kept<T> {
    Err(Violation { claim, what: what.into() })
}

/// A write as a caller asks for it: key, value or removal, time to live (0: for ever).
pub type Wish = (Key, Option<Vec<u8>>, u64);

pub struct World {
    pub plan: Plan,
    pub dice: Dice,
    /// Chance for everything about disks: worlds without any are as they would be.
    pub disk_dice: Dice,
    /// The true time.
    pub now_ms: u64,
    pub nodes: Vec<Node>,
    pub links: Links,
    pub packets: Vec<Packet>,
    pub sessions: Vec<Session<Puller>>,
    pub oracle: Oracle,
    pub trace: Trace,
    /// Replicas that something happened to since the claims were last checked.
    pub touched: Vec<usize>,
    /// The greatest reading that any clock ever gave.
    pub newest_ms: u64,
    /// What somebody refused.
    pub refused: HashSet<Stamp>,
    /// When all last met.
    pub healed_ms: u64,
    /// Openings of the map so far.
    pub origins: usize,
    /// A memory node was killed, and took what it had not told along.
    pub killed: bool,
    pub tally: Tally,
}

/// How often what matters happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub writes: usize,
    pub deltas: usize,
    pub pulls: usize,
    pub full_pulls: usize,
    pub self_checks: usize,
    pub refused: usize,
    pub set_aside: usize,
    pub forgotten: u64,
    pub pruned: usize,
    pub dropped: usize,
    pub crashes: usize,
    pub compactions: usize,
    /// Times that a part of a last commit was found, and cut.
    pub parts: usize,
    /// Times that a life had known more than the next.
    pub losses: usize,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.writes += other.writes;
        self.deltas += other.deltas;
        self.pulls += other.pulls;
        self.full_pulls += other.full_pulls;
        self.self_checks += other.self_checks;
        self.refused += other.refused;
        self.set_aside += other.set_aside;
        self.forgotten += other.forgotten;
        self.pruned += other.pruned;
        self.dropped += other.dropped;
        self.crashes += other.crashes;
        self.compactions += other.compactions;
        self.parts += other.parts;
        self.losses += other.losses;
    }
}

impl World {
    pub fn new(plan: Plan, dice: Dice, trace: Trace) -> Self {
        Self {
            plan,
            disk_dice: dice.clone(),
            dice,
            now_ms: START_MS,
            nodes: Vec::new(),
            links: Links::default(),
            packets: Vec::new(),
            sessions: Vec::new(),
            oracle: Oracle::default(),
            trace,
            touched: Vec::new(),
            newest_ms: START_MS,
            refused: HashSet::new(),
            healed_ms: START_MS,
            origins: 0,
            killed: false,
            tally: Tally::default(),
        }
    }

    pub fn say(&mut self, line: impl FnOnce() -> String) {
        self.trace.say(self.now_ms, line);
    }

    /// What that node's wall clock says.
    pub fn read_clock(&mut self, at: usize) -> u64 {
        let reading = self.nodes[at].clock.read(self.now_ms);
        self.newest_ms = self.newest_ms.max(reading);
        reading
    }

    // ---- nodes ----

    pub fn add_node(&mut self, peer: PeerId, clock: WallClock, refuses: Refuses) -> usize {
        let at = self.nodes.len();
        self.origins += 1;
        self.nodes.push(Node::new(peer, 1, self.plan.rules(), clock, refuses));
        let name = self.nodes[at].name();
        self.say(|| format!("{name} joins"));
        self.touched.push(at);
        at
    }

    /// Ends a process and starts another in its place: with its identity, or with one of its own.
    pub fn restart(&mut self, at: usize, peer: PeerId) {
        self.killed = true;
        self.origins += 1;
        let node = &mut self.nodes[at];
        let before = node.name();
        let epoch = node.epoch + 1;
        node.restart(peer, epoch, self.plan.rules());
        let after = node.name();
        self.sessions.retain(|session| session.to != at && session.from != at);
        self.say(|| format!("{before} is killed; {after} starts"));
        self.touched.push(at);
    }

    // ---- writes ----

    pub fn put(&mut self, at: usize, key: &[u8], value: &[u8], ttl_ms: u64) -> Kept<Option<usize>> {
        let now_ms = self.read_clock(at);
        let expires_at_ms = if ttl_ms > 0 { now_ms + ttl_ms } else { 0 };
        let change = self.nodes[at].replica.put(key, value, expires_at_ms, now_ms);
        let batch = self.oracle.batch();
        let number = self.wrote(at, &change, (Some(value), expires_at_ms), batch, now_ms)?;
        self.took(at, &[change])?;
        self.acknowledge(at);
        Ok(Some(number))
    }

    pub fn remove(&mut self, at: usize, key: &[u8]) -> Kept<Option<usize>> {
        let now_ms = self.read_clock(at);
        let Some(change) = self.nodes[at].replica.remove(key, now_ms) else { return Ok(None) };
        let batch = self.oracle.batch();
        let number = self.wrote(at, &change, (None, 0), batch, now_ms)?;
        self.took(at, &[change])?;
        self.acknowledge(at);
        Ok(Some(number))
    }

    pub fn apply(&mut self, at: usize, wishes: &[Wish]) -> Kept {
        let now_ms = self.read_clock(at);
        let writes: Vec<Write<'_>> = wishes
            .iter()
            .map(|(key, value, ttl_ms)| Write {
                key,
                value: value.as_deref(),
                expires_at_ms: if *ttl_ms > 0 { now_ms + ttl_ms } else { 0 },
            })
            .collect();
        let changes = self.nodes[at].replica.apply(writes.iter().copied(), now_ms);
        let batch = self.oracle.batch();
        let mut asked = writes.iter();
        for change in &changes {
            // A removal of what is not there is no write.
            let Some(write) = asked.by_ref().find(|write| write.key == change.slot.key() && write.value == change.new.value())
            else {
                return violated("a batch is applied as it was asked for", trace::bytes(change.slot.key()));
            };
            self.wrote(at, change, (write.value, write.expires_at_ms), batch, now_ms)?;
        }
        self.took(at, &changes)?;
        self.acknowledge(at);
        Ok(())
    }

    /// Remembers a write. The stamp is a new one, above all that was seen there and no further than the clocks go.
    fn wrote(
        &mut self,
        at: usize,
        change: &Change,
        (value, expires_at_ms): (Option<&[u8]>, u64),
        batch: usize,
        now_ms: u64,
    ) -> Kept<usize> {
        let stamp = change.new.stamp().clone();
        let node = &mut self.nodes[at];
        let (name, told) = (node.name(), trace::stamp(&stamp));
        if stamp.origin != *node.replica.origin() {
            return violated("one stamp is minted per write", format!("{name} stamped as {told}"));
        }
        let limit = node.newest_heard.ms().max(now_ms).max(node.newest.ms()) + 1;
        if stamp.timestamp <= node.newest || stamp.time_ms() > limit {
            let newest = trace::reading(node.newest);
            return violated("a clock goes on from what it has seen", format!("{name} stamped {told} after {newest}"));
        }
        node.newest = stamp.timestamp;
        let written = Written {
            key: change.slot.key().to_vec(),
            value: value.map(<[u8]>::to_vec),
            expires_at_ms,
            stamp: stamp.clone(),
            batch,
            past: node.seen.clone(),
        };
        let Some(number) = self.oracle.add(written) else {
            return violated("a stamp is never minted twice", format!("{name} stamped {told} again"));
        };
        self.nodes[at].seen.insert(number);
        self.tally.writes += 1;
        if !self.nodes[at].replica.context().covers(&stamp) {
            return violated("a replica has seen its own writes", format!("{name} does not cover {told}"));
        }
        self.say(|| {
            let value = value.map_or("removed".into(), trace::bytes);
            let ttl = if expires_at_ms > 0 { format!(" until {}", trace::time(expires_at_ms)) } else { String::new() };
            format!("{name} writes {} = {value}{ttl}, {}", trace::bytes(change.slot.key()), trace::reading(stamp.timestamp))
        });
        Ok(number)
    }

    /// What changed at a node: its subscriber is told.
    pub fn took(&mut self, at: usize, changes: &[Change]) -> Kept {
        self.touched.push(at);
        for change in changes {
            let stamp = change.new.stamp();
            if stamp.origin == *self.nodes[at].replica.origin() && self.oracle.find(stamp).is_none() {
                // Authors on presence maps write anew what is theirs.
                let (now_ms, batch) = (self.read_clock(at), self.oracle.batch());
                let content = (change.new.value(), change.new.expires_at_ms().unwrap_or(0));
                self.wrote(at, change, content, batch, now_ms)?;
            }
            if let Err(what) = self.nodes[at].told(change) {
                return violated("events come to what the view shows", what);
            }
        }
        Ok(())
    }

    /// Time is told to a node: what is due there ends, is hidden or is forgotten.
    pub fn sweep(&mut self, at: usize) -> Kept {
        let now_ms = self.read_clock(at);
        let mut changes = Vec::new();
        let replica = &mut self.nodes[at].replica;
        let (forgotten, origins) = (replica.forgotten_count(), replica.context().len());
        while replica.sweep(now_ms, &mut changes) {}
        self.tally.forgotten += replica.forgotten_count() - forgotten;
        self.tally.pruned += origins - replica.context().len();
        self.took(at, &changes)?;
        let node = &self.nodes[at];
        for key in node.view.keys() {
            let expired = |at_ms: u64| at_ms <= now_ms;
            if node.replica.index().record(key).is_some_and(|record| record.expires_at_ms().is_some_and(expired)) {
                return violated("what has expired leaves the view", format!("{} shows {}", node.name(), trace::bytes(key)));
            }
        }
        Ok(())
    }

    // ---- claims ----

    /// Holds every replica that something happened to against every claim.
    pub fn check(&mut self) -> Kept {
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable();
        touched.dedup();
        touched.into_iter().try_for_each(|at| claims::check(self, at))
    }
}
