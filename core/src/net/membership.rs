//! Who belongs to the cluster, and whom to dial when. Pure: time comes in, [`Dial`]s come out.
//!
//! - Bootstrap addresses ("seeds") are tried for ever, until the peer behind them is connected.
//! - Members are learned from peers. As long as fewer than `target` peers are connected, members that are not are dialled.
//! - When two nodes learn of each other at once, the one with the smaller id dials first.
//! - A member that was lost is dialled again at once, then ever less often; after [`FORGET`] it is forgotten.
//! - At most [`MAX_KNOWN_MEMBERS`] are remembered, each with at most [`MAX_MEMBER_ADDRS`] addresses.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use libp2p::{Multiaddr, PeerId as Id};

use super::rng::Rng;
use crate::limits::{MAX_KNOWN_MEMBERS, MAX_MEMBER_ADDRS};

const FIRST_RETRY: Duration = Duration::from_millis(100);
/// Between two dials of a seed, or of a member lost lately.
const SOON: Duration = Duration::from_millis(1_000);
/// The same when enough peers are connected, or the member has been gone for [`LATELY`].
const SELDOM: Duration = Duration::from_secs(30);
const LATELY: Duration = Duration::from_secs(15 * 60);
/// The same when the member has been gone for [`LONG`].
const RARELY: Duration = Duration::from_secs(5 * 60);
const LONG: Duration = Duration::from_secs(6 * 3600);
/// Between two dials of a seed where somebody answered who does not belong here, or who has left.
const STRANGER: Duration = Duration::from_secs(5);
/// Members that have left are not believed to exist for so long.
const DEPARTED: Duration = Duration::from_secs(3600);
const FORGET: Duration = Duration::from_secs(7 * 24 * 3600);
/// The node with the greater id gives the other so long to dial.
const POLITENESS: Duration = Duration::from_millis(400);
/// Dials at once, to members.
const MAX_DIALS: usize = 16;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Dial {
    Seed(usize, Multiaddr),
    Member(Id, Vec<Multiaddr>),
}

pub(super) struct Membership {
    me: Id,
    target: usize,
    max: usize,
    seeds: Vec<Seed>,
    members: HashMap<Id, Member>,
    departed: HashMap<Id, Instant>,
    connected: usize,
    rng: Rng,
}

struct Seed {
    addr: Multiaddr,
    /// Who answered there last, or who the address names.
    id: Option<Id>,
    retry: Retry,
}

struct Member {
    addrs: Vec<Multiaddr>,
    connected: bool,
    /// Whether it has spoken for this cluster on the present connection.
    admitted: bool,
    /// Whether it came by itself and nobody has been told of it.
    fresh: bool,
    /// When this node, or someone who told of it, was last connected to it.
    seen: Instant,
    retry: Retry,
}

struct Retry {
    dialling: bool,
    tries: u32,
    due: Instant,
}

impl Retry {
    fn at(due: Instant) -> Self {
        Self { dialling: false, tries: 0, due }
    }

    fn is_due(&self, now: Instant) -> bool {
        !self.dialling && self.due <= now
    }

    /// Exponential up to `cap`.
    fn failed(&mut self, now: Instant, cap: Duration, rng: &mut Rng) {
        let wait = (FIRST_RETRY * 2u32.pow(self.tries.min(16))).min(cap);
        self.dialling = false;
        self.tries = self.tries.saturating_add(1);
        self.due = now + rng.jitter(wait);
    }
}

impl Membership {
    pub fn new(me: Id, seeds: Vec<(Multiaddr, Option<Id>)>, target: usize, max: usize, rng: Rng, now: Instant) -> Self {
        let seeds = seeds.into_iter().map(|(addr, id)| Seed { addr, id, retry: Retry::at(now) }).collect();
        Self { me, target, max, seeds, members: HashMap::new(), departed: HashMap::new(), connected: 0, rng }
    }

    /// Members known, without this node.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// A member has told its own addresses, or was reached at them.
    pub fn introduce(&mut self, id: Id, addrs: Vec<Multiaddr>) {
        if let Some(member) = self.members.get_mut(&id) {
            member.put_first(addrs);
        }
    }

