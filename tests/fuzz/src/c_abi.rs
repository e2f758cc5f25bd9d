//! Sequences of calls of the C interface, with NULL, wrong lengths and wrong sizes of structs wherever C can pass them.
//!
//! Each answers with a status that the header names, never `INTERNAL`, and with an error if and only if one is due. What may be
//! released twice is; handles are freed once, in any order.

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr::{null, null_mut};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

// What links the library.
use p2pmap_c as _;

use crate::feed::Feed;

const STEPS: usize = 64;
const MAPS: usize = 3;
/// Longer than any struct with its own size may say that it is.
const WORDS: usize = 4096 / 8 + 8;

/// A handle, whichever.
type Handle = *mut c_void;
/// A struct that the library fills in: none has more words, and each is valid with all bits zero.
type Filled = [u64; 32];
type Events = extern "C" fn(*const c_void, usize, *mut c_void);

unsafe extern "C" {
    fn p2pmap_status_name(status: i32) -> *const c_char;
    fn p2pmap_error_status(error: Handle) -> i32;
    fn p2pmap_error_message(error: Handle) -> *const c_char;
    fn p2pmap_error_free(error: Handle);
    fn p2pmap_bytes_free(bytes: *mut Filled);
    fn p2pmap_view_release(view: *mut Filled);
    fn p2pmap_entry_release(entry: *mut Filled);
    fn p2pmap_string_list_free(strings: *mut Filled);
    fn p2pmap_peer_list_free(peers: *mut Filled);
    fn p2pmap_map_peer_list_free(peers: *mut Filled);
    fn p2pmap_event_list_free(events: *mut Filled);
    fn p2pmap_peer_id_parse(text: *const c_char, id: *mut Filled, error: *mut Handle) -> i32;
    fn p2pmap_peer_id_text(id: *const Filled, text: *mut c_char, capacity: usize, error: *mut Handle) -> i32;
    fn p2pmap_config_new() -> Handle;
    fn p2pmap_config_set(config: Handle, name: *const c_char, value: *const c_char, error: *mut Handle) -> i32;
    fn p2pmap_config_set_toml(config: Handle, toml: *const c_char, error: *mut Handle) -> i32;
    fn p2pmap_config_free(config: Handle);
    fn p2pmap_option_at(index: usize, option: *mut Filled, error: *mut Handle) -> i32;
    fn p2pmap_node_open(config: Handle, node: *mut Handle, error: *mut Handle) -> i32;
    fn p2pmap_node_connect(node: Handle, addr: *const c_char, ms: u64, peer: *mut Filled, error: *mut Handle) -> i32;
    fn p2pmap_node_peers(node: Handle, peers: *mut Filled, error: *mut Handle) -> i32;
    fn p2pmap_node_status(node: Handle, report: *mut c_void, error: *mut Handle) -> i32;
    fn p2pmap_map_options_new() -> Handle;
    fn p2pmap_map_options_set(options: Handle, name: *const c_char, value: *const c_char, error: *mut Handle) -> i32;
    fn p2pmap_map_options_free(options: Handle);
    fn p2pmap_map_open(node: Handle, name: *const c_char, options: Handle, map: *mut Handle, error: *mut Handle) -> i32;
    fn p2pmap_map_close(map: Handle, error: *mut Handle) -> i32;
    fn p2pmap_map_free(map: Handle);
    fn p2pmap_map_status(map: Handle, report: *mut c_void, error: *mut Handle) -> i32;
    fn p2pmap_map_peers(map: Handle, peers: *mut Filled, error: *mut Handle) -> i32;
    fn p2pmap_map_get(
        map: Handle,
        key: *const c_void,
        key_len: usize,
        buffer: *mut c_void,
        capacity: usize,
        len: *mut usize,
        error: *mut Handle,
    ) -> i32;
    fn p2pmap_map_get_bytes(map: Handle, key: *const c_void, key_len: usize, value: *mut Filled, error: *mut Handle) -> i32;
    fn p2pmap_map_get_view(map: Handle, key: *const c_void, key_len: usize, value: *mut Filled, error: *mut Handle) -> i32;
    fn p2pmap_map_entry(map: Handle, key: *const c_void, key_len: usize, entry: *mut Filled, error: *mut Handle) -> i32;
    fn p2pmap_map_put_ttl(
        map: Handle,
        key: *const c_void,
        key_len: usize,
        value: *const c_void,
        value_len: usize,
        ttl_ms: u64,
        stamp: *mut Filled,
        error: *mut Handle,
    ) -> i32;
    fn p2pmap_map_put(
        map: Handle,
        key: *const c_void,
        key_len: usize,
        value: *const c_void,
        value_len: usize,
        stamp: *mut Filled,
        error: *mut Handle,
    ) -> i32;
    fn p2pmap_map_remove(map: Handle, key: *const c_void, key_len: usize, removed: *mut bool, error: *mut Handle) -> i32;
    fn p2pmap_map_remove_prefix(map: Handle, key: *const c_void, len: usize, removed: *mut usize, error: *mut Handle) -> i32;
    fn p2pmap_map_wait_replicated(
        map: Handle,
        stamp: *const Filled,
        peers: usize,
        timeout_ms: u64,
        who: *mut Filled,
        error: *mut Handle,
    ) -> i32;
    fn p2pmap_batch_new() -> Handle;
    fn p2pmap_batch_put(
        batch: Handle,
        key: *const c_void,
        key_len: usize,
        value: *const c_void,
        value_len: usize,
        error: *mut Handle,
    ) -> i32;
    fn p2pmap_batch_remove(batch: Handle, key: *const c_void, key_len: usize, error: *mut Handle) -> i32;
    fn p2pmap_batch_clear(batch: Handle);
    fn p2pmap_batch_free(batch: Handle);
    fn p2pmap_map_apply(map: Handle, batch: Handle, last: *mut Filled, error: *mut Handle) -> i32;
    fn p2pmap_map_load(map: Handle, path: *const c_char, count: *mut u64, error: *mut Handle) -> i32;
    fn p2pmap_map_scan(map: Handle, options: *const c_void, scan: *mut Handle, error: *mut Handle) -> i32;
    fn p2pmap_scan_next(scan: Handle, entry: *mut Filled, error: *mut Handle) -> i32;
    fn p2pmap_scan_free(scan: Handle);
    fn p2pmap_map_subscribe(
        map: Handle,
        options: *const c_void,
        callback: Option<Events>,
        user_data: *mut c_void,
        destroy: Option<extern "C" fn(*mut c_void)>,
        subscription: *mut Handle,
        error: *mut Handle,
    ) -> i32;
    fn p2pmap_subscription_close(subscription: Handle, error: *mut Handle) -> i32;
    fn p2pmap_subscription_free(subscription: Handle);
    fn p2pmap_map_watch(map: Handle, options: *const c_void, watch: *mut Handle, error: *mut Handle) -> i32;
    fn p2pmap_watch_recv(watch: Handle, max: usize, timeout_ms: u64, events: *mut Filled, error: *mut Handle) -> i32;
    fn p2pmap_watch_close(watch: Handle, error: *mut Handle) -> i32;
    fn p2pmap_watch_free(watch: Handle);
}

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

