//! The end of a run: everything works again, all meet, and what they come to is what really happened. Then time goes by, and what is
//! no longer needed goes.

use super::claims::beaten_by_refused;
use super::oracle::{Writes, Written};
use super::trace;
use super::world::{Kept, World, violated};
use crate::replica::Stamp;

/// Rounds in which everyone pulls from everyone. News needs one to come together and one to spread, and what is dropped at a
/// self-check as many again.
const ROUNDS: usize = 8;

impl World {
    /// All meet for once, whatever the network is like.
    pub fn meet(&mut self) -> Kept {
        self.say(|| "all meet".into());
        let links = std::mem::take(&mut self.links);
        self.sessions.clear();
        self.rounds()?;
        self.links = links;
        self.healed_ms = self.now_ms;
        Ok(())
    }

    /// Nothing goes wrong any more, and all that was written is compared with all that there is.
    pub fn rest(&mut self) -> Kept {
        self.say(|| "at rest".into());
        self.crash_all_at_once()?;
        (self.plan.readers, self.plan.loss, self.plan.repeated, self.plan.delay_ms) = (0, 0, 0, 0);
        self.links.heal();
        self.sessions.clear();
        let stamped_ms = self.oracle.writes().iter().map(|written| written.stamp.time_ms()).max().unwrap_or(0);
        self.now_ms = self.now_ms.max(self.newest_ms).max(stamped_ms) + 1;
        let now_ms = self.now_ms;
        self.say(|| format!("every clock is right: it is {}", trace::time(now_ms)));
        self.nodes.iter_mut().for_each(|node| node.clock.set_right());
        for at in (0..self.nodes.len()).filter(|&at| self.nodes[at].up).collect::<Vec<_>>() {
            while self.gossip(at) {}
        }
        if self.plan.presence && self.plan.horizon_ms < self.plan.retention_ms {
            // Who was away renews what is its own.
            self.now_ms += self.plan.horizon_ms / 2 + 1;
        }
        self.notice_who_is_gone()?;
        self.rounds()?;
        // What was under way all the time arrives now, and changes nothing.
        for packet in std::mem::take(&mut self.packets) {
            self.deliver(&packet)?;
            self.check()?;
        }
        // A delta is a sign of life of who sent it, however late it comes.
        self.notice_who_is_gone()?;
        self.sessions.clear();
        self.rounds()?;
        self.sweep_all()?;
        self.all_are_equal()?;
        self.all_is_there()?;
        self.age()
    }

    fn notice_who_is_gone(&mut self) -> Kept {
        if self.plan.presence { self.pass(3 * self.plan.peer_timeout_ms) } else { Ok(()) }
    }

    /// Everyone tells what waits, and pulls from whom it can reach.
    pub fn settle(&mut self) -> Kept {
        self.tell_all();
        self.arrive_all()?;
        self.sessions.clear();
        self.rounds()?;
        self.arrive_all()
    }

    /// Everyone pulls from everyone, until all are equal.
    fn rounds(&mut self) -> Kept {
        for _ in 0..ROUNDS {
            let mut differed = false;
            if self.plan.presence {
                self.pass(self.plan.peer_timeout_ms / 4)?;
            }
            self.sweep_all()?;
            self.tell_all();
            for to in 0..self.nodes.len() {
                for from in (0..self.nodes.len()).filter(|&from| from != to) {
                    if self.nodes[to].up && self.nodes[from].up {
                        differed |= self.sync_now(to, from)?;
                    }
                }
            }
            if !differed {
                break;
            }
        }
        Ok(())
    }

    /// Every outbox is emptied.
    fn tell_all(&mut self) {
        for at in (0..self.nodes.len()).filter(|&at| self.nodes[at].up).collect::<Vec<_>>() {
            while self.gossip(at) {}
        }
    }

    fn sweep_all(&mut self) -> Kept {
        for at in (0..self.nodes.len()).filter(|&at| self.nodes[at].up).collect::<Vec<_>>() {
            self.sweep(at)?;
        }
        self.check()
    }

    /// Nodes that take in everything.
    fn open_minded(&self) -> impl Iterator<Item = usize> {
        (0..self.nodes.len()).filter(|&at| self.nodes[at].up && !self.nodes[at].refuses.any())
    }

    /// G1: equal digests, equal views.
    fn all_are_equal(&self) -> Kept {
        let Some(first) = self.open_minded().next() else { return Ok(()) };
        for at in self.open_minded() {
            let (one, other) = (&self.nodes[first], &self.nodes[at]);
            if one.replica.digest() != other.replica.digest() {
                return violated("G1: in the end all digests are equal", format!("{} and {}", one.name(), other.name()));
            }
            for (key, _) in self.oracle.keys() {
                let shown = [one.view.get(key), other.view.get(key)];
                if shown[0] != shown[1] && !shown.into_iter().flatten().all(|stamp| self.is_passing(key, stamp)) {
                    let [a, b] = shown.map(|stamp| stamp.map(trace::stamp));
                    let what = format!("{} shows {} of {a:?}, {} of {b:?}", one.name(), trace::bytes(key), other.name());
                    return violated("G1: in the end all views are equal", what);
                }
            }
        }
        Ok(())
    }

    /// Whether an entry is one that was beaten by what has been forgotten since, and that is to expire. The self-check leaves what
    /// expires alone: who shows it does so until then.
    fn is_passing(&self, key: &[u8], stamp: &Stamp) -> bool {
        let number = self.oracle.find(stamp);
        let expires = self.plan.presence || number.is_some_and(|number| self.oracle.write(number).expires_at_ms > 0);
        expires && self.oracle.of(key).next_back().is_some_and(|(_, newest)| newest.stamp > *stamp)
    }

