// What cgo cannot say in Go. Nothing here decides anything.

#ifndef P2PMAP_GO_GLUE_H
#define P2PMAP_GO_GLUE_H

#include <p2pmap.h>

// Bytes are `const uint8_t *` here rather than `const void *`: cgo then knows that nothing behind them points to Go memory,
// and neither searches it at run time nor refuses a slice of a struct that has pointers elsewhere.
//
// The functions that begin with `quiet_` never call into Go, whatever the map: cgo is told so, and callers need not
// move what they pass to the heap.

static inline p2pmap_status quiet_get(const p2pmap_map *map, const uint8_t *key, size_t key_len, uint8_t *buffer,
                                      size_t capacity, size_t *len, p2pmap_error **error) {
  return p2pmap_map_get(map, key, key_len, buffer, capacity, len, error);
}

static inline p2pmap_status quiet_contains(const p2pmap_map *map, const uint8_t *key, size_t key_len, bool *found,
                                           p2pmap_error **error) {
  return p2pmap_map_contains(map, key, key_len, found, error);
}

static inline p2pmap_status quiet_len(const p2pmap_map *map, size_t *len, p2pmap_error **error) {
  return p2pmap_map_len(map, len, error);
}

static inline p2pmap_status quiet_remove(const p2pmap_map *map, const uint8_t *key, size_t key_len, bool *removed,
                                         p2pmap_error **error) {
  return p2pmap_map_remove(map, key, key_len, removed, error);
}

// Only while no validator is a Go function.
static inline p2pmap_status quiet_put(const p2pmap_map *map, const uint8_t *key, size_t key_len, const uint8_t *value,
                                      size_t value_len, p2pmap_stamp *stamp, p2pmap_error **error) {
  return p2pmap_map_put(map, key, key_len, value, value_len, stamp, error);
}

static inline p2pmap_status map_put_ttl(const p2pmap_map *map, const uint8_t *key, size_t key_len, const uint8_t *value,
                                        size_t value_len, uint64_t ttl_ms, p2pmap_stamp *stamp, p2pmap_error **error) {
  return p2pmap_map_put_ttl(map, key, key_len, value, value_len, ttl_ms, stamp, error);
}

static inline p2pmap_status checked_put(const p2pmap_map *map, const uint8_t *key, size_t key_len, const uint8_t *value,
                                        size_t value_len, p2pmap_stamp *stamp, p2pmap_error **error) {
  return p2pmap_map_put(map, key, key_len, value, value_len, stamp, error);
}

static inline p2pmap_status map_entry(const p2pmap_map *map, const uint8_t *key, size_t key_len, p2pmap_entry *entry,
                                      p2pmap_error **error) {
  return p2pmap_map_entry(map, key, key_len, entry, error);
}

static inline p2pmap_status map_remove_prefix(const p2pmap_map *map, const uint8_t *prefix, size_t prefix_len, size_t *removed,
                                              p2pmap_error **error) {
  return p2pmap_map_remove_prefix(map, prefix, prefix_len, removed, error);
}

static inline p2pmap_status batch_put(p2pmap_batch *batch, const uint8_t *key, size_t key_len, const uint8_t *value,
                                      size_t value_len) {
  return p2pmap_batch_put(batch, key, key_len, value, value_len, NULL);
}

static inline p2pmap_status batch_put_ttl(p2pmap_batch *batch, const uint8_t *key, size_t key_len, const uint8_t *value,
                                          size_t value_len, uint64_t ttl_ms) {
  return p2pmap_batch_put_ttl(batch, key, key_len, value, value_len, ttl_ms, NULL);
}

static inline p2pmap_status batch_remove(p2pmap_batch *batch, const uint8_t *key, size_t key_len) {
  return p2pmap_batch_remove(batch, key, key_len, NULL);
}

// A struct that is passed to C must not hold Go pointers, so these take its fields. A length of 0 is no bound.
static inline p2pmap_status map_scan(const p2pmap_map *map, const uint8_t *prefix, size_t prefix_len, const uint8_t *start,
                                     size_t start_len, const uint8_t *end, size_t end_len, size_t limit, bool reverse,
                                     p2pmap_scan **scan, p2pmap_error **error) {
  p2pmap_scan_options options = {
      .struct_size = sizeof options,
      .prefix = prefix,
      .prefix_len = prefix_len,
      .start = start_len ? start : NULL,
      .start_len = start_len,
      .end = end_len ? end : NULL,
      .end_len = end_len,
      .limit = limit,
      .reverse = reverse,
  };
  return p2pmap_map_scan(map, &options, scan, error);
}

static inline p2pmap_status map_watch(const p2pmap_map *map, const uint8_t *prefix, size_t prefix_len, bool snapshot,
                                      p2pmap_watch **watch, p2pmap_error **error) {
  p2pmap_subscribe_options options = {
      .struct_size = sizeof options, .prefix = prefix, .prefix_len = prefix_len, .snapshot = snapshot};
  return p2pmap_map_watch(map, &options, watch, error);
}

// The three below hand over a cgo.Handle, which glue.c's callbacks pass back, and release once at the end.
p2pmap_status map_subscribe(const p2pmap_map *map, const uint8_t *prefix, size_t prefix_len, bool snapshot, uintptr_t handle,
                            p2pmap_subscription **subscription, p2pmap_error **error);
p2pmap_status config_validator(p2pmap_config *config, uintptr_t handle, p2pmap_error **error);
p2pmap_status map_options_validator(p2pmap_map_options *options, uintptr_t handle, p2pmap_error **error);

#endif
