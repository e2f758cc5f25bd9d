//! Which of a log's rows count: of each key the last one.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use super::rows::Row;

/// How many bits say which row it is; the others are of its key's hash.
const PLACE_BITS: u32 = 40;

/// The rows of a log, of which those that a later one replaced have no value any more.
///
/// Keys are found by sorting their hashes. A hash table would be random access to fresh memory for every row, which takes longer than all
/// else that is done with a row here.
///
/// Limits: 40 bytes for each row, and what the rows borrow.
pub struct Changed<'a> {
    rows: Vec<Row<'a>>,
    /// The upper bits of each key's hash, then which row it is. Order: ascending.
    places: Vec<u64>,
    hasher: FixedState,
}

impl<'a> Changed<'a> {
    /// Takes that many rows, in the order they were written.
    pub fn new(rows: impl Iterator<Item = Row<'a>>, count: usize, seed: u64) -> Self {
        let hasher = FixedState::with_seed(seed);
        let mut changed = Self { rows: Vec::with_capacity(count), places: Vec::with_capacity(count), hasher };
        for row in rows {
            changed.places.push(changed.hash(row.key) | changed.rows.len() as u64);
            changed.rows.push(row);
        }
        changed.places.sort_unstable();
        changed.keep_the_last();
        changed
    }

    fn keep_the_last(&mut self) {
        let Self { rows, places, .. } = self;
        let mut last: Vec<&[u8]> = Vec::new();
        for alike in places.chunk_by(|a, b| a >> PLACE_BITS == b >> PLACE_BITS).filter(|alike| alike.len() > 1) {
            last.clear();
            for place in alike.iter().rev() {
                let row = &mut rows[row_at(*place)];
                if last.contains(&row.key) {
                    row.value = None;
                } else {
                    last.push(row.key);
                }
            }
        }
    }

    /// Whether a row of that key is here, also if that removed it.
    pub fn contains(&self, key: &[u8]) -> bool {
        let hash = self.hash(key);
        let first = self.places.partition_point(|place| *place < hash);
        let alike = self.places[first..].iter().take_while(|place| *place >> PLACE_BITS == hash >> PLACE_BITS);
        alike.into_iter().any(|place| self.rows[row_at(*place)].key == key)
    }

    /// The rows that are there in the end, the last one first.
    pub fn last_first(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.rows.iter().rev().filter_map(|row| Some((row.key, row.value?)))
    }

    fn hash(&self, key: &[u8]) -> u64 {
        self.hasher.hash_one(key) >> PLACE_BITS << PLACE_BITS
    }
}

fn row_at(place: u64) -> usize {
    (place & ((1 << PLACE_BITS) - 1)) as usize
}
