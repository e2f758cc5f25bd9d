// Events through the C interface: `events COUNT ROUNDS` prints how many a second a callback is told of, beside a queue of copies.
// The callback is held up at its first call, until all of them wait.

#include "bench.h"

#include <pthread.h>
#include <semaphore.h>

enum { BATCH = 256 };

// Where a callback is held up, and what it has been told of.
typedef struct {
  sem_t entered, opened, done;
  bool held_up;
  size_t left;
  uint64_t ended;
} gate;

static void gate_init(gate *g, size_t events) {
  *g = (gate){.left = events};
  if (sem_init(&g->entered, 0, 0) + sem_init(&g->opened, 0, 0) + sem_init(&g->done, 0, 0) != 0) fail("no semaphore");
}

static void on_events(const p2pmap_event *events, size_t count, void *user_data) {
  gate *g = user_data;
  (void)events;
  if (!g->held_up) {
    g->held_up = true;
    sem_post(&g->entered);
    sem_wait(&g->opened);
    return;
  }
  g->left -= count;
  if (g->left > 0) return;
  g->ended = now_ns();
  sem_post(&g->done);
}

// Opens the gate; nanoseconds until everything has passed.
static uint64_t gate_open(gate *g) {
  uint64_t start = now_ns();
  sem_post(&g->opened);
  sem_wait(&g->done);
  return g->ended - start;
}

// Nanoseconds in which a callback is told of so many puts.
static uint64_t told(p2pmap_map *map, size_t events, size_t round) {
  gate g;
  char key[KEY], value[VALUE];
  p2pmap_subscription *subscription;
  gate_init(&g, events);
  if (p2pmap_map_subscribe(map, NULL, on_events, &g, NULL, &subscription, NULL) != P2PMAP_OK) fail("cannot subscribe");
  memset(value, 'v', sizeof value);
  memcpy(value, &round, sizeof round);
  if (p2pmap_map_put(map, "first", 5, value, sizeof value, NULL, NULL) != P2PMAP_OK) fail("cannot put");
  sem_wait(&g.entered);
  for (size_t at = 0; at < events; at++) {
    write_key(key, at);
    if (p2pmap_map_put(map, key, KEY, value, sizeof value, NULL, NULL) != P2PMAP_OK) fail("cannot put");
  }
  uint64_t took = gate_open(&g);
  p2pmap_subscription_free(subscription);
  return took;
}

// Copies of keys and values that wait under a lock.
typedef struct {
  pthread_mutex_t lock;
  p2pmap_event *waiting;
  size_t next, count;
  gate *gate;
} queue;

static void *drain(void *given) {
  queue *q = given;
  for (size_t size = 1;; size = BATCH) {
    p2pmap_event batch[BATCH];
    pthread_mutex_lock(&q->lock);
    size_t count = q->count - q->next < size ? q->count - q->next : size;
    memcpy(batch, q->waiting + q->next, count * sizeof *batch);
    q->next += count;
    pthread_mutex_unlock(&q->lock);
    if (count == 0) return NULL;
    on_events(batch, count, q->gate);
    for (size_t at = 0; at < count; at++) free((void *)batch[at].key), free((void *)batch[at].value);
  }
}

// The same for such a queue.
static uint64_t bare(size_t events) {
  gate g;
  gate_init(&g, events);
  queue q = {.lock = PTHREAD_MUTEX_INITIALIZER, .waiting = calloc(events + 1, sizeof(p2pmap_event)), .count = events + 1, .gate = &g};
  if (q.waiting == NULL) fail("no memory");
  for (size_t at = 0; at < q.count; at++) {
    char *key = malloc(KEY), *value = malloc(VALUE);
    if (key == NULL || value == NULL) fail("no memory");
    write_key(key, at);
    memset(value, 'v', VALUE);
    q.waiting[at] = (p2pmap_event){.key = (uint8_t *)key, .key_len = KEY, .value = (uint8_t *)value, .value_len = VALUE};
  }
  pthread_t thread;
  if (pthread_create(&thread, NULL, drain, &q) != 0) fail("no thread");
  sem_wait(&g.entered);
  uint64_t took = gate_open(&g);
  pthread_join(thread, NULL);
  free(q.waiting);
  return took;
}

static double rate(uint64_t *took, size_t rounds, size_t events) {
  return (double)events * 1e9 / (double)median(took, rounds);
}

int main(int argc, char **argv) {
  if (argc != 3) fail("usage: events COUNT ROUNDS");
  size_t events = strtoull(argv[1], NULL, 10), rounds = strtoull(argv[2], NULL, 10);
  uint64_t *ours = calloc(rounds, sizeof *ours), *floor = calloc(rounds, sizeof *floor);
  p2pmap_map *map;
  if (rounds == 0 || ours == NULL || floor == NULL) fail("no rounds");
  if (p2pmap_open("bench", NULL, &map, NULL) != P2PMAP_OK) fail("cannot open");
  for (size_t round = 0; round < rounds; round++) {
    ours[round] = told(map, events, round);
    floor[round] = bare(events);
  }
  printf("C: events to a callback\t%.0f\ta queue of copies, %d at a time\t%.0f\t>= 4 M/s\n", rate(ours, rounds, events), BATCH,
         rate(floor, rounds, events));
  p2pmap_map_free(map);
  free(ours);
  free(floor);
  return 0;
}
