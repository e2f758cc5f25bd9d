//! Sequences of calls of the C interface, with NULL, wrong lengths and wrong sizes of structs wherever C can pass them.
//!
//! Each answers with a status that the header names, never `INTERNAL`, and with an error if and only if one is due. What may be
//! released twice is; handles are freed once, in any order.

use std::ffi::{CStr, CString, c_char};
use std::ptr::{null, null_mut};
use std::sync::LazyLock;
use std::sync::atomic::Ordering;

use crate::arguments::{REGISTERED, destroy, on_events};
use crate::calls::{
    Events, Filled, Handle, p2pmap_batch_clear, p2pmap_batch_free, p2pmap_batch_new, p2pmap_batch_put, p2pmap_batch_remove,
    p2pmap_bytes_free, p2pmap_config_free, p2pmap_config_new, p2pmap_config_set, p2pmap_config_set_toml, p2pmap_entry_release,
    p2pmap_error_free, p2pmap_error_message, p2pmap_error_status, p2pmap_event_list_free, p2pmap_map_apply, p2pmap_map_close,
    p2pmap_map_entry, p2pmap_map_free, p2pmap_map_get, p2pmap_map_get_bytes, p2pmap_map_get_view, p2pmap_map_load,
    p2pmap_map_open, p2pmap_map_options_free, p2pmap_map_options_new, p2pmap_map_options_set, p2pmap_map_peer_list_free,
    p2pmap_map_peers, p2pmap_map_put, p2pmap_map_put_ttl, p2pmap_map_remove, p2pmap_map_remove_prefix, p2pmap_map_scan,
    p2pmap_map_status, p2pmap_map_subscribe, p2pmap_map_wait_replicated, p2pmap_map_watch, p2pmap_node_connect,
    p2pmap_node_open, p2pmap_node_peers, p2pmap_node_status, p2pmap_option_at, p2pmap_peer_id_parse, p2pmap_peer_id_text,
    p2pmap_peer_list_free, p2pmap_scan_free, p2pmap_scan_next, p2pmap_status_name, p2pmap_string_list_free,
    p2pmap_subscription_close, p2pmap_subscription_free, p2pmap_view_release, p2pmap_watch_close, p2pmap_watch_free,
    p2pmap_watch_recv,
};
use crate::feed::Feed;

const STEPS: usize = 64;
const MAPS: usize = 3;

/// One node for all inputs, as an address.
static NODE: LazyLock<usize> = LazyLock::new(|| {
    let (mut node, mut error) = (null_mut(), null_mut());
    // SAFETY: the configuration lives as long as it is used, and the outputs are ours.
    unsafe {
        let config = p2pmap_config_new();
        assert_eq!(p2pmap_config_set(config, c"listen".as_ptr(), c"127.0.0.1:0".as_ptr(), &mut error), 0);
        assert_eq!(p2pmap_node_open(config, &mut node, &mut error), 0);
        p2pmap_config_free(config);
    }
    node as usize
});

pub fn c_abi(data: &[u8]) {
    let mut caller = Caller::new(data);
    for _ in 0..STEPS {
        if caller.feed.is_empty() {
            break;
        }
        let what = caller.feed.byte();
        // SAFETY: handles are live or NULL, pointers valid for the lengths that go with them, or NULL, or the length is
        // one that no object has.
        unsafe { caller.step(what) };
    }
}

pub struct Caller<'a> {
    pub feed: Feed<'a>,
    maps: [Handle; MAPS],
    options: Handle,
    config: Handle,
    batch: Handle,
    scan: Handle,
    subscription: Handle,
    watch: Handle,
    stamp: Filled,
}

impl<'a> Caller<'a> {
    fn new(data: &'a [u8]) -> Self {
        let maps = [null_mut(); MAPS];
        let [options, config, batch, scan, subscription, watch] = [null_mut(); 6];
        Self { feed: Feed::new(data), maps, options, config, batch, scan, subscription, watch, stamp: [0; 32] }
    }

