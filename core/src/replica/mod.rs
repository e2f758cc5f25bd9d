//! stub
use crate::PeerId;
/// Identifies one write.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Stamp(());
impl Stamp {
    /// The HLC reading: 48-bit milliseconds since the Unix epoch, 16-bit counter.
    pub fn timestamp(&self) -> u64 { todo!() }
    pub fn time_ms(&self) -> u64 { todo!() }
    /// Who wrote it.
    pub fn author(&self) -> &PeerId { todo!() }
    /// Which opening of the map by its author.
    pub fn epoch(&self) -> u64 { todo!() }
}
impl std::fmt::Display for Stamp { fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { todo!() } }
/// Hash of the causal context, then fingerprint of the state: equal digests mean equal replicas. Displays as 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Digest(pub [u8; 32]);
impl std::fmt::Display for Digest { fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { todo!() } }
