// Bytes in and out: copies, views, entries, scans, batches, options, and structs of other versions.

#include "check.h"

static p2pmap_map *map;

static void a_value_is_copied_into_the_callers_buffer(void) {
  char buffer[8] = "........";
  size_t len = 99;
  OK(p2pmap_map_put(map, "k\0k", 3, "v\0v", 3, NULL, NULL));
  OK(p2pmap_map_get(map, "k\0k", 3, buffer, sizeof buffer, &len, NULL));
  CHECK(len == 3 && memcmp(buffer, "v\0v.", 4) == 0);
  len = 99;
  EXPECT(P2PMAP_NOT_FOUND, p2pmap_map_get(map, "k", 1, buffer, sizeof buffer, &len, NULL));
  CHECK(len == 99);
}

static void a_small_buffer_is_left_alone_and_told_the_length(void) {
  char buffer[2] = "..";
  size_t len = 0;
  OK(put(map, "long", "12345"));
  EXPECT(P2PMAP_BUFFER_TOO_SMALL, p2pmap_map_get(map, "long", 4, buffer, sizeof buffer, &len, NULL));
  CHECK(len == 5 && memcmp(buffer, "..", 2) == 0);
  len = 0;
  EXPECT(P2PMAP_BUFFER_TOO_SMALL, p2pmap_map_get(map, "long", 4, NULL, 0, &len, NULL));
  CHECK(len == 5);
}

static void empty_keys_and_values_are_values(void) {
  size_t len = 99;
  p2pmap_bytes bytes;
  p2pmap_view view;
  OK(p2pmap_map_put(map, NULL, 0, NULL, 0, NULL, NULL));
  OK(p2pmap_map_get(map, "", 0, NULL, 0, &len, NULL));
  CHECK(len == 0);
  OK(p2pmap_map_get_bytes(map, NULL, 0, &bytes, NULL));
  CHECK(bytes.data && bytes.len == 0 && bytes.data[0] == 0);
  OK(p2pmap_map_get_view(map, NULL, 0, &view, NULL));
  CHECK(view.data && view.len == 0);
  for (int i = 0; i < 2; i++) {
    p2pmap_bytes_free(&bytes);
    p2pmap_view_release(&view);
    CHECK(!bytes.data && !view.data);
  }
}

static void a_view_outlives_its_key_and_its_map(void) {
  p2pmap_map *own = NULL;
  p2pmap_view view;
  char large[5000];
  memset(large, 'x', sizeof large);
  OK(p2pmap_open("own", NULL, &own, NULL));
  OK(p2pmap_map_put(own, "k", 1, large, sizeof large, NULL, NULL));
  OK(p2pmap_map_get_view(own, "k", 1, &view, NULL));
  OK(put(own, "k", "y"));
  OK(p2pmap_map_remove(own, "k", 1, NULL, NULL));
  p2pmap_map_free(own);
  CHECK(view.len == sizeof large && memcmp(view.data, large, sizeof large) == 0);
  p2pmap_view_release(&view);
}

static void an_entry_says_who_wrote_it(void) {
  p2pmap_stamp stamp;
  p2pmap_entry entry;
  p2pmap_node *node = NULL;
  p2pmap_peer_id me, parsed;
  char text[P2PMAP_PEER_ID_TEXT_BYTES];
  OK(p2pmap_map_put(map, "mine", 4, "1", 1, &stamp, NULL));
  OK(p2pmap_map_entry(map, "mine", 4, &entry, NULL));
  OK(p2pmap_map_node(map, &node, NULL));
  OK(p2pmap_node_id(node, &me, NULL));
  p2pmap_node_free(node);
  OK(put(map, "still", "open"));  // that handle did not close the node
  CHECK(entry.value_len == 1 && entry.key_len == 4 && entry.time_ms == stamp.timestamp >> 16);
  CHECK(p2pmap_stamp_compare(&stamp, &entry.stamp) == 0 && memcmp(&stamp, &entry.stamp, sizeof stamp) == 0);
  CHECK(memcmp(&me, &stamp.author, sizeof me) == 0);
  OK(p2pmap_peer_id_text(&me, text, sizeof text, NULL));
  OK(p2pmap_peer_id_parse(text, &parsed, NULL));
  CHECK(memcmp(&me, &parsed, sizeof me) == 0);
  EXPECT(P2PMAP_BUFFER_TOO_SMALL, p2pmap_peer_id_text(&me, text, strlen(text), NULL));
  p2pmap_entry_release(&entry);
  p2pmap_entry_release(&entry);
  OK(p2pmap_map_put(map, "mine", 4, "2", 1, &entry.stamp, NULL));
  CHECK(p2pmap_stamp_compare(&stamp, &entry.stamp) < 0 && p2pmap_stamp_compare(NULL, &stamp) < 0);
}

