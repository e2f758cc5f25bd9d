//! What can happen in a story, and how it comes about: on the nodes, wires and syncs of the simulation.

use std::collections::{HashMap, HashSet, VecDeque};

use super::super::clock::WallClock;
use super::super::disk::{Durability, End};
use super::super::network::{Packet, Session};
use super::super::node::Refuses;
use super::super::plan::Plan;
use super::super::trace::Trace;
use super::super::world::{Violation, World};
use super::script;
use crate::dice::Dice;
use crate::peer::PeerId;
use crate::replica::{Puller, Record, Slot};

/// What a step comes to. Errors: a claim of the simulation that does not hold, or a line that says nothing.
pub type Told<T = ()> = Result<T, String>;

/// Rounds of a sync among all: news needs one to come together and one to spread, and a self-check as many again.
const ROUNDS: usize = 8;

pub struct Story {
    pub world: World,
    names: Vec<String>,
    /// Messages as they left their author.
    sent: Vec<Packet>,
    /// Those that have been under way for long.
    late: Vec<Packet>,
    /// Pulls that have been interrupted.
    paused: Vec<Session<Puller>>,
    /// How those who join from now on keep their map.
    durability: Option<Durability>,
    pub mark: Mark,
}

/// How it was when the story said `mark`.
#[derive(Default)]
pub struct Mark {
    pub sent_bytes: usize,
    /// What each node held. The records are kept, so that no other can have their place in memory.
    pub held: Vec<HashMap<Slot, Record>>,
    /// How many events each node had told.
    pub events: Vec<usize>,
}

impl Story {
    pub fn new() -> Self {
        let world = World::new(Plan::calm(), Dice::new(0), Trace::new(true));
        let (sent, late, paused) = Default::default();
        Self { world, names: Vec::new(), sent, late, paused, durability: None, mark: Mark::default() }
    }

    // ---- nodes ----

    pub fn node(&self, name: &str) -> Told<usize> {
        self.names.iter().position(|known| known == name).ok_or_else(|| format!("there is no node `{name}`"))
    }

    pub fn name(&self, at: usize) -> &str {
        &self.names[at]
    }

    pub fn up(&self) -> Vec<usize> {
        (0..self.names.len()).filter(|&at| self.world.nodes[at].up).collect()
    }

    pub fn join(&mut self, name: &str) -> Told {
        if self.names.iter().any(|known| known == name) {
            return Err(format!("there is a node `{name}` already"));
        }
        let peer = PeerId::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
        let at = self.world.add_node(peer, WallClock::default(), Refuses::NOTHING);
        self.names.push(name.to_owned());
        if let Some(durability) = self.durability {
            kept(self.world.give_disk(at, durability))?;
        }
        kept(self.world.sweep(at))
    }

    /// A rule that all nodes share.
    pub fn rule(&mut self, name: &str, value: &str) -> Told {
        if name == "durability" {
            self.durability = script::durability(value)?;
            return Ok(());
        }
        let plan = &mut self.world.plan;
        match name {
            "presence" => plan.presence = value == "true",
            "tombstone_ttl_ms" => plan.horizon_ms = script::duration(value)?,
            "origin_retention_ms" => plan.retention_ms = script::duration(value)?,
            "peer_timeout_ms" => plan.peer_timeout_ms = script::duration(value)?,
            "max_clock_drift_ms" => plan.max_drift_ms = script::duration(value)?,
            "delta_bytes" => plan.delta_bytes = script::number(value)? as usize,
            "page_bytes" => plan.page_bytes = script::number(value)? as usize,
            _ => return Err(format!("`{name}` is not a rule")),
        }
        Ok(())
    }

    pub fn restart(&mut self, at: usize) -> Told {
        let peer = self.world.nodes[at].peer.clone();
        self.world.restart(at, peer);
        kept(self.world.sweep(at))
    }

    /// The power fails, or only the process ends.
    pub fn crash(&mut self, at: usize, how: End) -> Told {
        if self.world.nodes[at].disk.is_none() || !self.world.nodes[at].up {
            return Err("it has no disk, or is down".into());
        }
        self.world.crash(at, how);
        Ok(())
    }

    pub fn come_back(&mut self, at: usize) -> Told {
        if self.world.nodes[at].disk.is_none() || self.world.nodes[at].up {
            return Err("it has no disk, or is not down".into());
        }
        kept(self.world.come_back(at))?;
        kept(self.world.sweep(at))
    }

    pub fn leave(&mut self, at: usize) -> Told {
        self.world.leave(at);
        let goodbye = self.leaving();
        self.spread(goodbye)
    }

    // ---- messages ----

    /// All that waits at a node leaves as messages, to everyone who can be reached.
    pub fn told_by(&mut self, at: usize) -> Vec<Packet> {
        while self.world.gossip(at) {}
        self.leaving()
    }

    fn leaving(&mut self) -> Vec<Packet> {
        let packets = std::mem::take(&mut self.world.packets);
        self.sent.extend(packets.iter().cloned());
        packets
    }

    /// Messages arrive, and whoever receives one passes it on to its neighbours.
    pub fn spread(&mut self, packets: Vec<Packet>) -> Told {
        let mut seen: HashSet<(usize, Vec<u8>)> = packets.iter().map(|packet| (packet.from, packet.bytes.clone())).collect();
        let mut under_way = VecDeque::from(packets);
        while let Some(packet) = under_way.pop_front() {
            if !self.passes(&packet) || !seen.insert((packet.to, packet.bytes.clone())) {
                continue;
            }
            self.arrive(&packet)?;
            for to in self.up() {
                if to != packet.to && self.world.links.open(packet.to, to) && !seen.contains(&(to, packet.bytes.clone())) {
                    self.world.nodes[packet.to].counts.sent_bytes += packet.bytes.len();
                    under_way.push_back(Packet { from: packet.to, to, ..packet.clone() });
                }
            }
        }
        Ok(())
    }

