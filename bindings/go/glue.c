// Callbacks of the library, passed on to the Go functions of callback.go.

#include "glue.h"

#include "_cgo_export.h"

static void on_events(const p2pmap_event *events, size_t count, void *user_data) {
  p2pmapGoEvents((p2pmap_event *)events, count, (uintptr_t)user_data);
}

static bool on_validate(const uint8_t *key, size_t key_len, const uint8_t *value, size_t value_len, void *user_data) {
  return p2pmapGoValidate((uint8_t *)key, key_len, (uint8_t *)value, value_len, (uintptr_t)user_data);
}

static void on_release(void *user_data) { p2pmapGoRelease((uintptr_t)user_data); }

p2pmap_status map_subscribe(const p2pmap_map *map, const uint8_t *prefix, size_t prefix_len, bool snapshot, uintptr_t handle,
                            p2pmap_subscription **subscription, p2pmap_error **error) {
  p2pmap_subscribe_options options = {
      .struct_size = sizeof options, .prefix = prefix, .prefix_len = prefix_len, .snapshot = snapshot};
  return p2pmap_map_subscribe(map, &options, on_events, (void *)handle, on_release, subscription, error);
}

p2pmap_status config_validator(p2pmap_config *config, uintptr_t handle, p2pmap_error **error) {
  return p2pmap_config_validator(config, on_validate, (void *)handle, on_release, error);
}

p2pmap_status map_options_validator(p2pmap_map_options *options, uintptr_t handle, p2pmap_error **error) {
  return p2pmap_map_options_validator(options, on_validate, (void *)handle, on_release, error);
}
