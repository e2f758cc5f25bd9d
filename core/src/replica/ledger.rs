//! What a durable replica has not saved yet.
//!
//! Whoever keeps a replica takes, now and then and under the writer lock, everything that changed since ([`Unsaved`]): the keys as
//! they are now, what is known of the origins that changed, and the clock. Written as one commit it takes the saved state from one
//! moment of the replica to a later one, so what is on disk is always a state that the replica was in. Entries name their origin by
//! a number, which is given once and never again.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use indexmap::IndexSet;

use super::context::Seen;
use super::{Origin, Record, Replica, Slot, Timestamp};

/// Everything that changed since the last time, each once, as it is now.
pub struct Unsaved {
    pub head: Head,
    /// `None`: the origin is not known any more.
    pub origins: Vec<(u32, Option<Known>)>,
    /// `None`: forgotten.
    pub entries: Vec<(Slot, Option<SavedEntry>)>,
    /// Values that were removed elsewhere, without a trace here.
    pub dropped: Vec<Slot>,
    /// How many changes the replica had seen: everything up to this one is in here, or was saved before.
    pub edits: u64,
}

/// An entry as it is kept: with the number of its origin.
pub struct SavedEntry {
    pub origin: u32,
    pub record: Record,
}

/// What belongs to no key and no origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    pub clock: Timestamp,
    /// The newest opening of this node's: a later one must be greater.
    pub epoch: u64,
    pub pruned_ms: u64,
    pub presence: bool,
    pub signed: bool,
}

/// All that is known of one origin beside its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub origin: Origin,
    pub seen: Seen,
    /// What was seen or refused for good, if anything was refused.
    pub refused: Option<Seen>,
    pub past: Timestamp,
    pub forgotten: Timestamp,
    pub beaten: Timestamp,
}

/// Notes what changes, and numbers origins.
#[derive(Default)]
pub(super) struct Ledger {
    numbers: BTreeMap<Origin, u32>,
    next_number: u32,
    origins: BTreeSet<Origin>,
    /// In the order in which they were noted first: what is saved is so in the same order each time.
    slots: IndexSet<Slot, foldhash::fast::RandomState>,
    dropped: HashSet<Slot, foldhash::fast::RandomState>,
    gone: Vec<u32>,
    edits: u64,
}

impl Ledger {
    pub fn note(&mut self, slot: &Slot) {
        self.edits += 1;
        if !self.slots.contains(slot) {
            self.slots.insert(slot.clone());
        }
    }

    pub fn note_dropped(&mut self, slot: &Slot) {
        self.dropped.insert(slot.clone());
    }

    pub fn note_origin(&mut self, origin: &Origin) {
        self.edits += 1;
        if !self.origins.contains(origin) {
            self.origins.insert(origin.clone());
        }
    }

    fn number(&mut self, origin: &Origin) -> u32 {
        if let Some(&number) = self.numbers.get(origin) {
            return number;
        }
        self.next_number += 1;
        self.numbers.insert(origin.clone(), self.next_number);
        // Its row is due with the first that names it.
        self.origins.insert(origin.clone());
        self.next_number
    }

    /// Nothing names it any more.
    pub fn let_go(&mut self, origin: &Origin) {
        self.origins.remove(origin);
        if let Some(number) = self.numbers.remove(origin) {
            self.edits += 1;
            self.gone.push(number);
        }
    }

    /// The number that an earlier life gave it.
    pub fn renumber(&mut self, origin: &Origin, number: u32) {
        self.next_number = self.next_number.max(number);
        self.numbers.insert(origin.clone(), number);
    }

    pub fn origins(&self) -> impl Iterator<Item = &Origin> {
        self.numbers.keys()
    }
}

impl Replica {
    /// From now on what changes is noted, to be saved.
    pub fn keep(&mut self) {
        self.table.ledger.get_or_insert_default();
    }

    /// Counts what was noted.
    pub fn edits(&self) -> u64 {
        self.table.ledger.as_ref().map_or(0, |ledger| ledger.edits)
    }

    /// What changed since the last call. Cost: as much.
    pub fn take_unsaved(&mut self) -> Option<Unsaved> {
        let mut ledger = self.table.ledger.take()?;
        let (slots, dropped) = (std::mem::take(&mut ledger.slots), std::mem::take(&mut ledger.dropped));
        let (mut entries, mut gone) = (Vec::with_capacity(slots.len()), Vec::new());
        for noted in slots {
            // It may have been forgotten, and the key written anew, since it was noted.
            let slot = self.table.index.slot(noted.key());
            let saved = slot.map(|slot| {
                let record = slot.record();
                SavedEntry { origin: ledger.number(&record.stamp().origin), record }
            });
            match saved {
                None if dropped.contains(&noted) => gone.push(noted),
                saved => entries.push((noted, saved)),
            }
        }
        let changed = std::mem::take(&mut ledger.origins);
        let mut origins: Vec<_> = std::mem::take(&mut ledger.gone).into_iter().map(|number| (number, None)).collect();
        origins.extend(changed.iter().map(|origin| (ledger.number(origin), Some(self.known(origin)))));
        ledger.origins.clear();
        let unsaved = Unsaved { head: self.head(), origins, entries, dropped: gone, edits: ledger.edits };
        self.table.ledger = Some(ledger);
        Some(unsaved)
    }

    /// The head, and all that is known of every origin: for a snapshot, whose entries are read off the index afterwards. Origins that
    /// have no number yet are in a later commit, with their entries.
    pub fn numbered(&self) -> (Head, Vec<(u32, Known)>) {
        let numbers = self.table.ledger.iter().flat_map(|ledger| &ledger.numbers);
        (self.head(), numbers.map(|(origin, number)| (*number, self.known(origin))).collect())
    }

    fn head(&self) -> Head {
        let (clock, pruned_ms) = (self.clock.last(), self.pruned_ms);
        Head { clock, epoch: self.origin.epoch(), pruned_ms, presence: self.rules.presence, signed: self.rules.signed }
    }

    fn known(&self, origin: &Origin) -> Known {
        let newest = |vector: &BTreeMap<Origin, Timestamp>| vector.get(origin).copied().unwrap_or_default();
        Known {
            origin: origin.clone(),
            seen: self.context.of(origin).cloned().unwrap_or_default(),
            refused: self.past_refusals.of(origin).cloned(),
            past: newest(&self.past),
            forgotten: newest(&self.forgotten),
            beaten: newest(&self.beaten),
        }
    }

    /// That origin's vectors have changed.
    pub(super) fn note_origin(&mut self, origin: &Origin) {
        self.table.ledger.iter_mut().for_each(|ledger| ledger.note_origin(origin));
    }
}
