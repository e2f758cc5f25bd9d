//! The calls, as C declares them; every handle and every struct is the same to them.

use std::ffi::{c_char, c_void};

// What links the library.
use p2pmap_c as _;

/// A handle, whichever.
pub type Handle = *mut c_void;
/// A struct that the library fills in: none has more words, and each is valid with all bits zero.
pub type Filled = [u64; 32];
pub type Events = extern "C" fn(*const c_void, usize, *mut c_void);

unsafe extern "C" {
    pub fn p2pmap_status_name(status: i32) -> *const c_char;
    pub fn p2pmap_error_status(error: Handle) -> i32;
    pub fn p2pmap_error_message(error: Handle) -> *const c_char;
    pub fn p2pmap_error_free(error: Handle);
    pub fn p2pmap_bytes_free(bytes: *mut Filled);
    pub fn p2pmap_view_release(view: *mut Filled);
    pub fn p2pmap_entry_release(entry: *mut Filled);
    pub fn p2pmap_string_list_free(strings: *mut Filled);
    pub fn p2pmap_peer_list_free(peers: *mut Filled);
    pub fn p2pmap_map_peer_list_free(peers: *mut Filled);
    pub fn p2pmap_event_list_free(events: *mut Filled);
    pub fn p2pmap_peer_id_parse(text: *const c_char, id: *mut Filled, error: *mut Handle) -> i32;
    pub fn p2pmap_peer_id_text(id: *const Filled, text: *mut c_char, capacity: usize, error: *mut Handle) -> i32;
    pub fn p2pmap_config_new() -> Handle;
    pub fn p2pmap_config_set(config: Handle, name: *const c_char, value: *const c_char, error: *mut Handle) -> i32;
    pub fn p2pmap_config_set_toml(config: Handle, toml: *const c_char, error: *mut Handle) -> i32;
    pub fn p2pmap_config_free(config: Handle);
    pub fn p2pmap_option_at(index: usize, option: *mut Filled, error: *mut Handle) -> i32;
    pub fn p2pmap_node_open(config: Handle, node: *mut Handle, error: *mut Handle) -> i32;
    pub fn p2pmap_node_connect(node: Handle, addr: *const c_char, ms: u64, peer: *mut Filled, error: *mut Handle) -> i32;
    pub fn p2pmap_node_peers(node: Handle, peers: *mut Filled, error: *mut Handle) -> i32;
    pub fn p2pmap_node_status(node: Handle, report: *mut c_void, error: *mut Handle) -> i32;
    pub fn p2pmap_map_options_new() -> Handle;
    pub fn p2pmap_map_options_set(options: Handle, name: *const c_char, value: *const c_char, error: *mut Handle) -> i32;
    pub fn p2pmap_map_options_free(options: Handle);
    pub fn p2pmap_map_open(node: Handle, name: *const c_char, options: Handle, map: *mut Handle, error: *mut Handle) -> i32;
    pub fn p2pmap_map_close(map: Handle, error: *mut Handle) -> i32;
    pub fn p2pmap_map_free(map: Handle);
    pub fn p2pmap_map_status(map: Handle, report: *mut c_void, error: *mut Handle) -> i32;
    pub fn p2pmap_map_peers(map: Handle, peers: *mut Filled, error: *mut Handle) -> i32;
    pub fn p2pmap_map_get(
        map: Handle,
        key: *const c_void,
        key_len: usize,
        buffer: *mut c_void,
        capacity: usize,
        len: *mut usize,
        error: *mut Handle,
    ) -> i32;
    pub fn p2pmap_map_get_bytes(map: Handle, key: *const c_void, key_len: usize, value: *mut Filled, error: *mut Handle)
    -> i32;
    pub fn p2pmap_map_get_view(map: Handle, key: *const c_void, key_len: usize, value: *mut Filled, error: *mut Handle) -> i32;
    pub fn p2pmap_map_entry(map: Handle, key: *const c_void, key_len: usize, entry: *mut Filled, error: *mut Handle) -> i32;
    pub fn p2pmap_map_put_ttl(
        map: Handle,
        key: *const c_void,
        key_len: usize,
        value: *const c_void,
        value_len: usize,
        ttl_ms: u64,
        stamp: *mut Filled,
        error: *mut Handle,
    ) -> i32;
    pub fn p2pmap_map_put(
        map: Handle,
        key: *const c_void,
        key_len: usize,
        value: *const c_void,
        value_len: usize,
        stamp: *mut Filled,
        error: *mut Handle,
    ) -> i32;
    pub fn p2pmap_map_remove(map: Handle, key: *const c_void, key_len: usize, removed: *mut bool, error: *mut Handle) -> i32;
    pub fn p2pmap_map_remove_prefix(
        map: Handle,
        key: *const c_void,
        len: usize,
        removed: *mut usize,
        error: *mut Handle,
    ) -> i32;
    pub fn p2pmap_map_wait_replicated(
        map: Handle,
        stamp: *const Filled,
        peers: usize,
        timeout_ms: u64,
        who: *mut Filled,
        error: *mut Handle,
    ) -> i32;
    pub fn p2pmap_batch_new() -> Handle;
    pub fn p2pmap_batch_put(
        batch: Handle,
        key: *const c_void,
        key_len: usize,
        value: *const c_void,
        value_len: usize,
        error: *mut Handle,
    ) -> i32;
    pub fn p2pmap_batch_remove(batch: Handle, key: *const c_void, key_len: usize, error: *mut Handle) -> i32;
    pub fn p2pmap_batch_clear(batch: Handle);
    pub fn p2pmap_batch_free(batch: Handle);
    pub fn p2pmap_map_apply(map: Handle, batch: Handle, last: *mut Filled, error: *mut Handle) -> i32;
    pub fn p2pmap_map_load(map: Handle, path: *const c_char, count: *mut u64, error: *mut Handle) -> i32;
    pub fn p2pmap_map_scan(map: Handle, options: *const c_void, scan: *mut Handle, error: *mut Handle) -> i32;
    pub fn p2pmap_scan_next(scan: Handle, entry: *mut Filled, error: *mut Handle) -> i32;
    pub fn p2pmap_scan_free(scan: Handle);
    pub fn p2pmap_map_subscribe(
        map: Handle,
        options: *const c_void,
        callback: Option<Events>,
        user_data: *mut c_void,
        destroy: Option<extern "C" fn(*mut c_void)>,
        subscription: *mut Handle,
        error: *mut Handle,
    ) -> i32;
    pub fn p2pmap_subscription_close(subscription: Handle, error: *mut Handle) -> i32;
    pub fn p2pmap_subscription_free(subscription: Handle);
    pub fn p2pmap_map_watch(map: Handle, options: *const c_void, watch: *mut Handle, error: *mut Handle) -> i32;
    pub fn p2pmap_watch_recv(watch: Handle, max: usize, timeout_ms: u64, events: *mut Filled, error: *mut Handle) -> i32;
    pub fn p2pmap_watch_close(watch: Handle, error: *mut Handle) -> i32;
    pub fn p2pmap_watch_free(watch: Handle);
}