    unsafe fn step(&mut self, what: u8) {
        let at = self.feed.below(MAPS);
        let map = self.maps[at];
        // SAFETY: as `c_abi` says.
        unsafe {
            match what % 20 {
                0 | 1 => self.open(at),
                2 | 3 => self.put(map),
                4 | 5 => self.get(map),
                6 => self.remove(map),
                7 => self.batch(map),
                8 | 9 => self.scan(map),
                10 => self.subscribe(map),
                11 | 12 => self.watch(map),
                13 => self.configure(),
                14 => self.look(map),
                15 => self.wait(map),
                16 => self.load(map),
                17 => drop(self.call(|error| p2pmap_map_close(map, error))),
                18 => {
                    p2pmap_map_free(map);
                    self.maps[at] = null_mut();
                }
                _ => self.ids(),
            }
        }
    }

    /// Makes a call, with and without a place for its error.
    fn call(&mut self, call: impl FnOnce(*mut Handle) -> i32) -> i32 {
        let mut error = null_mut();
        let asked = self.feed.byte() & 1 == 0;
        let status = call(if asked { &mut error } else { null_mut() });
        // SAFETY: the names are for ever, and the error is ours.
        unsafe {
            let name = CStr::from_ptr(p2pmap_status_name(status)).to_str().expect("a name is text");
            assert!(name != "INTERNAL" && name != "UNKNOWN", "{name} ({status})");
            assert_eq!(error.is_null(), status >= 0 || !asked, "an error when one is due: {name}");
            if !error.is_null() {
                assert_eq!(p2pmap_error_status(error), status);
                assert!(!CStr::from_ptr(p2pmap_error_message(error)).is_empty());
            }
            p2pmap_error_free(error);
        }
        status
    }

    unsafe fn open(&mut self, at: usize) {
        let (node, options) = (if self.feed.byte() == 255 { null_mut() } else { *NODE as Handle }, self.options);
        let name = self.text();
        let mut map = null_mut();
        let out = self.place(&mut map);
        // SAFETY: as `c_abi` says.
        unsafe {
            self.call(|error| p2pmap_map_open(node, pointer(name.as_ref()), options, out, error));
            if !map.is_null() {
                p2pmap_map_free(self.maps[at]);
                self.maps[at] = map;
            }
        }
    }

    unsafe fn put(&mut self, map: Handle) {
        let ((key, key_len), (value, value_len)) = (self.bytes(), self.bytes());
        let mut stamp = [0; 32];
        let out = self.place(&mut stamp);
        let ttl_ms = if self.feed.byte() & 3 == 0 { self.feed.number() } else { 60_000 };
        // SAFETY: as `c_abi` says.
        let status = unsafe {
            match self.feed.byte() & 1 {
                0 => self.call(|error| p2pmap_map_put(map, key, key_len, value, value_len, out, error)),
                _ => self.call(|error| p2pmap_map_put_ttl(map, key, key_len, value, value_len, ttl_ms, out, error)),
            }
        };
        if status == 0 && !out.is_null() {
            self.stamp = stamp;
        }
    }

    unsafe fn get(&mut self, map: Handle) {
        let (key, key_len) = self.bytes();
        let mut filled = [0; 32];
        let out = self.place(&mut filled);
        // SAFETY: as `c_abi` says. What was released is nothing, and may be released again.
        unsafe {
            match self.feed.below(4) {
                0 => {
                    let (mut buffer, mut len) = ([0_u8; 64], 0);
                    let (capacity, len_out) = (self.feed.below(buffer.len()), self.place(&mut len));
                    let buffer = self.place(&mut buffer).cast();
                    self.call(|error| p2pmap_map_get(map, key, key_len, buffer, capacity, len_out, error));
                }
                1 => {
                    self.call(|error| p2pmap_map_get_bytes(map, key, key_len, out, error));
                    (0..2).for_each(|_| p2pmap_bytes_free(&mut filled));
                }
                2 => {
                    self.call(|error| p2pmap_map_get_view(map, key, key_len, out, error));
                    (0..2).for_each(|_| p2pmap_view_release(&mut filled));
                }
                _ => {
                    self.call(|error| p2pmap_map_entry(map, key, key_len, out, error));
                    (0..2).for_each(|_| p2pmap_entry_release(&mut filled));
                }
            }
        }
    }

    unsafe fn remove(&mut self, map: Handle) {
        let (key, key_len) = self.bytes();
        let (mut was, mut count) = (false, 0);
        let (was_out, count_out) = (self.place(&mut was), self.place(&mut count));
        // SAFETY: as `c_abi` says.
        unsafe {
            match self.feed.byte() & 1 {
                0 => self.call(|error| p2pmap_map_remove(map, key, key_len, was_out, error)),
                _ => self.call(|error| p2pmap_map_remove_prefix(map, key, key_len, count_out, error)),
            };
        }
    }

