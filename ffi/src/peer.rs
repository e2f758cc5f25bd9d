//! Lists
//!
//! What a call tells as a list is an array that stays valid until the list is freed: `list.items[i]` for every `i`
//! below `list.count`. `owner` is the library's.

use std::ffi::{CString, c_char, c_void};

use p2pmap::{MapPeer, PeerInfo};

use crate::error::c_text;
use crate::guard::guard_or;
use crate::input::Flag;

/// A yes or no that may not be known yet: 1 is yes, 0 is no, -1 is not known.
pub type p2pmap_answer = i32;

/// A number that may be negative and is not known yet.
pub const P2PMAP_UNKNOWN: i64 = i64::MIN;

/// Texts, each NUL-terminated UTF-8.
#[repr(C)]
pub struct p2pmap_string_list {
    pub items: *const *const c_char,
    pub count: usize,
    pub owner: *mut c_void,
}

/// A peer that a node is connected to.
#[repr(C)]
pub struct p2pmap_peer {
    /// Its peer id as text.
    pub id: *const c_char,
    /// The address that the connection uses.
    pub addr: *const c_char,
    /// Whether this node dialled; otherwise the peer did.
    pub outbound: Flag,
    /// Whether all maps in common were equal when last compared.
    pub in_sync: p2pmap_answer,
    /// Round trip of the last ping, in microseconds; -1 before the first.
    pub round_trip_us: i64,
    /// Names of the maps that both have open.
    pub maps: *const *const c_char,
    pub map_count: usize,
    /// How far its clock is ahead of this node's, when last compared, in milliseconds; behind when negative;
    /// `P2PMAP_UNKNOWN` before that.
    pub drift_ms: i64,
}

/// The peers of a node.
#[repr(C)]
pub struct p2pmap_peer_list {
    pub items: *const p2pmap_peer,
    pub count: usize,
    pub owner: *mut c_void,
}

/// A peer that a map is shared with, or an author that something is wrong with, who need not be connected.
#[repr(C)]
pub struct p2pmap_map_peer {
    /// Its peer id as text.
    pub id: *const c_char,
    /// Whether the replicas were equal when last compared.
    pub in_sync: p2pmap_answer,
    /// When a sync with this peer last completed, in milliseconds since the Unix epoch; -1 before the first.
    pub last_sync_ms: i64,
    /// Whether it is connected and has the map open.
    pub connected: Flag,
    /// Entries held here that it lacked when last compared; -1 before the first comparison.
    pub behind: i64,
    /// How far its clock is ahead of this node's, when last compared, in milliseconds; behind when negative;
    /// `P2PMAP_UNKNOWN` before that.
    pub drift_ms: i64,
    /// Entries that it wrote and that were set aside here, each time they came, because they were stamped too far ahead.
    pub ahead_entries: u64,
    /// Whether removals cannot be forgotten here until writes of it arrive, which are known of and missing.
    pub holds_up_forgetting: Flag,
}

/// The peers of a map.
#[repr(C)]
pub struct p2pmap_map_peer_list {
    pub items: *const p2pmap_map_peer,
    pub count: usize,
    pub owner: *mut c_void,
}

/// Texts and pointers to them; both stay where they are when the struct moves.
struct Strings {
    pointers: Vec<*const c_char>,
    _texts: Vec<CString>,
}

impl Strings {
    fn new<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Self {
        let texts: Vec<CString> = texts.into_iter().map(|text| c_text(text.as_ref())).collect();
        Self { pointers: texts.iter().map(|text| text.as_ptr()).collect(), _texts: texts }
    }
}

/// The array of a list with the texts that its items point to.
struct List<T> {
    items: Vec<T>,
    texts: Vec<Strings>,
}

fn owner<T>(list: T) -> *mut c_void {
    Box::into_raw(Box::new(list)).cast()
}

/// A count or a time, or -1.
fn count(known: Option<impl TryInto<i64>>) -> i64 {
    known.map_or(-1, |number| number.try_into().unwrap_or(i64::MAX))
}

fn answer(known: Option<bool>) -> p2pmap_answer {
    known.map_or(-1, i32::from)
}

