// Operations on maps.

#include "player.h"

// A map's handle and its decoded words; those that are not needed are empty.
typedef struct {
  p2pmap_map *map;
  bytes one, two;
} map_call;

static bool begin(player *p, arguments a, int words, map_call *call) {
  thing *map = find(p, a.words[0], MAP);
  *call = (map_call){.map = map ? map->as.map : NULL};
  return map && (words < 1 || decode(p, a.words[1], &call->one)) && (words < 2 || decode(p, a.words[2], &call->two));
}

static void end(map_call *call) {
  free(call->one.data);
  free(call->two.data);
}

// `never`, or milliseconds.
static uint64_t ttl(const char *word) { return strcmp(word, "never") == 0 ? P2PMAP_FOREVER : strtoul(word, NULL, 10); }

static bool op_put(player *p, arguments a, result *r) {
  map_call c;
  const char *option = a.count > 3 ? a.words[3] : NULL;
  if (option && strncmp(option, "ttl=", 4) != 0) return problem(p, "no option of put", option);
  if (!begin(p, a, 2, &c)) return false;
  p2pmap_stamp stamp;
  p2pmap_error *error = NULL;
  p2pmap_status status =
      option ? p2pmap_map_put_ttl(c.map, c.one.data, c.one.len, c.two.data, c.two.len, ttl(option + 4), &stamp, &error)
             : p2pmap_map_put(c.map, c.one.data, c.one.len, c.two.data, c.two.len, &stamp, &error);
  end(&c);
  return status == P2PMAP_OK ? add_stamp(r, &stamp) : failed(r, status, error);
}

// Copies small values and views large ones, as the header advises.
static bool op_get(player *p, arguments a, result *r) {
  map_call c;
  if (!begin(p, a, 1, &c)) return false;
  char buffer[16];
  size_t len = 0;
  p2pmap_view view;
  p2pmap_error *error = NULL;
  p2pmap_status status = p2pmap_map_get(c.map, c.one.data, c.one.len, buffer, sizeof buffer, &len, &error);
  if (status == P2PMAP_OK) add(r, buffer, len);
  if (status == P2PMAP_BUFFER_TOO_SMALL) {
    status = p2pmap_map_get_view(c.map, c.one.data, c.one.len, &view, &error);
    if (status == P2PMAP_OK) add(r, view.data, view.len), p2pmap_view_release(&view);
  }
  end(&c);
  return status >= 0 ? or_none(r) : failed(r, status, error);
}

static bool op_entry(player *p, arguments a, result *r) {
  map_call c;
  if (!begin(p, a, 1, &c)) return false;
  p2pmap_entry entry;
  p2pmap_error *error = NULL;
  p2pmap_status status = p2pmap_map_entry(c.map, c.one.data, c.one.len, &entry, &error);
  end(&c);
  if (status < 0) return failed(r, status, error);
  if (status == P2PMAP_OK) {
    add(r, entry.value, entry.value_len), add_peer(r, &entry.stamp.author), add_stamp(r, &entry.stamp);
    p2pmap_entry_release(&entry);
  }
  return or_none(r);
}

static bool op_expires(player *p, arguments a, result *r) {
  map_call c;
  if (!begin(p, a, 1, &c)) return false;
  p2pmap_entry entry;
  p2pmap_error *error = NULL;
  p2pmap_status status = p2pmap_map_entry(c.map, c.one.data, c.one.len, &entry, &error);
  end(&c);
  if (status < 0) return failed(r, status, error);
  if (status == P2PMAP_OK) {
    const bool later = entry.expires_at_ms > entry.time_ms;
    add_text(r, entry.expires_at_ms == 0 ? "never" : later ? "later" : "before it was written");
    p2pmap_entry_release(&entry);
  }
  return or_none(r);
}

static bool op_contains(player *p, arguments a, result *r) {
  map_call c;
  if (!begin(p, a, 1, &c)) return false;
  bool found;
  p2pmap_error *error = NULL;
  p2pmap_status status = p2pmap_map_contains(c.map, c.one.data, c.one.len, &found, &error);
  end(&c);
  return status == P2PMAP_OK ? add_bool(r, found) : failed(r, status, error);
}

