//! The pure core: the state of one map on one node. No IO, no clock, no async, no threads: time and messages come in as
//! arguments, changes go out as results.
//!
//! A write and a received delta meet in one place, [`Replica::admit`]: the newer stamp wins, the indexes and the fingerprint
//! follow. What a replica has seen is its causal [`Context`]; what it must still tell others is its [`Outbox`].

mod clock;
mod context;
mod delta;
mod digest;
mod entry;
mod index;
mod merge;
mod outbox;
mod stamp;
mod sync;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

pub use clock::{Hlc, Timestamp};
pub use context::Context;
pub use delta::{Delta, Incoming, Outgoing, Write};
pub use digest::Digest;
use digest::Fingerprint;
pub use entry::{Record, Slot};
pub use index::Index;
use outbox::Outbox;
pub use stamp::{Origin, Stamp};
pub use sync::{Join, Page, PageEnd, Puller, Request, Start, Step};

use crate::limits::{MAX_ORIGINS, MAX_PAGE_ENTRIES};

/// A key whose record was replaced.
pub struct Change {
    pub slot: Slot,
    /// What was there before, value or tombstone.
    pub old: Option<Record>,
    pub new: Record,
}

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

/// The state of one map on one node, as its one writer sees it. Readers hold its [`Index`].
pub struct Replica {
    origin: Origin,
    clock: Hlc,
    index: Arc<Index>,
    /// What a sync looks up: every entry under its stamp.
    by_origin: BTreeMap<Origin, BTreeMap<Timestamp, Slot>>,
    context: Context,
    /// The newest stamp of each origin that anything here causally depends on.
    past: BTreeMap<Origin, Timestamp>,
    /// Whose `past` advanced since the last delta was cut.
    past_news: BTreeSet<Origin>,
    outbox: Outbox,
    fingerprint: Fingerprint,
    /// Counts changes. It starts at the origin's epoch, so a reopened map goes on above what was counted before.
    revision: u64,
    /// Origins with entries that were refused here: their gaps stay, and are no reason to sync again and again.
    refused_from: BTreeSet<Origin>,
}

impl Replica {
    /// An empty replica that stamps with that origin.
    pub fn new(origin: Origin) -> Self {
        Self {
            revision: origin.epoch(),
            origin,
            clock: Hlc::default(),
            index: Arc::new(Index::new()),
            by_origin: BTreeMap::new(),
            context: Context::default(),
            past: BTreeMap::new(),
            past_news: BTreeSet::new(),
            outbox: Outbox::default(),
            fingerprint: Fingerprint::default(),
            refused_from: BTreeSet::new(),
        }
    }

    // ---- writes ----

    /// Writes a value. Cost: O(log n) for a new key, O(1) and the logarithm of one origin's entries for an overwrite.
    pub fn put(&mut self, key: &[u8], value: &[u8], now_ms: u64) -> Change {
        self.write(key, Some(value), now_ms, false)
    }

    /// Removes a live value. Absent: nothing is written.
    pub fn remove(&mut self, key: &[u8], now_ms: u64) -> Option<Change> {
        self.is_live(key).then(|| self.write(key, None, now_ms, false))
    }

