//! What the simulation does to a replica that no caller can: look behind its indexes, and damage it.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::super::digest::Fingerprint;
use super::super::{Content, Origin, Replica, Slot, Timestamp};

impl Replica {
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
        let mut filed: Vec<Slot> = self.table.ended().map(|(_, slot)| slot.clone()).collect();
        filed.sort();
        let index = self.index();
        let checks = [
            ("by origin", *self.table.by_origin() == by_origin),
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
        let content = Content { key, value: Some(value), expires_at_ms: 0, place: 0, hidden: false };
        self.table.set(Some(slot), &content, stamp, 0);
    }

    /// Takes a key out, as if it had been removed and forgotten.
    pub(crate) fn lose(&mut self, key: &[u8]) {
        let slot = self.table.index.slot(key).expect("a key that is there");
        self.table.drop(&slot);
    }
}