static REGISTERED: AtomicUsize = AtomicUsize::new(0);
static DESTROYED: AtomicUsize = AtomicUsize::new(0);

extern "C" fn on_events(events: *const c_void, count: usize, _: *mut c_void) {
    assert!(!events.is_null() && count > 0, "a callback is told something");
}

extern "C" fn destroy(_: *mut c_void) {
    let destroyed = DESTROYED.fetch_add(1, Ordering::SeqCst) + 1;
    assert!(destroyed <= REGISTERED.load(Ordering::SeqCst), "once each");
}

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

struct Caller<'a> {
    feed: Feed<'a>,
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

    /// Some bytes; or NULL, with a length or without; or a length that nothing has.
    fn bytes(&mut self) -> (*const c_void, usize) {
        let bytes = self.feed.some();
        match self.feed.byte() {
            255 => (null(), bytes.len()),
            254 => (bytes.as_ptr().cast(), usize::MAX - bytes.len()),
            _ => (bytes.as_ptr().cast(), bytes.len()),
        }
    }

    fn text(&mut self) -> Option<CString> {
        let bytes = self.feed.some().split(|byte| *byte == 0).next().unwrap_or_default();
        let reads_files = bytes.windows(5).any(|word| word == b"file:");
        (self.feed.byte() != 255 && !reads_files).then(|| CString::new(bytes).expect("without NUL"))
    }

    /// A place for an output, or NULL.
    fn place<T>(&mut self, place: &mut T) -> *mut T {
        if self.feed.byte() == 255 { null_mut() } else { std::ptr::from_mut::<T>(place) }
    }

    /// A struct that begins with its size, right or wrong, and goes on with pairs of a pointer and a length.
    fn sized(&mut self, size: usize, pairs: usize) -> [u64; WORDS] {
        let mut words = [0; WORDS];
        words[0] = match self.feed.byte() {
            255 => self.feed.number(),
            254 => size as u64 + 8,
            253 => size as u64 - 8,
            _ => size as u64,
        };
        for pair in 0..pairs {
            if self.feed.byte() & 1 == 1 {
                let (data, len) = self.bytes();
                (words[1 + 2 * pair], words[2 + 2 * pair]) = (data as u64, len as u64);
            }
        }
        words[1 + 2 * pairs] = u64::from(self.feed.byte());
        words[2 + 2 * pairs] = u64::from(self.feed.byte());
        words
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