static void an_entry_may_expire(void) {
  const uint64_t hour = 3600000;
  p2pmap_stamp stamp;
  p2pmap_entry entry;
  p2pmap_error *error = NULL;
  OK(p2pmap_map_put_ttl(map, "ttl", 3, "1", 1, hour, &stamp, NULL));
  OK(p2pmap_map_entry(map, "ttl", 3, &entry, NULL));
  CHECK(p2pmap_stamp_compare(&stamp, &entry.stamp) == 0);
  CHECK(entry.expires_at_ms > entry.time_ms && entry.expires_at_ms <= entry.time_ms + hour + 60000);
  p2pmap_entry_release(&entry);
  for (uint64_t ttl_ms = 0; ttl_ms < UINT64_MAX; ttl_ms = ttl_ms ? UINT64_MAX : UINT64_MAX - 1) {
    EXPECT(P2PMAP_INVALID_ARGUMENT, p2pmap_map_put_ttl(map, "ttl", 3, "2", 1, ttl_ms, NULL, &error));
    CHECK(strstr(p2pmap_error_message(error), "time to live"));
    p2pmap_error_free(error);
  }
  CHECK(holds(map, "ttl", "1"));
  OK(p2pmap_map_put_ttl(map, "ttl", 3, "1", 1, P2PMAP_FOREVER, NULL, NULL));
  OK(p2pmap_map_entry(map, "ttl", 3, &entry, NULL));
  CHECK(entry.expires_at_ms == 0);
  p2pmap_entry_release(&entry);

  p2pmap_batch *batch = p2pmap_batch_new();
  OK(p2pmap_batch_put_ttl(batch, "ttl", 3, "3", 1, hour, NULL));
  OK(p2pmap_map_apply(map, batch, NULL, NULL));
  OK(p2pmap_map_entry(map, "ttl", 3, &entry, NULL));
  CHECK(entry.expires_at_ms > entry.time_ms && holds(map, "ttl", "3"));
  p2pmap_entry_release(&entry);
  OK(p2pmap_batch_put_ttl(batch, "never", 5, "3", 1, 0, NULL));
  EXPECT(P2PMAP_INVALID_ARGUMENT, p2pmap_map_apply(map, batch, NULL, NULL));
  p2pmap_batch_free(batch);
  CHECK(holds(map, "never", NULL));
}

static void a_batch_is_applied_and_scanned(void) {
  p2pmap_stamp last;
  p2pmap_batch *batch = p2pmap_batch_new();
  OK(p2pmap_map_apply(map, batch, &last, NULL));
  CHECK(last.timestamp == 0 && last.author.len == 0);
  for (char key[] = "s/a"; key[2] <= 'e'; key[2]++) OK(p2pmap_batch_put(batch, key, 3, key, 3, NULL));
  OK(p2pmap_batch_remove(batch, "s/c", 3, NULL));
  CHECK(p2pmap_batch_len(batch) == 6);
  OK(p2pmap_map_apply(map, batch, &last, NULL));
  CHECK(last.timestamp != 0);
  p2pmap_batch_clear(batch);
  CHECK(p2pmap_batch_len(batch) == 0);
  p2pmap_batch_free(batch);

  p2pmap_scan_options options = {.struct_size = sizeof options, .prefix = "s/", .prefix_len = 2, .limit = 3, .reverse = true};
  p2pmap_scan *scan = NULL;
  p2pmap_entry entry;
  char seen[4] = "";
  OK(p2pmap_map_scan(map, &options, &scan, NULL));
  while (p2pmap_scan_next(scan, &entry, NULL) == P2PMAP_OK) strncat(seen, (const char *)entry.key + 2, 1);
  CHECK(strcmp(seen, "edb") == 0);
  EXPECT(P2PMAP_END, p2pmap_scan_next(scan, &entry, NULL));
  p2pmap_scan_free(scan);
  size_t removed;
  OK(p2pmap_map_remove_prefix(map, "s/", 2, &removed, NULL));
  CHECK(removed == 4);
}

