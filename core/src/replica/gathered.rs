//! Many new keys, gathered before they are put into the indexes: each index then gets them in the order that suits it, instead of
//! being searched from its root for every one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::mem::take;

use super::clock::Timestamp;
use super::digest::Fingerprint;
use super::entry::{Record, Slot};
use super::index::Index;
use super::stamp::Origin;
use super::timeline::Timeline;

/// With fewer keys a second thread is not worth its start.
const MANY: usize = 10_000;

/// One of two tasks that have nothing to do with each other. To be run once.
pub type Task<'a> = &'a mut (dyn FnMut() + Send);

/// Where entries are, beside the [`Index`].
#[derive(Default)]
pub(super) struct Filed {
    /// What a sync looks up: every entry under its stamp.
    pub by_origin: BTreeMap<Origin, Timeline>,
    /// Live entries under when they expire.
    pub expiring: BTreeSet<(u64, Slot)>,
    /// Tombstones under when they ended.
    pub ended: BTreeSet<(u64, Slot)>,
    pub fingerprint: Fingerprint,
}

/// Keys, each once. Cost: 40 bytes for each, beside what the indexes will take.
#[derive(Default)]
pub(super) struct Gathered {
    by_key: Vec<Slot>,
    /// With room for a number that tells most keys apart.
    ordered: Vec<(u64, Slot)>,
    /// How many bytes all keys begin with alike.
    common: usize,
    by_origin: Vec<(Origin, Vec<(Timestamp, Slot)>)>,
    expiring: Vec<(u64, Slot)>,
    ended: Vec<(u64, Slot)>,
    fingerprint: Fingerprint,
}

/// Which of its sets an entry is in, beside that of its origin.
pub(super) enum Class {
    /// Part of the fingerprint.
    Lasting,
    /// Of a presence map: in none.
    Present,
    Expiring(u64),
    Ended(u64),
}

impl Gathered {
    /// Where entries of that origin are gathered.
    pub fn place_of(&mut self, origin: Origin) -> usize {
        self.by_origin.push((origin, Vec::new()));
        self.by_origin.len() - 1
    }

    pub fn origin_at(&self, place: usize) -> &Origin {
        &self.by_origin[place].0
    }

    /// Takes a key with its first record, which is of the origin at that place.
    pub fn add(&mut self, place: usize, key: &[u8], record: Record, class: &Class) -> Slot {
        match self.by_key.first() {
            Some(first) if key.starts_with(&first.key()[..self.common]) => {}
            Some(first) => self.common = common(first.key(), key),
            None => self.common = key.len(),
        }
        let timestamp = record.stamp().timestamp;
        if matches!(class, Class::Lasting) {
            self.fingerprint.add(key, record.stamp());
        }
        let slot = Slot::new(key, record);
        match *class {
            Class::Lasting | Class::Present => {}
            Class::Expiring(at_ms) => self.expiring.push((at_ms, slot.clone())),
            Class::Ended(at_ms) => self.ended.push((at_ms, slot.clone())),
        }
        self.by_origin[place].1.push((timestamp, slot.clone()));
        self.ordered.push((0, slot.clone()));
        self.by_key.push(slot.clone());
        slot
    }

    /// Puts all of it into an empty index, and files it. `both` runs two tasks, in turn or at once, and is asked only if there is much to do.
    pub fn fill(mut self, index: &Index, both: impl FnOnce(Task<'_>, Task<'_>)) -> Filed {
        let many = self.by_key.len() >= MANY;
        let mut filed = Filed { fingerprint: self.fingerprint, ..Filed::default() };
        let mut found = || {
            index.fill_by_key(take(&mut self.by_key));
            filed.expiring = take(&mut self.expiring).into_iter().collect();
            filed.ended = take(&mut self.ended).into_iter().collect();
            for (origin, mut stamps) in take(&mut self.by_origin).into_iter().filter(|(_, stamps)| !stamps.is_empty()) {
                stamps.sort_by_key(|(timestamp, _)| *timestamp);
                filed.by_origin.entry(origin).or_default().extend(stamps);
            }
        };
        let mut scanned = || index.fill_ordered(in_order(take(&mut self.ordered), self.common));
        if many {
            both(&mut found, &mut scanned);
        } else {
            found();
            scanned();
        }
        filed
    }
}

/// Slots in key order; all their keys begin with that many bytes alike.
fn in_order(mut slots: Vec<(u64, Slot)>, common: usize) -> impl Iterator<Item = Slot> {
    slots.iter_mut().for_each(|(number, slot)| *number = number_of(&slot.key()[common..]));
    slots.sort_unstable_by(|(a, left), (b, right)| a.cmp(b).then_with(|| left.cmp(right)));
    slots.into_iter().map(|(_, slot)| slot)
}

/// The first bytes of what is left of a key: keys whose numbers differ are in the order of these.
fn number_of(rest: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    let len = rest.len().min(8);
    bytes[..len].copy_from_slice(&rest[..len]);
    u64::from_be_bytes(bytes)
}

/// How many bytes two keys begin with alike.
fn common(left: &[u8], right: &[u8]) -> usize {
    left.iter().zip(right).take_while(|(left, right)| left == right).count()
}
