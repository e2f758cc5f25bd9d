// p2pmap: a replicated key-value map that lives inside your process.
//
// Every process that opens the map `flags` holds a full copy of it. Reads are reads of local memory; writes are local
// and reach every other copy by peer-to-peer gossip; there is no server. Where two write the same key, the later write
// wins, everywhere.
//
//     #include <p2pmap.h>
//     #include <stdio.h>
//
//     static void on_change(const p2pmap_event *events, size_t count, void *user_data) {
//       (void)user_data;
//       for (size_t i = 0; i < count; i++)
//         printf("%s %.*s\n", p2pmap_event_kind_name(events[i].kind), (int)events[i].key_len, (const char *)events[i].key);
//     }
//
//     int main(void) {
//       p2pmap_map *flags;
//       p2pmap_subscription *changes;
//       if (p2pmap_open("flags", NULL, &flags, NULL) != P2PMAP_OK) return 1;
//       if (p2pmap_map_subscribe(flags, NULL, on_change, NULL, NULL, &changes, NULL) != P2PMAP_OK) return 1;
//
//       char value[16];
//       size_t len;
//       p2pmap_map_put(flags, "dark_mode", 9, "on", 2, NULL, NULL);
//       if (p2pmap_map_get(flags, "dark_mode", 9, value, sizeof value, &len, NULL) == P2PMAP_OK)
//         printf("dark_mode is %.*s\n", (int)len, value);
//
//       p2pmap_subscription_free(changes);
//       p2pmap_map_free(flags);
//     }
//
// Compile with `cc quickstart.c $(pkg-config --cflags --libs p2pmap)`. C++ programs may prefer <p2pmap.hpp>.
//
// Results. Calls that can fail return a `p2pmap_status`: 0 is success, above zero is an outcome to expect (absent, the
// end), below zero is an error. The last parameter, `p2pmap_error **error`, may be NULL; otherwise a call that fails
// puts an error there, with a sentence that says what is wrong and what to do, for the caller to free. Outputs are
// written on success only, unless a function says otherwise. NULL where something is needed is P2PMAP_INVALID_ARGUMENT
// and never a crash. A bug inside is P2PMAP_INTERNAL and never unwinds into C.
//
// Ownership. Inputs are borrowed until the call returns, and copied where they are needed longer. What a call gives to
// the caller is freed with the function that the call names, never with `free`. Handles are freed once; every other
// `_free` and `_release` resets what it frees and may be called again. Text is NUL-terminated UTF-8; keys and values
// are any bytes, and `const void *`, so strings need no cast.
//
// Threads. Nodes, maps, subscriptions and watches may be used by any number of threads at once, and closed by one
// while others use them: the others then get P2PMAP_CLOSED. Only freeing a handle needs to be the last thing done with
// it. Configurations, options, batches, scans and lists are used by one thread at a time. No call depends on the thread
// that makes it.
// The library blocks no signal and handles none.
//
// Callbacks run on threads of the library, under no lock, and may call anything in this header. Each comes with a
// `user_data`, passed back as it is, and a destructor for it, which is called exactly once, after the last callback,
// also when the registration fails. They must not throw, and must not leave by `longjmp`.
//
// fork. A child has none of its parent's threads. Handles opened before the fork give P2PMAP_FORKED there, and freeing
// them does nothing; new nodes can be opened. Their destructors do not run there.
//
// Compatibility. While the version begins with 0, the interface may change with the minor version, and the soname
// (libp2pmap.so.0.<minor>) changes with it; programs linked against one never meet another. Within one soname,
// functions and numbers are only added, and structs that begin with `struct_size` only grow at their end. Numbers are
// never given a second meaning.
//
// Made by `make header`; do not edit.

#ifndef P2PMAP_H
#define P2PMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// ---------------------------------------------------------------------------------------------------------------------
// Version
//
// A program linked against the shared library gets the interface it was compiled for: the soname changes whenever
// the interface does. One that loads the library by hand compares `p2pmap_abi_version()` with `P2PMAP_ABI_VERSION`.
// ---------------------------------------------------------------------------------------------------------------------

/// The version of the interface in this header.
#define P2PMAP_ABI_VERSION 1

/// The version of the interface that the loaded library has.
///
/// Ownership: nothing.
/// Threads: any.
/// Blocks: no.
uint32_t p2pmap_abi_version(void);

/// The library's version, such as "0.1.0".
///
/// Ownership: the library's; valid for ever.
/// Threads: any.
/// Blocks: no.
const char *p2pmap_version(void);

// ---------------------------------------------------------------------------------------------------------------------
// Status and errors
//
// Zero is success, above zero an outcome to expect, below zero an error. Numbers are never given a second meaning.
// ---------------------------------------------------------------------------------------------------------------------

/// Why a call failed: its status, and a sentence that names the thing, the limit and the remedy. It never holds a
/// value.
typedef struct p2pmap_error p2pmap_error;

/// What a call came to: one of the numbers below.
typedef int32_t p2pmap_status;

/// Done.
#define P2PMAP_OK 0

/// Absent: there is no live value under this key.
#define P2PMAP_NOT_FOUND 1

/// The value does not fit into the buffer; the length it needs was written, the buffer was not.
#define P2PMAP_BUFFER_TOO_SMALL 2

/// The end: a scan has no more entries, or a watch was closed and everything was taken.
#define P2PMAP_END 3

/// Nothing came in the time given; ask again.
#define P2PMAP_EMPTY 4

/// An argument that no state could make valid, such as NULL. Nothing changed.
#define P2PMAP_INVALID_ARGUMENT (-1)

/// An unknown option, or a value that the option does not allow. Nothing changed.
#define P2PMAP_INVALID_CONFIG (-2)

/// The map's validator said no. Nothing changed.
#define P2PMAP_INVALID_VALUE (-3)

/// A key, value or batch over its limit. Nothing changed.
#define P2PMAP_TOO_LARGE (-4)

/// The node, map or watch was closed. Nothing changed.
#define P2PMAP_CLOSED (-5)

/// A data directory in use by another process; or it was copied, and another node runs with the identity in it.
#define P2PMAP_LOCKED (-6)

/// The disk refused: full, read-only or broken.
#define P2PMAP_STORAGE (-7)

/// A stored file is damaged.
#define P2PMAP_CORRUPTED (-8)

/// An address that cannot be parsed, listened on or reached.
#define P2PMAP_NETWORK (-9)

/// A listen address that another socket holds. No node was opened.
#define P2PMAP_ADDRESS_IN_USE (-10)

/// The time given ran out; what was asked for may still happen.
#define P2PMAP_TIMEOUT (-11)

/// `max_entries` or `max_bytes` is reached. Nothing changed.
#define P2PMAP_FULL (-12)

/// A format or protocol version that this library does not speak.
#define P2PMAP_UNSUPPORTED (-13)

/// The handle was opened before a `fork`, and this is the child.
#define P2PMAP_FORKED (-14)

/// The map's `writers` do not include this node. Nothing changed.
#define P2PMAP_NOT_PERMITTED (-15)

/// A bug in p2pmap: a panic, caught. Please report it.
#define P2PMAP_INTERNAL (-100)

/// The name of a status, such as "TOO_LARGE"; "UNKNOWN" for a number that is none.
///
/// Ownership: the library's; valid for ever.
/// Threads: any.
/// Blocks: no.
const char *p2pmap_status_name(p2pmap_status status);

/// The status that the failed call returned; `P2PMAP_OK` for NULL.
///
/// Ownership: borrows `error`.
/// Threads: any.
/// Blocks: no.
p2pmap_status p2pmap_error_status(const p2pmap_error *error);

/// What went wrong, in one sentence of UTF-8; "" for NULL.
///
/// Ownership: the error's; valid until it is freed.
/// Threads: any.
/// Blocks: no.
const char *p2pmap_error_message(const p2pmap_error *error);