    /// Messages arrive, and nobody passes them on.
    pub fn deliver(&mut self, packets: &[Packet]) -> Told {
        packets.iter().try_for_each(|packet| if self.passes(packet) { self.arrive(packet) } else { Ok(()) })
    }

    fn passes(&self, packet: &Packet) -> bool {
        self.world.links.open(packet.from, packet.to) && self.world.nodes[packet.to].up
    }

    fn arrive(&mut self, packet: &Packet) -> Told {
        kept(self.world.deliver(packet))?;
        self.settle()
    }

    pub fn hold_up(&mut self, packets: Vec<Packet>) {
        self.late.extend(packets);
    }

    /// What was held up arrives.
    pub fn late(&mut self) -> Told {
        let late = std::mem::take(&mut self.late);
        self.world.say(|| format!("{} late messages arrive", late.len()));
        self.spread(late)
    }

    /// Every message that was ever sent arrives once more, at everyone who can be reached from its author.
    pub fn replay(&mut self) -> Told {
        let sent = self.sent.clone();
        self.world.say(|| format!("{} messages arrive again", sent.len()));
        self.deliver(&sent)
    }

    // ---- syncs ----

    /// Every sync under way runs to its end.
    pub fn settle(&mut self) -> Told {
        kept(self.world.check())?;
        while let Some(last) = self.world.sessions.len().checked_sub(1) {
            kept(self.world.advance(last))?;
            kept(self.world.check())?;
        }
        Ok(())
    }

    /// Two compare, and pull from each other what differs. Whether anything did.
    pub fn sync(&mut self, to: usize, from: usize) -> Told<bool> {
        let together = self.world.links.open_both(to, from) && self.world.nodes[to].up && self.world.nodes[from].up;
        if together { kept(self.world.sync_now(to, from)) } else { Ok(false) }
    }

    /// Everyone syncs with everyone who can be reached, until nothing differs.
    pub fn sync_all(&mut self) -> Told {
        for _ in 0..ROUNDS {
            let mut differed = false;
            for to in self.up() {
                for from in self.up().into_iter().filter(|&from| from != to) {
                    differed |= self.sync(to, from)?;
                }
            }
            if !differed {
                break;
            }
        }
        Ok(())
    }

    /// A pull that has brought so many pages, and may go on later.
    pub fn pull_pages(&mut self, to: usize, from: usize, pages: u64) -> Told {
        self.world.pull(to, from, false);
        for _ in 0..2 * pages {
            if self.world.sessions.is_empty() {
                return Err("it was over before".into());
            }
            kept(self.world.advance(0))?;
            kept(self.world.check())?;
        }
        self.paused.append(&mut self.world.sessions);
        self.world.say(|| "the pull pauses".into());
        Ok(())
    }

    /// What it was pulling goes on, to its end.
    pub fn go_on(&mut self, to: usize) -> Told {
        let at = self.paused.iter().position(|session| session.to == to).ok_or("it has not been pulling")?;
        self.world.sessions.push(self.paused.remove(at));
        self.settle()
    }

    // ---- time ----

    /// Time goes by, and every node that runs is told it: in steps, where presence counts them.
    pub fn wait(&mut self, ms: u64) -> Told {
        let end = self.world.now_ms + ms;
        let beat = self.world.plan.peer_timeout_ms / 4;
        while self.world.now_ms < end {
            let next = if self.world.plan.presence { self.world.now_ms + beat } else { end };
            self.world.now_ms = next.min(end);
            self.tick()?;
        }
        Ok(())
    }

    /// What a node does when time is told to it.
    fn tick(&mut self) -> Told {
        for at in self.up() {
            self.world.pulse(at);
            kept(self.world.sweep(at))?;
            kept(self.world.check())?;
            let now_ms = self.world.read_clock(at);
            if self.world.nodes[at].replica.take_aside(now_ms) {
                for from in self.up().into_iter().filter(|&from| from != at) {
                    self.sync(at, from)?;
                }
            }
        }
        let pulses = self.leaving();
        self.spread(pulses)
    }

    // ---- marks ----

    pub fn set_mark(&mut self) {
        self.mark = Mark {
            sent_bytes: self.sent_bytes(),
            held: (0..self.names.len()).map(|at| self.held(at)).collect(),
            events: self.world.nodes.iter().map(|node| node.events.len()).collect(),
        };
    }

    pub fn sent_bytes(&self) -> usize {
        self.world.nodes.iter().map(|node| node.counts.sent_bytes).sum()
    }

    pub fn held(&self, at: usize) -> HashMap<Slot, Record> {
        let mut held = HashMap::new();
        let everything = (std::ops::Bound::Unbounded, std::ops::Bound::Unbounded);
        self.world.nodes[at].replica.index().visit(everything, false, |slot, record| {
            held.insert(slot.clone(), record);
            true
        });
        held
    }

    /// How it came to this: what happened, and how everyone is now.
    pub fn tell(&self) -> String {
        let portraits: Vec<String> = (0..self.names.len()).map(|at| self.world.portrait(at)).collect();
        format!("{}\n{}", self.world.trace.show(), portraits.join("\n"))
    }
}

pub fn kept<T>(result: Result<T, Violation>) -> Told<T> {
    result.map_err(|violation| format!("a claim does not hold: {violation}"))
}