    unsafe fn batch(&mut self, map: Handle) {
        let ((key, key_len), (value, value_len)) = (self.bytes(), self.bytes());
        let mut stamp = [0; 32];
        let (out, batch) = (self.place(&mut stamp), self.batch);
        // SAFETY: as `c_abi` says.
        unsafe {
            match self.feed.below(6) {
                0 => {
                    p2pmap_batch_free(batch);
                    self.batch = p2pmap_batch_new();
                }
                1 | 2 => drop(self.call(|error| p2pmap_batch_put(batch, key, key_len, value, value_len, error))),
                3 => drop(self.call(|error| p2pmap_batch_remove(batch, key, key_len, error))),
                4 => p2pmap_batch_clear(batch),
                _ => drop(self.call(|error| p2pmap_map_apply(map, batch, out, error))),
            }
        }
    }

    unsafe fn scan(&mut self, map: Handle) {
        let (mut scan, mut entry) = (null_mut(), [0; 32]);
        let (out, entry_out) = (self.place(&mut scan), self.place(&mut entry));
        let held = self.scan;
        // SAFETY: as `c_abi` says.
        unsafe {
            if self.feed.byte() & 1 == 0 {
                let options = self.sized(9 * 8, 3);
                let options = if self.feed.byte() == 255 { null() } else { options.as_ptr().cast() };
                self.call(|error| p2pmap_map_scan(map, options, out, error));
                if !scan.is_null() {
                    p2pmap_scan_free(held);
                    self.scan = scan;
                }
            } else {
                self.call(|error| p2pmap_scan_next(held, entry_out, error));
                (0..2).for_each(|_| p2pmap_entry_release(&mut entry));
            }
        }
    }

    unsafe fn subscribe(&mut self, map: Handle) {
        let mut subscription = null_mut();
        let (out, held) = (self.place(&mut subscription), self.subscription);
        let callback: Option<Events> = (self.feed.byte() != 255).then_some(on_events);
        // SAFETY: as `c_abi` says.
        unsafe {
            match self.feed.below(4) {
                0 => drop(self.call(|error| p2pmap_subscription_close(held, error))),
                1 => {
                    p2pmap_subscription_free(held);
                    self.subscription = null_mut();
                }
                _ => {
                    let options = self.sized(4 * 8, 1);
                    let options = options.as_ptr().cast();
                    REGISTERED.fetch_add(1, Ordering::SeqCst);
                    self.call(|error| p2pmap_map_subscribe(map, options, callback, null_mut(), Some(destroy), out, error));
                    if !subscription.is_null() {
                        p2pmap_subscription_free(held);
                        self.subscription = subscription;
                    }
                }
            }
        }
    }

    unsafe fn watch(&mut self, map: Handle) {
        let (mut watch, mut events) = (null_mut(), [0; 32]);
        let (out, events_out, held) = (self.place(&mut watch), self.place(&mut events), self.watch);
        // SAFETY: as `c_abi` says.
        unsafe {
            match self.feed.below(4) {
                0 => drop(self.call(|error| p2pmap_watch_close(held, error))),
                1 => {
                    let options = self.sized(4 * 8, 1);
                    self.call(|error| p2pmap_map_watch(map, options.as_ptr().cast(), out, error));
                    if !watch.is_null() {
                        p2pmap_watch_free(held);
                        self.watch = watch;
                    }
                }
                _ => {
                    let max = usize::from(self.feed.byte());
                    self.call(|error| p2pmap_watch_recv(held, max, 0, events_out, error));
                    (0..2).for_each(|_| p2pmap_event_list_free(&mut events));
                }
            }
        }
    }