/// Frees an error. NULL is fine.
///
/// Ownership: takes `error`.
/// Threads: any.
/// Blocks: no.
void p2pmap_error_free(p2pmap_error *error);

// ---------------------------------------------------------------------------------------------------------------------
// Bytes
//
// Keys and values go in as a pointer and a length: any bytes, empty ones and NUL bytes included. They come out in
// one of two forms: as a copy that is the caller's own, or as a view of the bytes that the map itself holds, which
// costs the same whatever their length. Under about 1 KiB copy; above, prefer the view.
// ---------------------------------------------------------------------------------------------------------------------

/// Without a limit, where a time in milliseconds is asked for: waits for ever, never expires.
#define P2PMAP_FOREVER UINT64_MAX

/// A copy that is the caller's own. A zero byte follows, not counted in `len`, so text can be used as a C string.
typedef struct {
  uint8_t *data;
  size_t len;
} p2pmap_bytes;

/// Counted bytes: what `data` points at stays as it is, after the key was overwritten or removed and after the map was
/// closed and freed, until the view is released. May be passed to another thread; `owner` is the library's.
typedef struct {
  const uint8_t *data;
  size_t len;
  void *owner[2];
} p2pmap_view;

/// Frees a copy, and sets it to nothing. NULL and nothing are fine.
///
/// Ownership: takes what `bytes` holds.
/// Threads: any; one at a time for one `bytes`.
/// Blocks: no.
void p2pmap_bytes_free(p2pmap_bytes *bytes);

/// Releases a view, and sets it to nothing. NULL and nothing are fine.
///
/// Ownership: takes what `view` holds.
/// Threads: any; one at a time for one `view`.
/// Blocks: no.
void p2pmap_view_release(p2pmap_view *view);

// ---------------------------------------------------------------------------------------------------------------------
// Who wrote what, and when
//
// A stamp identifies one write; the greater stamp wins. A digest says with 32 bytes what state a replica is in.
// ---------------------------------------------------------------------------------------------------------------------

/// The most bytes a peer id has.
#define P2PMAP_PEER_ID_BYTES 64

/// Room for any peer id as text, with its final NUL.
#define P2PMAP_PEER_ID_TEXT_BYTES 96

/// Room for a digest as text, with its final NUL.
#define P2PMAP_DIGEST_TEXT_BYTES 65

/// Who a node is: the libp2p peer id. Bytes beyond `len` are zero, and a `len` of 0 means nobody.
typedef struct {
  size_t len;
  uint8_t bytes[64];
} p2pmap_peer_id;

/// Identifies one write.
///
/// `timestamp` is the author's hybrid clock: 48 bits of milliseconds since the Unix epoch, then a counter of 16 bits.
/// `epoch` says which opening of the map by its author. There is no padding, so stamps may be compared with `memcmp`
/// for equality; their order is `p2pmap_stamp_compare`. The three parts are the whole stamp: told to another process, they
/// are the same stamp there.
typedef struct {
  uint64_t timestamp;
  uint64_t epoch;
  p2pmap_peer_id author;
} p2pmap_stamp;

/// Equal digests mean equal replicas.
typedef struct {
  uint8_t bytes[32];
} p2pmap_digest;

/// Writes a peer id as text in base58, with a final NUL. `P2PMAP_BUFFER_TOO_SMALL` when `capacity` is less than it
/// needs; `P2PMAP_PEER_ID_TEXT_BYTES` is always enough.
///
/// Ownership: borrows `id`; writes into the caller's `text`.
/// Threads: any.
/// Blocks: no.
p2pmap_status p2pmap_peer_id_text(const p2pmap_peer_id *id, char *text, size_t capacity, p2pmap_error **error);

/// Reads a peer id from its text. `P2PMAP_INVALID_ARGUMENT` when it is none.
///
/// Ownership: borrows `text`; writes into the caller's `id`.
/// Threads: any.
/// Blocks: no.
p2pmap_status p2pmap_peer_id_parse(const char *text, p2pmap_peer_id *id, p2pmap_error **error);

/// Which of two stamps is greater: below zero when `a` is less than `b`, zero when they are equal, above zero
/// otherwise. By timestamp, then author, then epoch. NULL is less than any stamp.
///
/// Ownership: borrows both.
/// Threads: any.
/// Blocks: no.
int32_t p2pmap_stamp_compare(const p2pmap_stamp *a, const p2pmap_stamp *b);

/// Writes a digest as 64 hexadecimal digits and a final NUL. `P2PMAP_BUFFER_TOO_SMALL` when `capacity` is less than
/// `P2PMAP_DIGEST_TEXT_BYTES`.
///
/// Ownership: borrows `digest`; writes into the caller's `text`.
/// Threads: any.
/// Blocks: no.
p2pmap_status p2pmap_digest_text(const p2pmap_digest *digest, char *text, size_t capacity, p2pmap_error **error);

// ---------------------------------------------------------------------------------------------------------------------
// Configuration
//
// What a node is told when it opens, and the defaults of the maps on it. Every option has a name and takes its
// value as text; lists are separated by commas, switches are `true` or `false`. An unknown name or a bad value is
// `P2PMAP_INVALID_CONFIG`, and the message says which, why, and what is allowed.
//
// Of nodes:
//   listen                Where to listen; host:port means TCP and QUIC on that port, port 0 any free one. Allowed:
//                         multiaddrs or host:port, separated by commas. Default: 127.0.0.1:0.
//   external_addrs        Addresses to tell others beside the listen addresses, such as those of a port mapping.
//                         Allowed: multiaddrs or host:port, separated by commas.
//   bootstrap             Members to join through; one that answers is enough, all are retried for ever. Allowed:
//                         multiaddrs or host:port, separated by commas.
//   cluster_id            Nodes with different cluster ids never exchange anything. Allowed: 1 to 255 bytes of text.
//                         Default: default.
//   cluster_secret        Only nodes that know one of them join, and all that is sent is sealed; the first seals, all
//                         open. Allowed: up to 4 secrets of 32 bytes, in hex or base64, or env:<variable>, or
//                         file:<path>, separated by commas.
//   allow_peers           Only these nodes join. Allowed: peer ids, separated by commas.
//   ban_peers             These nodes never join; `ban` adds to them at run time. Allowed: peer ids, separated by
//                         commas.
//   trust                 Tofu: whom an address first led to is the only one taken there from then on; needs data_dir.
//                         Allowed: any or tofu. Default: any.
//   insecure              Listen beyond loopback without a secret or a list of peers: whoever reaches the port can
//                         join. Allowed: true or false. Default: false.
//   target_peers          Connections to keep, where the cluster has that many members. Allowed: 1 to 1024. Default: 8.
//   max_peers             Connections to accept at most; no less than target_peers. Allowed: 1 to 4096. Default: 128.
//   anti_entropy_ms       How often to compare with one random peer, jittered by 25 %. Allowed: 100 to 86400000.
//                         Default: 30000.
//   peer_timeout_ms       On presence maps: an author is gone after so long without a sign of life; the same on every
//                         node. Allowed: 1000 to 3600000. Default: 10000.
//   data_dir              Where durable maps and this node's identity are kept; one process at a time; empty: nothing
//                         is kept. Allowed: a path.
//   identity_file         The key that `generate_identity` made there: who this node is; else that in data_dir, or a
//                         new one each time. Allowed: a path.
//   max_clock_drift_ms    Entries stamped further ahead than this are set aside. Allowed: 1 to 31536000000. Default:
//                         60000.
//   maps                  Maps to open with the node; maps.<map>.<option> sets an option of one. Allowed: map names,
//                         separated by commas.
//
// Of maps, and of nodes as the default for their maps:
//   validator             What values must be; checked here and on arrival. Allowed: utf8, json, max_bytes:<n>, several
//                         separated by commas.
//   durability            None: in memory; async: on disk within fsync_interval_ms; sync: on disk before a write
//                         returns. Allowed: none, async, sync. Default: none.
//   fsync_interval_ms     With async: how much a loss of power may take. Allowed: 1 to 3600000. Default: 1000.
//   on_storage_error      When the disk fails: refuse writes until the map is opened anew, or go on in memory. Allowed:
//                         refuse, memory. Default: refuse.
//   signed                Every entry carries its author's signature, which nobody can forge; the same on every node.
//                         Allowed: true or false. Default: false.
//   writers               Who may write what, checked here and on arrival; empty: everybody everything; needs signed.
//                         Allowed: <peer id> or <prefix>=<peer id>, several separated by commas.
//   presence              Entries are visible only while their author is; the same on every node. Allowed: true or
//                         false. Default: false.
//   default_ttl_ms        When a put that says no ttl of its own expires. Allowed: 0 (never) to 3155760000000. Default:
//                         0.
//   tombstone_ttl_ms      How old a removal is before it may be forgotten. Allowed: 1000 to 31536000000. Default:
//                         3600000.
//   scan_ms               How often to look for what may be forgotten. Allowed: 10 to 86400000. Default: 1000.
//   origin_retention_ms   How long to know what a node that is gone has written; more than the longest partition.
//                         Allowed: 1000 to 3155760000000. Default: 2592000000.
//   max_key_bytes         Longer keys are refused. Allowed: 1 to 65536. Default: 1024.
//   max_value_bytes       Longer values are refused. Allowed: 1 to 4194304. Default: 1048576.
//   max_entries           New keys beyond this many live entries are refused; what others write, beyond twice as many.
//                         Allowed: 0 (no limit) to 18446744073709551615. Default: 0.
//   max_bytes             Writes that would hold more bytes of keys and values are refused; what others write, beyond
//                         twice as many. Allowed: 0 (no limit) to 18446744073709551615. Default: 0.
//
// A configuration is plain data: opening a node copies it, so it may be changed, used again or freed afterwards.
// ---------------------------------------------------------------------------------------------------------------------