static bool op_len(player *p, arguments a, result *r) {
  map_call c;
  if (!begin(p, a, 0, &c)) return false;
  size_t len;
  p2pmap_error *error = NULL;
  p2pmap_status status = p2pmap_map_len(c.map, &len, &error);
  return status == P2PMAP_OK ? add_number(r, len) : failed(r, status, error);
}

static bool op_is_empty(player *p, arguments a, result *r) {
  if (!op_len(p, a, r) || r->items[0].data[0] == '!') return r->count > 0;
  bool empty = r->items[0].data[0] == '0';
  clear(r);
  return add_bool(r, empty);
}

static bool op_remove(player *p, arguments a, result *r) {
  map_call c;
  if (!begin(p, a, 1, &c)) return false;
  bool removed;
  p2pmap_error *error = NULL;
  p2pmap_status status = p2pmap_map_remove(c.map, c.one.data, c.one.len, &removed, &error);
  end(&c);
  return status == P2PMAP_OK ? add_bool(r, removed) : failed(r, status, error);
}

static bool op_remove_prefix(player *p, arguments a, result *r) {
  map_call c;
  if (!begin(p, a, 1, &c)) return false;
  size_t removed;
  p2pmap_error *error = NULL;
  p2pmap_status status = p2pmap_map_remove_prefix(c.map, c.one.data, c.one.len, &removed, &error);
  end(&c);
  return status == P2PMAP_OK ? add_number(r, removed) : failed(r, status, error);
}

// `put KEY VALUE`, `put_ttl KEY VALUE MS` and `remove KEY`, as often as they come.
static bool fill_batch(player *p, arguments a, p2pmap_batch *batch) {
  for (int i = 1, words; i < a.count; i += words) {
    char **w = a.words + i;
    words = strcmp(w[0], "remove") == 0 ? 2 : strcmp(w[0], "put") == 0 ? 3 : strcmp(w[0], "put_ttl") == 0 ? 4 : 0;
    if (words == 0) return problem(p, "no operation of a batch", w[0]);
    if (i + words > a.count) return problem(p, "too few words for", w[0]);
    bytes key, value = {0};
    if (!decode(p, w[1], &key) || (words > 2 && !decode(p, w[2], &value))) return false;
    if (words == 2) p2pmap_batch_remove(batch, key.data, key.len, NULL);
    else if (words == 3) p2pmap_batch_put(batch, key.data, key.len, value.data, value.len, NULL);
    else p2pmap_batch_put_ttl(batch, key.data, key.len, value.data, value.len, ttl(w[3]), NULL);
    free(key.data);
    free(value.data);
  }
  return true;
}

static bool op_apply(player *p, arguments a, result *r) {
  map_call c;
  p2pmap_batch *batch = p2pmap_batch_new();
  bool good = begin(p, a, 0, &c) && fill_batch(p, a, batch);
  if (good) {
    p2pmap_stamp last;
    p2pmap_error *error = NULL;
    p2pmap_status status = p2pmap_map_apply(c.map, batch, &last, &error);
    if (status != P2PMAP_OK) failed(r, status, error);
    else if (last.timestamp != 0) add_stamp(r, &last);
    else or_none(r);
  }
  p2pmap_batch_free(batch);
  return good;
}

static bool op_fill(player *p, arguments a, result *r) {
  thing *map = find(p, a.words[0], MAP);
  bytes prefix, value;
  if (!map || !decode(p, a.words[1], &prefix) || !decode(p, a.words[3], &value)) return false;
  p2pmap_status status = P2PMAP_OK;
  p2pmap_error *error = NULL;
  unsigned long count = strtoul(a.words[2], NULL, 10);
  char key[1024];
  for (unsigned long i = 0; i < count && status == P2PMAP_OK; i++) {
    int len = snprintf(key, sizeof key, "%s%06lu", (const char *)prefix.data, i);
    status = p2pmap_map_put(map->as.map, key, (size_t)len, value.data, value.len, NULL, &error);
  }
  free(prefix.data);
  free(value.data);
  return status == P2PMAP_OK ? add_text(r, "ok") : failed(r, status, error);
}

