//! Crashes: a node with a disk ends between any two operations of it, or in the middle of one, and comes back from what is left.
//!
//! A node that syncs has on its disk what it acknowledged, and what it told; one that does not may lose both, but what it comes back
//! with is a state that it was in, as a whole. The claims about replicas hold of it as if it had only been away.

use super::disk::{Durability, End, Image, NodeDisk, Save};
use super::plan::DAY_MS;
use super::world::{Kept, World, violated};
use crate::error::{Error, ErrorKind};
use crate::replica::{Mutation, Origin, mutated};

impl World {
    pub fn give_any_disk(&mut self, at: usize) {
        // Readers are there to start with nothing, again and again.
        let is_reader = self.plan.readers > 0 && at + self.plan.readers >= self.plan.nodes;
        let durability = match self.disk_dice.roll(3) {
            _ if is_reader => return,
            0 => return,
            1 => Durability::Async,
            _ => Durability::Sync,
        };
        self.give_disk(at, durability).unwrap_or_else(|violation| panic!("{violation}"));
    }

    /// A node that has done nothing yet keeps its map from now on.
    pub fn give_disk(&mut self, at: usize, durability: Durability) -> Kept {
        let seed = self.disk_dice.below(1 << 40);
        self.nodes[at].disk = Some(NodeDisk::new(durability, seed));
        self.nodes[at].up = false;
        self.come_back(at)
    }

    // ---- saving ----

    /// A write was made: it is acknowledged when it is as durable as its node is.
    pub fn acknowledge(&mut self, at: usize) {
        if !self.syncs(at) {
            return;
        }
        // Whoever sends does not wait for whoever writes.
        if self.plan.disks && self.disk_dice.chance(15) {
            self.gossip(at);
        }
        self.save(at, Save::Sync);
    }

    /// Whether what was read of a node's map may leave: if need be, it is saved first.
    pub fn may_leave(&mut self, at: usize) -> bool {
        if !self.syncs(at) {
            return true;
        }
        if mutated(Mutation::LeavesUnsaved) {
            self.promise(at);
            return true;
        }
        self.save(at, Save::Sync)
    }

    fn syncs(&self, at: usize) -> bool {
        self.nodes[at].disk.as_ref().is_some_and(|disk| disk.durability == Durability::Sync)
    }

    /// Saves what changed, as far as that. Whether the node lives.
    fn save(&mut self, at: usize, how: Save) -> bool {
        if !self.nodes[at].up {
            return false;
        }
        let piece_bytes = if self.plan.disks { self.disk_dice.pick(&[1, 100, usize::MAX, usize::MAX]) } else { usize::MAX };
        let saved = self.nodes[at].save(how, piece_bytes);
        if !self.lives(at, saved) {
            return false;
        }
        if matches!(how, Save::Sync) {
            self.promise(at);
        }
        true
    }

    /// Saves everything, in a world without other troubles.
    pub fn save_now(&mut self, at: usize) -> Kept {
        if self.nodes[at].disk.is_none() || !self.save(at, Save::Sync) {
            return violated("what is to be saved has a disk", self.nodes[at].name());
        }
        Ok(())
    }

    fn promise(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        if let Some(disk) = &mut node.disk {
            disk.promised.extend(&node.seen);
        }
    }

    /// Whether a node got through something, or the power failed.
    fn lives(&mut self, at: usize, outcome: crate::Result<()>) -> bool {
        let Err(error) = outcome else { return true };
        assert!(self.is_planned(at, &error), "a disk that works: {error}");
        let how = if self.disk_dice.chance(80) { End::PowerLost } else { End::Killed };
        self.crash(at, how);
        false
    }

    fn is_planned(&self, at: usize, error: &Error) -> bool {
        error.kind() == ErrorKind::Storage && self.nodes[at].disk.as_ref().is_some_and(|disk| disk.doomed)
    }

    // ---- chance ----

    /// Something happens to a disk.
    pub fn disks_step(&mut self) -> Kept {
        let at = self.disk_dice.roll(self.nodes.len());
        if self.nodes[at].disk.is_none() {
            return Ok(());
        }
        if !self.nodes[at].up {
            return if self.disk_dice.chance(15) { self.come_back_somehow(at) } else { Ok(()) };
        }
        match self.disk_dice.weighted(&[30, 40, 4, 4, 2]) {
            0 => {
                if self.disk_dice.chance(10) {
                    self.doom(at, 5);
                }
                let how = self.disk_dice.pick(&[Save::Gather, Save::Write, Save::Sync]);
                self.save(at, how);
            }
            1 => {
                for _ in 0..self.disk_dice.between(1, 4) {
                    let mut dice = self.disk_dice.clone();
                    let compacted = self.nodes[at].compact(&mut dice);
                    self.disk_dice = dice;
                    self.tally.compactions += usize::from(matches!(compacted, Ok(true)));
                    if !self.lives(at, compacted.map(drop)) {
                        break;
                    }
                }
            }
            2 => {
                let how = self.disk_dice.pick(&[End::Killed, End::PowerLost]);
                self.crash(at, how);
                // Before anyone who was pulling has noticed.
                if self.disk_dice.chance(75) {
                    return self.come_back(at);
                }
            }
            3 => self.doom(at, 25),
            _ => {
                if self.disk_dice.chance(50) {
                    self.leave(at);
                }
                let closed = self.nodes[at].close();
                if self.lives(at, closed) {
                    self.down(at);
                    self.say(|| "its map is closed".into());
                }
            }
        }
        Ok(())
    }

    /// The power fails within so many operations of a disk.
    fn doom(&mut self, at: usize, within: u64) {
        let after = self.disk_dice.below(within);
        self.nodes[at].disk.iter_mut().for_each(|disk| disk.doom(after));
    }