/// What opens a node: options by name. Used by one thread at a time.
typedef struct p2pmap_config p2pmap_config;

/// Says whether a map may hold this value under this key. It sees local writes and everything received, on whatever
/// thread brings them and on several at once, under no lock. It must not throw, and must answer the same for the
/// same bytes on every node.
typedef bool (*p2pmap_validator)(const uint8_t *key,
                                 size_t key_len,
                                 const uint8_t *value,
                                 size_t value_len,
                                 void *user_data);

/// Called once for a `user_data`, after the last use of it; NULL if there is nothing to free.
typedef void (*p2pmap_destructor)(void *user_data);

/// One option: its name, its default, what is allowed and what it is for. All are UTF-8 and valid for ever.
typedef struct {
  const char *name;
  const char *default_value;
  const char *allowed;
  const char *about;
  /// An option of maps; in a node's configuration it is the default for its maps.
  bool of_map;
} p2pmap_option;

/// A configuration in which every option has its default. NULL only when memory is out.
///
/// Ownership: the caller's, to be freed with `p2pmap_config_free`.
/// Threads: any.
/// Blocks: no.
p2pmap_config *p2pmap_config_new(void);

/// Sets an option. A name `maps.<map>.<option>` declares a map, which the node opens when it starts.
///
/// Ownership: borrows all.
/// Threads: one at a time for one configuration.
/// Blocks: no.
p2pmap_status p2pmap_config_set(p2pmap_config *config, const char *name, const char *value, p2pmap_error **error);

/// Sets every option of a TOML document; a table `[maps.<map>]` declares a map.
///
/// Ownership: borrows all.
/// Threads: one at a time for one configuration.
/// Blocks: no.
p2pmap_status p2pmap_config_set_toml(p2pmap_config *config, const char *toml, p2pmap_error **error);

/// Sets every option of a TOML file.
///
/// Ownership: borrows all.
/// Threads: one at a time for one configuration.
/// Blocks: on the disk.
p2pmap_status p2pmap_config_load(p2pmap_config *config, const char *path, p2pmap_error **error);

/// Sets what the environment says: `P2PMAP_BOOTSTRAP` is `bootstrap`, and so on.
///
/// Ownership: borrows all.
/// Threads: one at a time for one configuration, and while no other thread changes the environment.
/// Blocks: no.
p2pmap_status p2pmap_config_set_env(p2pmap_config *config, p2pmap_error **error);

/// Gives the maps of this node a validator, unless they have one of their own. `destroy` runs when the last copy of the
/// configuration and the last map with it are gone; at once, when this call fails.
///
/// Ownership: takes `user_data`.
/// Threads: one at a time for one configuration.
/// Blocks: no.
p2pmap_status p2pmap_config_validator(p2pmap_config *config,
                                      p2pmap_validator validator,
                                      void *user_data,
                                      p2pmap_destructor destroy,
                                      p2pmap_error **error);

/// Frees a configuration. NULL is fine.
///
/// Ownership: takes `config`.
/// Threads: any.
/// Blocks: no.
void p2pmap_config_free(p2pmap_config *config);

/// How many options there are.
///
/// Ownership: nothing.
/// Threads: any.
/// Blocks: no.
size_t p2pmap_option_count(void);

/// The option at `index`, in the order of the table above. `P2PMAP_NOT_FOUND` from `p2pmap_option_count` on.
///
/// Ownership: writes into the caller's `option`; its text is the library's.
/// Threads: any.
/// Blocks: no.
p2pmap_status p2pmap_option_at(size_t index, p2pmap_option *option, p2pmap_error **error);

// ---------------------------------------------------------------------------------------------------------------------
// Lists
//
// What a call tells as a list is an array that stays valid until the list is freed: `list.items[i]` for every `i`
// below `list.count`. `owner` is the library's.
// ---------------------------------------------------------------------------------------------------------------------

/// A number that may be negative and is not known yet.
#define P2PMAP_UNKNOWN INT64_MIN

/// Texts, each NUL-terminated UTF-8.
typedef struct {
  const char *const *items;
  size_t count;
  void *owner;
} p2pmap_string_list;

/// A yes or no that may not be known yet: 1 is yes, 0 is no, -1 is not known.
typedef int32_t p2pmap_answer;

/// A peer that a node is connected to.
typedef struct {
  /// Its peer id as text.
  const char *id;
  /// The address that the connection uses.
  const char *addr;
  /// Whether this node dialled; otherwise the peer did.
  bool outbound;
  /// Whether all maps in common were equal when last compared.
  p2pmap_answer in_sync;
  /// Round trip of the last ping, in microseconds; -1 before the first.
  int64_t round_trip_us;
  /// Names of the maps that both have open.
  const char *const *maps;
  size_t map_count;
  /// How far its clock is ahead of this node's, when last compared, in milliseconds; behind when negative;
  /// `P2PMAP_UNKNOWN` before that.
  int64_t drift_ms;
} p2pmap_peer;

/// The peers of a node.
typedef struct {
  const p2pmap_peer *items;
  size_t count;
  void *owner;
} p2pmap_peer_list;

/// A peer that a map is shared with, or an author that something is wrong with, who need not be connected.
typedef struct {
  /// Its peer id as text.
  const char *id;
  /// Whether the replicas were equal when last compared.
  p2pmap_answer in_sync;
  /// When a sync with this peer last completed, in milliseconds since the Unix epoch; -1 before the first.
  int64_t last_sync_ms;
  /// Whether it is connected and has the map open.
  bool connected;
  /// Entries held here that it lacked when last compared; -1 before the first comparison.
  int64_t behind;
  /// How far its clock is ahead of this node's, when last compared, in milliseconds; behind when negative;
  /// `P2PMAP_UNKNOWN` before that.
  int64_t drift_ms;
  /// Entries that it wrote and that were set aside here, each time they came, because they were stamped too far ahead.
  uint64_t ahead_entries;
  /// Whether removals cannot be forgotten here until writes of it arrive, which are known of and missing.
  bool holds_up_forgetting;
} p2pmap_map_peer;

