//! The pure core: the state of one map on one node. No IO, no clock, no async, no threads: time and messages come in as
//! arguments, changes go out as results.
//!
//! A write and a received entry meet in one place, the [`Table`]: the newer stamp wins, and every index follows. What a replica
//! has seen is its causal [`Context`]; what it must still tell others is its [`Outbox`]; what it may forget, and when, is in
//! `forget.rs`; who is there to see is its [`Presence`].

mod batch;
mod clock;
mod context;
mod delta;
mod digest;
mod entry;
mod forget;
mod gathered;
mod index;
mod ledger;
mod merge;
mod mutation;
mod outbox;
mod page;
mod presence;
mod proof;
mod receive;
mod restore;
mod stamp;
mod sync;
mod table;
#[cfg(test)]
mod tests;
mod timeline;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use clock::{Hlc, Timestamp};
pub use context::{Context, Seen};
pub use delta::{Delta, Incoming, Outgoing, Write};
pub(crate) use digest::Comparison;
pub use digest::Digest;
#[cfg(test)]
pub use entry::RecordParts;
pub use entry::{Record, Slot};
pub use gathered::Task;
pub use index::Index;
pub use ledger::{Head, Known, SavedEntry, Unsaved};
use mutation::Mutation as Bug;
#[cfg(test)]
pub use mutation::set as plant;
pub(crate) use mutation::{Mutation, mutated};
use outbox::Outbox;
use presence::Presence;
pub use presence::{Pulse, Sign};
pub use proof::{Said, Signer, Signing, Value};
pub use receive::{Merged, Unclaimed};
pub use restore::{Restored, Restorer};
pub use stamp::{Origin, Stamp};
pub use sync::{Forgotten, Join, Page, PageEnd, Puller, Request, Start, Step};
pub use table::Change;
use table::{Content, Table};
#[cfg(test)]
pub use tests::hooks::Lasting;

use crate::limits::MAX_ORIGINS;
use crate::peer::PeerId;

/// What a map's options say to its replica. Units: milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Entries are in the view only while their author is.
    pub presence: bool,
    /// Every entry carries its author's proof.
    pub signed: bool,
    /// The horizon: how old a tombstone is before it may be forgotten.
    pub tombstone_ttl_ms: u64,
    /// How old what is known of an origin without entries is before it may be forgotten.
    pub origin_retention_ms: u64,
    /// How long a silent author is believed to be there.
    pub peer_timeout_ms: u64,
    /// Entries stamped further ahead are set aside.
    pub max_clock_drift_ms: u64,
}

/// Where an opening starts to count its changes: above all that an earlier one counted. Epochs are as far apart as 65,536 for each
/// millisecond between two openings, and no life has as many changes.
fn first_revision(origin: &Origin) -> u64 {
    origin.epoch()
}

/// The state of one map on one node, as its one writer sees it. Readers hold its [`Index`].
pub struct Replica {
    origin: Origin,
    rules: Rules,
    clock: Hlc,
    table: Table,
    context: Context,
    /// The newest stamp of each origin that anything here causally depends on.
    past: BTreeMap<Origin, Timestamp>,
    /// Whose `past` advanced and has not been told, and what the clock said when it first did: the delta with the next own write
    /// tells it. (An earlier one must not: who has its writes already, from a sync, would never hear of it.)
    past_news: BTreeMap<Origin, Timestamp>,
    outbox: Outbox,
    /// A key that waits in the outbox may have been dropped.
    outbox_stale: bool,
    /// The newest stamp of each origin that was forgotten here, or where it was learned from.
    forgotten: BTreeMap<Origin, Timestamp>,
    /// The newest stamp that beat a value of each origin. Old copies of that value may be about for as long as an origin is retained.
    beaten: BTreeMap<Origin, Timestamp>,
    /// The newest revision that was forgotten here.
    forgotten_revision: u64,
    forgotten_count: u64,
    /// Origins without entries, and with nothing newer than this, are not known here any more.
    pruned_ms: u64,
    /// What was seen or refused for good, of the origins of which something was refused: it is not missing here.
    past_refusals: Context,
    /// How often an entry of that author was set aside. Bounded.
    ahead: BTreeMap<PeerId, u64>,
    /// When the first of what was set aside is not ahead any more.
    aside_until_ms: Option<u64>,
    presence: Option<Presence>,
    /// On a signed map.
    signing: Option<Signing>,
}

impl Replica {
    /// An empty replica that stamps with that origin.
    pub fn new(origin: Origin, rules: Rules) -> Self {
        let presence = rules.presence.then(|| Presence::new(origin.clone(), rules.peer_timeout_ms, rules.tombstone_ttl_ms));
        Self {
            table: Table::new(rules.presence, first_revision(&origin)),
            origin,
            rules,
            clock: Hlc::default(),
            context: Context::default(),
            past: BTreeMap::new(),
            past_news: BTreeMap::new(),
            outbox: Outbox::default(),
            outbox_stale: false,
            forgotten: BTreeMap::new(),
            beaten: BTreeMap::new(),
            forgotten_revision: 0,
            forgotten_count: 0,
            pruned_ms: 0,
            past_refusals: Context::default(),
            aside_until_ms: None,
            ahead: BTreeMap::new(),
            presence,
            signing: None,
        }
    }

    /// What it writes from now on is signed so.
    pub fn sign_with(&mut self, signing: Signing) {
        self.signing = Some(signing);
    }

    // ---- writes ----

    /// Writes a value. Cost: O(log n) for a new key, O(1) and the logarithm of one origin's entries for an overwrite.
    pub fn put(&mut self, key: &[u8], value: &[u8], expires_at_ms: u64, now_ms: u64) -> Change {
        self.write(&Write { key, value: Some(value), expires_at_ms }, 0, now_ms, false)
    }