    /// Someone has told of a member, last connected to `age` ago. Whether it is news.
    pub fn learn(&mut self, id: Id, addrs: Vec<Multiaddr>, age: Duration, now: Instant) -> bool {
        let seen = now.checked_sub(age).unwrap_or(now);
        if id == self.me || addrs.is_empty() || age >= FORGET || self.departed.contains_key(&id) {
            return false;
        }
        if let Some(member) = self.members.get_mut(&id) {
            member.seen = member.seen.max(seen);
            member.add(addrs);
            return false;
        }
        if self.members.len() >= MAX_KNOWN_MEMBERS && !self.make_room(seen) {
            return false;
        }
        let patience = if self.me < id { Duration::ZERO } else { POLITENESS };
        let due = now + patience + self.rng.jitter(Duration::from_millis(20));
        let mut member = Member::new(seen, due);
        member.add(addrs);
        self.members.insert(id, member);
        true
    }

    /// Forgets whoever was seen longest ago, if that is longer ago than `seen`.
    fn make_room(&mut self, seen: Instant) -> bool {
        let apart = self.members.iter().filter(|(_, member)| !member.connected);
        let oldest = apart.min_by_key(|(_, member)| member.seen).map(|(id, member)| (*id, member.seen));
        match oldest {
            Some((id, last)) if last < seen => self.members.remove(&id).is_some(),
            _ => false,
        }
    }

    /// A peer has connected. Who it is remains to be seen.
    pub fn joined(&mut self, id: Id, now: Instant) {
        let member = self.members.entry(id).or_insert_with(|| Member { fresh: true, ..Member::new(now, now) });
        member.retry.dialling = false;
        if !std::mem::replace(&mut member.connected, true) {
            self.connected += 1;
        }
    }

    /// The peer speaks for this cluster. Whether nobody had told of it before.
    pub fn admitted(&mut self, id: Id, now: Instant) -> bool {
        let Some(member) = self.members.get_mut(&id) else { return false };
        member.seen = now;
        member.admitted = true;
        member.retry.tries = 0;
        for seed in self.seeds.iter_mut().filter(|seed| seed.id == Some(id)) {
            seed.retry.tries = 0;
        }
        std::mem::take(&mut member.fresh)
    }

    /// The last connection to that peer has ended.
    pub fn left(&mut self, id: Id, now: Instant) {
        let Some(member) = self.members.get_mut(&id) else { return };
        if std::mem::take(&mut member.connected) {
            self.connected -= 1;
        }
        if std::mem::take(&mut member.admitted) {
            member.seen = now;
        }
        member.retry.failed(now, SOON, &mut self.rng);
        for seed in self.seeds.iter_mut().filter(|seed| seed.id == Some(id) && !seed.retry.dialling) {
            seed.retry.failed(now, SOON, &mut self.rng);
        }
        if member.addrs.is_empty() {
            self.members.remove(&id);
        }
    }

    /// The peer has said goodbye, or does not belong here. Who tells of it later is not believed.
    pub fn forget(&mut self, id: Id, now: Instant) {
        if let Some(member) = self.members.remove(&id) {
            self.connected -= usize::from(member.connected);
        }
        for seed in self.seeds.iter_mut().filter(|seed| seed.id == Some(id)) {
            seed.id = None;
            seed.retry.failed(now, STRANGER, &mut self.rng);
        }
        self.departed.retain(|_, since| now.saturating_duration_since(*since) < DEPARTED);
        if self.departed.len() < MAX_KNOWN_MEMBERS {
            self.departed.insert(id, now);
        }
    }

    pub fn is_admitted(&self, id: &Id) -> bool {
        self.members.get(id).is_some_and(|member| member.admitted)
    }

    /// The dial of a seed has reached that peer.
    pub fn seed_reached(&mut self, seed: usize, id: Id) {
        let seed = &mut self.seeds[seed];
        seed.id = Some(id);
        seed.retry.dialling = false;
    }

    pub fn seed_failed(&mut self, seed: usize, own: bool, now: Instant) {
        let cap = if own || self.connected >= self.target { SELDOM } else { SOON };
        let seed = &mut self.seeds[seed];
        seed.id = None;
        if own {
            // The address is this node's own, for now: names may move.
            seed.retry.tries = 16;
        }
        seed.retry.failed(now, cap, &mut self.rng);
    }