/// The peers of a map.
typedef struct {
  const p2pmap_map_peer *items;
  size_t count;
  void *owner;
} p2pmap_map_peer_list;

/// Frees a list, and sets it to nothing. NULL and nothing are fine.
///
/// Ownership: takes what `strings` holds.
/// Threads: any; one at a time for one list.
/// Blocks: no.
void p2pmap_string_list_free(p2pmap_string_list *strings);

/// Frees a list, and sets it to nothing. NULL and nothing are fine.
///
/// Ownership: takes what `peers` holds.
/// Threads: any; one at a time for one list.
/// Blocks: no.
void p2pmap_peer_list_free(p2pmap_peer_list *peers);

/// Frees a list, and sets it to nothing. NULL and nothing are fine.
///
/// Ownership: takes what `peers` holds.
/// Threads: any; one at a time for one list.
/// Blocks: no.
void p2pmap_map_peer_list_free(p2pmap_map_peer_list *peers);

// ---------------------------------------------------------------------------------------------------------------------
// Nodes
//
// A node is one process's participation in a cluster: an identity, a network endpoint, and the maps opened on it.
// ---------------------------------------------------------------------------------------------------------------------

/// A handle to a node.
typedef struct p2pmap_node p2pmap_node;

/// What a node says of itself. Set `struct_size` before the call.
typedef struct {
  /// sizeof(p2pmap_node_report)
  size_t struct_size;
  p2pmap_peer_id id;
  /// NUL-terminated UTF-8.
  char cluster_id[256];
  /// Peers connected.
  size_t peers;
  /// Members of the cluster known, connected or not, without this one.
  size_t members;
  /// Maps open.
  size_t maps;
  /// Messages dropped because they were malformed, oversized or for no map of this node.
  uint64_t rejected_messages;
  /// How far the others' clocks are ahead of this node's, in milliseconds: the median of its peers; behind when
  /// negative; `P2PMAP_UNKNOWN` without peers.
  int64_t clock_drift_ms;
  /// Whether this node's clock is the odd one out: most peers agree with each other, and not with it. What it writes may
  /// be set aside by all, or lose against older writes: mend the clock.
  bool clock_suspect;
  /// Why this node has left the network for good, if so: another one runs with its identity, because its `data_dir` was
  /// copied. Its maps are read, and take no writes: `P2PMAP_LOCKED`. NUL-terminated UTF-8, empty while all is well.
  char identity_error[1024];
  /// Why the node that was dialled last is no peer, if one of the two is a stranger to the other: no secret in common,
  /// another cluster, not allowed, another version. NUL-terminated UTF-8, empty once a dialled node is a peer.
  char admission_error[512];
} p2pmap_node_report;

/// Starts a node: listens, and dials what `bootstrap` names in the background. NULL for `config` means defaults.
/// `P2PMAP_INVALID_CONFIG`, `P2PMAP_ADDRESS_IN_USE`, `P2PMAP_NETWORK`.
///
/// Ownership: borrows `config`; `*node` is the caller's, to be freed with `p2pmap_node_free`.
/// Threads: any.
/// Blocks: until it listens.
p2pmap_status p2pmap_node_open(const p2pmap_config *config, p2pmap_node **node, p2pmap_error **error);

/// Who this node is.
///
/// Ownership: writes into the caller's `id`.
/// Threads: any.
/// Blocks: no.
p2pmap_status p2pmap_node_id(const p2pmap_node *node, p2pmap_peer_id *id, p2pmap_error **error);

/// The addresses it listens on, each ending in `/p2p/<peer id>`: what another node takes as `bootstrap`.
///
/// Ownership: `*addrs` is the caller's, to be freed with `p2pmap_string_list_free`.
/// Threads: any.
/// Blocks: no.
p2pmap_status p2pmap_node_addrs(const p2pmap_node *node, p2pmap_string_list *addrs, p2pmap_error **error);

/// Dials a peer. NULL for `peer` if its id is not asked for. `P2PMAP_INVALID_ARGUMENT` for what is no address,
/// `P2PMAP_NETWORK`, `P2PMAP_TIMEOUT`.
///
/// Ownership: borrows `addr`; writes into the caller's `peer`.
/// Threads: any.
/// Blocks: until it is connected, `timeout_ms` at most.
p2pmap_status p2pmap_node_connect(const p2pmap_node *node,
                                  const char *addr,
                                  uint64_t timeout_ms,
                                  p2pmap_peer_id *peer,
                                  p2pmap_error **error);

/// The peers it is connected to.
///
/// Ownership: `*peers` is the caller's, to be freed with `p2pmap_peer_list_free`.
/// Threads: any.
/// Blocks: no.
p2pmap_status p2pmap_node_peers(const p2pmap_node *node, p2pmap_peer_list *peers, p2pmap_error **error);

/// The names of the maps open on it.
///
/// Ownership: `*names` is the caller's, to be freed with `p2pmap_string_list_free`.
/// Threads: any.
/// Blocks: no.
p2pmap_status p2pmap_node_maps(const p2pmap_node *node, p2pmap_string_list *names, p2pmap_error **error);

/// What it says of itself.
///
/// Ownership: writes into the caller's `report`.
/// Threads: any.
/// Blocks: no.
p2pmap_status p2pmap_node_status(const p2pmap_node *node, p2pmap_node_report *report, p2pmap_error **error);

/// Says goodbye to the peers, closes every map, ends every thread. Closing again is fine; the handle remains, and
/// calls with it and with its maps give `P2PMAP_CLOSED`.
///
/// Ownership: borrows `node`.
/// Threads: any, callbacks included.
/// Blocks: until it is closed and running callbacks have returned; within a callback it only begins to close.
p2pmap_status p2pmap_node_close(const p2pmap_node *node, p2pmap_error **error);

/// Frees a handle. One from `p2pmap_node_open` closes the node first, if it is not closed; one from `p2pmap_map_node`
/// leaves it open. NULL is fine. In a forked child nothing happens.
///
/// Ownership: takes `node`.
/// Threads: any; no other call may use this handle any more.
/// Blocks: as closing does.
void p2pmap_node_free(p2pmap_node *node);

// ---------------------------------------------------------------------------------------------------------------------
// Identities
//
// Who a node is, and whom it wants nothing to do with.
// ---------------------------------------------------------------------------------------------------------------------

/// Makes an identity, a new Ed25519 key, and keeps it in a new file, which only its owner may read: a node opened with that path as
/// `identity_file` has the peer id that is written to `peer`, which the `allow_peers`, `ban_peers` and `writers` of others name.
/// NULL for `peer` if it is not asked for. `P2PMAP_INVALID_ARGUMENT` when there is something at that path, `P2PMAP_STORAGE`;
/// nothing is left there then.
///
/// Ownership: borrows `path`; writes into the caller's `peer`.
/// Threads: any.
/// Blocks: on the disk.
p2pmap_status p2pmap_generate_identity(const char *path,
                                       p2pmap_peer_id *peer,
                                       p2pmap_error **error);

/// Puts a node out: its connections end, it is forgotten, and not let in again while this node is open, at neither end;
/// the option `ban_peers` does so from the start. Every node decides for itself: call it on all of them. What it wrote
/// stays. `P2PMAP_INVALID_ARGUMENT` for this node's own id.
///
/// Ownership: borrows `id`.
/// Threads: any.
/// Blocks: no.
p2pmap_status p2pmap_node_ban(const p2pmap_node *node, const p2pmap_peer_id *id, p2pmap_error **error);