    /// Writes many under consecutive stamps, to leave in one delta. Removes of absent keys write nothing.
    pub fn apply<'a>(&mut self, writes: impl IntoIterator<Item = Write<'a>>, now_ms: u64) -> Vec<Change> {
        let mut changes: Vec<Change> = Vec::new();
        for Write { key, value, .. } in writes {
            if value.is_some() || self.is_live(key) {
                changes.push(self.write(key, value, now_ms, true));
            }
        }
        self.outbox.end_batch();
        changes
    }

    fn is_live(&self, key: &[u8]) -> bool {
        self.index.read(key, |_| ()).is_some()
    }

    fn write(&mut self, key: &[u8], value: Option<&[u8]>, now_ms: u64, joined: bool) -> Change {
        let stamp = Stamp { timestamp: self.clock.tick(now_ms), origin: self.origin.clone() };
        self.context.add(&self.origin, Timestamp::ZERO, stamp.timestamp);
        self.depend(&stamp.origin, stamp.timestamp);
        let timestamp = stamp.timestamp;
        let change = match self.index.slot(key) {
            Some(slot) => self.replace(slot, value, stamp),
            None => self.insert(key, value, stamp),
        };
        self.outbox.push(timestamp, change.slot.clone(), joined);
        change
    }

    // ---- merges ----

    /// Merges a delta, but for the entries at the (ascending) positions in `refused`, whose stamps are then not claimed.
    pub fn merge_delta(&mut self, delta: &Delta<'_>, refused: &[usize], changes: &mut Vec<Change>) -> Merged {
        let new_origin = self.context.of(&delta.origin).is_none();
        if delta.origin == self.origin || (new_origin && self.context.len() >= MAX_ORIGINS) {
            return Merged::Refused;
        }
        self.depend(&delta.origin, delta.last);
        for (origin, timestamp) in &delta.past {
            self.depend(origin, *timestamp);
        }
        self.merge_entries(&delta.entries, refused, changes);
        let new_gap =
            delta.prev > Timestamp::ZERO && !self.context.of(&delta.origin).is_some_and(|seen| seen.covers(delta.prev));
        self.context.add(&delta.origin, delta.prev, delta.last);
        for &at in refused {
            self.context.remove(&delta.entries[at].stamp);
        }
        if !refused.is_empty() {
            self.refused_from.insert(self.held(&delta.origin));
        }
        let missing = if self.refused_from.contains(&delta.origin) { new_gap } else { self.context.has_gap(&delta.origin) };
        if missing { Merged::Gap } else { Merged::Whole }
    }

    /// Merges entries, but for the refused ones; claims nothing.
    pub fn merge_entries(&mut self, entries: &[Incoming<'_>], refused: &[usize], changes: &mut Vec<Change>) {
        let mut refused = refused.iter().peekable();
        let mut origin: Option<(&Origin, Origin)> = None;
        for (at, entry) in entries.iter().enumerate() {
            if refused.next_if_eq(&&at).is_some() {
                continue;
            }
            let Stamp { timestamp, origin: arriving } = &entry.stamp;
            self.clock.observe(*timestamp);
            self.depend(arriving, *timestamp);
            let held = match origin.take() {
                Some((last, held)) if last.is(arriving) => held,
                _ => self.held(arriving),
            };
            changes.extend(self.admit(entry, Stamp { timestamp: *timestamp, origin: held.clone() }));
            origin = Some((arriving, held));
        }
    }

    /// The one copy of that origin which this replica's records share.
    fn held(&self, origin: &Origin) -> Origin {
        self.past.get_key_value(origin).map_or(origin, |(held, _)| held).clone()
    }

    /// Ends a pull: claims what the other side claims, but for what was refused here.
    pub fn join(&mut self, join: &Join) {
        let mut context = join.context.clone();
        // Nobody knows more of our own writes than we do.
        context.remove_origin(&self.origin);
        for stamp in &join.refused {
            context.remove(stamp);
            self.refused_from.insert(self.held(&stamp.origin));
        }
        self.context.join(&context);
        for (origin, timestamp) in &join.past {
            self.depend(origin, *timestamp);
        }
    }

    /// One arriving entry against what is held for its key.
    fn admit(&mut self, entry: &Incoming<'_>, stamp: Stamp) -> Option<Change> {
        match self.index.slot(entry.key) {
            Some(slot) if !merge::wins(&stamp, slot.record().stamp()) => None,
            Some(slot) => Some(self.replace(slot, entry.value, stamp)),
            None => Some(self.insert(entry.key, entry.value, stamp)),
        }
    }

    fn insert(&mut self, key: &[u8], value: Option<&[u8]>, stamp: Stamp) -> Change {
        let new = self.record(stamp, value);
        let slot = Slot::new(key, new.clone());
        self.index.insert(&slot, &new);
        self.remember(&slot, &new);
        Change { slot, old: None, new }
    }

    fn replace(&mut self, slot: Slot, value: Option<&[u8]>, stamp: Stamp) -> Change {
        let new = self.record(stamp, value);
        let old = self.index.replace(&slot, new.clone());
        if let Some(stamps) = self.by_origin.get_mut(&old.stamp().origin) {
            stamps.remove(&old.stamp().timestamp);
        }
        if old.is_live() {
            self.fingerprint.remove(slot.key(), old.stamp());
        }
        self.remember(&slot, &new);
        Change { slot, old: Some(old), new }
    }

    fn record(&mut self, stamp: Stamp, value: Option<&[u8]>) -> Record {
        self.revision += 1;
        Record::new(stamp, value, self.revision)
    }

    fn remember(&mut self, slot: &Slot, record: &Record) {
        let stamp = record.stamp();
        match self.by_origin.get_mut(&stamp.origin) {
            Some(stamps) => stamps.insert(stamp.timestamp, slot.clone()),
            None => self.by_origin.entry(stamp.origin.clone()).or_default().insert(stamp.timestamp, slot.clone()),
        };
        if record.is_live() {
            self.fingerprint.add(slot.key(), stamp);
        }
    }

    fn depend(&mut self, origin: &Origin, timestamp: Timestamp) {
        let full = self.past.len() >= MAX_ORIGINS;
        match self.past.get_mut(origin) {
            Some(known) if *known >= timestamp => return,
            Some(known) => *known = timestamp,
            None if full => return,
            None => {
                self.past.insert(origin.clone(), timestamp);
            }
        }
        if *origin != self.origin && !self.past_news.contains(origin) {
            self.past_news.insert(origin.clone());
        }
    }

    // ---- what leaves ----

    /// The next delta: a prefix of the outbox of about that size. `None` when nothing waits.
    pub fn cut_delta(&mut self, target_bytes: usize) -> Option<Outgoing> {
        let cut = self.outbox.cut(target_bytes)?;
        let news = std::mem::take(&mut self.past_news);
        Some(Outgoing {
            origin: self.origin.clone(),
            prev: cut.prev,
            last: cut.last,
            past: news
                .into_iter()
                .filter_map(|origin| self.past.get_key_value(&origin))
                .map(|(o, t)| (o.clone(), *t))
                .collect(),
            entries: with_records(cut.slots),
        })
    }

    /// Writes that wait in the outbox.
    pub fn waiting(&self) -> usize {
        self.outbox.len()
    }

    /// Forgets what waits in the outbox, because nobody listens.
    pub fn clear_outbox(&mut self) {
        self.outbox.clear();
    }

    /// One page, of about that size, of what that request's base does not cover. Cost: what the page holds, not what the map
    /// holds.
    pub fn page(&self, request: &Request, target_bytes: usize) -> Page {
        let first = request.cursor.is_none();
        let start = first.then(|| Start { context: self.context.clone(), revision: self.revision });
        let end = PageEnd { start, cursor: None, past: Vec::new(), digest: None };
        let mut page = Page { entries: Vec::new(), end };
        let mut bytes = 0;
        let from = request.cursor.as_ref();
        let first_origin = from.map_or(Bound::Unbounded, |(origin, _)| Bound::Included(origin));
        for (origin, stamps) in self.by_origin.range::<Origin, _>((first_origin, Bound::Unbounded)) {
            let seen = request.base.of(origin);
            let covered = seen.map_or(Timestamp::ZERO, |seen| seen.upto);
            let after = from.filter(|(at, _)| at == origin).map_or(covered, |(_, timestamp)| covered.max(*timestamp));
            for (&timestamp, slot) in stamps.range((Bound::Excluded(after), Bound::Unbounded)) {
                if seen.is_some_and(|seen| seen.covers(timestamp)) {
                    continue;
                }
                let record = slot.record();
                if record.revision() <= request.since {
                    continue;
                }
                bytes += slot.key().len() + record.bytes().len() + 16;
                page.entries.push((slot.clone(), record));
                if bytes >= target_bytes || page.entries.len() >= MAX_PAGE_ENTRIES {
                    page.end.cursor = Some((origin.clone(), timestamp));
                    return page;
                }
            }
        }
        if first {
            page.end.past = self.past.iter().map(|(origin, timestamp)| (origin.clone(), *timestamp)).collect();
            page.end.digest = Some(self.digest());
        }
        page
    }

    // ---- reads ----

    pub fn index(&self) -> &Arc<Index> {
        &self.index
    }

    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Cost: O(origins).
    pub fn digest(&self) -> Digest {
        Digest::new(self.context.hash(), self.fingerprint)
    }
}

fn with_records(slots: Vec<Slot>) -> Vec<(Slot, Record)> {
    slots
        .into_iter()
        .map(|slot| {
            let record = slot.record();
            (slot, record)
        })
        .collect()
}
