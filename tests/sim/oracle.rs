//! What really happened: every write that was accepted, and everything that its author had seen by then.

use std::collections::{BTreeMap, HashMap};

use super::trace;
use crate::replica::Stamp;

pub type Key = Vec<u8>;

/// A set of writes, by their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writes(Vec<u64>);

impl Writes {
    pub fn insert(&mut self, write: usize) {
        if self.0.len() <= write / 64 {
            self.0.resize(write / 64 + 1, 0);
        }
        self.0[write / 64] |= 1 << (write % 64);
    }

    pub fn contains(&self, write: usize) -> bool {
        self.0.get(write / 64).is_some_and(|word| word >> (write % 64) & 1 == 1)
    }

    /// Whether the other has all of these.
    pub fn is_in(&self, other: &Self) -> bool {
        self.0.iter().enumerate().all(|(at, word)| word & !other.0.get(at).copied().unwrap_or(0) == 0)
    }

    pub fn extend(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }
}

/// A write, as its author made it.
#[derive(Debug)]
pub struct Written {
    pub key: Key,
    /// `None`: a removal.
    pub value: Option<Vec<u8>>,
    /// 0: never.
    pub expires_at_ms: u64,
    pub stamp: Stamp,
    /// Writes of one batch share a number.
    pub batch: usize,
    /// What it causally depends on: everything that its author had seen, directly or through others, and itself.
    pub past: Writes,
}

impl Written {
    /// When it was over, if it was made to be: its own time for a removal, when it expires otherwise.
    pub fn ended_at_ms(&self) -> Option<u64> {
        match (&self.value, self.expires_at_ms) {
            (None, _) => Some(self.stamp.time_ms()),
            (Some(_), 0) => None,
            (Some(_), at) => Some(at.max(self.stamp.time_ms())),
        }
    }
}

#[derive(Default)]
pub struct Oracle {
    writes: Vec<Written>,
    by_stamp: HashMap<Stamp, usize>,
    /// Each key's writes, by stamp.
    by_key: BTreeMap<Key, BTreeMap<Stamp, usize>>,
    batches: usize,
}

impl Oracle {
    /// A number for a batch, or for a single write.
    pub fn batch(&mut self) -> usize {
        self.batches += 1;
        self.batches
    }

    /// Remembers a write by an author who has seen all that. `None` when its stamp is not the first of its kind.
    pub fn add(&mut self, written: Written) -> Option<usize> {
        let number = self.writes.len();
        if self.by_stamp.insert(written.stamp.clone(), number).is_some() {
            return None;
        }
        self.by_key.entry(written.key.clone()).or_default().insert(written.stamp.clone(), number);
        self.writes.push(written);
        self.writes[number].past.insert(number);
        Some(number)
    }

    pub fn writes(&self) -> &[Written] {
        &self.writes
    }

    pub fn write(&self, number: usize) -> &Written {
        &self.writes[number]
    }

    pub fn find(&self, stamp: &Stamp) -> Option<usize> {
        self.by_stamp.get(stamp).copied()
    }

    pub fn keys(&self) -> impl Iterator<Item = (&Key, &BTreeMap<Stamp, usize>)> {
        self.by_key.iter()
    }

    /// The writes to that key, oldest stamp first.
    pub fn of(&self, key: &[u8]) -> impl DoubleEndedIterator<Item = (usize, &Written)> {
        self.by_key.get(key).into_iter().flat_map(|stamps| stamps.values()).map(|&number| (number, &self.writes[number]))
    }

    /// Every key's writes in words, and which of them each author had seen.
    pub fn tell(&self) -> String {
        let mut lines = Vec::new();
        for key in self.by_key.keys() {
            lines.push(format!("writes to {}", trace::bytes(key)));
            for (number, written) in self.of(key) {
                let seen =
                    self.of(key).map(|(other, _)| other).filter(|&other| other != number && written.past.contains(other));
                let seen: Vec<String> = seen.map(|other| other.to_string()).collect();
                let value = written.value.as_deref().map_or("removed".into(), trace::bytes);
                let expires = if written.expires_at_ms > 0 {
                    format!(" until {}", trace::time(written.expires_at_ms))
                } else {
                    String::new()
                };
                lines.push(format!(
                    "  w{number} {value}{expires}, {}, having seen {}",
                    trace::stamp(&written.stamp),
                    seen.join(" ")
                ));
            }
        }
        lines.join("\n")
    }
}