    /// After a while or after long, with a clock that is right or not; and the power may fail once more.
    fn come_back_somehow(&mut self, at: usize) -> Kept {
        if self.disk_dice.chance(10) && self.plan.heal_every_ms == 0 {
            self.pass(self.plan.horizon_ms.min(29 * DAY_MS) + 1)?;
            for at in (0..self.nodes.len()).filter(|&at| self.nodes[at].up).collect::<Vec<_>>() {
                self.sweep(at)?;
            }
            self.check()?;
        }
        if self.disk_dice.chance(25) {
            let most = if self.plan.heal_every_ms > 0 { self.plan.retention_ms / 16 } else { 3_600_000 };
            let by_ms = self.disk_dice.pick(&[1, 10 * self.plan.tick_ms, most]).min(most);
            self.nodes[at].clock.jump(-(by_ms as i64));
        }
        if self.disk_dice.chance(20) {
            self.doom(at, 40);
        }
        self.come_back(at)
    }

    pub fn all_come_back(&mut self) -> Kept {
        for at in (0..self.nodes.len()).filter(|&at| self.nodes[at].disk.is_some()).collect::<Vec<_>>() {
            self.nodes[at].disk.iter_mut().for_each(NodeDisk::spare);
            // One whose power has failed already finds out now.
            if self.nodes[at].up {
                self.save(at, Save::Sync);
            }
            if !self.nodes[at].up {
                self.come_back(at)?;
            }
        }
        Ok(())
    }

    /// A cluster that loses power, and comes back.
    pub fn crash_all_at_once(&mut self) -> Kept {
        if self.plan.disks && self.disk_dice.chance(50) {
            for at in (0..self.nodes.len()).filter(|&at| self.nodes[at].disk.is_some()).collect::<Vec<_>>() {
                if self.nodes[at].up {
                    self.crash(at, End::PowerLost);
                }
            }
        }
        self.all_come_back()?;
        self.check()
    }

    // ---- ends and beginnings ----

    pub fn crash(&mut self, at: usize, how: End) {
        let seed = self.disk_dice.below(1 << 40);
        self.nodes[at].disk.iter_mut().for_each(|disk| disk.end(how, seed));
        self.tally.crashes += 1;
        let name = self.nodes[at].name();
        self.say(|| format!("{name} crashes: {how:?}"));
        self.down(at);
    }

    /// Who asked is gone; who was asked may be back before the next question.
    fn down(&mut self, at: usize) {
        self.nodes[at].up = false;
        self.sessions.retain(|session| session.to != at);
    }

    /// A node is opened again, with what is left on its disk. It stays down when the power fails meanwhile.
    pub fn come_back(&mut self, at: usize) -> Kept {
        let (now_ms, rules) = (self.read_clock(at), self.plan.rules());
        let before = self.nodes[at].name();
        let origin = Origin::new(self.nodes[at].peer.clone(), now_ms);
        let Some(disk) = &mut self.nodes[at].disk else { return Ok(()) };
        let found = match disk.open(origin, rules, now_ms) {
            Ok(found) => found,
            Err(error) if self.is_planned(at, &error) => {
                self.crash(at, End::PowerLost);
                return Ok(());
            }
            Err(error) => return violated("a crash is no reason to refuse an opening", format!("{before}: {error}")),
        };
        let Some(image) = disk.image(found.last) else {
            return violated("what lasts is found", format!("{before}: commit {} is older", found.last));
        };
        if !disk.promised.is_in(&image.seen) {
            return violated("what was acknowledged or told is on disk", format!("{before}, at commit {}", found.last));
        }
        if found.replica.origin().epoch() <= disk.last_epoch {
            return violated("each opening is later than those before", format!("{before}, {:?}", found.replica.origin()));
        }
        if let Some(what) = found.replica.lasting().differs_from(&image.lasting.clone().at(now_ms)) {
            return violated("what is found is what was saved", format!("{before}: {what}"));
        }
        self.tally.parts += usize::from(found.is_cut);
        self.live_on(at, found.replica, image);
        let after = self.nodes[at].name();
        self.say(|| format!("{before} comes back as {after}, at commit {}", found.last));
        // An opening is on disk before anybody hears of it: the next one must be later.
        if self.save(at, Save::Sync) {
            let epoch = self.nodes[at].epoch;
            self.nodes[at].disk.iter_mut().for_each(|disk| disk.last_epoch = epoch);
        }
        Ok(())
    }

    /// The node goes on as it was then. Its subscribers are new, and see what there is.
    fn live_on(&mut self, at: usize, replica: crate::replica::Replica, image: Image) {
        let node = &mut self.nodes[at];
        let is_async = node.disk.as_ref().is_some_and(|disk| disk.durability == Durability::Async);
        // What it told, and lost, others may depend on.
        self.killed |= is_async && node.seen != image.seen;
        self.tally.losses += usize::from(node.seen != image.seen);
        node.epoch = replica.origin().epoch();
        (node.replica, node.up) = (replica, true);
        (node.seen, node.covered) = (image.seen, image.covered);
        (node.newest, node.newest_heard) = (image.newest, image.newest_heard);
        (node.view, node.held) = Default::default();
        let everything = (std::ops::Bound::Unbounded, std::ops::Bound::Unbounded);
        node.replica.index().clone().visit(everything, false, |slot, record| {
            node.held.insert(slot.key().to_vec(), record.stamp().clone());
            if record.is_live() && !record.is_hidden() {
                node.view.insert(slot.key().to_vec(), record.stamp().clone());
            }
            true
        });
        let life = node.life();
        self.sessions.iter_mut().filter(|session| session.from == at).for_each(|session| session.lives[1] = life.clone());
        self.origins += 1;
        self.touched.push(at);
    }
}
