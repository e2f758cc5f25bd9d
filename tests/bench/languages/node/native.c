// Native functions for Node.js, the least that a native module can do: they return 100 bytes, or those of a key, or call a listener.

#include <node_api.h>
#include <string.h>

#include "../table.h"

enum { VALUE = TABLE_VALUE };

static char value[VALUE];

// () -> a string of 100 characters that fit into a byte each.
static napi_value latin1(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value made = NULL;
  napi_create_string_latin1(env, value, VALUE, &made);
  return made;
}

// The same from UTF-8, which has to be looked through.
static napi_value utf8(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value made = NULL;
  napi_create_string_utf8(env, value, VALUE, &made);
  return made;
}

// () -> a Buffer of 100 bytes.
static napi_value buffer(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value made = NULL;
  napi_create_buffer_copy(env, VALUE, value, NULL, &made);
  return made;
}

// (Buffer of 100 bytes): writes them.
static napi_value fill(napi_env env, napi_callback_info info) {
  size_t count = 1, length = 0;
  napi_value to = NULL;
  void *bytes = NULL;
  if (napi_get_cb_info(env, info, &count, &to, NULL, NULL) == napi_ok && count == 1 &&
      napi_get_buffer_info(env, to, &bytes, &length) == napi_ok && length == VALUE)
    memcpy(bytes, value, VALUE);
  return NULL;
}

// (Buffer with all keys): fills the table.
static napi_value fill_table(napi_env env, napi_callback_info info) {
  size_t count = 1, length = 0;
  napi_value keys = NULL;
  void *bytes = NULL;
  if (napi_get_cb_info(env, info, &count, &keys, NULL, NULL) == napi_ok && count == 1 &&
      napi_get_buffer_info(env, keys, &bytes, &length) == napi_ok)
    table_fill(bytes, (uint32_t)(length / TABLE_KEY));
  return NULL;
}

// What the table has for a key of characters that fit into a byte each, or NULL.
static const char *find(napi_env env, napi_value key) {
  char bytes[TABLE_KEY + 1];
  size_t length = 0;
  if (napi_get_value_string_latin1(env, key, bytes, sizeof bytes, &length) != napi_ok || length != TABLE_KEY) return NULL;
  return table_find(bytes);
}

// (key) -> its value, a string of characters that fit into a byte each.
static napi_value find_latin1(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value key = NULL, made = NULL;
  if (napi_get_cb_info(env, info, &count, &key, NULL, NULL) != napi_ok || count != 1) return NULL;
  const char *found = find(env, key);
  if (found != NULL) napi_create_string_latin1(env, found, VALUE, &made);
  return made;
}

// (key, Buffer of 100 bytes): writes its value.
static napi_value find_fill(napi_env env, napi_callback_info info) {
  size_t count = 2, length = 0;
  napi_value given[2];
  void *bytes = NULL;
  if (napi_get_cb_info(env, info, &count, given, NULL, NULL) != napi_ok || count != 2) return NULL;
  const char *found = find(env, given[0]);
  if (found != NULL && napi_get_buffer_info(env, given[1], &bytes, &length) == napi_ok && length == VALUE)
    memcpy(bytes, found, VALUE);
  return NULL;
}

// (listener, event, count): calls the listener so often.
static napi_value call(napi_env env, napi_callback_info info) {
  size_t args = 3;
  uint32_t count = 0;
  napi_value given[3], this, returned;
  if (napi_get_cb_info(env, info, &args, given, &this, NULL) != napi_ok || args != 3) return NULL;
  if (napi_get_value_uint32(env, given[2], &count) != napi_ok) return NULL;
  while (count-- > 0 && napi_call_function(env, this, given[0], 1, &given[1], &returned) == napi_ok) continue;
  return NULL;
}

static void export(napi_env env, napi_value exports, const char *name, napi_callback function) {
  napi_value made;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, function, NULL, &made) == napi_ok)
    napi_set_named_property(env, exports, name, made);
}

NAPI_MODULE_INIT() {
  memset(value, 'v', sizeof value);
  export(env, exports, "latin1", latin1);
  export(env, exports, "utf8", utf8);
  export(env, exports, "buffer", buffer);
  export(env, exports, "fill", fill);
  export(env, exports, "fillTable", fill_table);
  export(env, exports, "findLatin1", find_latin1);
  export(env, exports, "findFill", find_fill);
  export(env, exports, "call", call);
  return exports;
}
