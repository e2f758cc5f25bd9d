//! Gossip as the real node sends it and takes it in.

use super::network::Packet;
use super::trace;
use super::world::{Kept, World, violated};
use crate::replica::{Delta, Incoming, Merged};
use crate::wire::gossip::{self, Gossip};

impl World {
    /// The next delta leaves, to everyone who can be reached.
    pub fn gossip(&mut self, at: usize) -> bool {
        let Some(delta) = self.nodes[at].replica.cut_delta(self.plan.delta_bytes) else { return false };
        let bytes = gossip::encode_delta(&delta);
        // What a node that syncs has cut waits until it is saved; when that fails it is lost.
        if !self.may_leave(at) {
            return false;
        }
        let name = self.nodes[at].name();
        self.say(|| {
            let (prev, last) = (trace::reading(delta.prev), trace::reading(delta.last));
            format!("{name} tells ({prev}, {last}], {} entries", delta.entries.len())
        });
        self.broadcast(at, &bytes);
        true
    }

    /// The sign of life that is due, if one is.
    pub fn pulse(&mut self, at: usize) {
        let now_ms = self.read_clock(at);
        if let Some(pulse) = self.nodes[at].replica.pulse(now_ms) {
            self.broadcast(at, &gossip::encode_pulse(&pulse));
        }
    }

    /// A process that says goodbye.
    pub fn leave(&mut self, at: usize) {
        let now_ms = self.read_clock(at);
        let name = self.nodes[at].name();
        self.say(|| format!("{name} leaves"));
        if let Some(pulse) = self.nodes[at].replica.farewell(now_ms) {
            self.broadcast(at, &gossip::encode_pulse(&pulse));
        }
        self.nodes[at].up = false;
    }

    fn broadcast(&mut self, from: usize, bytes: &[u8]) {
        for to in (0..self.nodes.len()).filter(|&to| to != from) {
            if !self.nodes[to].up || !self.links.open(from, to) {
                continue;
            }
            self.nodes[from].counts.sent_bytes += bytes.len();
            let copies = match () {
                () if self.is_reader(to) && self.dice.chance(90) => 0,
                () if self.dice.chance(self.plan.loss) => 0,
                () if self.dice.chance(self.plan.repeated) => 2,
                () => 1,
            };
            for _ in 0..copies {
                let arrives_ms = self.now_ms + self.dice.between(0, self.plan.delay_ms);
                let bytes = bytes.to_vec();
                self.packets.push(Packet { from, to, sent_ms: self.now_ms, arrives_ms, bytes });
            }
        }
    }

    /// A gossip message arrives, and what it shows to be missing is asked for.
    pub fn deliver(&mut self, packet: &Packet) -> Kept {
        let &Packet { from, to, .. } = packet;
        if !self.nodes[to].up {
            return Ok(());
        }
        if self.take(to, &packet.bytes)? == Some(Merged::Gap) && self.nodes[from].up && self.links.open_both(from, to) {
            self.pull(to, from, false);
        }
        Ok(())
    }

    /// Takes in a gossip message as the real node does.
    pub fn take(&mut self, to: usize, bytes: &[u8]) -> Kept<Option<Merged>> {
        match gossip::decode(bytes) {
            Ok(Gossip::Delta(delta)) => self.take_delta(to, &delta).map(Some),
            Ok(Gossip::Pulse(pulse)) => {
                let now_ms = self.read_clock(to);
                let mut changes = Vec::new();
                self.nodes[to].replica.heard(&pulse, now_ms, &mut changes);
                self.took(to, &changes)?;
                Ok(None)
            }
            Err(_) => {
                self.nodes[to].counts.rejected += 1;
                Ok(None)
            }
        }
    }

    fn take_delta(&mut self, to: usize, delta: &Delta<'_>) -> Kept<Merged> {
        let now_ms = self.read_clock(to);
        let refused = self.nodes[to].refused(&delta.entries);
        let news = self.news(to, &delta.entries);
        let mut changes = Vec::new();
        let merged = self.nodes[to].replica.merge_delta(delta, &refused, now_ms, &mut changes);
        self.tally.deltas += 1;
        let name = self.nodes[to].name();
        self.say(|| {
            let (author, prev, last) = (trace::author(&delta.origin), trace::reading(delta.prev), trace::reading(delta.last));
            format!("{name} hears {author} ({prev}, {last}], {} entries, {merged:?}", delta.entries.len())
        });
        if merged != Merged::Refused {
            self.learn(to, &delta.entries, &news, now_ms)?;
        }
        self.took(to, &changes)?;
        Ok(merged)
    }

    /// The entries that a replica will take in: not what it knows to be removed.
    pub fn news(&self, to: usize, entries: &[Incoming<'_>]) -> Vec<bool> {
        let replica = &self.nodes[to].replica;
        entries.iter().map(|e| replica.index().record(e.key).is_some() || !replica.context().covers(&e.stamp)).collect()
    }

    /// A replica has taken entries in, but for what it refuses: it depends on all that their authors had seen.
    pub fn learn(&mut self, to: usize, entries: &[Incoming<'_>], news: &[bool], now_ms: u64) -> Kept {
        for (entry, is_new) in entries.iter().zip(news) {
            let ahead = entry.stamp.time_ms() > now_ms.saturating_add(self.plan.max_drift_ms);
            let node = &mut self.nodes[to];
            let held = node.replica.index().record(entry.key);
            if entry.value.is_some_and(|value| node.refuses.value(value)) {
                self.tally.refused += 1;
                self.refused.insert(entry.stamp.clone());
                continue;
            }
            if ahead {
                self.tally.set_aside += 1;
                let known = node.held.get(entry.key) == Some(&entry.stamp);
                if !known && held.is_some_and(|record| *record.stamp() == entry.stamp) {
                    return violated("G12: what is far ahead is set aside", trace::stamp(&entry.stamp));
                }
                continue;
            }
            let Some(number) = self.oracle.find(&entry.stamp) else {
                return violated("what is told is what was written", trace::stamp(&entry.stamp));
            };
            node.newest_heard = node.newest_heard.max(entry.stamp.timestamp);
            if *is_new && held.is_some_and(|record| *record.stamp() >= entry.stamp) {
                node.newest = node.newest.max(entry.stamp.timestamp);
                node.seen.extend(&self.oracle.write(number).past);
            }
        }
        Ok(())
    }

    /// Everything that is under way arrives, where it can get.
    pub fn arrive_all(&mut self) -> Kept {
        for packet in std::mem::take(&mut self.packets) {
            if self.nodes[packet.to].up && self.links.open(packet.from, packet.to) {
                self.take(packet.to, &packet.bytes)?;
            }
        }
        Ok(())
    }
}