/// The peer ids that are banned, as text, sorted.
///
/// Ownership: `*peers` is the caller's, to be freed with `p2pmap_string_list_free`.
/// Threads: any.
/// Blocks: no.
p2pmap_status p2pmap_node_banned(const p2pmap_node *node, p2pmap_string_list *peers, p2pmap_error **error);

// ---------------------------------------------------------------------------------------------------------------------
// Map options
//
// What a map is told when it opens; what is not set here is as the node's configuration says.
// ---------------------------------------------------------------------------------------------------------------------

/// What opens a map: options by name. Used by one thread at a time.
typedef struct p2pmap_map_options p2pmap_map_options;

/// Options in which everything is as the node's configuration says. NULL only when memory is out.
///
/// Ownership: the caller's, to be freed with `p2pmap_map_options_free`.
/// Threads: any.
/// Blocks: no.
p2pmap_map_options *p2pmap_map_options_new(void);

/// Sets a map option by name: the second half of the table under "Configuration".
///
/// Ownership: borrows all.
/// Threads: one at a time for the same options.
/// Blocks: no.
p2pmap_status p2pmap_map_options_set(p2pmap_map_options *options,
                                     const char *name,
                                     const char *value,
                                     p2pmap_error **error);

/// Gives the map a validator. `destroy` runs when the last copy of the options and the map are gone; at once, when this
/// call fails.
///
/// Ownership: takes `user_data`.
/// Threads: one at a time for the same options.
/// Blocks: no.
p2pmap_status p2pmap_map_options_validator(p2pmap_map_options *options,
                                           p2pmap_validator validator,
                                           void *user_data,
                                           p2pmap_destructor destroy,
                                           p2pmap_error **error);

/// Frees options. NULL is fine.
///
/// Ownership: takes `options`.
/// Threads: any.
/// Blocks: no.
void p2pmap_map_options_free(p2pmap_map_options *options);

// ---------------------------------------------------------------------------------------------------------------------
// Maps
//
// A map handle is this node's copy of a named replicated map. Where two nodes write the same key, the write with
// the greater stamp wins, everywhere.
// ---------------------------------------------------------------------------------------------------------------------

/// A handle to a map.
typedef struct p2pmap_map p2pmap_map;

/// What a map says of itself. Set `struct_size` before the call.
typedef struct {
  /// sizeof(p2pmap_map_report)
  size_t struct_size;
  /// Entries in the view.
  size_t live;
  /// Removals, and entries that expired, remembered.
  size_t tombstones;
  /// Keys and values held, in bytes.
  uint64_t bytes;
  p2pmap_digest digest;
  /// Writes that wait for the network.
  size_t outbox;
  /// Connected peers that have this map open.
  size_t peers;
  /// Entries from peers that the validator or a limit refused.
  uint64_t refused_entries;
  /// Entries from peers set aside because they were stamped too far ahead.
  uint64_t ahead_entries;
  /// Messages dropped because they were malformed.
  uint64_t rejected_messages;
  /// Gaps seen in what arrived; a sync closes each.
  uint64_t gaps;
  /// Syncs completed.
  uint64_t syncs;
  /// Entries that presence hides, because their author is gone.
  size_t hidden;
  /// Comparisons that found the same writes seen and yet another state: a full sync follows each.
  uint64_t self_checks;
  /// Removals and expired entries forgotten since the map was opened.
  uint64_t forgotten;
  /// Openings of this map, by any node, that its causal context names.
  size_t origins;
  /// How far this map's clock is ahead of this node's wall clock, because a peer's or its own was, in milliseconds.
  uint64_t clock_ahead_ms;
  /// How long what is written lasts: "none", "async" or "sync". The library's; valid for ever.
  const char *durability;
  /// What was cut off a torn log when the map was opened, in bytes.
  uint64_t cut_bytes;
  /// Log on disk beside the snapshot, in bytes.
  uint64_t log_bytes;
  /// Why the disk is not written to any more, if so: the map refuses writes, or goes on in memory, as `on_storage_error`
  /// says. "" while all is well; cut off where it is longer than fits.
  char storage_error[512];
} p2pmap_map_report;

/// Opens a map on a node of its own: the quick start. NULL for `config` means defaults. Closing the map closes the
/// node. Errors as for `p2pmap_node_open` and `p2pmap_map_open`.
///
/// Ownership: borrows `name` and `config`; `*map` is the caller's, to be freed with `p2pmap_map_free`.
/// Threads: any.
/// Blocks: until the node listens.
p2pmap_status p2pmap_open(const char *name, const p2pmap_config *config, p2pmap_map **map, p2pmap_error **error);

/// Opens a map on a node. The same name again gives a further handle to the same map; with other options that is
/// `P2PMAP_INVALID_CONFIG`. NULL for `options` means the node's.
///
/// Ownership: borrows all but `*map`, which is the caller's, to be freed with `p2pmap_map_free`.
/// Threads: any.
/// Blocks: no.
p2pmap_status p2pmap_map_open(const p2pmap_node *node,
                              const char *name,
                              const p2pmap_map_options *options,
                              p2pmap_map **map,
                              p2pmap_error **error);

/// Its name; NULL for NULL.
///
/// Ownership: the handle's; valid until it is freed.
/// Threads: any.
/// Blocks: no.
const char *p2pmap_map_name(const p2pmap_map *map);

/// A further handle to the node it is open on: for the addresses and peers of a map from `p2pmap_open`.
///
/// Ownership: `*node` is the caller's, to be freed with `p2pmap_node_free`, which does not close the node.
/// Threads: any.
/// Blocks: no.
p2pmap_status p2pmap_map_node(const p2pmap_map *map, p2pmap_node **node, p2pmap_error **error);

/// Reconciles now with every connected peer. `P2PMAP_TIMEOUT`.
///
/// Ownership: borrows `map`.
/// Threads: any.
/// Blocks: until this copy equals each peer's, `timeout_ms` at most.
p2pmap_status p2pmap_map_sync(const p2pmap_map *map, uint64_t timeout_ms, p2pmap_error **error);

/// What it says of itself.
///
/// Ownership: writes into the caller's `report`.
/// Threads: any.
/// Blocks: no.
p2pmap_status p2pmap_map_status(const p2pmap_map *map, p2pmap_map_report *report, p2pmap_error **error);

/// The connected peers that have this map open, and how their copies compare. Also authors that something is wrong with,
/// connected or not: their entries were set aside, or removals wait for their writes.
///
/// Ownership: `*peers` is the caller's, to be freed with `p2pmap_map_peer_list_free`.
/// Threads: any.
/// Blocks: no.
p2pmap_status p2pmap_map_peers(const p2pmap_map *map,
                               p2pmap_map_peer_list *peers,
                               p2pmap_error **error);

/// Stops this copy, for every handle to it; the other nodes' copies go on. A map from `p2pmap_open` closes its node
/// too. Closing again is fine; the handle remains, and calls with it give `P2PMAP_CLOSED`.
///
/// Ownership: borrows `map`.
/// Threads: any, callbacks included.
/// Blocks: until running callbacks have returned; within a callback it only begins to close.
p2pmap_status p2pmap_map_close(const p2pmap_map *map, p2pmap_error **error);

/// Closes this copy and deletes what this node stored of it. It erases nothing on other nodes.
///
/// Ownership: borrows `map`.
/// Threads: any, callbacks included.
/// Blocks: as closing does, and on the disk.
p2pmap_status p2pmap_map_destroy(const p2pmap_map *map, p2pmap_error **error);

/// Frees a handle. One from `p2pmap_open` closes the map and its node first; one from `p2pmap_map_open` leaves the
/// map open on its node. NULL is fine. In a forked child nothing happens.
///
/// Ownership: takes `map`.
/// Threads: any; no other call may use this handle any more.
/// Blocks: as closing does.
void p2pmap_map_free(p2pmap_map *map);