// What a scan's options point to, and whether its limit is nothing (C's 0 means no limit).
typedef struct {
  p2pmap_scan_options raw;
  bytes prefix, start, end;
  bool nothing;
} scan_words;

static bool read_scan(player *p, arguments a, scan_words *s) {
  *s = (scan_words){.raw.struct_size = sizeof s->raw};
  for (int i = 1; i < a.count; i++) {
    char name[64];
    bytes value;
    if (!split_option(p, a.words[i], name, &value)) return false;
    if (strcmp(name, "prefix") == 0) s->raw.prefix = value.data, s->raw.prefix_len = value.len, s->prefix = value;
    else if (strcmp(name, "start") == 0) s->raw.start = value.data, s->raw.start_len = value.len, s->start = value;
    else if (strcmp(name, "end") == 0) s->raw.end = value.data, s->raw.end_len = value.len, s->end = value;
    else {
      if (strcmp(name, "limit") == 0) s->raw.limit = strtoul((char *)value.data, NULL, 10), s->nothing = s->raw.limit == 0;
      else if (strcmp(name, "reverse") == 0) s->raw.reverse = strcmp((char *)value.data, "true") == 0;
      else return problem(p, "no scan option", name);
      free(value.data);
    }
  }
  return true;
}

// Runs a scan and adds each entry's key, value or both; gives how many there were.
static bool scan(player *p, arguments a, result *r, bool keys, bool values, size_t *count) {
  thing *map = find(p, a.words[0], MAP);
  scan_words words;
  if (!map || !read_scan(p, a, &words)) return false;
  p2pmap_scan *scan = NULL;
  p2pmap_error *error = NULL;
  p2pmap_entry entry;
  p2pmap_status status = p2pmap_map_scan(map->as.map, &words.raw, &scan, &error);
  *count = 0;
  if (status == P2PMAP_OK && !words.nothing) {
    while ((status = p2pmap_scan_next(scan, &entry, &error)) == P2PMAP_OK) {
      if (keys) add(r, entry.key, entry.key_len);
      if (values) add(r, entry.value, entry.value_len);
      ++*count;
    }
  }
  p2pmap_scan_free(scan);
  free(words.prefix.data), free(words.start.data), free(words.end.data);
  return status >= 0 || failed(r, status, error);
}

static bool op_keys(player *p, arguments a, result *r) {
  size_t count;
  return scan(p, a, r, true, false, &count) && or_none(r);
}

static bool op_values(player *p, arguments a, result *r) {
  size_t count;
  return scan(p, a, r, false, true, &count) && or_none(r);
}

static bool op_scan(player *p, arguments a, result *r) {
  size_t count;
  return scan(p, a, r, true, true, &count) && or_none(r);
}

static bool op_count(player *p, arguments a, result *r) {
  size_t count;
  if (!scan(p, a, r, false, false, &count)) return false;
  return r->count > 0 || add_number(r, count);
}

static bool report(player *p, const char *name, p2pmap_map_report *report, result *r) {
  thing *map = find(p, name, MAP);
  if (!map) return false;
  p2pmap_error *error = NULL;
  *report = (p2pmap_map_report){.struct_size = sizeof *report};
  p2pmap_status status = p2pmap_map_status(map->as.map, report, &error);
  return status == P2PMAP_OK || failed(r, status, error);
}

static bool op_status(player *p, arguments a, result *r) {
  p2pmap_map_report told;
  if (!report(p, a.words[0], &told, r)) return false;
  return r->count > 0 || (add_number(r, told.live) && add_number(r, told.tombstones));
}

static bool op_hidden(player *p, arguments a, result *r) {
  p2pmap_map_report told;
  if (!report(p, a.words[0], &told, r)) return false;
  return r->count > 0 || add_number(r, told.hidden);
}

static bool op_equal(player *p, arguments a, result *r) {
  p2pmap_map_report one, two;
  if (!report(p, a.words[0], &one, r)) return false;
  if (r->count > 0) return true;
  if (!report(p, a.words[1], &two, r)) return false;
  return r->count > 0 || add_bool(r, memcmp(&one.digest, &two.digest, sizeof one.digest) == 0);
}

