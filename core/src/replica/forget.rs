//! Time goes by: what ends, what may be forgotten, and when.
//!
//! A tombstone is forgotten when it is older than the horizon, when nothing of it waits in the outbox, and when this replica is
//! *closed*: of every origin it has seen, without a gap, all that anything here causally depends on (`past`). So whatever the
//! author of the removal had seen is covered here, and an old copy of it, which is then covered and absent, is known for what it is.
//! The newest forgotten stamp of each origin is kept: a peer that has not seen everything up to there pulls in full.
//!
//! An origin without entries leaves every vector once its own writes, and those that beat its values, are older than the retention: an
//! old copy of such a value must be known for what it is until then.

use std::collections::BTreeMap;

use super::presence::Turn;
use super::table::Change;
use super::{Bug, Origin, Record, Replica, Slot, Stamp, Timestamp, Write, mutated};
use crate::limits::{MAX_ORIGINS, MAX_SWEEP};
use crate::peer::PeerId;

impl Replica {
    /// Ends what expires by now. Cost: what is due.
    pub fn expire(&mut self, now_ms: u64, changes: &mut Vec<Change>) {
        self.table.expire(now_ms, changes);
    }

    /// When the next entry expires.
    pub fn next_expiry_ms(&self) -> Option<u64> {
        self.table.next_expiry_ms()
    }

    /// Ends, hides and forgets what is due. Whether more is due than is done at once. Cost: what is due, and O(origins).
    pub fn sweep(&mut self, now_ms: u64, changes: &mut Vec<Change>) -> bool {
        self.table.expire(now_ms, changes);
        self.watch(now_ms, changes);
        self.end_departed(now_ms);
        self.renew(now_ms, changes);
        self.prune_origins(now_ms);
        self.forget_ended(now_ms)
    }

    /// Whether what was set aside may be taken in by now: once, since a pull brings it again. And when that will be.
    pub fn take_aside(&mut self, now_ms: u64) -> bool {
        self.aside_until_ms.take_if(|until_ms| *until_ms <= now_ms).is_some()
    }

    pub fn aside_until_ms(&self) -> Option<u64> {
        self.aside_until_ms
    }

    /// How often presence wants to be told the time; `None` where there is none.
    pub fn presence_interval_ms(&self) -> Option<u64> {
        self.presence.as_ref().map(|presence| presence.interval_ms())
    }

    // ---- tombstones ----

    fn forget_ended(&mut self, now_ms: u64) -> bool {
        let horizon_ms = self.rules.tombstone_ttl_ms;
        let is_due = |ended_ms: u64| ended_ms.saturating_add(horizon_ms) < now_ms;
        if !self.table.ended().next().is_some_and(|(ended_ms, _)| is_due(*ended_ms)) || !self.is_closed(now_ms) {
            return false;
        }
        let waiting = self.outbox.oldest().filter(|_| !mutated(Bug::ForgetWaiting));
        let due = self.table.ended().take_while(|(ended_ms, _)| is_due(*ended_ms)).map(|(_, slot)| slot);
        let due: Vec<Slot> = due
            .filter(|slot| waiting.is_none_or(|oldest| slot.record().stamp().timestamp < oldest))
            .take(MAX_SWEEP)
            .cloned()
            .collect();
        for slot in &due {
            let record = self.table.forget(slot);
            let stamp = record.stamp();
            self.note_forgotten(&stamp.origin, stamp.timestamp);
            self.forgotten_revision = self.forgotten_revision.max(record.revision());
            self.forgotten_count += 1;
        }
        due.len() == MAX_SWEEP
    }

    pub(super) fn note_forgotten(&mut self, origin: &Origin, timestamp: Timestamp) {
        raise(&mut self.forgotten, origin, timestamp);
        self.note_origin(origin);
    }

    /// A value gives way to a write of another origin.
    pub(super) fn note_beaten(&mut self, held: Option<&Slot>, by: &Stamp) {
        let Some(record) = held.map(Slot::record) else { return };
        // Whose past is not known here is not pruned either.
        if record.is_live() && record.stamp().origin != by.origin && self.past.contains_key(&record.stamp().origin) {
            raise(&mut self.beaten, &record.stamp().origin, by.timestamp);
            self.note_origin(&record.stamp().origin);
        }
    }

    fn is_closed(&self, now_ms: u64) -> bool {
        mutated(Bug::ForgetUnclosed) || self.missing(now_ms).next().is_none()
    }

    /// Authors of writes that something here depends on and that are missing here, so that nothing is forgotten.
    pub fn held_up_by(&self, now_ms: u64) -> Vec<PeerId> {
        let mut authors: Vec<_> = self.missing(now_ms).map(|origin| origin.peer().clone()).collect();
        authors.dedup();
        authors
    }

    fn missing(&self, now_ms: u64) -> impl Iterator<Item = &Origin> {
        let retained_ms = now_ms.saturating_sub(self.rules.origin_retention_ms);
        let wanted = self.past.iter().filter(move |(_, newest)| newest.ms() >= retained_ms);
        wanted.filter(|(origin, newest)| self.seen_or_refused(origin) < **newest).map(|(origin, _)| origin)
    }

    /// Up to where nothing of that origin is missing: a stamp that was refused here is not.
    fn seen_or_refused(&self, origin: &Origin) -> Timestamp {
        let seen = self.past_refusals.of(origin).or(self.context.of(origin));
        seen.map_or(Timestamp::ZERO, |seen| seen.upto)
    }

    // ---- origins ----

