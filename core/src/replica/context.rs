//! The causal context: what a replica has seen.
//!
//! Covering a stamp claims: "for that key I hold this entry or a greater one". Everything rests on that being true.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::Xxh3;

use super::clock::Timestamp;
use super::stamp::{Origin, Stamp};
use crate::limits::MAX_RANGES;

/// A version vector (origin -> highest gap-free timestamp) and the ranges seen beyond a gap.
///
/// Source: Almeida, Shoker, Baquero 2018, causal contexts; chained by `prev` instead of consecutive numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    seen: BTreeMap<Origin, Seen>,
}

/// What was seen of one origin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Everything up to here, inclusive.
    pub upto: Timestamp,
    /// And these (after, up to and including), ascending, disjoint, not adjacent, all beyond `upto`.
    pub ranges: Vec<(Timestamp, Timestamp)>,
}

impl Seen {
    pub fn covers(&self, timestamp: Timestamp) -> bool {
        if timestamp <= self.upto {
            return true;
        }
        let at = self.ranges.partition_point(|&(_, last)| last < timestamp);
        self.ranges.get(at).is_some_and(|&(after, _)| after < timestamp)
    }

    /// Adds (after, last]. What exceeds the limit of ranges is not claimed: a sync brings it again.
    fn add(&mut self, after: Timestamp, last: Timestamp) {
        if last <= after || last <= self.upto {
            return;
        }
        let (mut after, mut last) = (after, last);
        let from = self.ranges.partition_point(|&(_, l)| l < after);
        let to = self.ranges.partition_point(|&(a, _)| a <= last);
        if from < to {
            after = after.min(self.ranges[from].0);
            last = last.max(self.ranges[to - 1].1);
        }
        self.ranges.splice(from..to, [(after, last)]);
        if self.ranges[0].0 <= self.upto {
            self.upto = self.upto.max(self.ranges[0].1);
            self.ranges.remove(0);
        }
        self.ranges.truncate(MAX_RANGES);
    }

    fn remove(&mut self, timestamp: Timestamp) {
        let mut ranges = Vec::with_capacity(self.ranges.len() + 2);
        let whole = std::mem::take(&mut self.ranges);
        let upto = std::mem::take(&mut self.upto);
        for (after, last) in std::iter::once((Timestamp::ZERO, upto)).chain(whole) {
            if after < timestamp && timestamp <= last {
                ranges.push((after, timestamp.before()));
                ranges.push((timestamp, last));
            } else {
                ranges.push((after, last));
            }
        }
        for (after, last) in ranges {
            self.add(after, last);
        }
    }

    /// Whether it covers all of (after, last].
    pub fn covers_range(&self, after: Timestamp, last: Timestamp) -> bool {
        let within = |(from, to): (Timestamp, Timestamp)| from <= after && last <= to;
        last <= after || within((Timestamp::ZERO, self.upto)) || self.ranges.iter().copied().any(within)
    }

    /// What it covers up to there, as (after, up to and including).
    pub fn up_to(&self, limit: Timestamp) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let whole = std::iter::once((Timestamp::ZERO, self.upto)).chain(self.ranges.iter().copied());
        whole.map(move |(after, last)| (after, last.min(limit))).filter(|(after, last)| after < last)
    }

    /// The newest that it covers.
    pub fn newest(&self) -> Timestamp {
        self.ranges.last().map_or(self.upto, |&(_, last)| last)
    }

    fn is_empty(&self) -> bool {
        self.upto == Timestamp::ZERO && self.ranges.is_empty()
    }
}

impl Context {
    pub fn covers(&self, stamp: &Stamp) -> bool {
        self.seen.get(&stamp.origin).is_some_and(|seen| seen.covers(stamp.timestamp))
    }

    pub fn of(&self, origin: &Origin) -> Option<&Seen> {
        self.seen.get(origin)
    }

    /// The gap-free timestamp of that origin.
    #[cfg(test)]
    pub fn upto(&self, origin: &Origin) -> Timestamp {
        self.seen.get(origin).map_or(Timestamp::ZERO, |seen| seen.upto)
    }

    /// Whether something of that origin is missing before what was seen of it.
    pub fn has_gap(&self, origin: &Origin) -> bool {
        self.seen.get(origin).is_some_and(|seen| !seen.ranges.is_empty())
    }

    pub fn origins(&self) -> impl ExactSizeIterator<Item = (&Origin, &Seen)> {
        self.seen.iter()
    }

    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Claims (after, last] of that origin.
    pub fn add(&mut self, origin: &Origin, after: Timestamp, last: Timestamp) {
        if last <= after {
            return;
        }
        match self.seen.get_mut(origin) {
            Some(seen) => seen.add(after, last),
            None => self.seen.entry(origin.clone()).or_default().add(after, last),
        }
    }

    /// What it claims up to there.
    pub fn up_to(&self, limit: Timestamp) -> Self {
        let mut capped = Self::default();
        for (origin, seen) in &self.seen {
            seen.up_to(limit).for_each(|(after, last)| capped.add(origin, after, last));
        }
        capped
    }

    /// Claims everything that the other claims, origin by origin.
    pub fn join(&mut self, other: &Context) {
        for (origin, seen) in &other.seen {
            self.add(origin, Timestamp::ZERO, seen.upto);
            for &(after, last) in &seen.ranges {
                self.add(origin, after, last);
            }
        }
    }

    /// Gives up the claim to one stamp.
    pub fn remove(&mut self, stamp: &Stamp) {
        if let Some(seen) = self.seen.get_mut(&stamp.origin) {
            seen.remove(stamp.timestamp);
            if seen.is_empty() {
                self.seen.remove(&stamp.origin);
            }
        }
    }

    /// Gives up every claim about one origin.
    pub fn remove_origin(&mut self, origin: &Origin) {
        self.seen.remove(origin);
    }

    /// Gives up every claim about the origins that `keep` refuses.
    pub fn retain(&mut self, mut keep: impl FnMut(&Origin, &Seen) -> bool) {
        self.seen.retain(|origin, seen| keep(origin, seen));
    }

    /// The same for equal contexts on every machine.
    pub fn hash(&self) -> u128 {
        let mut hash = Xxh3::new();
        for (origin, seen) in &self.seen {
            hash.update(&origin.hash128().to_be_bytes());
            hash.update(&seen.upto.0.to_be_bytes());
            hash.update(&(seen.ranges.len() as u64).to_be_bytes());
            for (after, last) in &seen.ranges {
                hash.update(&after.0.to_be_bytes());
                hash.update(&last.0.to_be_bytes());
            }
        }
        hash.digest128()
    }
}