    /// G2, G3, G4: what is there is what an oracle that knows all surviving writes says.
    fn all_is_there(&self) -> Kept {
        let mut survived = Writes::default();
        self.nodes.iter().filter(|node| node.up).for_each(|node| survived.extend(&node.covered));
        for (key, _) in self.oracle.keys() {
            let mut newest = self.oracle.of(key).rev().filter(|(number, _)| survived.contains(*number));
            let Some((_, winner)) = newest.next() else { continue };
            for node in self.nodes.iter().filter(|node| node.up) {
                if winner.value.as_deref().is_some_and(|value| node.refuses.value(value)) {
                    continue;
                }
                let shown = node.view.get(key);
                // What beat it was refused by those that are left, and died with those that were not.
                if shown.is_none() && beaten_by_refused(self, node, &winner.stamp, key) {
                    continue;
                }
                let kept = match self.fate(winner) {
                    Fate::Stays => shown == Some(&winner.stamp),
                    // Nobody can have forgotten what beat the others.
                    Fate::Ended => shown.is_none(),
                    Fate::Gone => shown != Some(&winner.stamp),
                    Fate::Either => true,
                };
                if !kept {
                    let (shown, winner) = (shown.map(trace::stamp), trace::stamp(&winner.stamp));
                    let what = format!("{} shows {} of {shown:?}, not {winner}", node.name(), trace::bytes(key));
                    return violated("G4: nothing is lost, and the last write wins", what);
                }
            }
        }
        Ok(())
    }

    /// What becomes of a write that nothing beats.
    fn fate(&self, winner: &Written) -> Fate {
        let mut nodes = self.nodes.iter().filter(|node| node.up);
        let author = nodes.find(|node| node.peer == *winner.stamp.author());
        match winner.ended_at_ms() {
            Some(at) if at + self.plan.horizon_ms < self.now_ms => Fate::Gone,
            Some(at) if at <= self.now_ms => Fate::Ended,
            // What a presence map shows of authors that are gone is nothing, once they are known to be.
            _ if self.plan.presence => match author {
                Some(author) if *author.replica.origin() == winner.stamp.origin => Fate::Stays,
                // It may have been gone for long before it was opened anew.
                Some(_) => Fate::Either,
                None => Fate::Gone,
            },
            _ => Fate::Stays,
        }
    }

    /// G5: the horizon passes, and then what is kept of origins.
    fn age(&mut self) -> Kept {
        let refusing = self.nodes.iter().any(|node| node.refuses.any());
        let ended_ms = self.oracle.writes().iter().filter_map(Written::ended_at_ms).max().unwrap_or(0);
        self.now_ms = self.now_ms.max(ended_ms);
        // Who had refused a value hears that it is over, before anyone has been away for as long as origins are known.
        self.sweep_all()?;
        self.rounds()?;
        if self.plan.horizon_ms < self.plan.retention_ms {
            self.now_ms += self.plan.horizon_ms + 1;
            self.sweep_all()?;
            self.rounds()?;
            // Of an author that was killed, something may be missing for ever: that is, until its origin is forgotten.
            if !self.killed && !refusing {
                self.tombstones_are_gone()?;
                self.all_are_equal()?;
            }
        }
        self.now_ms += self.plan.retention_ms.max(self.plan.horizon_ms) + 1;
        self.sweep_all()?;
        self.rounds()?;
        self.sweep_all()?;
        self.tombstones_are_gone()?;
        for node in self.nodes.iter().filter(|node| node.up) {
            let mut entries = node.replica.index().live() + node.replica.index().hidden();
            if self.plan.presence {
                // What was renewed just now was still somebody's until then.
                entries += self.nodes.len();
                if refusing {
                    // Who refuses the newer value of a key held one of somebody else's.
                    entries += self.plan.keys;
                }
            }
            if node.replica.context().len() > entries {
                let what = format!("{} knows {} origins of {entries} entries", node.name(), node.replica.context().len());
                return violated("G5: origins without entries are let go", what);
            }
        }
        if !refusing {
            self.all_are_equal()?;
        }
        self.go_on()
    }

    fn tombstones_are_gone(&self) -> Kept {
        for node in self.nodes.iter().filter(|node| node.up) {
            let tombstones = node.replica.index().tombstones();
            if tombstones > 0 {
                return violated("G5: tombstones go at the horizon", format!("{} has {tombstones}", node.name()));
            }
        }
        Ok(())
    }

    /// After all that, a write is as good as the first.
    fn go_on(&mut self) -> Kept {
        self.plan.delta_bytes = usize::MAX;
        for at in (0..self.nodes.len()).filter(|&at| self.nodes[at].up).collect::<Vec<_>>() {
            self.nodes[at].replica.clear_outbox();
            let key = format!("after {at}");
            self.put(at, key.as_bytes(), b"1", 0)?;
            self.gossip(at);
            for packet in std::mem::take(&mut self.packets) {
                self.deliver(&packet)?;
            }
            self.check()?;
        }
        self.sessions.clear();
        self.rounds()?;
        if !self.nodes.iter().any(|node| node.refuses.any()) {
            self.all_are_equal()?;
        }
        self.all_is_there()
    }
}

enum Fate {
    /// It is what everyone shows.
    Stays,
    /// Nothing is shown.
    Ended,
    /// It is not shown, nor remembered; a write that its author had not seen may be.
    Gone,
    /// Everyone shows it, or nobody does.
    Either,
}
