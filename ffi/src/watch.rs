//! Watches
//!
//! The same events, pulled: `p2pmap_watch_recv` waits for them, and `p2pmap_watch_fd` gives event loops (epoll,
//! libuv, GLib) a descriptor to wait on.

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::sync::{Arc, OnceLock};

use p2pmap::{Error, ErrorKind, Event, Result, Watch};

use crate::error::{P2PMAP_EMPTY, P2PMAP_END, P2PMAP_OK, p2pmap_error, p2pmap_status};
use crate::event::{p2pmap_event, p2pmap_subscribe_options};
use crate::guard::{guard, guard_or};
use crate::handle::{Handle, Home, free, give, live, required};
use crate::input;
use crate::map::p2pmap_map;
use crate::ready::Ready;

/// A stream of events.
pub struct p2pmap_watch {
    home: Home,
    watch: Watch,
    /// The descriptor, once it was asked for.
    ready: OnceLock<Arc<Ready>>,
}

/// Events, as a list: `events.items[i]` for every `i` below `events.count`. `owner` is the library's.
#[repr(C)]
pub struct p2pmap_event_list {
    pub items: *const p2pmap_event,
    pub count: usize,
    pub owner: *mut c_void,
}

impl Handle for p2pmap_watch {
    const NAME: &'static str = "watch";

    fn home(&self) -> &Home {
        &self.home
    }
}

/// The events of a list, and what they point into.
struct Received {
    shown: Vec<p2pmap_event>,
    _events: Vec<Event>,
}

impl p2pmap_event_list {
    fn new(events: Vec<Event>) -> Self {
        let received = Box::new(Received { shown: events.iter().map(p2pmap_event::borrowed).collect(), _events: events });
        let (items, count) = (received.shown.as_ptr(), received.shown.len());
        Self { items, count, owner: Box::into_raw(received).cast() }
    }
}

impl p2pmap_watch {
    /// Takes events, and keeps the descriptor readable exactly as long as there may be more to take.
    fn recv(&self, max: usize, timeout_ms: u64) -> Vec<Event> {
        let ready = self.ready.get();
        if let Some(ready) = ready {
            ready.clear();
        }
        let events = self.watch.recv(max, input::timeout(timeout_ms));
        if let Some(ready) = ready
            && (events.len() == max || self.watch.is_closed())
        {
            ready.set();
        }
        events
    }

    fn ready(&self) -> Result<&Arc<Ready>> {
        if let Some(ready) = self.ready.get() {
            return Ok(ready);
        }
        let ready = Arc::new(Ready::new()?);
        if self.ready.set(ready.clone()).is_ok() {
            let wake = ready.clone();
            self.watch.on_ready(move || wake.set());
            // What came before anybody asked.
            ready.set();
        }
        self.ready.get().ok_or_else(|| Error::new(ErrorKind::Internal, "a watch lost its descriptor"))
    }
}

/// Begins to watch, until the watch or the map is closed. NULL for `options` means every change.
///
/// Ownership: copies `options`; `*watch` is the caller's, to be freed with `p2pmap_watch_free`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn p2pmap_map_watch(
    map: Option<&p2pmap_map>,
    options: *const p2pmap_subscribe_options,
    watch: Option<&mut MaybeUninit<*mut p2pmap_watch>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let (map, out) = (live(map)?, required(watch, "watch")?);
        // SAFETY: the caller's struct is as long as its `struct_size` says, and so are the bytes that it points to.
        let options = unsafe { p2pmap_subscribe_options::read(options) }?;
        let watch = map.map().watch(options)?;
        give(out, p2pmap_watch { home: Home::here(), watch, ready: OnceLock::new() });
        Ok(P2PMAP_OK)
    })
}

/// Takes up to `max` events, and waits while there is none. `P2PMAP_OK` with at least one; `P2PMAP_EMPTY` when the
/// time was up; `P2PMAP_END` when the watch or its map is closed and everything was taken. A `timeout_ms` of 0
/// never waits, `P2PMAP_FOREVER` always.
///
/// Ownership: `*events` is the caller's, to be freed with `p2pmap_event_list_free`; written for `P2PMAP_OK` only.
/// Threads: any; another may close the watch meanwhile.
/// Blocks: as said.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_watch_recv(
    watch: Option<&p2pmap_watch>,
    max: usize,
    timeout_ms: u64,
    events: Option<&mut MaybeUninit<p2pmap_event_list>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let (watch, out) = (live(watch)?, required(events, "events")?);
        if max == 0 {
            return Err(Error::new(ErrorKind::InvalidArgument, "`max` is 0; ask for at least one event"));
        }
        let events = watch.recv(max, timeout_ms);
        if events.is_empty() {
            return Ok(if watch.watch.is_closed() { P2PMAP_END } else { P2PMAP_EMPTY });
        }
        out.write(p2pmap_event_list::new(events));
        Ok(P2PMAP_OK)
    })
}

/// A descriptor that is readable (`POLLIN`) whenever `p2pmap_watch_recv` may have something to say: events, or the
/// end. Only wait on it: never read, write or close it. When it is readable, call `p2pmap_watch_recv` with a
/// `timeout_ms` of 0; `P2PMAP_EMPTY` may be its answer. Linux only; elsewhere `P2PMAP_UNSUPPORTED`.
///
/// Ownership: the watch's; valid until it is freed.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_watch_fd(
    watch: Option<&p2pmap_watch>,
    fd: Option<&mut MaybeUninit<c_int>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let (watch, out) = (live(watch)?, required(fd, "fd")?);
        out.write(watch.ready()?.fd());
        Ok(P2PMAP_OK)
    })
}

/// Ends it, and wakes who waits in `p2pmap_watch_recv`. Events that came before can still be taken. Closing again
/// is fine.
///
/// Ownership: borrows `watch`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_watch_close(
    watch: Option<&p2pmap_watch>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        live(watch)?.watch.close();
        Ok(P2PMAP_OK)
    })
}

/// Closes it, and frees the handle. NULL is fine. In a forked child nothing happens.
///
/// Ownership: takes `watch`.
/// Threads: any; no other call may use this handle any more, also none that waits.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_watch_free(watch: Option<Box<p2pmap_watch>>) {
    guard_or((), || free(watch, |handle| handle.watch.close()));
}

/// Frees a list of events, and sets it to nothing. NULL and nothing are fine.
///
/// Ownership: takes what `events` holds.
/// Threads: any; one at a time for one list.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_event_list_free(events: Option<&mut p2pmap_event_list>) {
    let Some(list) = events else { return };
    (list.items, list.count) = (std::ptr::null(), 0);
    let owner = std::mem::replace(&mut list.owner, std::ptr::null_mut());
    if !owner.is_null() {
        // SAFETY: `p2pmap_event_list::new` made it; it is taken back once, since `owner` is NULL now.
        guard_or((), || drop(unsafe { Box::from_raw(owner.cast::<Received>()) }));
    }
}
