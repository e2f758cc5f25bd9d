//! Ordered scans of the view.

use std::collections::VecDeque;
use std::ops::Bound;
use std::sync::Arc;

use super::clock::now_ms;
use super::view::{Entry, Key, Value};
use crate::replica::Index;

/// What a scan covers. Bounds are byte strings in key order; all are optional and combine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScanOptions {
    /// Only keys that start with these bytes.
    pub prefix: Vec<u8>,
    /// Only keys from here, inclusive.
    pub start: Option<Vec<u8>>,
    /// Only keys below this, exclusive.
    pub end: Option<Vec<u8>>,
    /// At most this many entries.
    pub limit: Option<usize>,
    /// From the greatest key down.
    pub reverse: bool,
}

/// An iterator over entries in key order.
///
/// Order: by key bytes, ascending unless reversed. It sees each key once. An entry there throughout is seen; one that comes or
/// goes meanwhile may be. Cost: it never blocks a writer, and reads ahead some entries at a time.
pub struct Scan {
    index: Arc<Index>,
    from: Bound<Box<[u8]>>,
    to: Bound<Box<[u8]>>,
    reverse: bool,
    left: usize,
    ahead: VecDeque<Entry>,
    read_ahead: usize,
}

/// Entries read ahead: few at first, since many scans want few.
const FIRST_READ_AHEAD: usize = 32;
const MAX_READ_AHEAD: usize = 1024;

impl Scan {
    pub(super) fn new(index: Arc<Index>, options: ScanOptions) -> Self {
        let mut from = Bound::Included(options.prefix.clone());
        if let Some(start) = options.start.filter(|start| *start > options.prefix) {
            from = Bound::Included(start);
        }
        let prefix_end = after_prefix(options.prefix);
        let to = match (options.end, prefix_end) {
            (Some(a), Some(b)) => Bound::Excluded(a.min(b)),
            (Some(end), None) | (None, Some(end)) => Bound::Excluded(end),
            (None, None) => Bound::Unbounded,
        };
        Self {
            index,
            from: from.map(Vec::into_boxed_slice),
            to: to.map(Vec::into_boxed_slice),
            reverse: options.reverse,
            left: options.limit.unwrap_or(usize::MAX),
            ahead: VecDeque::new(),
            read_ahead: FIRST_READ_AHEAD,
        }
    }

    fn is_exhausted(&self) -> bool {
        match (&self.from, &self.to) {
            (Bound::Included(from), Bound::Excluded(to)) => from >= to,
            (Bound::Excluded(from), Bound::Excluded(to)) => from >= to,
            _ => false,
        }
    }

    fn read_ahead(&mut self) {
        let most = self.read_ahead.min(self.left);
        if most == 0 || self.is_exhausted() {
            return;
        }
        self.read_ahead = (self.read_ahead * 4).min(MAX_READ_AHEAD);
        let Self { index, ahead, from, to, .. } = self;
        let range = (from.as_ref().map(|key| &**key), to.as_ref().map(|key| &**key));
        let now = now_ms();
        index.visit(range, self.reverse, |slot, record| {
            if record.shows(|| now) {
                ahead.push_back(Entry { key: Key(slot.clone()), value: Value(record) });
            }
            ahead.len() < most
        });
        match self.ahead.back().filter(|_| self.ahead.len() == most) {
            Some(last) if self.reverse => self.to = Bound::Excluded((*last.key).into()),
            Some(last) => self.from = Bound::Excluded((*last.key).into()),
            None => self.left = self.ahead.len(),
        }
    }
}

impl Iterator for Scan {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        if self.ahead.is_empty() {
            self.read_ahead();
        }
        let entry = self.ahead.pop_front()?;
        self.left -= 1;
        Some(entry)
    }
}

/// The least key above all that start with the prefix, if there is one.
fn after_prefix(mut prefix: Vec<u8>) -> Option<Vec<u8>> {
    while let Some(last) = prefix.pop() {
        if last < u8::MAX {
            prefix.push(last + 1);
            return Some(prefix);
        }
    }
    None
}
