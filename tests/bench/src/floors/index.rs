//! The floor under reads, writes and scans: the indexes that p2pmap's own are made of, with keys and values as bytes.

use std::hint::black_box;
use std::ops::Bound;

use scc::{Guard, HashIndex, TreeIndex};

pub type BareIndex = HashIndex<Box<[u8]>, Box<[u8]>, foldhash::fast::RandomState>;
pub type BareOrder = TreeIndex<Box<[u8]>, Box<[u8]>>;

pub fn bare_index() -> BareIndex {
    HashIndex::with_hasher(foldhash::fast::RandomState::default())
}

/// How many entries a prefix has.
pub fn bare_scan(bare: &BareOrder, prefix: &[u8]) -> usize {
    let guard = Guard::new();
    // To find a bound below all keys, the tree goes through its leaves once for each of them.
    let is_below_all = bare.iter(&guard).next().is_some_and(|(least, _)| *prefix <= **least);
    let low = if is_below_all { Bound::Unbounded } else { Bound::Included(prefix) };
    let from = bare.range::<[u8], _>((low, Bound::Unbounded), &guard);
    from.take_while(|(key, _)| key.starts_with(prefix)).filter(|(_, value)| !black_box(value).is_empty()).count()
}
