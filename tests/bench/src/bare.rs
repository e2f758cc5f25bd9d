//! The floor under reads and writes: the hash index that p2pmap's own is made of, with keys and values as bytes.

use scc::HashIndex;

pub type BareIndex = HashIndex<Box<[u8]>, Box<[u8]>, foldhash::fast::RandomState>;

pub fn bare_index() -> BareIndex {
    HashIndex::with_hasher(foldhash::fast::RandomState::default())
}