    /// Removes a value in the view. Absent: nothing is written.
    pub fn remove(&mut self, key: &[u8], now_ms: u64) -> Option<Change> {
        self.shows(key, now_ms).then(|| self.write(&Write { key, value: None, expires_at_ms: 0 }, 0, now_ms, false))
    }

    /// Writes many under consecutive stamps, to leave in one delta. Removes of absent keys write nothing.
    pub fn apply<'a>(&mut self, writes: impl IntoIterator<Item = Write<'a>>, now_ms: u64) -> Vec<Change> {
        let mut changes: Vec<Change> = Vec::new();
        for write in writes {
            if write.value.is_some() || self.shows(write.key, now_ms) {
                // Invariant: a batch has fewer writes than that.
                let place = u32::try_from(changes.len()).unwrap_or(u32::MAX);
                changes.push(self.write(&write, place, now_ms, true));
            }
        }
        self.outbox.end_batch();
        changes
    }

    fn shows(&self, key: &[u8], now_ms: u64) -> bool {
        self.table.index.read(key, || now_ms, |_| ()).is_some()
    }

    fn write(&mut self, write: &Write<'_>, place: u32, now_ms: u64, joined: bool) -> Change {
        let mut stamp = Stamp { timestamp: self.clock.tick(now_ms), origin: self.origin.clone() };
        let timestamp = stamp.timestamp;
        if mutated(Bug::TwoStamps) {
            stamp.timestamp = self.clock.tick(now_ms);
        }
        self.context.add(&self.origin, Timestamp::ZERO, timestamp);
        self.note_origin(&stamp.origin);
        self.depend(&stamp.origin, timestamp);
        let held = self.table.index.slot(write.key);
        let &Write { key, value, expires_at_ms } = write;
        let said = Said { key, value: Value::of(value), expires_at_ms, place, stamp: &stamp };
        let signature = self.signing.as_ref().map(|signing| signing.sign(&said));
        let proof = signature.as_ref().map_or(&[][..], |signature| signature);
        let content = Content { key, value, expires_at_ms, place, proof, hidden: false };
        self.note_beaten(held.as_ref(), &stamp);
        let change = self.table.set(held, &content, stamp, now_ms);
        self.outbox.push(timestamp, change.slot.clone(), joined);
        change
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
        self.note_origin(origin);
        if *origin != self.origin && !self.past_news.contains_key(origin) {
            self.past_news.insert(origin.clone(), self.clock.last());
        }
    }

    // ---- what leaves ----

    /// The next delta: a prefix of the outbox of about that size. `None` when nothing waits.
    pub fn cut_delta(&mut self, target_bytes: usize) -> Option<Outgoing> {
        let cut = self.outbox.cut(target_bytes)?;
        let mut news = Vec::new();
        self.past_news.retain(|origin, noted| {
            let is_due = *noted < cut.last;
            news.extend(is_due.then(|| origin.clone()));
            !is_due
        });
        let told = |origin| self.past.get_key_value(&origin).filter(|_| !mutated(Bug::PastNotSent));
        let past = news.into_iter().filter_map(told).map(|(o, t)| (o.clone(), *t)).collect();
        let mut entries = self.with_records(cut.slots);
        self.complete_batches(&mut entries, cut.last);
        self.outbox_stale &= self.outbox.len() > 0;
        Some(Outgoing { origin: self.origin.clone(), prev: cut.prev, last: cut.last, past, entries })
    }

    fn with_records(&self, slots: Vec<Slot>) -> Vec<(Slot, Record)> {
        let current = |slot: Slot| match self.outbox_stale {
            true => self.table.index.slot(slot.key()),
            false => Some(slot),
        };
        let recorded = |slot: Slot| {
            let record = slot.record();
            (slot, record)
        };
        slots.into_iter().filter_map(current).map(recorded).collect()
    }

    /// Writes that wait in the outbox.
    pub fn waiting(&self) -> usize {
        self.outbox.len()
    }

    /// Forgets what waits in the outbox, because nobody listens.
    pub fn clear_outbox(&mut self) {
        self.outbox.clear();
    }

    /// The sign of life to send now, if one is due.
    pub fn pulse(&mut self, now_ms: u64) -> Option<Pulse> {
        self.presence.as_mut()?.pulse(now_ms)
    }

    /// The goodbye, on a presence map.
    pub fn farewell(&mut self, now_ms: u64) -> Option<Pulse> {
        Some(self.presence.as_mut()?.farewell(now_ms))
    }

    // ---- reads ----

    pub fn index(&self) -> &Arc<Index> {
        &self.table.index
    }

    pub fn signing(&self) -> Option<&Signing> {
        self.signing.as_ref()
    }

    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    pub fn context(&self) -> &Context {
        &self.context
    }

    /// What was seen or refused for good, of the origins of which something was refused.
    pub fn past_refusals(&self) -> &Context {
        &self.past_refusals
    }

    /// Cost: O(origins).
    pub fn digest(&self) -> Digest {
        Digest::new(self.context.hash(), self.table.fingerprint())
    }

    /// How often an entry of each author was set aside.
    pub fn ahead(&self) -> &BTreeMap<PeerId, u64> {
        &self.ahead
    }

    /// Tombstones forgotten so far.
    pub fn forgotten_count(&self) -> u64 {
        self.forgotten_count
    }

    /// How far the clock is ahead of the wall clock.
    pub fn clock_ahead_ms(&self, now_ms: u64) -> u64 {
        self.clock.last().ms().saturating_sub(now_ms)
    }
}
