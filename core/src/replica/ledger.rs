//! What a durable replica has not saved yet, and how it comes back from what it has.
//!
//! Whoever keeps a replica takes, now and then and under the writer lock, everything that changed since ([`Unsaved`]): the keys as
//! they are now, what is known of the origins that changed, and the clock. Written as one commit it takes the saved state from one
//! moment of the replica to a later one, so what is on disk is always a state that the replica was in. Entries name their origin by
//! a number, which is given once and never again.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use indexmap::IndexSet;

use super::context::Seen;
use super::table::Content;
use super::{Bug, Context, Origin, Record, Replica, Rules, Slot, Stamp, Timestamp, first_revision, mutated};

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
        Head { clock, epoch: self.origin.epoch(), pruned_ms, presence: self.rules.presence }
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

/// An entry as it comes back.
#[derive(Clone, Copy, Debug)]
pub struct Restored<'a> {
    pub key: &'a [u8],
    pub origin: u32,
    pub timestamp: Timestamp,
    pub place: u32,
    pub value: Option<&'a [u8]>,
    pub expires_at_ms: u64,
}

/// A replica that is coming back. Rows come in any order; an entry's origin may come after it.
pub struct Restorer {
    replica: Replica,
    origins: HashMap<u32, Origin, foldhash::fast::RandomState>,
    /// The newest opening before this one.
    last_epoch: u64,
    now_ms: u64,
}

/// How much later an opening is than the one before, when the clock says that it is earlier: some hours, for more changes than a
/// life has.
const EPOCH_STEP: u64 = 1 << 40;

impl Restorer {
    /// Goes on as that origin, or as a later opening of the same node's.
    pub fn new(origin: Origin, rules: Rules, now_ms: u64) -> Self {
        let mut replica = Replica::new(origin, rules);
        replica.keep();
        Self { replica, origins: HashMap::default(), last_epoch: 0, now_ms }
    }

    pub fn head(&mut self, head: &Head) {
        self.replica.clock.observe(head.clock);
        self.replica.pruned_ms = head.pruned_ms;
        self.last_epoch = head.epoch;
    }

    pub fn origin(&mut self, number: u32, known: Known) {
        let Known { origin, seen, refused, past, forgotten, beaten } = known;
        let replica = &mut self.replica;
        let claim = |context: &mut Context, seen: &Seen| {
            seen.up_to(Timestamp(u64::MAX)).for_each(|(after, last)| context.add(&origin, after, last));
        };
        claim(&mut replica.context, &seen);
        refused.iter().for_each(|refused| claim(&mut replica.past_refusals, refused));
        let forgotten = if mutated(Bug::ForgottenNotRestored) { Timestamp::ZERO } else { forgotten };
        let vectors = [(&mut replica.past, past), (&mut replica.forgotten, forgotten), (&mut replica.beaten, beaten)];
        for (vector, newest) in vectors.into_iter().filter(|(_, newest)| *newest > Timestamp::ZERO) {
            vector.insert(origin.clone(), newest);
        }
        if let Some(ledger) = &mut replica.table.ledger {
            ledger.next_number = ledger.next_number.max(number);
            ledger.numbers.insert(origin.clone(), number);
        }
        self.origins.insert(number, origin);
    }

    /// Whether it could be taken: its origin is known.
    pub fn entry(&mut self, entry: &Restored<'_>) -> bool {
        let Some(origin) = self.origins.get(&entry.origin) else { return false };
        let stamp = Stamp { timestamp: entry.timestamp, origin: origin.clone() };
        let hidden = self.replica.presence.as_mut().is_some_and(|presence| {
            presence.met(origin.peer(), false);
            !presence.is_here(origin.peer())
        });
        let &Restored { key, value, expires_at_ms, place, .. } = entry;
        self.replica.table.restore(&Content { key, value, expires_at_ms, place, hidden }, stamp, self.now_ms);
        true
    }

    /// All has come back. What its own writes depend on is told anew: their origin is a new one.
    pub fn finish(mut self) -> Replica {
        let replica = &mut self.replica;
        if replica.origin.epoch() <= self.last_epoch && !mutated(Bug::EpochNotRaised) {
            let origin = Origin::new(replica.origin.peer().clone(), self.last_epoch.saturating_add(EPOCH_STEP));
            replica.presence.iter_mut().for_each(|presence| presence.rename(origin.clone()));
            replica.origin = origin;
        }
        // A pull that another life of this replica served must not go on as if nothing had changed or been forgotten since.
        replica.forgotten_revision = replica.table.go_on_from(first_revision(&replica.origin));
        let last = replica.clock.last();
        if !mutated(Bug::PastNotTold) {
            replica.past_news = replica.past.keys().map(|origin| (origin.clone(), last)).collect();
        }
        self.replica
    }
}
