//! What happens next, by chance.

use super::clock::WallClock;
use super::node::Refuses;
use super::plan::Plan;
use super::trace::Trace;
use super::world::{Kept, Wish, World};
use crate::dice::Dice;
use crate::peer::PeerId;

/// What may happen in a step, and how often.
#[derive(Clone, Copy)]
enum Event {
    Write,
    Gossip,
    Arrive,
    StartSync,
    Advance,
    Sweep,
    Cut,
    Clock,
    Leap,
    Restart,
    Join,
    Deaf,
}

use Event::{Advance, Arrive, Clock, Cut, Deaf, Gossip, Join, Leap, Restart, StartSync, Sweep};

const EVENTS: [(Event, u32); 12] = [
    (Event::Write, 220),
    (Gossip, 170),
    (Arrive, 200),
    (StartSync, 70),
    (Advance, 250),
    (Sweep, 80),
    (Cut, 20),
    (Clock, 15),
    (Leap, 4),
    (Restart, 6),
    (Join, 4),
    (Deaf, 6),
];

impl World {
    /// A world as that seed has it.
    pub fn of_seed(seed: u64, trace: Trace) -> Self {
        let mut dice = Dice::new(seed);
        let plan = Plan::new(&mut dice);
        let mut world = Self::new(plan, dice, trace);
        world.disk_dice = Dice::new(seed ^ 0xD15C);
        world.plan.disks = world.disk_dice.chance(25);
        let plan = format!("{:?}", world.plan);
        world.say(|| plan);
        for _ in 0..world.plan.nodes {
            world.add_any_node();
        }
        world
    }

    /// One thing happens, and time goes on.
    pub fn step(&mut self) -> Kept {
        let tick = self.plan.tick_ms;
        let passed = self.dice.pick(&[0, 0, 1, tick / 4, tick, 4 * tick]);
        self.pass(passed)?;
        let weights = EVENTS.map(|(_, weight)| weight);
        let at = self.dice.roll(self.nodes.len());
        let event = EVENTS[self.dice.weighted(&weights)].0;
        match event {
            Event::Write | Gossip | Sweep | Restart | Deaf if !self.nodes[at].up => {}
            Event::Write => self.write_any(at)?,
            Gossip => {
                self.gossip(at);
            }
            Arrive => self.arrive_any()?,
            StartSync => self.start_any_sync(at),
            Advance => {
                for _ in 0..self.nodes.len().div_ceil(4).max(self.plan.pace) {
                    self.advance_any()?;
                }
            }
            Sweep => self.sweep(at)?,
            Cut if self.plan.partitions => {
                self.links.roll(self.nodes.len(), &mut self.dice);
                self.say(|| "the network changes".into());
            }
            Clock => self.disturb_clock(at),
            Leap if self.plan.leap_ms > 0 => self.leap()?,
            Restart if self.plan.restarts && self.nodes.len() > 2 => match self.plan.readers {
                0 => self.restart_any(at)?,
                _ if self.dice.chance(70) => {}
                readers => self.restart_any(self.nodes.len() - 1 - at % readers)?,
            },
            Join if self.plan.joiners && self.nodes.len() < 32 => {
                self.add_any_node();
            }
            Deaf => {
                self.nodes[at].replica.clear_outbox();
                self.say(|| format!("node {at} forgets what it had to tell"));
            }
            Cut | Leap | Restart | Join => {}
        }
        if self.plan.disks {
            self.disks_step()?;
        }
        if self.plan.heal_every_ms > 0 && self.now_ms - self.healed_ms > self.plan.heal_every_ms {
            // Nobody is away for as long as origins are known.
            self.all_come_back()?;
            self.meet()?;
            self.packets.retain(|packet| packet.sent_ms + self.plan.heal_every_ms >= self.now_ms);
        }
        self.check()
    }

    /// Time goes by; presence has its own pace.
    pub fn pass(&mut self, ms: u64) -> Kept {
        if !self.plan.presence {
            self.now_ms += ms;
            return Ok(());
        }
        let end = self.now_ms + ms;
        // What is longer than any silence that matters is a leap.
        let beat = self.plan.peer_timeout_ms / 4;
        for _ in 0..400 {
            let next = end.min((self.now_ms / beat + 1) * beat);
            let due = next.is_multiple_of(beat) && next > self.now_ms;
            self.now_ms = next;
            if due {
                for at in (0..self.nodes.len()).filter(|&at| self.nodes[at].up).collect::<Vec<_>>() {
                    self.pulse(at);
                    self.sweep(at)?;
                }
                self.check()?;
                self.arrive_due()?;
            }
            if self.now_ms == end {
                break;
            }
        }
        self.now_ms = end;
        Ok(())
    }

    fn add_any_node(&mut self) -> usize {
        let peer = self.any_peer();
        let drift = self.plan.drift_ppm;
        let spread = self.plan.tick_ms as i64 * 2;
        let offset = self.dice.between(0, 2 * spread as u64) as i64 - spread;
        let drift = self.dice.between(0, 2 * drift as u64) as i64 - drift;
        let mut refuses = Refuses::NOTHING;
        if self.plan.validators && self.dice.chance(40) {
            refuses.first_byte = self.dice.chance(70).then_some(b'0');
            refuses.max_value_bytes = self.dice.pick(&[6, usize::MAX]);
        }
        let clock = WallClock::new(offset, drift, self.now_ms);
        let at = self.add_node(peer, clock, refuses);
        if self.plan.disks {
            self.give_any_disk(at);
        }
        at
    }