    unsafe fn configure(&mut self) {
        let (name, value) = (self.text(), self.text());
        let (name, value) = (pointer(name.as_ref()), pointer(value.as_ref()));
        let (config, options) = (self.config, self.options);
        // SAFETY: as `c_abi` says; none of them outlives the texts.
        unsafe {
            match self.feed.below(6) {
                0 => {
                    p2pmap_config_free(config);
                    self.config = p2pmap_config_new();
                }
                1 => drop(self.call(|error| p2pmap_config_set(config, name, value, error))),
                2 => drop(self.call(|error| p2pmap_config_set_toml(config, value, error))),
                3 => {
                    p2pmap_map_options_free(options);
                    self.options = p2pmap_map_options_new();
                }
                4 => drop(self.call(|error| p2pmap_map_options_set(options, name, value, error))),
                _ => {
                    let (mut option, index) = ([0; 32], self.feed.number() as usize);
                    let out = self.place(&mut option);
                    self.call(|error| p2pmap_option_at(index % 64, out, error));
                }
            }
        }
    }

    unsafe fn look(&mut self, map: Handle) {
        let node = *NODE as Handle;
        let mut filled = [0; 32];
        let out = self.place(&mut filled);
        let mut report = self.sized(8 * 8, 0);
        // SAFETY: as `c_abi` says.
        unsafe {
            match self.feed.below(4) {
                0 => {
                    self.call(|error| p2pmap_node_peers(node, out, error));
                    (0..2).for_each(|_| p2pmap_peer_list_free(&mut filled));
                }
                1 => {
                    self.call(|error| p2pmap_map_peers(map, out, error));
                    (0..2).for_each(|_| p2pmap_map_peer_list_free(&mut filled));
                }
                2 => drop(self.call(|error| p2pmap_node_status(node, report.as_mut_ptr().cast(), error))),
                _ => drop(self.call(|error| p2pmap_map_status(map, report.as_mut_ptr().cast(), error))),
            }
        }
    }

    unsafe fn wait(&mut self, map: Handle) {
        let (mut who, mut peer) = ([0; 32], [0; 32]);
        let (who_out, peer_out) = (self.place(&mut who), self.place(&mut peer));
        let (stamp, peers) = (self.stamp, usize::from(self.feed.byte()));
        // SAFETY: as `c_abi` says. Text that is no address is never dialled.
        unsafe {
            if self.feed.byte() & 1 == 0 {
                self.call(|error| p2pmap_map_wait_replicated(map, &raw const stamp, peers, 0, who_out, error));
                (0..2).for_each(|_| p2pmap_string_list_free(&mut who));
            } else {
                self.call(|error| p2pmap_node_connect(*NODE as Handle, c"no address".as_ptr(), 0, peer_out, error));
            }
        }
    }

    unsafe fn load(&mut self, map: Handle) {
        let path = std::env::temp_dir().join(format!("p2pmap-fuzz-{}", std::process::id()));
        let written = std::fs::write(&path, self.feed.some());
        let name = CString::new(path.to_string_lossy().as_bytes()).expect("a path without NUL");
        let mut count = 0;
        let out = self.place(&mut count);
        if written.is_ok() {
            // SAFETY: as `c_abi` says.
            self.call(|error| unsafe { p2pmap_map_load(map, name.as_ptr(), out, error) });
        }
        let _ = std::fs::remove_file(path);
    }

    unsafe fn ids(&mut self) {
        let text = self.text();
        let (mut id, mut room) = ([0; 32], [0_u8; 128]);
        let (out, capacity) = (self.place(&mut id), self.feed.below(room.len()));
        let room = self.place(&mut room).cast();
        // SAFETY: as `c_abi` says; a parsed id has a length that it may have.
        unsafe {
            self.call(|error| p2pmap_peer_id_parse(pointer(text.as_ref()), out, error));
            self.call(|error| p2pmap_peer_id_text(&raw const id, room, capacity, error));
            id[0] = self.feed.number();
            self.call(|error| p2pmap_peer_id_text(&raw const id, room, capacity, error));
        }
    }
}

impl Drop for Caller<'_> {
    fn drop(&mut self) {
        // SAFETY: each is live or NULL, and used no more.
        unsafe {
            self.maps.iter().for_each(|map| p2pmap_map_free(*map));
            p2pmap_scan_free(self.scan);
            p2pmap_watch_free(self.watch);
            p2pmap_subscription_free(self.subscription);
            p2pmap_batch_free(self.batch);
            p2pmap_map_options_free(self.options);
            p2pmap_config_free(self.config);
        }
    }
}

fn pointer(text: Option<&CString>) -> *const c_char {
    text.map_or(null(), |text| text.as_ptr())
}
