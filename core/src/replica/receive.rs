//! What arrives: deltas, the entries of a pull, and its end.

use std::collections::BTreeMap;

use super::forget::raise;
use super::table::{Change, Content};
use super::timeline::Timeline;
use super::{Bug, Context, Delta, Incoming, Join, Origin, Pulse, Replica, Stamp, Timestamp, merge, mutated};
use crate::limits::{MAX_AHEAD_AUTHORS, MAX_ORIGINS};
use crate::replica::presence::Turn;

/// What merging a delta found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merged {
    /// The chain of its origin is whole.
    Whole,
    /// Something before it is missing.
    Gap,
    /// It claims to come from this very replica, or names more origins than a replica keeps. Nothing changed.
    Refused,
}

/// A stamp that must not be claimed: its entry was not merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unclaimed {
    pub stamp: Stamp,
    /// Set aside for now, not refused for good.
    pub aside: bool,
}

impl Replica {
    /// Merges a delta, but for the entries at the (ascending) positions in `refused`, and those from too far ahead.
    ///
    /// The stamps of refused entries are not claimed. With one that is set aside nothing is: it may have beaten others, which would
    /// be claimed and not held, and so be dropped where they are.
    pub fn merge_delta(&mut self, delta: &Delta<'_>, refused: &[usize], now_ms: u64, changes: &mut Vec<Change>) -> Merged {
        let new_origin = self.context.of(&delta.origin).is_none();
        if delta.origin == self.origin || (new_origin && self.context.len() >= MAX_ORIGINS) {
            return Merged::Refused;
        }
        // What comes too late is left to a sync.
        if self.is_pruned(&delta.origin, delta.last, now_ms) {
            return Merged::Whole;
        }
        // Whoever is too far ahead is not believed anything.
        let newest = self.newest_allowed(now_ms);
        if delta.entries.is_empty() || delta.entries.iter().any(|entry| entry.stamp.timestamp <= newest) {
            self.meet(&delta.origin, changes);
            for (origin, timestamp) in &delta.past {
                self.depend_on_known(origin, *timestamp, now_ms);
            }
        }
        let mut unclaimed = self.merge_entries(&delta.entries, refused, false, now_ms, changes);
        if mutated(Bug::RefusedCovered) {
            unclaimed.clear();
        }
        if unclaimed.iter().any(|unclaimed| unclaimed.aside) {
            return Merged::Whole;
        }
        self.depend(&delta.origin, delta.last.min(newest));
        let after = if mutated(Bug::GapIgnored) { Timestamp::ZERO } else { delta.prev };
        let new_gap = after > Timestamp::ZERO && !self.context.of(&delta.origin).is_some_and(|seen| seen.covers(after));
        let last = delta.last.min(newest);
        self.context.add(&delta.origin, after, last);
        if self.past_refusals.of(&delta.origin).is_some() {
            self.past_refusals.add(&delta.origin, after, last);
        }
        give_up(&mut self.context, &mut self.past_refusals, &unclaimed);
        if !mutated(Bug::OriginNotNoted) {
            self.note_origin(&delta.origin);
        }
        unclaimed.iter().for_each(|unclaimed| self.note_origin(&unclaimed.stamp.origin));
        let missing =
            if self.past_refusals.of(&delta.origin).is_some() { new_gap } else { self.context.has_gap(&delta.origin) };
        if missing { Merged::Gap } else { Merged::Whole }
    }