    /// The dial of a member has failed; at those addresses somebody else answered.
    pub fn member_failed(&mut self, id: Id, not_there: &[Multiaddr], now: Instant) {
        let Some(member) = self.members.get_mut(&id) else { return };
        member.addrs.retain(|addr| !not_there.contains(addr));
        let gone = now.saturating_duration_since(member.seen);
        if member.addrs.is_empty() && !member.connected {
            self.members.remove(&id);
            return;
        }
        let cap = match gone {
            gone if gone < LATELY => SOON,
            gone if gone < LONG => SELDOM,
            _ => RARELY,
        };
        member.retry.failed(now, cap, &mut self.rng);
    }

    /// Whom to dial now. Each is then counted as being dialled until its dial has ended.
    pub fn dials(&mut self, now: Instant) -> Vec<Dial> {
        let mut dials = Vec::new();
        if self.connected < self.max {
            for (at, seed) in self.seeds.iter_mut().enumerate() {
                let connected = seed.id.is_some_and(|id| self.members.get(&id).is_some_and(|member| member.connected));
                if !connected && seed.retry.is_due(now) {
                    seed.retry.dialling = true;
                    dials.push(Dial::Seed(at, seed.addr.clone()));
                }
            }
        }
        self.members.retain(|_, member| member.connected || now.saturating_duration_since(member.seen) < FORGET);

        let room = self.room();
        let mut due: Vec<_> = self.members.iter().filter(|(_, member)| member.is_due(now)).map(|(id, _)| *id).collect();
        due.sort_unstable();
        for _ in 0..room.min(due.len()) {
            let id = due.swap_remove(self.rng.below(due.len()));
            if let Some(member) = self.members.get_mut(&id) {
                member.retry.dialling = true;
                dials.push(Dial::Member(id, member.addrs.clone()));
            }
        }
        dials
    }

    /// So many members may be dialled now, beside those that are being dialled.
    fn room(&self) -> usize {
        let dialling = self.members.values().filter(|member| member.retry.dialling).count();
        let wanted = self.target.min(self.max).saturating_sub(self.connected + dialling);
        MAX_DIALS.saturating_sub(dialling).min(wanted)
    }

    /// When the next dial is due, if nothing changes until then: the end of a dial, for one, which makes room.
    pub fn next_due(&self) -> Option<Instant> {
        let seeds = self.seeds.iter().filter(|seed| {
            let connected = seed.id.is_some_and(|id| self.members.get(&id).is_some_and(|member| member.connected));
            !connected && !seed.retry.dialling && self.connected < self.max
        });
        let has_room = self.room() > 0;
        let members = self.members.values().filter(|member| has_room && member.may_be_dialled()).map(|member| member.retry.due);
        seeds.map(|seed| seed.retry.due).chain(members).min()
    }

    /// Up to `limit` members to tell of, connected ones first: id, addresses, age.
    pub fn tell(&self, limit: usize, now: Instant) -> Vec<(Id, Vec<Multiaddr>, Duration)> {
        let known = self.members.iter().filter(|(_, member)| !member.addrs.is_empty());
        let mut told: Vec<_> = known
            .map(|(id, member)| {
                let age = if member.connected { Duration::ZERO } else { now.saturating_duration_since(member.seen) };
                (!member.connected, age, *id)
            })
            .collect();
        told.sort_unstable();
        told.truncate(limit);
        told.into_iter().map(|(_, age, id)| (id, self.members[&id].addrs.clone(), age)).collect()
    }
}

impl Member {
    fn new(seen: Instant, due: Instant) -> Self {
        Self { addrs: Vec::new(), connected: false, admitted: false, fresh: false, seen, retry: Retry::at(due) }
    }

    fn may_be_dialled(&self) -> bool {
        !self.connected && !self.addrs.is_empty() && !self.retry.dialling
    }

    fn is_due(&self, now: Instant) -> bool {
        self.may_be_dialled() && self.retry.is_due(now)
    }

    /// What others tell is added while there is room: it cannot push out what is known.
    fn add(&mut self, addrs: Vec<Multiaddr>) {
        for addr in addrs {
            if self.addrs.len() < MAX_MEMBER_ADDRS && !self.addrs.contains(&addr) {
                self.addrs.push(addr);
            }
        }
    }

    fn put_first(&mut self, mut addrs: Vec<Multiaddr>) {
        addrs.truncate(MAX_MEMBER_ADDRS);
        let known = std::mem::replace(&mut self.addrs, addrs);
        self.add(known);
    }
}

#[cfg(test)]
#[path = "membership_tests.rs"]
mod tests;