    /// Whether an origin of which nothing is newer than that is not known here any more.
    pub(super) fn is_pruned(&self, origin: &Origin, newest: Timestamp, now_ms: u64) -> bool {
        let before_ms = self.pruned_ms.max(now_ms.saturating_sub(self.rules.origin_retention_ms));
        let beaten = self.beaten.get(origin).copied().unwrap_or_default();
        newest.max(beaten).ms() < before_ms && !self.table.by_origin().contains_key(origin)
    }

    fn prune_origins(&mut self, now_ms: u64) {
        if self.context.len() > MAX_ORIGINS / 4 * 3 {
            self.make_room(now_ms);
        }
        let newest = |replica: &Self, origin: &Origin| {
            let seen = replica.context.of(origin).map_or(Timestamp::ZERO, |seen| seen.newest());
            seen.max(replica.past.get(origin).copied().unwrap_or_default())
        };
        let known = self.context.origins().map(|(origin, _)| origin).chain(self.past.keys());
        let known = known.chain(self.forgotten.keys()).chain(self.beaten.keys());
        let known = known.chain(self.table.ledger.iter().flat_map(|ledger| ledger.origins()));
        let gone: Vec<Origin> = known.filter(|origin| self.is_pruned(origin, newest(self, origin), now_ms)).cloned().collect();
        for origin in &gone {
            self.let_go(origin);
        }
    }

    fn let_go(&mut self, origin: &Origin) {
        self.context.remove_origin(origin);
        self.past_refusals.remove_origin(origin);
        self.past.remove(origin);
        self.past_news.remove(origin);
        self.forgotten.remove(origin);
        self.beaten.remove(origin);
        self.table.ledger.iter_mut().for_each(|ledger| ledger.let_go(origin));
    }

    /// Too many openings within one retention: the oldest without entries go before their time, but not before the horizon.
    fn make_room(&mut self, now_ms: u64) {
        let idle = self.context.origins().filter(|(origin, _)| !self.table.by_origin().contains_key(origin));
        let mut newest: Vec<u64> = idle.map(|(_, seen)| seen.newest().ms()).collect();
        newest.sort_unstable();
        let excess = self.context.len() - MAX_ORIGINS / 2;
        if let Some(last_ms) = newest.get(excess.min(newest.len()).saturating_sub(1)) {
            self.make_room_until(last_ms + 1, now_ms);
        }
    }

    /// Lets go of origins without entries and with nothing newer than that.
    pub(super) fn make_room_until(&mut self, before_ms: u64, now_ms: u64) {
        self.pruned_ms = self.pruned_ms.max(before_ms.min(now_ms.saturating_sub(self.rules.tombstone_ttl_ms)));
    }

    // ---- presence ----

    fn watch(&mut self, now_ms: u64, changes: &mut Vec<Change>) {
        let Some(presence) = &mut self.presence else { return };
        presence.prune(self.rules.origin_retention_ms);
        for (author, turn) in presence.advance(now_ms) {
            self.turn(&author, turn, changes);
        }
    }

    /// An author has come, gone or departed.
    pub(super) fn turn(&mut self, author: &PeerId, turn: Turn, changes: &mut Vec<Change>) {
        let its_own = |origin: &Origin| origin.peer() == author;
        self.table.hide(its_own, turn != Turn::Came, changes);
    }

    /// Ends what departed authors have not renewed for the horizon. Cost: O(origins), and what ends.
    fn end_departed(&mut self, now_ms: u64) {
        let Some(presence) = &self.presence else { return };
        let before = Timestamp::from_ms(now_ms.saturating_sub(self.rules.tombstone_ttl_ms));
        let departed = self.table.by_origin().iter().filter(|(origin, _)| presence.is_departed(origin.peer()));
        let slots = departed.flat_map(|(_, stamps)| stamps.iter().take_while(|(at, _)| *at < before)).map(|(_, slot)| slot);
        let over: Vec<Slot> = slots.filter(|slot| slot.record().is_live()).cloned().collect();
        over.iter().for_each(|slot| self.table.end(slot));
    }

    /// Writes this node's own values anew before others can take them for those of a departed author. So one that was away for long,
    /// and comes back, brings its entries along. Cost: O(origins), and what is renewed.
    fn renew(&mut self, now_ms: u64, changes: &mut Vec<Change>) {
        if self.presence.is_none() {
            return;
        }
        let before = Timestamp::from_ms(now_ms.saturating_sub(self.rules.tombstone_ttl_ms / 2));
        let own = self.table.by_origin().iter().filter(|(origin, _)| origin.peer() == self.origin.peer());
        let slots = own.flat_map(|(_, stamps)| stamps.iter().take_while(|(at, _)| *at < before)).map(|(_, slot)| slot);
        let old: Vec<(Slot, Record)> = slots.map(|slot| (slot.clone(), slot.record())).filter(|(_, r)| r.is_live()).collect();
        for (slot, record) in &old {
            let expires_at_ms = record.expires_at_ms().unwrap_or_default();
            let write = Write { key: slot.key(), value: record.value(), expires_at_ms };
            changes.push(self.write(&write, 0, now_ms, false));
        }
    }
}

/// Remembers the greater of two timestamps. Bounded: as many origins as a context has.
pub(super) fn raise(vector: &mut BTreeMap<Origin, Timestamp>, origin: &Origin, timestamp: Timestamp) {
    let full = vector.len() >= MAX_ORIGINS;
    match vector.get_mut(origin) {
        Some(newest) => *newest = timestamp.max(*newest),
        None if full => {}
        None => {
            vector.insert(origin.clone(), timestamp);
        }
    }
}