static void structs_of_other_versions_are_taken_or_refused(void) {
  struct {
    p2pmap_subscribe_options known;
    uint64_t unknown;
  } newer = {.known = {.struct_size = sizeof newer}};
  p2pmap_watch *watch = NULL;
  OK(p2pmap_map_watch(map, &newer.known, &watch, NULL));
  p2pmap_watch_free(watch);
  newer.unknown = 1;
  EXPECT(P2PMAP_INVALID_ARGUMENT, p2pmap_map_watch(map, &newer.known, &watch, NULL));
  newer.known.struct_size = 0;
  EXPECT(P2PMAP_INVALID_ARGUMENT, p2pmap_map_watch(map, &newer.known, &watch, NULL));
  p2pmap_map_report report = {0};
  EXPECT(P2PMAP_INVALID_ARGUMENT, p2pmap_map_status(map, &report, NULL));
  report.struct_size = sizeof report;
  OK(p2pmap_map_status(map, &report, NULL));
  struct {
    p2pmap_map_report known;
    uint64_t unknown;
  } newer_report = {.known = {.struct_size = sizeof newer_report}, .unknown = 1};
  OK(p2pmap_map_status(map, &newer_report.known, NULL));
  CHECK(newer_report.unknown == 0 && newer_report.known.live == report.live);
  p2pmap_map_report first = {.struct_size = offsetof(p2pmap_map_report, hidden), .hidden = 77};
  OK(p2pmap_map_status(map, &first, NULL));
  CHECK(first.syncs == report.syncs && first.live == report.live && first.hidden == 77);
  first.struct_size--;
  EXPECT(P2PMAP_INVALID_ARGUMENT, p2pmap_map_status(map, &first, NULL));
  size_t len;
  OK(p2pmap_map_len(map, &len, NULL));
  CHECK(report.struct_size == sizeof report && report.live == len && report.tombstones > 0);
}

static void every_option_can_be_looked_up(void) {
  p2pmap_option option;
  size_t count = p2pmap_option_count();
  CHECK(count > 10);
  bool bootstrap = false;
  for (size_t i = 0; i < count; i++) {
    OK(p2pmap_option_at(i, &option, NULL));
    CHECK(option.name && option.default_value && option.allowed && option.about);
    bootstrap |= strcmp(option.name, "bootstrap") == 0;
  }
  CHECK(bootstrap);
  EXPECT(P2PMAP_NOT_FOUND, p2pmap_option_at(count, &option, NULL));
}

int main(void) {
  CHECK(p2pmap_abi_version() == P2PMAP_ABI_VERSION && p2pmap_version()[0] != '\0');
  OK(p2pmap_open("values", NULL, &map, NULL));
  a_value_is_copied_into_the_callers_buffer();
  a_small_buffer_is_left_alone_and_told_the_length();
  empty_keys_and_values_are_values();
  a_view_outlives_its_key_and_its_map();
  an_entry_says_who_wrote_it();
  an_entry_may_expire();
  a_batch_is_applied_and_scanned();
  structs_of_other_versions_are_taken_or_refused();
  every_option_can_be_looked_up();
  p2pmap_map_free(map);
  puts("values: ok");
}
