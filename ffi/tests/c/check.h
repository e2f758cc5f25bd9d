// What the C tests share: a check that ends the program, and counters to wait for.

#ifndef CHECK_H
#define CHECK_H

#define _GNU_SOURCE

#include <p2pmap.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHECK(condition)                                                          \
  do {                                                                            \
    if (!(condition)) {                                                           \
      fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);     \
      exit(1);                                                                    \
    }                                                                             \
  } while (0)

// A call that must return this status; shows the one that it returned.
#define EXPECT(status, call)                                                                           \
  do {                                                                                                 \
    p2pmap_status got_ = (call);                                                                       \
    if (got_ != (status)) {                                                                            \
      fprintf(stderr, "%s:%d: %s gave %s\n", __FILE__, __LINE__, #call, p2pmap_status_name(got_));     \
      exit(1);                                                                                         \
    }                                                                                                  \
  } while (0)

#define OK(call) EXPECT(P2PMAP_OK, call)

// A number that threads raise and wait for.
typedef struct {
  pthread_mutex_t lock;
  pthread_cond_t raised;
  int value;
} counter;

#define COUNTER {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0}

static inline void raise_counter(counter *c) {
  pthread_mutex_lock(&c->lock);
  c->value++;
  pthread_cond_broadcast(&c->raised);
  pthread_mutex_unlock(&c->lock);
}

static inline int read_counter(counter *c) {
  pthread_mutex_lock(&c->lock);
  int value = c->value;
  pthread_mutex_unlock(&c->lock);
  return value;
}

// Waits until the counter has reached a value; a minute without it is a failure.
static inline void await_counter(counter *c, int value) {
  struct timespec limit;
  clock_gettime(CLOCK_REALTIME, &limit);
  limit.tv_sec += 60;
  pthread_mutex_lock(&c->lock);
  while (c->value < value)
    if (pthread_cond_timedwait(&c->raised, &c->lock, &limit) != 0) {
      fprintf(stderr, "waited for %d, have %d\n", value, c->value);
      exit(1);
    }
  pthread_mutex_unlock(&c->lock);
}

static inline p2pmap_status put(p2pmap_map *map, const char *key, const char *value) {
  return p2pmap_map_put(map, key, strlen(key), value, strlen(value), NULL, NULL);
}

// Whether the map holds this value; NULL for absent.
static inline bool holds(p2pmap_map *map, const char *key, const char *value) {
  char buffer[64];
  size_t len = 0;
  p2pmap_status status = p2pmap_map_get(map, key, strlen(key), buffer, sizeof buffer, &len, NULL);
  if (!value) return status == P2PMAP_NOT_FOUND;
  return status == P2PMAP_OK && len == strlen(value) && memcmp(buffer, value, len) == 0;
}

#endif