    /// An identity of its own, above or below the others by chance.
    fn any_peer(&mut self) -> PeerId {
        let name = format!("{}{}", (b'a' + self.dice.roll(26) as u8) as char, self.origins);
        PeerId::from_bytes(name.as_bytes()).expect("a short name is a peer id")
    }

    fn any_wish(&mut self, at: usize) -> Wish {
        let key = vec![b'a' + self.dice.roll(self.plan.keys) as u8];
        if self.dice.chance(self.plan.removals) {
            return (key, None, 0);
        }
        let length = self.dice.pick(&[0, 1, 2, 5, 40]);
        let mut value = vec![b'0' + self.dice.roll(4) as u8; length];
        if self.nodes[at].refuses.value(&value) {
            value = b"1".to_vec();
        }
        let ttl_ms = if self.plan.ttl && self.dice.chance(50) { self.plan.tick_ms * self.dice.pick(&[1, 20, 100]) } else { 0 };
        (key, Some(value), ttl_ms)
    }

    /// Whether it writes nothing, and hears little but what it pulls.
    pub fn is_reader(&self, at: usize) -> bool {
        at + self.plan.readers >= self.nodes.len()
    }

    fn write_any(&mut self, at: usize) -> Kept {
        if self.is_reader(at) {
            return Ok(());
        }
        if self.plan.batches && self.dice.chance(30) {
            let wishes: Vec<Wish> = (0..self.dice.between(1, 5)).map(|_| self.any_wish(at)).collect();
            return self.apply(at, &wishes);
        }
        match self.any_wish(at) {
            (key, Some(value), ttl_ms) => self.put(at, &key, &value, ttl_ms).map(|_| ()),
            (key, None, _) => self.remove(at, &key).map(|_| ()),
        }
    }

    fn arrive_any(&mut self) -> Kept {
        for _ in 0..self.nodes.len().div_ceil(2) {
            if self.packets.is_empty() {
                return Ok(());
            }
            let at = self.dice.roll(self.packets.len());
            if self.packets[at].arrives_ms <= self.now_ms {
                let packet = self.packets.swap_remove(at);
                // What was under way when a link was cut may have passed it already.
                if self.links.open(packet.from, packet.to) || self.dice.chance(50) {
                    self.deliver(&packet)?;
                }
            }
        }
        Ok(())
    }

    /// Everything that should have arrived does.
    fn arrive_due(&mut self) -> Kept {
        let (due, later) = std::mem::take(&mut self.packets).into_iter().partition(|packet| packet.arrives_ms <= self.now_ms);
        self.packets = later;
        due.iter().filter(|packet| self.links.open(packet.from, packet.to)).cloned().collect::<Vec<_>>().iter().try_for_each(
            |packet| {
                self.deliver(packet)?;
                self.check()
            },
        )
    }

    fn start_any_sync(&mut self, to: usize) {
        let from = self.dice.roll(self.nodes.len());
        if from == to || !self.links.open_both(from, to) || self.sessions.len() >= self.plan.syncs {
            return;
        }
        match self.dice.roll(4) {
            0 => self.pull(to, from, false),
            _ => self.compare(to, from),
        }
    }

    fn advance_any(&mut self) -> Kept {
        if self.sessions.is_empty() {
            return Ok(());
        }
        let at = self.dice.roll(self.sessions.len());
        if self.dice.chance(self.plan.broken_syncs) {
            self.sessions.swap_remove(at);
            return Ok(());
        }
        self.advance(at)
    }

    fn disturb_clock(&mut self, at: usize) {
        let by_ms = self.dice.between(0, 2 * self.plan.jump_ms) as i64 - self.plan.jump_ms as i64;
        let (now_ms, freezes) = (self.now_ms, self.plan.freezes && self.dice.chance(30));
        let clock = &mut self.nodes[at].clock;
        match freezes {
            true => clock.freeze(now_ms),
            false => {
                clock.thaw();
                clock.jump(by_ms);
            }
        }
        let name = self.nodes[at].name();
        self.say(|| if freezes { format!("{name}'s clock stops") } else { format!("{name}'s clock jumps by {by_ms} ms") });
    }

    /// A long time in which only time goes by, for those that are awake.
    fn leap(&mut self) -> Kept {
        let asleep = self.dice.roll(self.nodes.len());
        let parts = self.dice.between(1, 4);
        self.say(|| "a long time goes by".into());
        for _ in 0..parts {
            self.pass(self.plan.leap_ms / parts)?;
            for at in (0..self.nodes.len()).filter(|&at| at != asleep && self.nodes[at].up).collect::<Vec<_>>() {
                self.sweep(at)?;
            }
            self.check()?;
        }
        Ok(())
    }

    fn restart_any(&mut self, at: usize) -> Kept {
        if !self.nodes[at].up || self.nodes[at].disk.is_some() {
            return Ok(());
        }
        let peer = if self.dice.chance(50) { self.nodes[at].peer.clone() } else { self.any_peer() };
        if self.dice.chance(30) {
            self.leave(at);
        }
        self.restart(at, peer);
        Ok(())
    }
}
