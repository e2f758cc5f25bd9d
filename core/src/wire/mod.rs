//! Messages as bytes: versions, limits, encoding. Pure.

/// The name of a map on the wire: a hash of cluster id and map name that reveals neither.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Topic(pub [u8; 16]);

pub(crate) mod members;
