//! A change of the view, as subscribers are told it.

use std::fmt;

use super::view::{Key, Value};
use crate::peer::PeerId;
use crate::replica::{Change, Origin, Record, Slot, Stamp};

/// What happened. The numbers are those of the C interface and are never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(i32)]
pub enum EventKind {
    /// A key has a value that it had not before; also when its author is back.
    Put = 1,
    /// A key's value was removed.
    Remove = 2,
    /// A key's value ran out.
    Expire = 3,
    /// A key's author has left.
    Prune = 4,
    /// The end of a snapshot: from here on, changes.
    Synced = 5,
}

impl EventKind {
    /// `put`, `remove`, `expire`, `prune` or `synced`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Remove => "remove",
            Self::Expire => "expire",
            Self::Prune => "prune",
            Self::Synced => "synced",
        }
    }
}

/// One change of the view. `synced` has an empty key, no values and no stamp. Cost: cloning counts references.
#[derive(Clone)]
pub struct Event {
    kind: EventKind,
    key: Option<Key>,
    /// The record after the change: a value, or the tombstone of a removal.
    new: Option<Value>,
    old: Option<Value>,
    local: bool,
}

impl Event {
    pub fn kind(&self) -> EventKind {
        self.kind
    }

    /// Empty for `synced`.
    pub fn key(&self) -> &[u8] {
        self.key.as_deref().unwrap_or_default()
    }

    /// The new value; for `put` only.
    pub fn value(&self) -> Option<&Value> {
        self.new.as_ref().filter(|_| self.kind == EventKind::Put)
    }

    /// What the view held before, if anything.
    pub fn old_value(&self) -> Option<&Value> {
        self.old.as_ref()
    }

    /// The write that made the change, or the one whose entry ran out or is hidden; none for `synced`.
    pub fn stamp(&self) -> Option<Stamp> {
        self.new.as_ref().map(|new| new.0.stamp().clone())
    }

    /// Who made the change; none for `synced`.
    pub fn author(&self) -> Option<PeerId> {
        self.new.as_ref().map(|new| new.0.stamp().author().clone())
    }

    /// Whether this map handle's own node wrote it.
    pub fn is_local(&self) -> bool {
        self.local
    }

    /// The change as an event, if the view changed: the same bytes written again are none.
    pub(super) fn of(change: &Change, own: &Origin) -> Option<Self> {
        let kind = match (&change.old, change.shows) {
            (Some(old), true) if old.bytes() == change.new.bytes() => return None,
            (_, true) => EventKind::Put,
            (None, false) => return None,
            (Some(_), false) if change.new.is_live() => EventKind::Prune,
            (Some(_), false) if change.new.expires_at_ms().is_some() => EventKind::Expire,
            (Some(_), false) => EventKind::Remove,
        };
        Some(Self {
            kind,
            key: Some(Key(change.slot.clone())),
            new: Some(Value(change.new.clone())),
            old: change.old.clone().map(Value),
            local: change.new.stamp().origin == *own,
        })
    }

    /// An entry of a snapshot.
    pub(super) fn snapshot(slot: &Slot, record: Record, own: &Origin) -> Self {
        let local = record.stamp().origin == *own;
        Self { kind: EventKind::Put, key: Some(Key(slot.clone())), new: Some(Value(record)), old: None, local }
    }

    pub(super) fn synced() -> Self {
        Self { kind: EventKind::Synced, key: None, new: None, old: None, local: false }
    }

    /// The key as conflation knows it.
    pub(super) fn slot(&self) -> Option<&Slot> {
        self.key.as_ref().map(|key| &key.0)
    }

    /// This one and then the next one for the same key, told as one; `None` when nothing is left to tell.
    pub(super) fn then(&self, next: Event) -> Option<Event> {
        let conflated = Event { old: self.old.clone(), ..next };
        let (old, value) = (conflated.old.as_deref(), conflated.value().map(|value| &**value));
        (old != value).then_some(conflated)
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} {:?}", self.kind.name(), self.key, self.new)
    }
}
