// Native functions for Node.js, the least that a native module can do: they return 100 bytes, or call a listener.

#include <node_api.h>
#include <string.h>

enum { VALUE = 100 };

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
  export(env, exports, "call", call);
  return exports;
}
