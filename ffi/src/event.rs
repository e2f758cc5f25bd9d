//! Events
//!
//! An event is a change of the view. Only what changes it makes one: the same value seen twice makes one event.
//! They come in the order in which this copy took them in; for a subscriber that is slow, the changes of one key
//! that wait become one.

use std::ffi::{c_char, c_void};

use p2pmap::{Event, EventKind};

use crate::bytes::{optional_pointer, pointer};
use crate::input::{self, Flag, Versioned};
use crate::stamp::p2pmap_stamp;

/// What happened: one of the numbers below.
pub type p2pmap_event_kind = i32;

/// A value under this key: a new one, or another one.
pub const P2PMAP_EVENT_PUT: p2pmap_event_kind = 1;
/// The key was removed.
pub const P2PMAP_EVENT_REMOVE: p2pmap_event_kind = 2;
/// The entry's time to live is over. Each node tells it by itself, by its own clock; a put in time renews.
pub const P2PMAP_EVENT_EXPIRE: p2pmap_event_kind = 3;
/// The entry's author is gone, on a map opened with `presence=true`. The entry is hidden, not lost: a put, without an old
/// value, tells that its author has come back.
pub const P2PMAP_EVENT_PRUNE: p2pmap_event_kind = 4;
/// The snapshot that was asked for is complete; changes follow. Empty key, no values, no stamp.
pub const P2PMAP_EVENT_SYNCED: p2pmap_event_kind = 5;

const _: () = {
    assert!(P2PMAP_EVENT_PUT == EventKind::Put as i32 && P2PMAP_EVENT_REMOVE == EventKind::Remove as i32);
    assert!(P2PMAP_EVENT_EXPIRE == EventKind::Expire as i32 && P2PMAP_EVENT_PRUNE == EventKind::Prune as i32);
    assert!(P2PMAP_EVENT_SYNCED == EventKind::Synced as i32);
};

/// One change. What it points to is valid as long as the event is.
#[repr(C)]
pub struct p2pmap_event {
    pub kind: p2pmap_event_kind,
    /// Whether this node wrote it: the write that made the change, as `stamp` has it.
    pub local: Flag,
    pub key: *const u8,
    pub key_len: usize,
    /// The new value; NULL unless the kind is put.
    pub value: *const u8,
    pub value_len: usize,
    /// What the view held before; NULL if nothing.
    pub old_value: *const u8,
    pub old_value_len: usize,
    /// The write that made the change, with its author; for expire and prune, that of the entry that went; all zero for
    /// synced.
    pub stamp: p2pmap_stamp,
}

/// Which changes are told. All of them, where everything but `struct_size` is zero.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct p2pmap_subscribe_options {
    /// sizeof(p2pmap_subscribe_options)
    pub struct_size: usize,
    /// Only keys that start with these bytes.
    pub prefix: *const c_void,
    pub prefix_len: usize,
    /// First a put for every entry of the view, then synced, then the changes: nothing is missed, nothing comes twice.
    pub snapshot: Flag,
}

// SAFETY: `repr(C)`, begins with `struct_size`, and its fields are a pointer, numbers and a `Flag`.
unsafe impl Versioned for p2pmap_subscribe_options {
    const NAME: &'static str = "p2pmap_subscribe_options";
    const FIRST: usize = size_of::<Self>();
}

impl p2pmap_subscribe_options {
    /// # Safety
    /// `given` is NULL or as long as its `struct_size` says, and so are the bytes that it points to.
    pub(crate) unsafe fn read(given: *const Self) -> p2pmap::Result<p2pmap::SubscribeOptions> {
        // SAFETY: by this function's own contract.
        let (given, prefix) = unsafe {
            let given = input::options(given)?;
            (given, input::bytes(given.prefix, given.prefix_len, "prefix")?)
        };
        Ok(p2pmap::SubscribeOptions { prefix: prefix.to_vec(), snapshot: given.snapshot.is_set() })
    }
}

impl p2pmap_event {
    /// An event that points into `event`.
    pub(crate) fn borrowed(event: &Event) -> Self {
        let (key, key_len) = pointer(event.key());
        let (value, value_len) = optional_pointer(event.value().map(|value| &**value));
        let (old_value, old_value_len) = optional_pointer(event.old_value().map(|value| &**value));
        let stamp = event.stamp().as_ref().map_or(p2pmap_stamp::NONE, p2pmap_stamp::from);
        let (kind, local) = (event.kind() as i32, event.is_local().into());
        Self { kind, local, key, key_len, value, value_len, old_value, old_value_len, stamp }
    }
}

/// The name of a kind, such as "put"; "unknown" for a number that is none.
///
/// Ownership: the library's; valid for ever.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_event_kind_name(kind: p2pmap_event_kind) -> *const c_char {
    let name = match kind {
        P2PMAP_EVENT_PUT => c"put",
        P2PMAP_EVENT_REMOVE => c"remove",
        P2PMAP_EVENT_EXPIRE => c"expire",
        P2PMAP_EVENT_PRUNE => c"prune",
        P2PMAP_EVENT_SYNCED => c"synced",
        _ => c"unknown",
    };
    name.as_ptr()
}
