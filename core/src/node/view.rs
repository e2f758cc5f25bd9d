//! What reads return: counted references to the bytes that the map itself holds.
use crate::{PeerId, Stamp};

/// A key, as the map holds it. Cloning counts a reference. Derefs to its bytes.
#[derive(Clone)]
pub struct Key(());
impl std::ops::Deref for Key { type Target = [u8]; fn deref(&self) -> &[u8] { todo!() } }

/// A value, as the map holds it. Cloning counts a reference; it stays valid after the key was
/// overwritten, removed, or the map closed. Derefs to its bytes.
#[derive(Clone)]
pub struct Value(());
impl std::ops::Deref for Value { type Target = [u8]; fn deref(&self) -> &[u8] { todo!() } }

/// A key's current state in the view.
#[derive(Clone)]
pub struct Entry(());
impl Entry {
    pub fn key(&self) -> &Key { todo!() }
    pub fn value(&self) -> &Value { todo!() }
    pub fn stamp(&self) -> Stamp { todo!() }
    /// Who wrote it.
    pub fn author(&self) -> PeerId { todo!() }
    /// When its author wrote it, by the author's clock. Units: milliseconds since the Unix epoch.
    pub fn time_ms(&self) -> u64 { todo!() }
}
