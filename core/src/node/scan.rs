//! Ordered scans of the view.
use super::Entry;

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

/// An iterator over entries in key order. It sees each key once, never blocks a writer, and holds nothing
/// back from being freed between two calls.
pub struct Scan(());
impl Iterator for Scan { type Item = Entry; fn next(&mut self) -> Option<Entry> { todo!() } }
