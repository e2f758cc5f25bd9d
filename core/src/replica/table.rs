//! All entries of a replica, and every index over them: kept in step here, and nowhere else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::clock::Timestamp;
use super::digest::Fingerprint;
use super::entry::{Record, RecordParts, Slot};
use super::index::Index;
use super::ledger::Ledger;
use super::mutation::{Mutation, mutated};
use super::stamp::{Origin, Stamp};

/// A key whose record was replaced, hidden, shown or dropped.
pub struct Change {
    pub slot: Slot,
    /// What was in the view before.
    pub old: Option<Record>,
    /// What is there now: a value or a tombstone.
    pub new: Record,
    /// Whether `new` is in the view.
    pub shows: bool,
}

/// Threads: one writer; readers hold the [`Index`].
pub(super) struct Table {
    pub index: Arc<Index>,
    /// What a sync looks up: every entry under its stamp.
    by_origin: BTreeMap<Origin, BTreeMap<Timestamp, Slot>>,
    /// Live entries under when they expire.
    expiring: BTreeSet<(u64, Slot)>,
    /// Tombstones under when they ended.
    ended: BTreeSet<(u64, Slot)>,
    fingerprint: Fingerprint,
    /// Presence: what is live is nobody's for ever, and no part of the fingerprint.
    presence: bool,
    /// Counts changes.
    revision: u64,
    /// What is to be saved, if anything is.
    pub ledger: Option<Ledger>,
}

/// What a write or an arriving entry says of a key.
pub(super) struct Content<'a> {
    pub key: &'a [u8],
    pub value: Option<&'a [u8]>,
    pub expires_at_ms: u64,
    pub place: u32,
    /// Its author is gone.
    pub hidden: bool,
}

impl Table {
    pub fn new(presence: bool, revision: u64) -> Self {
        Self {
            index: Arc::new(Index::new()),
            by_origin: BTreeMap::new(),
            expiring: BTreeSet::new(),
            ended: BTreeSet::new(),
            fingerprint: Fingerprint::default(),
            presence,
            revision,
            ledger: None,
        }
    }

    // ---- changes ----

    /// Puts a record in the key's place. Entries that are over by now are taken in as such.
    pub fn set(&mut self, held: Option<Slot>, content: &Content<'_>, stamp: Stamp, now_ms: u64) -> Change {
        let &Content { key, value, expires_at_ms, place, hidden } = content;
        self.revision += 1;
        let value = value.filter(|_| expires_at_ms == 0 || now_ms < expires_at_ms);
        let parts = RecordParts { stamp, expires_at_ms, place, revision: self.revision };
        let new = Record::new(parts, value, hidden && value.is_some());
        let shows = new.is_live() && !new.is_hidden();
        match held {
            Some(slot) => {
                let old = self.swap(&slot, new.clone());
                Change { slot, old: in_view(old), new, shows }
            }
            None => {
                let slot = Slot::new(key, new.clone());
                self.index.insert(&slot, &new);
                self.file(&slot, &new);
                self.note(&slot);
                Change { slot, old: None, new, shows }
            }
        }
    }

    /// Puts a record of an earlier life in its place; a key's first one.
    pub fn restore(&mut self, content: &Content<'_>, stamp: Stamp, now_ms: u64) {
        let ledger = self.ledger.take();
        let change = self.set(None, content, stamp, now_ms);
        self.ledger = ledger;
        if content.value.is_some() && !change.new.is_live() {
            // It has ended for good, whatever the clock says at the next opening.
            self.note(&change.slot);
        }
    }

    /// Counts changes from there, if it has not come as far.
    pub fn go_on_from(&mut self, revision: u64) -> u64 {
        self.revision = self.revision.max(revision) + 1;
        self.revision
    }

    /// Ends every entry whose time is over.
    pub fn expire(&mut self, now_ms: u64, changes: &mut Vec<Change>) {
        while self.expiring.first().is_some_and(|(at, _)| *at <= now_ms) {
            let Some((_, slot)) = self.expiring.pop_first() else { return };
            let new = slot.record().ended();
            let old = self.swap(&slot, new.clone());
            changes.push(Change { slot, old: in_view(old), new, shows: false });
        }
    }

