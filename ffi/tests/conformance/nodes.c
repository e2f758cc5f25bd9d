// Operations on nodes, and what opens things.

#include "player.h"

#include <arpa/inet.h>
#include <sys/socket.h>

// A validator function of the runner: says no to one value.
static bool refuses(const uint8_t *key, size_t key_len, const uint8_t *value, size_t value_len, void *refused) {
  (void)key, (void)key_len;
  return strlen(refused) != value_len || memcmp(refused, value, value_len) != 0;
}

// `refuse:TEXT` or `throw:TEXT`; C cannot throw, so both say no.
static char *refused(const bytes *function) {
  const char *colon = strchr((const char *)function->data, ':');
  return strdup(colon ? colon + 1 : "");
}

// Sets `name=value` words on a configuration, or on a map's options. False when a word is none.
static bool set_options(player *p, arguments words, int from, p2pmap_config *config, p2pmap_map_options *map, result *r, bool *ok) {
  for (int i = from; i < words.count && *ok; i++) {
    char name[64];
    bytes value;
    p2pmap_error *error = NULL;
    p2pmap_status status;
    if (!split_option(p, words.words[i], name, &value)) return false;
    if (strcmp(name, "function") == 0) {
      char *no = refused(&value);
      status = config ? p2pmap_config_validator(config, refuses, no, free, &error)
                      : p2pmap_map_options_validator(map, refuses, no, free, &error);
    } else {
      const char *text = (const char *)value.data;
      status = config ? p2pmap_config_set(config, name, text, &error) : p2pmap_map_options_set(map, name, text, &error);
    }
    free(value.data);
    if (status != P2PMAP_OK) *ok = false, failed(r, status, error);
  }
  return true;
}

// Keeps what was opened, or says why it was not.
static bool opened(player *p, thing *made, p2pmap_status status, p2pmap_error *error, result *r) {
  (void)made;
  if (status != P2PMAP_OK) return failed(r, status, error);
  p->thing_count++;
  return add_text(r, "ok");
}

static bool op_node(player *p, arguments a, result *r) {
  thing *made = new_thing(p, a.words[0], NODE);
  p2pmap_config *config = p2pmap_config_new();
  p2pmap_error *error = NULL;
  bool ok = true, good = made && set_options(p, a, 1, config, NULL, r, &ok);
  if (good && ok) {
    p2pmap_status status = p2pmap_node_open(config, &made->as.node, &error);
    good = opened(p, made, status, error, r);
  }
  p2pmap_config_free(config);
  return good;
}

static bool op_open(player *p, arguments a, result *r) {
  thing *made = new_thing(p, a.words[0], MAP);
  p2pmap_config *config = p2pmap_config_new();
  p2pmap_error *error = NULL;
  bytes name = {0};
  bool ok = true, good = made && decode(p, a.words[1], &name) && set_options(p, a, 2, config, NULL, r, &ok);
  if (good && ok) {
    p2pmap_status status = p2pmap_open((const char *)name.data, config, &made->as.map, &error);
    good = opened(p, made, status, error, r);
  }
  free(name.data);
  p2pmap_config_free(config);
  return good;
}

static bool op_map(player *p, arguments a, result *r) {
  thing *made = new_thing(p, a.words[0], MAP), *node = find(p, a.words[1], NODE);
  p2pmap_map_options *options = p2pmap_map_options_new();
  p2pmap_error *error = NULL;
  bytes name = {0};
  bool ok = true, good = made && node && decode(p, a.words[2], &name) && set_options(p, a, 3, NULL, options, r, &ok);
  if (good && ok) {
    // Without options, NULL must mean the same as options that set nothing.
    const p2pmap_map_options *given = a.count > 3 ? options : NULL;
    p2pmap_status status = p2pmap_map_open(node->as.node, (const char *)name.data, given, &made->as.map, &error);
    good = opened(p, made, status, error, r);
  }
  free(name.data);
  p2pmap_map_options_free(options);
  return good;
}

static bool op_id(player *p, arguments a, result *r) {
  thing *node = find(p, a.words[0], NODE);
  if (!node) return false;
  p2pmap_peer_id id;
  p2pmap_error *error = NULL;
  p2pmap_status status = p2pmap_node_id(node->as.node, &id, &error);
  return status == P2PMAP_OK ? add_peer(r, &id) : failed(r, status, error);
}

static bool op_addr(player *p, arguments a, result *r) {
  thing *node = find(p, a.words[0], NODE);
  if (!node) return false;
  p2pmap_string_list addrs;
  p2pmap_error *error = NULL;
  p2pmap_status status = p2pmap_node_addrs(node->as.node, &addrs, &error);
  if (status != P2PMAP_OK) return failed(r, status, error);
  if (addrs.count > 0) add_text(r, addrs.items[0]);
  p2pmap_string_list_free(&addrs);
  return or_none(r);
}

