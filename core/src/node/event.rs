//! A change of the view, as subscribers are told it.
use super::{Key, Value};
use crate::{PeerId, Stamp};

/// What happened. Numbered once, for C: put 1, remove 2, expire 3, prune 4, synced 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(i32)]
pub enum EventKind { Put = 1, Remove = 2, Expire = 3, Prune = 4, Synced = 5 }
impl EventKind {
    /// `put`, `remove`, `expire`, `prune` or `synced`.
    pub const fn name(self) -> &'static str { todo!() }
}

/// One change of the view. `synced` ends a snapshot and has an empty key, no values and no stamp.
#[derive(Clone)]
pub struct Event(());
impl Event {
    pub fn kind(&self) -> EventKind { todo!() }
    /// Empty for `synced`.
    pub fn key(&self) -> &[u8] { todo!() }
    /// The new value; for `put` only.
    pub fn value(&self) -> Option<&Value> { todo!() }
    /// What the view held before, if anything.
    pub fn old_value(&self) -> Option<&Value> { todo!() }
    /// The write that made the change; none for `synced`.
    pub fn stamp(&self) -> Option<Stamp> { todo!() }
    pub fn author(&self) -> Option<PeerId> { todo!() }
    /// Whether this map handle's own node wrote it.
    pub fn is_local(&self) -> bool { todo!() }
}