static bool op_sync(player *p, arguments a, result *r) {
  thing *map = find(p, a.words[0], MAP);
  if (!map) return false;
  p2pmap_error *error = NULL;
  p2pmap_status status = p2pmap_map_sync(map->as.map, a.count > 1 ? strtoul(a.words[1], NULL, 10) : WAIT_MS, &error);
  return status == P2PMAP_OK ? add_text(r, "ok") : failed(r, status, error);
}

// Whether at least so many peers are listed, and none twice.
static bool enough(const p2pmap_string_list *who, size_t peers) {
  for (size_t i = 0; i < who->count; i++)
    for (size_t j = 0; j < i; j++)
      if (strcmp(who->items[i], who->items[j]) == 0) return false;
  return who->count >= peers;
}

static bool op_wait(player *p, arguments a, result *r) {
  thing *map = find(p, a.words[0], MAP);
  p2pmap_stamp stamp;
  if (!map || !read_stamp(p, a.words[1], &stamp)) return false;
  size_t peers = strtoul(a.words[2], NULL, 10);
  uint64_t timeout_ms = a.count > 3 ? strtoul(a.words[3], NULL, 10) : WAIT_MS;
  p2pmap_string_list who;
  p2pmap_error *error = NULL;
  p2pmap_status status = p2pmap_map_wait_replicated(map->as.map, &stamp, peers, timeout_ms, &who, &error);
  if (status != P2PMAP_OK) return failed(r, status, error);
  add_text(r, enough(&who, peers) ? "ok" : "not enough peers");
  p2pmap_string_list_free(&who);
  return true;
}

static bool op_flush(player *p, arguments a, result *r) {
  thing *map = find(p, a.words[0], MAP);
  if (!map) return false;
  p2pmap_error *error = NULL;
  p2pmap_status status = p2pmap_map_flush(map->as.map, &error);
  return status == P2PMAP_OK ? add_text(r, "ok") : failed(r, status, error);
}

static bool dump_or_load(player *p, arguments a, result *r,
                         p2pmap_status (*run)(const p2pmap_map *, const char *, uint64_t *, p2pmap_error **)) {
  map_call c;
  if (!begin(p, a, 1, &c)) return false;
  uint64_t count = 0;
  p2pmap_error *error = NULL;
  p2pmap_status status = run(c.map, (const char *)c.one.data, &count, &error);
  end(&c);
  return status == P2PMAP_OK ? add_number(r, count) : failed(r, status, error);
}

static bool op_dump(player *p, arguments a, result *r) { return dump_or_load(p, a, r, p2pmap_map_dump); }

static bool op_load(player *p, arguments a, result *r) { return dump_or_load(p, a, r, p2pmap_map_load); }

static bool op_durability(player *p, arguments a, result *r) {
  p2pmap_map_report told;
  if (!report(p, a.words[0], &told, r)) return false;
  return r->count > 0 || (add_text(r, told.durability) && add_text(r, told.storage_error[0] ? told.storage_error : "none"));
}

static bool op_destroy(player *p, arguments a, result *r) {
  thing *map = find(p, a.words[0], MAP);
  if (!map) return false;
  p2pmap_error *error = NULL;
  p2pmap_status status = p2pmap_map_destroy(map->as.map, &error);
  return status == P2PMAP_OK ? add_text(r, "ok") : failed(r, status, error);
}

const operation_row map_operations[] = {
    {"put", 3, op_put},         {"get", 2, op_get},           {"entry", 2, op_entry},   {"expires", 2, op_expires},
    {"len", 1, op_len},         {"is_empty", 1, op_is_empty}, {"remove", 2, op_remove}, {"remove_prefix", 2, op_remove_prefix},
    {"apply", 1, op_apply},     {"fill", 4, op_fill},         {"keys", 1, op_keys},     {"values", 1, op_values},
    {"scan", 1, op_scan},       {"count", 1, op_count},       {"status", 1, op_status}, {"equal", 2, op_equal},
    {"sync", 1, op_sync},       {"destroy", 1, op_destroy},   {"wait", 3, op_wait},     {"contains", 2, op_contains},
    {"hidden", 1, op_hidden},   {"dump", 2, op_dump},         {"load", 2, op_load},     {"durability", 1, op_durability},
    {"flush", 1, op_flush},     {0},
};
