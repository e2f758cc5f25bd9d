//! What reads return: counted references to the bytes that the map itself holds.

use std::fmt;
use std::ops::Deref;

use crate::peer::PeerId;
use crate::replica::{Record, Slot, Stamp};

/// A key, as the map holds it. Derefs to its bytes. Cost: cloning counts a reference.
#[derive(Clone)]
pub struct Key(pub(super) Slot);

impl Deref for Key {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.key()
    }
}

/// A value, as the map holds it: it stays valid after its key was overwritten or removed, and after the map was closed.
/// Derefs to its bytes. Cost: cloning counts a reference.
#[derive(Clone)]
pub struct Value(pub(super) Record);

impl Deref for Value {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.bytes()
    }
}

/// A key's current state in the view.
#[derive(Clone)]
pub struct Entry {
    pub(super) key: Key,
    pub(super) value: Value,
}

impl Entry {
    pub fn key(&self) -> &Key {
        &self.key
    }

    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The write that made it.
    pub fn stamp(&self) -> Stamp {
        self.value.0.stamp().clone()
    }

    /// Who wrote it.
    pub fn author(&self) -> PeerId {
        self.value.0.stamp().author().clone()
    }

    /// When it expires, if it does. Units: milliseconds since the Unix epoch.
    pub fn expires_at_ms(&self) -> Option<u64> {
        self.value.0.expires_at_ms()
    }

    /// When its author wrote it, by the author's clock. Units: milliseconds since the Unix epoch.
    pub fn time_ms(&self) -> u64 {
        self.value.0.stamp().time_ms()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.escape_ascii())
    }
}

/// Says the length, not the value: values may be secrets.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} bytes>", self.len())
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {:?} {}", self.key, self.value, self.value.0.stamp())
    }
}