impl p2pmap_string_list {
    pub(crate) fn new<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Self {
        let strings = Strings::new(texts);
        Self { items: strings.pointers.as_ptr(), count: strings.pointers.len(), owner: owner(strings) }
    }
}

impl p2pmap_peer_list {
    pub(crate) fn new(peers: &[PeerInfo]) -> Self {
        let mut list = List { items: Vec::with_capacity(peers.len()), texts: Vec::with_capacity(2 * peers.len()) };
        for peer in peers {
            let own = Strings::new([peer.id.to_string(), peer.addr.clone()]);
            let maps = Strings::new(&peer.maps);
            list.items.push(p2pmap_peer {
                id: own.pointers[0],
                addr: own.pointers[1],
                outbound: peer.outbound.into(),
                in_sync: answer(peer.in_sync),
                round_trip_us: count(peer.round_trip.map(|time| time.as_micros())),
                maps: maps.pointers.as_ptr(),
                map_count: maps.pointers.len(),
                drift_ms: peer.drift_ms.unwrap_or(P2PMAP_UNKNOWN),
            });
            list.texts.extend([own, maps]);
        }
        Self { items: list.items.as_ptr(), count: list.items.len(), owner: owner(list) }
    }
}

impl p2pmap_map_peer_list {
    pub(crate) fn new(peers: &[MapPeer]) -> Self {
        let ids = Strings::new(peers.iter().map(|peer| peer.id.to_string()));
        let item = |(peer, &id): (&MapPeer, &*const c_char)| p2pmap_map_peer {
            id,
            in_sync: answer(peer.in_sync),
            last_sync_ms: count(peer.last_sync_ms),
            connected: peer.connected.into(),
            behind: count(peer.behind),
            drift_ms: peer.drift_ms.unwrap_or(P2PMAP_UNKNOWN),
            ahead_entries: peer.ahead_entries,
            holds_up_forgetting: peer.holds_up_forgetting.into(),
        };
        let items: Vec<_> = peers.iter().zip(&ids.pointers).map(item).collect();
        let list = List { items, texts: vec![ids] };
        Self { items: list.items.as_ptr(), count: list.items.len(), owner: owner(list) }
    }
}

/// Frees the list's owner, which is a `T`, and sets the list to nothing.
///
/// # Safety
/// `owner` is NULL or came from [`owner`] of a `T`.
unsafe fn free_list<T, Item>(items: &mut *const Item, count: &mut usize, owner: &mut *mut c_void) {
    let owner = std::mem::replace(owner, std::ptr::null_mut());
    *items = std::ptr::null();
    *count = 0;
    if !owner.is_null() {
        // SAFETY: by this function's own contract; it is taken back once, since the list has no owner now.
        guard_or((), || drop(unsafe { Box::from_raw(owner.cast::<T>()) }));
    }
}

/// Frees a list, and sets it to nothing. NULL and nothing are fine.
///
/// Ownership: takes what `strings` holds.
/// Threads: any; one at a time for one list.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_string_list_free(strings: Option<&mut p2pmap_string_list>) {
    let Some(list) = strings else { return };
    // SAFETY: `p2pmap_string_list::new` made it.
    unsafe { free_list::<Strings, _>(&mut list.items, &mut list.count, &mut list.owner) }
}

/// Frees a list, and sets it to nothing. NULL and nothing are fine.
///
/// Ownership: takes what `peers` holds.
/// Threads: any; one at a time for one list.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_peer_list_free(peers: Option<&mut p2pmap_peer_list>) {
    let Some(list) = peers else { return };
    // SAFETY: `p2pmap_peer_list::new` made it.
    unsafe { free_list::<List<p2pmap_peer>, _>(&mut list.items, &mut list.count, &mut list.owner) }
}

/// Frees a list, and sets it to nothing. NULL and nothing are fine.
///
/// Ownership: takes what `peers` holds.
/// Threads: any; one at a time for one list.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_map_peer_list_free(peers: Option<&mut p2pmap_map_peer_list>) {
    let Some(list) = peers else { return };
    // SAFETY: `p2pmap_map_peer_list::new` made it.
    unsafe { free_list::<List<p2pmap_map_peer>, _>(&mut list.items, &mut list.count, &mut list.owner) }
}
