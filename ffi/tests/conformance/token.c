// Tokens to bytes, and results.

#include "player.h"

static void *grown(void *memory, size_t size) {
  memory = realloc(memory, size);
  if (!memory) abort();
  return memory;
}

bytes bytes_copy(const void *data, size_t len) {
  bytes copy = {grown(NULL, len + 1), len};
  if (len > 0) memcpy(copy.data, data, len);
  copy.data[len] = 0;
  return copy;
}

bool bytes_equal(bytes a, bytes b) { return a.len == b.len && memcmp(a.data, b.data, a.len) == 0; }

static bool escaped(player *p, const char **at, const char *end, uint8_t *out) {
  const char *c = *at;
  *at = c + 2;
  if (c + 1 >= end) return problem(p, "a lone backslash", "");
  switch (c[1]) {
    case 's': *out = ' '; return true;
    case 'n': *out = '\n'; return true;
    case 't': *out = '\t'; return true;
    case '\\': *out = '\\'; return true;
    case 'x': {
      char digits[3] = {c + 2 < end ? c[2] : 0, c + 3 < end ? c[3] : 0, 0}, *stop;
      *out = (uint8_t)strtoul(digits, &stop, 16);
      *at = c + 4;
      return stop == digits + 2 || problem(p, "an escape", digits);
    }
    default: return problem(p, "an escape", c);
  }
}

static bool unescaped(player *p, const char *text, size_t len, bytes *value) {
  const char *end = text + len;
  *value = bytes_copy(text, len);
  size_t filled = 0;
  while (text < end) {
    if (*text != '\\') value->data[filled++] = (uint8_t)*text++;
    else if (!escaped(p, &text, end, &value->data[filled++])) return free(value->data), false;
  }
  value->len = filled;
  value->data[filled] = 0;
  return true;
}

bool decode(player *p, const char *token, bytes *value) {
  if (token[0] == '$') {
    for (size_t i = 0; i < p->variable_count; i++)
      if (strcmp(p->variables[i].name, token + 1) == 0) {
        *value = bytes_copy(p->variables[i].value.data, p->variables[i].value.len);
        return true;
      }
    return problem(p, "no variable", token);
  }
  if (strcmp(token, "\"\"") == 0) return *value = bytes_copy("", 0), true;
  const char *star = strrchr(token, '*');
  if (!star) return unescaped(p, token, strlen(token), value);
  bytes part;
  char *stop;
  size_t count = strtoul(star + 1, &stop, 10);
  if (*stop || star[1] == 0) return problem(p, "a count", token);
  if (!unescaped(p, token, (size_t)(star - token), &part)) return false;
  value->len = part.len * count;
  value->data = grown(NULL, value->len + 1);
  for (size_t i = 0; i < count; i++) memcpy(value->data + i * part.len, part.data, part.len);
  value->data[value->len] = 0;
  free(part.data);
  return true;
}

bool add(result *r, const void *data, size_t len) {
  if (r->count == r->room) {
    r->room = r->room ? 2 * r->room : 8;
    r->items = grown(r->items, r->room * sizeof *r->items);
  }
  r->items[r->count++] = bytes_copy(data, len);
  return true;
}

bool add_text(result *r, const char *text) { return add(r, text, strlen(text)); }

bool add_number(result *r, size_t number) {
  char digits[24];
  snprintf(digits, sizeof digits, "%zu", number);
  return add_text(r, digits);
}

bool add_bool(result *r, bool yes) { return add_text(r, yes ? "true" : "false"); }

bool add_peer(result *r, const p2pmap_peer_id *id) {
  char text[P2PMAP_PEER_ID_TEXT_BYTES];
  p2pmap_error *error = NULL;
  p2pmap_status status = p2pmap_peer_id_text(id, text, sizeof text, &error);
  return status == P2PMAP_OK ? add_text(r, text) : failed(r, status, error);
}

bool add_stamp(result *r, const p2pmap_stamp *stamp) {
  char author[P2PMAP_PEER_ID_TEXT_BYTES] = "", text[160];
  p2pmap_peer_id_text(&stamp->author, author, sizeof author, NULL);
  snprintf(text, sizeof text, "%llu.%llu.%s", (unsigned long long)stamp->timestamp, (unsigned long long)stamp->epoch, author);
  return add_text(r, text);
}

// A stamp of the text that `add_stamp` made.
bool read_stamp(player *p, const char *token, p2pmap_stamp *stamp) {
  bytes text;
  if (!decode(p, token, &text)) return false;
  char *at = (char *)text.data;
  stamp->timestamp = strtoull(at, &at, 10);
  if (*at == '.') stamp->epoch = strtoull(at + 1, &at, 10);
  bool good = *at == '.' && p2pmap_peer_id_parse(at + 1, &stamp->author, NULL) == P2PMAP_OK;
  free(text.data);
  return good || problem(p, "not a stamp", token);
}

bool or_none(result *r) { return r->count > 0 || add_text(r, "none"); }

bool failed(result *r, p2pmap_status status, p2pmap_error *error) {
  char text[64];
  clear(r);
  snprintf(text, sizeof text, "!%s", p2pmap_status_name(status));
  snprintf(r->message, sizeof r->message, "%s", p2pmap_error_message(error));
  p2pmap_error_free(error);
  return add_text(r, text);
}

void clear(result *r) {
  for (size_t i = 0; i < r->count; i++) free(r->items[i].data);
  free(r->items);
  *r = (result){0};
}

// For people: what is not plain is escaped, and what is long is cut.
void show(const result *r, char *out, size_t capacity) {
  size_t at = 0;
  for (size_t i = 0; i < r->count && at + 100 < capacity; i++) {
    const bytes item = r->items[i];
    if (i > 0) out[at++] = ' ';
    if (item.len == 0) at += (size_t)sprintf(out + at, "\"\"");
    for (size_t j = 0; j < item.len && j < 16; j++) {
      bool plain = item.data[j] > ' ' && item.data[j] < 127;
      at += (size_t)sprintf(out + at, plain ? "%c" : "\\x%02x", item.data[j]);
    }
    if (item.len > 16) at += (size_t)sprintf(out + at, "..(%zu)", item.len);
  }
  out[at] = 0;
}