    /// Ends an entry that is out of view.
    pub fn end(&mut self, slot: &Slot) {
        let over = slot.record().ended();
        self.swap(slot, over);
    }

    /// Hides or shows the values of one author.
    pub fn hide(&mut self, author: impl Fn(&Origin) -> bool, hidden: bool, changes: &mut Vec<Change>) {
        for (_, stamps) in self.by_origin.iter().filter(|(origin, _)| author(origin)) {
            for slot in stamps.values() {
                let record = slot.record();
                if record.is_live() && record.is_hidden() != hidden {
                    let old = in_view(record.clone());
                    self.index.hide(&record, hidden);
                    changes.push(Change { slot: slot.clone(), old, new: record, shows: !hidden });
                }
            }
        }
    }

    /// Takes a key out altogether.
    pub fn forget(&mut self, slot: &Slot) -> Record {
        let record = slot.record();
        self.unfile(slot, &record);
        self.index.remove(slot);
        if !mutated(Mutation::ForgottenStaysSaved) {
            self.note(slot);
        }
        record
    }

    /// It is to be saved.
    fn note(&mut self, slot: &Slot) {
        self.ledger.iter_mut().for_each(|ledger| ledger.note(slot));
    }

    /// Takes out a value that was removed elsewhere: a change of the view.
    pub fn drop(&mut self, slot: &Slot) -> Change {
        // A pull that is being served may have brought the value already: it must notice.
        self.revision += 1;
        let old = self.forget(slot);
        self.ledger.iter_mut().for_each(|ledger| ledger.note_dropped(slot));
        Change { slot: slot.clone(), new: old.removed(), old: in_view(old), shows: false }
    }

    fn swap(&mut self, slot: &Slot, new: Record) -> Record {
        let old = self.index.replace(slot, new.clone());
        self.unfile(slot, &old);
        self.file(slot, &new);
        self.note(slot);
        old
    }

    fn file(&mut self, slot: &Slot, record: &Record) {
        let stamp = record.stamp();
        match self.by_origin.get_mut(&stamp.origin) {
            Some(stamps) => stamps.insert(stamp.timestamp, slot.clone()),
            None => self.by_origin.entry(stamp.origin.clone()).or_default().insert(stamp.timestamp, slot.clone()),
        };
        match (record.is_live(), record.expires_at_ms()) {
            (true, None) if self.presence => {}
            (true, None) => self.fingerprint.add(slot.key(), stamp),
            (true, Some(at)) => {
                self.expiring.insert((at, slot.clone()));
            }
            (false, _) => {
                self.ended.insert((ended_at_ms(record), slot.clone()));
            }
        }
    }

    fn unfile(&mut self, slot: &Slot, record: &Record) {
        let stamp = record.stamp();
        if let Some(stamps) = self.by_origin.get_mut(&stamp.origin) {
            stamps.remove(&stamp.timestamp);
            if stamps.is_empty() {
                self.by_origin.remove(&stamp.origin);
            }
        }
        match (record.is_live(), record.expires_at_ms()) {
            (true, None) if self.presence => {}
            (true, None) => self.fingerprint.remove(slot.key(), stamp),
            (true, Some(at)) => {
                self.expiring.remove(&(at, slot.clone()));
            }
            (false, _) => {
                self.ended.remove(&(ended_at_ms(record), slot.clone()));
            }
        }
    }

    // ---- reads ----

    /// Every origin with entries here, and those under their timestamps.
    pub fn by_origin(&self) -> &BTreeMap<Origin, BTreeMap<Timestamp, Slot>> {
        &self.by_origin
    }

    /// When the next live entry expires.
    pub fn next_expiry_ms(&self) -> Option<u64> {
        self.expiring.first().map(|(at, _)| *at)
    }

    /// Tombstones, those that ended first coming first, with when that was.
    pub fn ended(&self) -> impl Iterator<Item = &(u64, Slot)> {
        self.ended.iter()
    }

    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    pub fn revision(&self) -> u64 {
        self.revision
    }
}

/// When a tombstone became one: when it was written, or when its time was over.
fn ended_at_ms(record: &Record) -> u64 {
    record.stamp().time_ms().max(record.expires_at_ms().unwrap_or_default())
}

fn in_view(old: Record) -> Option<Record> {
    (old.is_live() && !old.is_hidden()).then_some(old)
}