    /// Merges entries, but for the refused ones and those from too far ahead; claims nothing. The stamps that must not be claimed.
    ///
    /// `mends`: see [`Puller::mends`](super::Puller::mends).
    pub fn merge_entries(
        &mut self,
        entries: &[Incoming<'_>],
        refused: &[usize],
        mends: bool,
        now_ms: u64,
        changes: &mut Vec<Change>,
    ) -> Vec<Unclaimed> {
        self.table.expire(now_ms, changes);
        let newest = self.newest_allowed(now_ms);
        let mut refused = refused.iter().peekable();
        let mut unclaimed = Vec::new();
        let mut origin: Option<(&Origin, Origin)> = None;
        for (at, entry) in entries.iter().enumerate() {
            let Stamp { timestamp, origin: arriving } = &entry.stamp;
            let is_refused = refused.next_if_eq(&&at).is_some();
            if is_refused || *timestamp > newest {
                unclaimed.push(Unclaimed { stamp: entry.stamp.clone(), aside: !is_refused });
                if is_refused {
                    self.note_refused(&entry.stamp);
                } else {
                    self.set_aside(arriving, timestamp.ms());
                }
                continue;
            }
            self.clock.observe(*timestamp);
            self.depend(arriving, *timestamp);
            let held = match origin.take() {
                Some((last, held)) if last.is(arriving) => held,
                _ => {
                    self.presence.iter_mut().for_each(|presence| presence.met(arriving.peer(), false));
                    self.past.get_key_value(arriving).map_or(arriving, |(held, _)| held).clone()
                }
            };
            changes.extend(self.admit(entry, Stamp { timestamp: *timestamp, origin: held.clone() }, mends, now_ms));
            origin = Some((arriving, held));
        }
        unclaimed
    }

    /// One arriving entry against what is held for its key.
    fn admit(&mut self, entry: &Incoming<'_>, stamp: Stamp, mends: bool, now_ms: u64) -> Option<Change> {
        let held = self.table.index.slot(entry.key);
        match &held {
            Some(slot) if !merge::wins(&stamp, slot.record().stamp()) => return None,
            // A removal may always end what is held.
            Some(_) if mends || entry.value.is_none() => {}
            // Nothing newer was forgotten here: it was lost.
            None if mends && self.forgotten.values().all(|newest| *newest < stamp.timestamp) => {}
            // It was removed and forgotten here.
            _ if self.context.covers(&stamp) && !mutated(Bug::TakeBackForgotten) => return None,
            _ => {}
        }
        let &Incoming { key, value, mut expires_at_ms, place, proof, .. } = entry;
        if mutated(Bug::ExpireByArrival) && expires_at_ms > 0 {
            expires_at_ms = now_ms + expires_at_ms.saturating_sub(stamp.time_ms());
        }
        let hidden = self.presence.as_ref().is_some_and(|presence| !presence.is_here(stamp.author()));
        self.note_beaten(held.as_ref(), &stamp);
        Some(self.table.set(held, &Content { key, value, expires_at_ms, place, proof, hidden }, stamp, now_ms))
    }

    /// Ends a pull: claims what the other side claims, but for what was refused here; and nothing when something was set aside. After a
    /// full pull, what the other side has seen and does not hold was removed there, and is dropped here.
    pub fn join(&mut self, join: &Join, now_ms: u64, changes: &mut Vec<Change>) {
        for sign in &join.signs {
            self.hear(&sign.pulse, sign.silent_ms, now_ms, changes);
        }
        if join.unclaimed.iter().any(|unclaimed| unclaimed.aside) {
            return;
        }
        // Nobody has seen what is stamped too far ahead: who says so would have its author's writes taken for seen for as long.
        let newest = self.newest_allowed(now_ms);
        let mut context = join.context.up_to(newest);
        let mut all = context.clone();
        give_up(&mut context, &mut all, &join.unclaimed);
        if let Some(full) = &join.full
            && !mutated(Bug::NoDrop)
        {
            self.drop_unseen(|key, stamp| context.covers(stamp) && full.tells_removed(key, stamp, &join.forgotten), changes);
        }
        for (origin, timestamp) in join.full.iter().flat_map(|_| &join.forgotten.newest) {
            if !mutated(Bug::ForgottenNotTaken) {
                self.note_forgotten(origin, newest.min(*timestamp));
            }
        }
        // Where one has made room all do, or they would never be equal.
        self.make_room_until(join.forgotten.pruned_ms, now_ms);
        let beaten: BTreeMap<_, _> = join.forgotten.beaten.iter().map(|(origin, at)| (origin, newest.min(*at))).collect();
        // Nobody knows more of our own writes than we do.
        context.retain(|origin, seen| {
            let newest = beaten.get(origin).map_or(seen.newest(), |at| seen.newest().max(*at));
            *origin != self.origin && !self.is_pruned(origin, newest, now_ms)
        });
        let mut room = MAX_ORIGINS.saturating_sub(self.context.len());
        context.retain(|origin, _| {
            let is_new = self.context.of(origin).is_none();
            let fits = !is_new || room > 0;
            room -= usize::from(is_new && fits);
            fits
        });
        self.context.join(&context);
        context.origins().for_each(|(origin, _)| self.note_origin(origin));
        all.retain(|origin, _| self.past_refusals.of(origin).is_some());
        self.past_refusals.join(&all);
        all.origins().for_each(|(origin, _)| self.note_origin(origin));
        for (origin, timestamp) in beaten {
            if self.context.of(origin).is_some() {
                raise(&mut self.beaten, origin, timestamp);
                self.note_origin(origin);
            }
        }
        for (origin, timestamp) in &join.past {
            self.depend_on_known(origin, *timestamp, now_ms);
        }
    }

    fn drop_unseen(&mut self, is_gone: impl Fn(&[u8], &Stamp) -> bool, changes: &mut Vec<Change>) {
        let gone: Vec<_> = self
            .table
            .by_origin()
            .values()
            .flat_map(Timeline::iter)
            .map(|(_, slot)| slot)
            .filter(|slot| {
                let record = slot.record();
                record.is_live() && is_gone(slot.key(), record.stamp())
            })
            .cloned()
            .collect();
        for slot in gone {
            changes.push(self.table.drop(&slot));
            self.forgotten_revision = self.table.revision();
            self.outbox_stale |= self.outbox.len() > 0;
        }
    }

    /// A sign of life, or a goodbye. Whether its author has come: what it wrote may be missing here.
    pub fn heard(&mut self, pulse: &Pulse, now_ms: u64, changes: &mut Vec<Change>) -> bool {
        self.hear(pulse, 0, now_ms, changes)
    }

    fn hear(&mut self, pulse: &Pulse, silent_ms: u64, now_ms: u64, changes: &mut Vec<Change>) -> bool {
        // One whose clock is off is not there, just as what it writes is not.
        if pulse.beat > now_ms.saturating_add(self.rules.max_clock_drift_ms) {
            self.set_aside(&pulse.origin, pulse.beat);
            return false;
        }
        let turn = self.presence.as_mut().and_then(|presence| presence.heard(pulse, silent_ms));
        if let Some(turn) = turn {
            self.turn(pulse.origin.peer(), turn, changes);
        }
        turn == Some(Turn::Came)
    }

    fn meet(&mut self, origin: &Origin, changes: &mut Vec<Change>) {
        let Some(presence) = &mut self.presence else { return };
        let was_here = presence.is_here(origin.peer());
        presence.met(origin.peer(), true);
        if !was_here && presence.is_here(origin.peer()) {
            self.turn(origin.peer(), Turn::Came, changes);
        }
    }

    fn depend_on_known(&mut self, origin: &Origin, timestamp: Timestamp, now_ms: u64) {
        let timestamp = timestamp.min(self.newest_allowed(now_ms));
        if !self.is_pruned(origin, timestamp, now_ms) {
            self.depend(origin, timestamp);
        }
    }

    fn newest_allowed(&self, now_ms: u64) -> Timestamp {
        match mutated(Bug::ObserveAhead) {
            true => Timestamp(u64::MAX),
            false => Timestamp::from_ms(now_ms.saturating_add(self.rules.max_clock_drift_ms).saturating_add(1)).before(),
        }
    }

    /// From now on what is missing of that origin is told apart from what was refused here.
    fn note_refused(&mut self, stamp: &Stamp) {
        if self.past_refusals.of(&stamp.origin).is_none() {
            let seen = self.context.of(&stamp.origin).cloned().unwrap_or_default();
            seen.up_to(Timestamp(u64::MAX)).for_each(|(after, last)| self.past_refusals.add(&stamp.origin, after, last));
        }
        self.past_refusals.add(&stamp.origin, stamp.timestamp.before(), stamp.timestamp);
        self.note_origin(&stamp.origin);
    }

    fn set_aside(&mut self, origin: &Origin, stamped_ms: u64) {
        let due_ms = stamped_ms.saturating_sub(self.rules.max_clock_drift_ms);
        self.aside_until_ms = Some(self.aside_until_ms.map_or(due_ms, |until_ms| until_ms.min(due_ms)));
        if let Some(count) = self.ahead.get_mut(origin.peer()) {
            *count += 1;
        } else if self.ahead.len() < MAX_AHEAD_AUTHORS {
            self.ahead.insert(origin.peer().clone(), 1);
        }
    }
}

/// Takes unclaimed stamps out of a context; `all` keeps those that were refused for good.
fn give_up(context: &mut Context, all: &mut Context, unclaimed: &[Unclaimed]) {
    for Unclaimed { stamp, aside } in unclaimed {
        context.remove(stamp);
        if *aside {
            all.remove(stamp);
        }
    }
}
