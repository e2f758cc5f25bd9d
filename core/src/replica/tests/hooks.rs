//! What the simulation does to a replica that no caller can: look behind its indexes, and damage it.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::super::digest::Fingerprint;
use super::super::timeline::Timeline;
use super::super::{Content, Context, Origin, Replica, Slot, Stamp, Timestamp};

/// All of a replica that outlives it, where it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lasting {
    pub entries: BTreeMap<Vec<u8>, LastingEntry>,
    pub context: Context,
    pub refused: Context,
    pub past: BTreeMap<Origin, Timestamp>,
    pub forgotten: BTreeMap<Origin, Timestamp>,
    pub beaten: BTreeMap<Origin, Timestamp>,
    pub pruned_ms: u64,
    pub clock: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastingEntry {
    pub stamp: Stamp,
    pub value: Option<Vec<u8>>,
    pub expires_at_ms: u64,
    pub place: u32,
}

impl Lasting {
    /// As it comes back at that time: what is over by then has ended.
    pub fn at(mut self, now_ms: u64) -> Self {
        let over = self.entries.values_mut().filter(|entry| (1..=now_ms).contains(&entry.expires_at_ms));
        over.for_each(|entry| entry.value = None);
        self
    }

    /// The first part that is not the same, as it is here and there.
    pub fn differs_from(&self, other: &Self) -> Option<String> {
        let tell =
            |what: &str, is: &dyn std::fmt::Debug, was: &dyn std::fmt::Debug| Some(format!("{what}: {is:?}, not {was:?}"));
        match () {
            () if self.entries != other.entries => {
                let keys = self.entries.keys().chain(other.entries.keys());
                let key = keys.into_iter().find(|key| self.entries.get(*key) != other.entries.get(*key))?;
                tell(&key.escape_ascii().to_string(), &self.entries.get(key), &other.entries.get(key))
            }
            () if self.context != other.context => tell("context", &self.context, &other.context),
            () if self.refused != other.refused => tell("refused", &self.refused, &other.refused),
            () if self.past != other.past => tell("past", &self.past, &other.past),
            () if self.forgotten != other.forgotten => tell("forgotten", &self.forgotten, &other.forgotten),
            () if self.beaten != other.beaten => tell("beaten", &self.beaten, &other.beaten),
            () if self.pruned_ms != other.pruned_ms => tell("pruned", &self.pruned_ms, &other.pruned_ms),
            () if self.clock != other.clock => tell("clock", &self.clock, &other.clock),
            () => None,
        }
    }
}

impl Replica {
    pub(crate) fn lasting(&self) -> Lasting {
        let mut entries = BTreeMap::new();
        self.index().visit((Bound::Unbounded, Bound::Unbounded), false, |slot, record| {
            let (stamp, value) = (record.stamp().clone(), record.value().map(<[u8]>::to_vec));
            let expires_at_ms = record.expires_at_ms().unwrap_or_default();
            entries.insert(slot.key().to_vec(), LastingEntry { stamp, value, expires_at_ms, place: record.place() });
            true
        });
        Lasting {
            entries,
            context: self.context.clone(),
            refused: self.past_refusals.clone(),
            past: self.past.clone(),
            forgotten: self.forgotten.clone(),
            beaten: self.beaten.clone(),
            pruned_ms: self.pruned_ms,
            clock: self.clock.last(),
        }
    }

    /// Every index against the entries. Errors: what does not fit.
    pub(crate) fn check_indexes(&self) -> Result<(), String> {
        let mut by_origin: BTreeMap<Origin, BTreeMap<Timestamp, Slot>> = BTreeMap::new();
        let mut fingerprint = Fingerprint::default();
        let (mut live, mut hidden, mut ended, mut bytes) = (0, 0, Vec::new(), 0);
        let mut expiry = None::<u64>;
        self.index().visit((Bound::Unbounded, Bound::Unbounded), false, |slot, record| {
            let stamp = record.stamp();
            by_origin.entry(stamp.origin.clone()).or_default().insert(stamp.timestamp, slot.clone());
            bytes += (slot.key().len() + record.bytes().len()) as u64;
            match (record.is_live(), record.expires_at_ms()) {
                (false, _) => ended.push(slot.clone()),
                (true, Some(at)) => expiry = Some(expiry.map_or(at, |next| next.min(at))),
                (true, None) if self.rules.presence => {}
                (true, None) => fingerprint.add(slot.key(), stamp),
            }
            live += usize::from(record.is_live() && !record.is_hidden());
            hidden += usize::from(record.is_hidden());
            true
        });
        let entries = |timeline: &Timeline| timeline.iter().map(|(timestamp, slot)| (timestamp, slot.clone())).collect();
        let filed_by_origin: BTreeMap<Origin, BTreeMap<Timestamp, Slot>> =
            self.table.by_origin().iter().map(|(origin, timeline)| (origin.clone(), entries(timeline))).collect();
        let mut filed: Vec<Slot> = self.table.ended().map(|(_, slot)| slot.clone()).collect();
        filed.sort();
        let index = self.index();
        let checks = [
            ("by origin", filed_by_origin == by_origin),
            ("fingerprint", self.table.fingerprint() == fingerprint),
            ("tombstones", filed == ended && index.tombstones() == ended.len()),
            ("next expiry", self.table.next_expiry_ms() == expiry),
            ("counters", (index.live(), index.hidden(), index.bytes()) == (live, hidden, bytes)),
        ];
        checks.iter().find(|(_, fits)| !fits).map_or(Ok(()), |(what, _)| Err((*what).into()))
    }

    /// Puts something older in a key's place, as a bug or a bad memory chip would.
    pub(crate) fn damage(&mut self, key: &[u8], value: &[u8]) {
        let slot = self.table.index.slot(key).expect("a key that is there");
        let mut stamp = slot.record().stamp().clone();
        stamp.timestamp = stamp.timestamp.before();
        let content = Content { key, value: Some(value), expires_at_ms: 0, place: 0, proof: &[], hidden: false };
        self.table.set(Some(slot), &content, stamp, 0);
    }

    /// Takes a key out, as if it had been removed and forgotten.
    pub(crate) fn lose(&mut self, key: &[u8]) {
        let slot = self.table.index.slot(key).expect("a key that is there");
        self.table.drop(&slot);
    }
}