static bool op_connect(player *p, arguments a, result *r) {
  thing *node = find(p, a.words[0], NODE);
  bytes addr;
  if (!node || !decode(p, a.words[1], &addr)) return false;
  p2pmap_peer_id peer;
  p2pmap_error *error = NULL;
  uint64_t timeout_ms = a.count > 2 ? strtoul(a.words[2], NULL, 10) : WAIT_MS;
  p2pmap_status status = p2pmap_node_connect(node->as.node, (const char *)addr.data, timeout_ms, &peer, &error);
  free(addr.data);
  return status == P2PMAP_OK ? add_peer(r, &peer) : failed(r, status, error);
}

static int by_bytes(const void *a, const void *b) {
  const bytes *x = a, *y = b;
  int order = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);
  return order ? order : (x->len > y->len) - (x->len < y->len);
}

static bool sorted(result *r) {
  if (r->count > 0) qsort(r->items, r->count, sizeof *r->items, by_bytes);
  return or_none(r);
}

static bool op_peers(player *p, arguments a, result *r) {
  thing *node = find(p, a.words[0], NODE);
  if (!node) return false;
  p2pmap_peer_list peers;
  p2pmap_error *error = NULL;
  p2pmap_status status = p2pmap_node_peers(node->as.node, &peers, &error);
  if (status != P2PMAP_OK) return failed(r, status, error);
  for (size_t i = 0; i < peers.count; i++) add_text(r, peers.items[i].id);
  p2pmap_peer_list_free(&peers);
  return sorted(r);
}

static bool op_maps(player *p, arguments a, result *r) {
  thing *node = find(p, a.words[0], NODE);
  if (!node) return false;
  p2pmap_string_list names;
  p2pmap_error *error = NULL;
  p2pmap_status status = p2pmap_node_maps(node->as.node, &names, &error);
  if (status != P2PMAP_OK) return failed(r, status, error);
  for (size_t i = 0; i < names.count; i++) add_text(r, names.items[i]);
  p2pmap_string_list_free(&names);
  return sorted(r);
}

static bool op_close(player *p, arguments a, result *r) {
  p2pmap_error *error = NULL;
  thing *map = find(p, a.words[0], MAP), *node = map ? NULL : find(p, a.words[0], NODE);
  if (!map && !node) return false;
  p2pmap_status status = map ? p2pmap_map_close(map->as.map, &error) : p2pmap_node_close(node->as.node, &error);
  return status == P2PMAP_OK ? add_text(r, "ok") : failed(r, status, error);
}

// A socket that holds an address and never answers.
static bool op_socket(player *p, arguments a, result *r) {
  (void)a;
  thing *made = new_thing(p, "", SOCKET);
  struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof addr;
  if (!made || (made->as.socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0) return problem(p, "no socket", "");
  p->thing_count++;
  if (bind(made->as.socket, (struct sockaddr *)&addr, len) || listen(made->as.socket, 1) ||
      getsockname(made->as.socket, (struct sockaddr *)&addr, &len))
    return problem(p, "no port", "");
  char text[64];
  snprintf(text, sizeof text, "/ip4/127.0.0.1/tcp/%d", ntohs(addr.sin_port));
  return add_text(r, text);
}

// A path at which there is nothing, in a directory of its own.
static bool op_path(player *p, arguments a, result *r) {
  (void)a;
  thing *made = new_thing(p, "", DIRECTORY);
  const char *base = getenv("TMPDIR");
  char path[1024];
  snprintf(path, sizeof path - 4, "%s/p2pmap-script-XXXXXX", base ? base : "/tmp");
  if (!made || !mkdtemp(path)) return problem(p, "no directory", path);
  made->as.directory = strdup(path);
  p->thing_count++;
  return add_text(r, strcat(path, "/new"));
}

static bool op_write(player *p, arguments a, result *r) {
  bytes path, text;
  if (!decode(p, a.words[0], &path) || !decode(p, a.words[1], &text)) return false;
  FILE *file = fopen((const char *)path.data, "w");
  const bool good = file && fwrite(text.data, 1, text.len, file) == text.len && fclose(file) == 0;
  free(path.data);
  free(text.data);
  return good ? add_text(r, "ok") : problem(p, "cannot be written", a.words[0]);
}

static bool op_requires(player *p, arguments a, result *r) {
  p->skip = strcmp(a.words[0], "byte_keys") != 0 && strcmp(a.words[0], "validator_function") != 0;
  if (p->skip) snprintf(p->problem, sizeof p->problem, "%s", a.words[0]);
  return add_text(r, "ok");
}

const operation_row node_operations[] = {
    {"node", 1, op_node},   {"open", 2, op_open},   {"map", 3, op_map},         {"id", 1, op_id},
    {"addr", 1, op_addr},   {"connect", 2, op_connect}, {"peers", 1, op_peers}, {"maps", 1, op_maps},
    {"close", 1, op_close}, {"socket", 0, op_socket},   {"requires", 1, op_requires},
    {"path", 0, op_path},   {"write", 2, op_write},     {0},
};
