//! Subscriptions
//!
//! Events pushed to a callback. Each subscription has a thread of the library for its callbacks: they come one at a
//! time, in batches, and under no lock, so a callback may take its time and may call any function of this header,
//! also to end its own subscription.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use p2pmap::{Event, Subscription};

use crate::config::{UserData, p2pmap_destructor};
use crate::error::{P2PMAP_OK, p2pmap_error, p2pmap_status};
use crate::event::{p2pmap_event, p2pmap_subscribe_options};
use crate::guard::{guard, guard_or};
use crate::handle::{Handle, Home, free, give, live, required};
use crate::map::p2pmap_map;

/// Told of changes: `count` events, at least one, valid until it returns. It must not throw.
pub type p2pmap_events_callback =
    Option<unsafe extern "C" fn(events: *const p2pmap_event, count: usize, user_data: *mut c_void)>;

/// A callback's registration.
pub struct p2pmap_subscription {
    home: Home,
    subscription: Subscription,
}

impl Handle for p2pmap_subscription {
    const NAME: &'static str = "subscription";

    fn home(&self) -> &Home {
        &self.home
    }
}

/// Calls back on changes, until the subscription or the map is closed. NULL for `options` means every change. The
/// first callback may come before this call returns. `destroy` is called once with `user_data`: after the last
/// callback, or before this call returns when it fails.
///
/// Ownership: takes `user_data`; `*subscription` is the caller's, to be freed with `p2pmap_subscription_free`.
/// Threads: any, callbacks included.
/// Blocks: no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn p2pmap_map_subscribe(
    map: Option<&p2pmap_map>,
    options: *const p2pmap_subscribe_options,
    callback: p2pmap_events_callback,
    user_data: *mut c_void,
    destroy: p2pmap_destructor,
    subscription: Option<&mut MaybeUninit<*mut p2pmap_subscription>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    let user_data = UserData::new(user_data, destroy);
    guard(error, || {
        let (map, out) = (live(map)?, required(subscription, "subscription")?);
        let callback = required(callback, "callback")?;
        // SAFETY: the caller's struct is as long as its `struct_size` says, and so are the bytes that it points to.
        let options = unsafe { p2pmap_subscribe_options::read(options) }?;
        let mut shown = Shown(Vec::new());
        let tell = move |events: &[Event]| {
            shown.during(events, |shown| {
                // SAFETY: the caller gave a function of this type; the events and what they point to outlive the call.
                unsafe { callback(shown.as_ptr(), shown.len(), user_data.pointer()) }
            });
        };
        let subscription = map.map().subscribe(options, tell)?;
        give(out, p2pmap_subscription { home: Home::here(), subscription });
        Ok(P2PMAP_OK)
    })
}

/// Whether events may still come: 1 until the subscription or its map is closed, then 0. 0 for NULL.
///
/// Ownership: borrows `subscription`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_subscription_is_active(subscription: Option<&p2pmap_subscription>) -> bool {
    guard_or(false, || live(subscription).is_ok_and(|handle| handle.subscription.is_active()))
}

/// Ends it. When this returns, no callback is running or will run, and `destroy` was called; so hold no lock that
/// the callback takes. From within its own callback it returns at once, and `destroy` follows when the callback has
/// returned. Closing again is fine.
///
/// Ownership: borrows `subscription`.
/// Threads: any, callbacks included.
/// Blocks: until a running callback has returned.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_subscription_close(
    subscription: Option<&p2pmap_subscription>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        live(subscription)?.subscription.unsubscribe();
        Ok(P2PMAP_OK)
    })
}

/// Closes it as above, and frees the handle. NULL is fine. In a forked child nothing happens.
///
/// Ownership: takes `subscription`.
/// Threads: any, callbacks included; no other call may use this handle any more.
/// Blocks: until a running callback has returned.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_subscription_free(subscription: Option<Box<p2pmap_subscription>>) {
    guard_or((), || free(subscription, |handle| handle.subscription.unsubscribe()));
}

/// The events of the callback that runs. Between two callbacks only their memory is kept.
struct Shown(Vec<p2pmap_event>);

// SAFETY: it is empty whenever it may move to another thread: what points into events stays within `during`.
unsafe impl Send for Shown {}

impl Shown {
    fn during(&mut self, events: &[Event], tell: impl FnOnce(&[p2pmap_event])) {
        self.0.extend(events.iter().map(p2pmap_event::borrowed));
        tell(&self.0);
        self.0.clear();
    }
}