// ---------------------------------------------------------------------------------------------------------------------
// Reading
//
// Reads look into this process's memory: they wait for no lock, no disk and no network.
// ---------------------------------------------------------------------------------------------------------------------

/// An entry of the view. `key` and `value` are never NULL; `owner` is the library's.
typedef struct {
  const uint8_t *key;
  size_t key_len;
  const uint8_t *value;
  size_t value_len;
  /// The write that made it; its author is who wrote it.
  p2pmap_stamp stamp;
  /// When its author wrote it, by the author's clock, in milliseconds since the Unix epoch.
  uint64_t time_ms;
  /// When it expires, by each node's own clock, in milliseconds since the Unix epoch; 0: never.
  uint64_t expires_at_ms;
  void *owner;
} p2pmap_entry;

/// Reads into the caller's buffer, without allocating. `P2PMAP_NOT_FOUND` when absent. `P2PMAP_BUFFER_TOO_SMALL`
/// when the value is longer than `capacity`: then `*len` is the value's length, and the buffer is as it was. NULL
/// with 0 asks for the length.
///
/// Ownership: borrows `key`; writes into the caller's `buffer` and `len`.
/// Threads: any.
/// Blocks: no.
p2pmap_status p2pmap_map_get(const p2pmap_map *map,
                             const void *key,
                             size_t key_len,
                             void *buffer,
                             size_t capacity,
                             size_t *len,
                             p2pmap_error **error);

/// Reads into memory that it allocates. `P2PMAP_NOT_FOUND` when absent.
///
/// Ownership: borrows `key`; `*value` is the caller's, to be freed with `p2pmap_bytes_free`.
/// Threads: any.
/// Blocks: no.
p2pmap_status p2pmap_map_get_bytes(const p2pmap_map *map,
                                   const void *key,
                                   size_t key_len,
                                   p2pmap_bytes *value,
                                   p2pmap_error **error);

/// Reads without copying: a counted view of the bytes that the map holds. `P2PMAP_NOT_FOUND` when absent.
///
/// Ownership: borrows `key`; `*value` is the caller's, to be released with `p2pmap_view_release`.
/// Threads: any.
/// Blocks: no.
p2pmap_status p2pmap_map_get_view(const p2pmap_map *map,
                                  const void *key,
                                  size_t key_len,
                                  p2pmap_view *value,
                                  p2pmap_error **error);

/// Reads a value with its stamp, author, time and expiry. `P2PMAP_NOT_FOUND` when absent.
///
/// Ownership: borrows `key`; `*entry` is the caller's, to be released with `p2pmap_entry_release`.
/// Threads: any.
/// Blocks: no.
p2pmap_status p2pmap_map_entry(const p2pmap_map *map,
                               const void *key,
                               size_t key_len,
                               p2pmap_entry *entry,
                               p2pmap_error **error);

/// Releases an entry from `p2pmap_map_entry`, and sets its pointers to NULL. NULL is fine, and so is an entry from
/// a scan, which the scan keeps.
///
/// Ownership: takes what `entry` holds.
/// Threads: any; one at a time for one `entry`.
/// Blocks: no.
void p2pmap_entry_release(p2pmap_entry *entry);

/// Whether there is a live value under a key.
///
/// Ownership: borrows `key`; writes into the caller's `found`.
/// Threads: any.
/// Blocks: no.
p2pmap_status p2pmap_map_contains(const p2pmap_map *map,
                                  const void *key,
                                  size_t key_len,
                                  bool *found,
                                  p2pmap_error **error);

/// How many entries are in the view.
///
/// Ownership: writes into the caller's `len`.
/// Threads: any.
/// Blocks: no.
p2pmap_status p2pmap_map_len(const p2pmap_map *map, size_t *len, p2pmap_error **error);

// ---------------------------------------------------------------------------------------------------------------------
// Writing
//
// A write is done when the call returns: the next read here sees it, and with `durability=sync` it is on disk, too. It
// reaches the other copies by itself; where it matters that some of them hold it, `p2pmap_map_wait_replicated` waits for
// that.
//
// An entry written with a time to live expires: when its time is up, every node by its own clock hides it and tells an
// expire event, without a message. Whoever wants it to stay puts it again in time, with a third of the time to live as
// a good interval:
//
//     p2pmap_map_put_ttl(services, "db/1", 4, addr, addr_len, 15000, NULL, &error);  // every 5 seconds
//
// What belongs to a process that may die needs no renewal on a map opened with `presence=true`: there an entry is in
// the view only while the node that wrote it is in the cluster.
// ---------------------------------------------------------------------------------------------------------------------

/// Writes. NULL for `stamp` if it is not asked for. `P2PMAP_INVALID_VALUE`, `P2PMAP_TOO_LARGE`, `P2PMAP_FULL`,
/// `P2PMAP_CLOSED`. On a map opened with `default_ttl_ms` the entry expires when that has passed.
///
/// Ownership: copies key and value; writes into the caller's `stamp`.
/// Threads: any.
/// Blocks: no; with `durability=sync` until the disk has it.
p2pmap_status p2pmap_map_put(const p2pmap_map *map,
                             const void *key,
                             size_t key_len,
                             const void *value,
                             size_t value_len,
                             p2pmap_stamp *stamp,
                             p2pmap_error **error);

/// Writes an entry that expires `ttl_ms` milliseconds from now; a later put renews it. `P2PMAP_FOREVER`: it never
/// expires, whatever the map's `default_ttl_ms`. Errors as for `p2pmap_map_put`, and `P2PMAP_INVALID_ARGUMENT` for a
/// `ttl_ms` of 0 or above 100 years; then nothing changed.
///
/// Ownership: copies key and value; writes into the caller's `stamp`, which may be NULL.
/// Threads: any.
/// Blocks: no; with `durability=sync` until the disk has it.
p2pmap_status p2pmap_map_put_ttl(const p2pmap_map *map,
                                 const void *key,
                                 size_t key_len,
                                 const void *value,
                                 size_t value_len,
                                 uint64_t ttl_ms,
                                 p2pmap_stamp *stamp,
                                 p2pmap_error **error);

/// Removes. `*removed` says whether a live value was there; when none was, nothing is written. NULL for `removed`
/// if that is not asked for.
///
/// Ownership: borrows `key`; writes into the caller's `removed`.
/// Threads: any.
/// Blocks: no; with `durability=sync` until the disk has it.
p2pmap_status p2pmap_map_remove(const p2pmap_map *map,
                                const void *key,
                                size_t key_len,
                                bool *removed,
                                p2pmap_error **error);

/// Removes every key under a prefix in one batch. NULL for `removed` if their number is not asked for.
///
/// Ownership: borrows `prefix`; writes into the caller's `removed`.
/// Threads: any.
/// Blocks: no; with `durability=sync` until the disk has it.
p2pmap_status p2pmap_map_remove_prefix(const p2pmap_map *map,
                                       const void *prefix,
                                       size_t prefix_len,
                                       size_t *removed,
                                       p2pmap_error **error);

/// Returns when every write made here before is on disk: for maps with `durability=async`. `P2PMAP_STORAGE`.
///
/// Ownership: borrows `map`.
/// Threads: any.
/// Blocks: on the disk; not at all if the map is not kept there.
p2pmap_status p2pmap_map_flush(const p2pmap_map *map, p2pmap_error **error);

/// Waits until `peers` other nodes hold a write, or a greater one for its key. `stamp` is what a put or an applied batch
/// gave, here or on another node whose write has arrived here. Only nodes that this one is connected to are asked: see
/// `target_peers`. 0 peers: returns at once.
///
/// `*who` lists the peer ids, as text, of those that do: at least `peers`. NULL if they are not asked for.
/// `P2PMAP_TIMEOUT`, and the message says how many do; `P2PMAP_INVALID_ARGUMENT` for a stamp that this copy does not hold
/// itself; `P2PMAP_CLOSED`, also when the map is closed meanwhile.
///
/// Ownership: borrows `stamp`; `*who` is the caller's, to be freed with `p2pmap_string_list_free`.
/// Threads: any.
/// Blocks: until that many hold it, `timeout_ms` at most.
p2pmap_status p2pmap_map_wait_replicated(const p2pmap_map *map,
                                         const p2pmap_stamp *stamp,
                                         size_t peers,
                                         uint64_t timeout_ms,
                                         p2pmap_string_list *who,
                                         p2pmap_error **error);

