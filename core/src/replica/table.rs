//! All entries of a replica, and every index over them: kept in step here, and nowhere else.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::digest::Fingerprint;
use super::entry::{Record, RecordParts, Slot};
use super::gathered::{Class, Filed, Gathered, Task};
use super::index::Index;
use super::ledger::Ledger;
use super::mutation::{Mutation, mutated};
use super::proof;
use super::stamp::{Origin, Stamp};
use super::timeline::Timeline;

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
    filed: Filed,
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
    /// Its author's; empty where the map is not signed.
    pub proof: &'a [u8],
    /// Its author is gone.
    pub hidden: bool,
}

impl Table {
    pub fn new(presence: bool, revision: u64) -> Self {
        Self { index: Arc::new(Index::new()), filed: Filed::default(), presence, revision, ledger: None }
    }

    // ---- changes ----

    /// Puts a record in the key's place. Entries that are over by now are taken in as such.
    pub fn set(&mut self, held: Option<Slot>, content: &Content<'_>, stamp: Stamp, now_ms: u64) -> Change {
        let new = self.record(content, stamp, now_ms);
        let shows = new.is_live() && !new.is_hidden();
        match held {
            Some(slot) => {
                let old = self.swap(&slot, new.clone());
                Change { slot, old: in_view(old), new, shows }
            }
            None => {
                let slot = Slot::new(content.key, new.clone());
                self.index.insert(&slot, &new);
                self.file(&slot, &new);
                self.note(&slot);
                Change { slot, old: None, new, shows }
            }
        }
    }

    fn record(&mut self, content: &Content<'_>, stamp: Stamp, now_ms: u64) -> Record {
        let &Content { value, expires_at_ms, place, proof, hidden, .. } = content;
        self.revision += 1;
        let is_over = expires_at_ms > 0 && now_ms >= expires_at_ms;
        let parts = RecordParts { stamp, expires_at_ms, place, revision: self.revision };
        match (value, proof) {
            (value, []) => Record::new(parts, value.filter(|_| !is_over), hidden && value.is_some() && !is_over),
            (Some(_), proof) if is_over => Record::signed(parts, None, &proof::of_ended(proof, value), false),
            (value, proof) => Record::signed(parts, value, proof, hidden && value.is_some()),
        }
    }

    /// Gathers a record of an earlier life, of the origin at that place; a key's only one.
    pub fn gather(&mut self, gathered: &mut Gathered, place: usize, content: &Content<'_>, stamp: Stamp, now_ms: u64) {
        let new = self.record(content, stamp, now_ms);
        let has_just_ended = content.value.is_some() && !new.is_live();
        self.index.announce(content.key, &new);
        let class = self.class(&new);
        let slot = gathered.add(place, content.key, new, &class);
        if has_just_ended {
            // It has ended for good, whatever the clock says at the next opening.
            self.note(&slot);
        }
    }

    /// Puts what was gathered in its place: all that there is.
    pub fn fill(&mut self, gathered: Gathered, both: impl FnOnce(Task<'_>, Task<'_>)) {
        self.filed = gathered.fill(&self.index, both);
    }

    /// Counts changes from there, if it has not come as far.
    pub fn go_on_from(&mut self, revision: u64) -> u64 {
        self.revision = self.revision.max(revision) + 1;
        self.revision
    }

    /// Ends every entry whose time is over.
    pub fn expire(&mut self, now_ms: u64, changes: &mut Vec<Change>) {
        while self.filed.expiring.first().is_some_and(|(at, _)| *at <= now_ms) {
            let Some((_, slot)) = self.filed.expiring.pop_first() else { return };
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
        for (_, stamps) in self.filed.by_origin.iter().filter(|(origin, _)| author(origin)) {
            for (_, slot) in stamps.iter() {
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
        match self.filed.by_origin.get_mut(&stamp.origin) {
            Some(stamps) => stamps.insert(stamp.timestamp, slot.clone()),
            None => self.filed.by_origin.entry(stamp.origin.clone()).or_default().insert(stamp.timestamp, slot.clone()),
        };
        match self.class(record) {
            Class::Lasting => self.filed.fingerprint.add(slot.key(), stamp),
            Class::Present => {}
            Class::Expiring(at_ms) => drop(self.filed.expiring.insert((at_ms, slot.clone()))),
            Class::Ended(at_ms) => drop(self.filed.ended.insert((at_ms, slot.clone()))),
        }
    }

    fn unfile(&mut self, slot: &Slot, record: &Record) {
        let stamp = record.stamp();
        if let Some(stamps) = self.filed.by_origin.get_mut(&stamp.origin) {
            stamps.remove(stamp.timestamp);
            if stamps.is_empty() {
                self.filed.by_origin.remove(&stamp.origin);
            }
        }
        match self.class(record) {
            Class::Lasting => self.filed.fingerprint.remove(slot.key(), stamp),
            Class::Present => {}
            Class::Expiring(at_ms) => drop(self.filed.expiring.remove(&(at_ms, slot.clone()))),
            Class::Ended(at_ms) => drop(self.filed.ended.remove(&(at_ms, slot.clone()))),
        }
    }

    fn class(&self, record: &Record) -> Class {
        match (record.is_live(), record.expires_at_ms()) {
            (true, None) if self.presence => Class::Present,
            (true, None) => Class::Lasting,
            (true, Some(at_ms)) => Class::Expiring(at_ms),
            (false, _) => Class::Ended(ended_at_ms(record)),
        }
    }

    // ---- reads ----

    /// Every origin with entries here, and those.
    pub fn by_origin(&self) -> &BTreeMap<Origin, Timeline> {
        &self.filed.by_origin
    }

    /// When the next live entry expires.
    pub fn next_expiry_ms(&self) -> Option<u64> {
        self.filed.expiring.first().map(|(at, _)| *at)
    }

    /// Tombstones, those that ended first coming first, with when that was.
    pub fn ended(&self) -> impl Iterator<Item = &(u64, Slot)> {
        self.filed.ended.iter()
    }

    pub fn fingerprint(&self) -> Fingerprint {
        self.filed.fingerprint
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