// ---------------------------------------------------------------------------------------------------------------------
// Batches
//
// Many puts and removes that travel together and are applied whole, here and on every other node. A batch is plain
// data: it may be applied more than once, to any map.
// ---------------------------------------------------------------------------------------------------------------------

/// Puts and removes, in order. Used by one thread at a time.
typedef struct p2pmap_batch p2pmap_batch;

/// An empty batch. NULL only when memory is out.
///
/// Ownership: the caller's, to be freed with `p2pmap_batch_free`.
/// Threads: any.
/// Blocks: no.
p2pmap_batch *p2pmap_batch_new(void);

/// Adds a put.
///
/// Ownership: copies key and value.
/// Threads: one at a time for one batch.
/// Blocks: no.
p2pmap_status p2pmap_batch_put(p2pmap_batch *batch,
                               const void *key,
                               size_t key_len,
                               const void *value,
                               size_t value_len,
                               p2pmap_error **error);

/// Adds a put with a time to live, as for `p2pmap_map_put_ttl`; `ttl_ms` counts from when the batch is applied, and is
/// checked then.
///
/// Ownership: copies key and value.
/// Threads: one at a time for one batch.
/// Blocks: no.
p2pmap_status p2pmap_batch_put_ttl(p2pmap_batch *batch,
                                   const void *key,
                                   size_t key_len,
                                   const void *value,
                                   size_t value_len,
                                   uint64_t ttl_ms,
                                   p2pmap_error **error);

/// Adds a remove.
///
/// Ownership: copies `key`.
/// Threads: one at a time for one batch.
/// Blocks: no.
p2pmap_status p2pmap_batch_remove(p2pmap_batch *batch, const void *key, size_t key_len, p2pmap_error **error);

/// How many puts and removes it holds; 0 for NULL.
///
/// Ownership: borrows `batch`.
/// Threads: one at a time for one batch.
/// Blocks: no.
size_t p2pmap_batch_len(const p2pmap_batch *batch);

/// Empties it. NULL is fine.
///
/// Ownership: borrows `batch`.
/// Threads: one at a time for one batch.
/// Blocks: no.
void p2pmap_batch_clear(p2pmap_batch *batch);

/// Frees a batch. NULL is fine.
///
/// Ownership: takes `batch`.
/// Threads: any.
/// Blocks: no.
void p2pmap_batch_free(p2pmap_batch *batch);

/// Applies a batch whole. `*last` is the stamp of its last write, and all zero when nothing was written; NULL if it
/// is not asked for. Errors as for `p2pmap_map_put_ttl`, for the whole batch: then nothing of it was applied.
///
/// Ownership: borrows `batch`; writes into the caller's `last`.
/// Threads: any.
/// Blocks: no; with `durability=sync` until the disk has it.
p2pmap_status p2pmap_map_apply(const p2pmap_map *map,
                               const p2pmap_batch *batch,
                               p2pmap_stamp *last,
                               p2pmap_error **error);

// ---------------------------------------------------------------------------------------------------------------------
// Backups
//
// A map as a text file, and back: a backup that restores into any cluster. One entry a line, in key order, each a JSON
// object with "key" and "value" (or "key_base64" and "value_base64" where the bytes are not UTF-8), "stamp", "author",
// and "expires_at_ms" if it expires.
// ---------------------------------------------------------------------------------------------------------------------

/// Writes every entry in the view to a file; `*count` is how many, NULL if that is not asked for. The file is there whole
/// or not at all: it takes the place of an older one when it is complete and on disk. Only its owner may read it.
/// `P2PMAP_STORAGE`: what was there before is as it was.
///
/// Ownership: borrows `path`; writes into the caller's `count`.
/// Threads: any.
/// Blocks: on the disk.
p2pmap_status p2pmap_map_dump(const p2pmap_map *map,
                              const char *path,
                              uint64_t *count,
                              p2pmap_error **error);

/// Writes every entry of such a file into this map; `*count` is how many, NULL if that is not asked for. They are new
/// writes, which win over what is here and in the cluster. An entry's expiry is kept: one whose time is over is left out,
/// and one without any never expires.
///
/// All of the file is checked before anything is written. `P2PMAP_INVALID_ARGUMENT` for a line that is no entry,
/// `P2PMAP_TOO_LARGE`, `P2PMAP_INVALID_VALUE`: the message names the line, and nothing changed. `P2PMAP_STORAGE` when it
/// cannot be read. While it writes also `P2PMAP_FULL` and `P2PMAP_CLOSED`: the lines before are loaded, and it may be
/// loaded again.
///
/// Ownership: borrows `path`; writes into the caller's `count`.
/// Threads: any.
/// Blocks: on the disk.
p2pmap_status p2pmap_map_load(const p2pmap_map *map,
                              const char *path,
                              uint64_t *count,
                              p2pmap_error **error);

// ---------------------------------------------------------------------------------------------------------------------
// Scans
//
// Entries of the view in the order of their keys' bytes. A scan sees each key once, keeps no writer waiting, and
// may stay open as long as it likes.
//
//     p2pmap_scan_options options = {.struct_size = sizeof options, .prefix = "http/", .prefix_len = 5};
//     p2pmap_scan *scan;
//     p2pmap_entry entry;
//     if (p2pmap_map_scan(map, &options, &scan, NULL) == P2PMAP_OK) {
//       while (p2pmap_scan_next(scan, &entry, NULL) == P2PMAP_OK)
//         printf("%.*s\n", (int)entry.key_len, (const char *)entry.key);
//       p2pmap_scan_free(scan);
//     }
// ---------------------------------------------------------------------------------------------------------------------

/// A scan under way. Used by one thread at a time.
typedef struct p2pmap_scan p2pmap_scan;

/// What a scan covers: everything, where all but `struct_size` is zero. Bounds combine.
typedef struct {
  /// sizeof(p2pmap_scan_options)
  size_t struct_size;
  /// Only keys that start with these bytes.
  const void *prefix;
  size_t prefix_len;
  /// Only keys from here on; NULL for no bound.
  const void *start;
  size_t start_len;
  /// Only keys below this one; NULL for no bound.
  const void *end;
  size_t end_len;
  /// At most this many entries; 0 for no limit.
  size_t limit;
  /// From the greatest key down.
  bool reverse;
} p2pmap_scan_options;

/// Begins a scan. NULL for `options` means everything.
///
/// Ownership: copies `options`; `*scan` is the caller's, to be freed with `p2pmap_scan_free`.
/// Threads: any.
/// Blocks: no.
p2pmap_status p2pmap_map_scan(const p2pmap_map *map,
                              const p2pmap_scan_options *options,
                              p2pmap_scan **scan,
                              p2pmap_error **error);

/// The next entry; `P2PMAP_END` when there are no more.
///
/// Ownership: what `*entry` points to is the scan's; valid until the next call or until the scan is freed.
/// Threads: one at a time for one scan.
/// Blocks: no.
p2pmap_status p2pmap_scan_next(p2pmap_scan *scan, p2pmap_entry *entry, p2pmap_error **error);

/// Frees a scan. NULL is fine.
///
/// Ownership: takes `scan`.
/// Threads: any.
/// Blocks: no.
void p2pmap_scan_free(p2pmap_scan *scan);

// ---------------------------------------------------------------------------------------------------------------------
// Events
//
// An event is a change of the view. Only what changes it makes one: the same value seen twice makes one event.
// They come in the order in which this copy took them in; for a subscriber that is slow, the changes of one key
// that wait become one.
// ---------------------------------------------------------------------------------------------------------------------

/// What happened: one of the numbers below.
typedef int32_t p2pmap_event_kind;

/// One change. What it points to is valid as long as the event is.
typedef struct {
  p2pmap_event_kind kind;
  /// Whether this node wrote it: the write that made the change, as `stamp` has it.
  bool local;
  const uint8_t *key;
  size_t key_len;
  /// The new value; NULL unless the kind is put.
  const uint8_t *value;
  size_t value_len;
  /// What the view held before; NULL if nothing.
  const uint8_t *old_value;
  size_t old_value_len;
  /// The write that made the change, with its author; for expire and prune, that of the entry that went; all zero for
  /// synced.
  p2pmap_stamp stamp;
} p2pmap_event;

/// Which changes are told. All of them, where everything but `struct_size` is zero.
typedef struct {
  /// sizeof(p2pmap_subscribe_options)
  size_t struct_size;
  /// Only keys that start with these bytes.
  const void *prefix;
  size_t prefix_len;
  /// First a put for every entry of the view, then synced, then the changes: nothing is missed, nothing comes twice.
  bool snapshot;
} p2pmap_subscribe_options;

/// A value under this key: a new one, or another one.
#define P2PMAP_EVENT_PUT 1

/// The key was removed.
#define P2PMAP_EVENT_REMOVE 2

/// The entry's time to live is over. Each node tells it by itself, by its own clock; a put in time renews.
#define P2PMAP_EVENT_EXPIRE 3

/// The entry's author is gone, on a map opened with `presence=true`. The entry is hidden, not lost: a put, without an old
/// value, tells that its author has come back.
#define P2PMAP_EVENT_PRUNE 4

/// The snapshot that was asked for is complete; changes follow. Empty key, no values, no stamp.
#define P2PMAP_EVENT_SYNCED 5

/// The name of a kind, such as "put"; "unknown" for a number that is none.
///
/// Ownership: the library's; valid for ever.
/// Threads: any.
/// Blocks: no.
const char *p2pmap_event_kind_name(p2pmap_event_kind kind);

// ---------------------------------------------------------------------------------------------------------------------
// Subscriptions
//
// Events pushed to a callback. Each subscription has a thread of the library for its callbacks: they come one at a
// time, in batches, and under no lock, so a callback may take its time and may call any function of this header,
// also to end its own subscription.
// ---------------------------------------------------------------------------------------------------------------------

/// A callback's registration.
typedef struct p2pmap_subscription p2pmap_subscription;

/// Told of changes: `count` events, at least one, valid until it returns. It must not throw.
typedef void (*p2pmap_events_callback)(const p2pmap_event *events, size_t count, void *user_data);

/// Calls back on changes, until the subscription or the map is closed. NULL for `options` means every change. The
/// first callback may come before this call returns. `destroy` is called once with `user_data`: after the last
/// callback, or before this call returns when it fails.
///
/// Ownership: takes `user_data`; `*subscription` is the caller's, to be freed with `p2pmap_subscription_free`.
/// Threads: any, callbacks included.
/// Blocks: no.
p2pmap_status p2pmap_map_subscribe(const p2pmap_map *map,
                                   const p2pmap_subscribe_options *options,
                                   p2pmap_events_callback callback,
                                   void *user_data,
                                   p2pmap_destructor destroy,
                                   p2pmap_subscription **subscription,
                                   p2pmap_error **error);

/// Whether events may still come: 1 until the subscription or its map is closed, then 0. 0 for NULL.
///
/// Ownership: borrows `subscription`.
/// Threads: any.
/// Blocks: no.
bool p2pmap_subscription_is_active(const p2pmap_subscription *subscription);

/// Ends it. When this returns, no callback is running or will run, and `destroy` was called; so hold no lock that
/// the callback takes. From within its own callback it returns at once, and `destroy` follows when the callback has
/// returned. Closing again is fine.
///
/// Ownership: borrows `subscription`.
/// Threads: any, callbacks included.
/// Blocks: until a running callback has returned.
p2pmap_status p2pmap_subscription_close(const p2pmap_subscription *subscription, p2pmap_error **error);

/// Closes it as above, and frees the handle. NULL is fine. In a forked child nothing happens.
///
/// Ownership: takes `subscription`.
/// Threads: any, callbacks included; no other call may use this handle any more.
/// Blocks: until a running callback has returned.
void p2pmap_subscription_free(p2pmap_subscription *subscription);

// ---------------------------------------------------------------------------------------------------------------------
// Watches
//
// The same events, pulled: `p2pmap_watch_recv` waits for them, and `p2pmap_watch_fd` gives event loops (epoll,
// libuv, GLib) a descriptor to wait on.
// ---------------------------------------------------------------------------------------------------------------------

/// A stream of events.
typedef struct p2pmap_watch p2pmap_watch;

/// Events, as a list: `events.items[i]` for every `i` below `events.count`. `owner` is the library's.
typedef struct {
  const p2pmap_event *items;
  size_t count;
  void *owner;
} p2pmap_event_list;

/// Begins to watch, until the watch or the map is closed. NULL for `options` means every change.
///
/// Ownership: copies `options`; `*watch` is the caller's, to be freed with `p2pmap_watch_free`.
/// Threads: any.
/// Blocks: no.
p2pmap_status p2pmap_map_watch(const p2pmap_map *map,
                               const p2pmap_subscribe_options *options,
                               p2pmap_watch **watch,
                               p2pmap_error **error);

/// Takes up to `max` events, and waits while there is none. `P2PMAP_OK` with at least one; `P2PMAP_EMPTY` when the
/// time was up; `P2PMAP_END` when the watch or its map is closed and everything was taken. A `timeout_ms` of 0
/// never waits, `P2PMAP_FOREVER` always.
///
/// Ownership: `*events` is the caller's, to be freed with `p2pmap_event_list_free`; written for `P2PMAP_OK` only.
/// Threads: any; another may close the watch meanwhile.
/// Blocks: as said.
p2pmap_status p2pmap_watch_recv(const p2pmap_watch *watch,
                                size_t max,
                                uint64_t timeout_ms,
                                p2pmap_event_list *events,
                                p2pmap_error **error);

/// A descriptor that is readable (`POLLIN`) whenever `p2pmap_watch_recv` may have something to say: events, or the
/// end. Only wait on it: never read, write or close it. When it is readable, call `p2pmap_watch_recv` with a
/// `timeout_ms` of 0; `P2PMAP_EMPTY` may be its answer. Linux only; elsewhere `P2PMAP_UNSUPPORTED`.
///
/// Ownership: the watch's; valid until it is freed.
/// Threads: any.
/// Blocks: no.
p2pmap_status p2pmap_watch_fd(const p2pmap_watch *watch, int *fd, p2pmap_error **error);

/// Ends it, and wakes who waits in `p2pmap_watch_recv`. Events that came before can still be taken. Closing again
/// is fine.
///
/// Ownership: borrows `watch`.
/// Threads: any.
/// Blocks: no.
p2pmap_status p2pmap_watch_close(const p2pmap_watch *watch, p2pmap_error **error);

/// Closes it, and frees the handle. NULL is fine. In a forked child nothing happens.
///
/// Ownership: takes `watch`.
/// Threads: any; no other call may use this handle any more, also none that waits.
/// Blocks: no.
void p2pmap_watch_free(p2pmap_watch *watch);

/// Frees a list of events, and sets it to nothing. NULL and nothing are fine.
///
/// Ownership: takes what `events` holds.
/// Threads: any; one at a time for one list.
/// Blocks: no.
void p2pmap_event_list_free(p2pmap_event_list *events);

#ifdef __cplusplus
}
#endif

#endif  // P2PMAP_H
