// Subscriptions and watches.

#include "player.h"

#include <time.h>

static queue *new_queue(void) {
  queue *q = calloc(1, sizeof *q);
  if (!q) abort();
  pthread_mutex_init(&q->lock, NULL);
  pthread_cond_init(&q->told, NULL);
  q->last = &q->first;
  return q;
}

static void free_event(queued *event) {
  if (!event) return;
  free(event->key.data), free(event->value.data), free(event->old_value.data);
  free(event);
}

static bytes optional_copy(const uint8_t *data, size_t len) { return data ? bytes_copy(data, len) : (bytes){0}; }

static queued *copy_event(const p2pmap_event *event) {
  queued *copy = calloc(1, sizeof *copy);
  if (!copy) abort();
  copy->kind = event->kind;
  copy->local = event->local;
  copy->key = bytes_copy(event->key, event->key_len);
  copy->value = optional_copy(event->value, event->value_len);
  copy->old_value = optional_copy(event->old_value, event->old_value_len);
  copy->stamp = event->stamp;
  return copy;
}

static void on_events(const p2pmap_event *events, size_t count, void *user_data) {
  queue *q = user_data;
  pthread_mutex_lock(&q->lock);
  for (size_t i = 0; i < count; i++) {
    *q->last = copy_event(&events[i]);
    q->last = &(*q->last)->next;
  }
  pthread_cond_broadcast(&q->told);
  pthread_mutex_unlock(&q->lock);
}

// The oldest event; NULL with `*ended` when none can come any more, without it when the time was up.
static queued *take(queue *q, bool *ended) {
  struct timespec limit;
  clock_gettime(CLOCK_REALTIME, &limit);
  limit.tv_sec += WAIT_MS / 1000;
  pthread_mutex_lock(&q->lock);
  while (!q->first && !q->ended)
    if (pthread_cond_timedwait(&q->told, &q->lock, &limit) != 0) break;
  queued *event = q->first;
  if (event && !(q->first = event->next)) q->last = &q->first;
  *ended = !event && q->ended;
  pthread_mutex_unlock(&q->lock);
  return event;
}

static queued *take_from_watch(p2pmap_watch *watch, bool *ended, p2pmap_status *status, p2pmap_error **error) {
  p2pmap_event_list events;
  *status = p2pmap_watch_recv(watch, 1, WAIT_MS, &events, error);
  *ended = *status == P2PMAP_END;
  if (*status != P2PMAP_OK) return NULL;
  queued *event = copy_event(&events.items[0]);
  p2pmap_event_list_free(&events);
  return event;
}

static bool read_options(player *p, arguments a, p2pmap_subscribe_options *options, bytes *prefix) {
  *options = (p2pmap_subscribe_options){.struct_size = sizeof *options};
  for (int i = 2; i < a.count; i++) {
    char name[64];
    bytes value;
    if (!split_option(p, a.words[i], name, &value)) return false;
    if (strcmp(name, "prefix") == 0) {
      *prefix = value;
      options->prefix = value.data;
      options->prefix_len = value.len;
      continue;
    }
    if (strcmp(name, "snapshot") != 0) return problem(p, "no option of subscriptions", name);
    options->snapshot = strcmp((char *)value.data, "true") == 0;
    free(value.data);
  }
  return true;
}

// A queue outlives its subscription: `event` looks at it after `unsubscribe`. It is freed when the script ends.
static bool op_subscribe(player *p, arguments a, result *r) {
  thing *made = new_thing(p, a.words[0], SUBSCRIPTION), *map = find(p, a.words[1], MAP);
  p2pmap_subscribe_options options;
  bytes prefix = {0};
  if (!made || !map || !read_options(p, a, &options, &prefix)) return false;
  p2pmap_error *error = NULL;
  made->queue = new_queue();
  p2pmap_status status =
      p2pmap_map_subscribe(map->as.map, &options, on_events, made->queue, NULL, &made->as.subscription, &error);
  free(prefix.data);
  if (status != P2PMAP_OK) return free_queue(made->queue), failed(r, status, error);
  p->thing_count++;
  return add_text(r, "ok");
}

static bool op_watch(player *p, arguments a, result *r) {
  thing *made = new_thing(p, a.words[0], WATCH), *map = find(p, a.words[1], MAP);
  p2pmap_subscribe_options options;
  bytes prefix = {0};
  if (!made || !map || !read_options(p, a, &options, &prefix)) return false;
  p2pmap_error *error = NULL;
  p2pmap_status status = p2pmap_map_watch(map->as.map, &options, &made->as.watch, &error);
  free(prefix.data);
  if (status != P2PMAP_OK) return failed(r, status, error);
  p->thing_count++;
  return add_text(r, "ok");
}

static bool add_optional(result *r, bytes value) { return value.data ? add(r, value.data, value.len) : add_text(r, "none"); }

static bool op_event(player *p, arguments a, result *r) {
  thing *from = find(p, a.words[0], SUBSCRIPTION);
  if (!from) from = find(p, a.words[0], WATCH);
  if (!from) return false;
  bool ended = false;
  p2pmap_status status = P2PMAP_OK;
  p2pmap_error *error = NULL;
  queued *event = from->kind == WATCH ? take_from_watch(from->as.watch, &ended, &status, &error) : take(from->queue, &ended);
  if (status < 0) return failed(r, status, error);
  if (!event) return add_text(r, ended ? "end" : "timeout");
  from->stamp = event->stamp;
  add_text(r, p2pmap_event_kind_name(event->kind));
  if (event->kind != P2PMAP_EVENT_SYNCED) {
    add(r, event->key.data, event->key.len);
    add_optional(r, event->value);
    add_optional(r, event->old_value);
    add_text(r, event->local ? "local" : "remote");
  }
  free_event(event);
  return true;
}

static bool op_origin(player *p, arguments a, result *r) {
  thing *from = find(p, a.words[0], SUBSCRIPTION);
  if (!from) from = find(p, a.words[0], WATCH);
  if (!from) return false;
  if (from->stamp.timestamp == 0) return or_none(r);
  return add_peer(r, &from->stamp.author) && add_stamp(r, &from->stamp);
}

static bool op_unsubscribe(player *p, arguments a, result *r) {
  p2pmap_error *error = NULL;
  thing *subscription = find(p, a.words[0], SUBSCRIPTION), *watch = subscription ? NULL : find(p, a.words[0], WATCH);
  if (!subscription && !watch) return false;
  p2pmap_status status = subscription ? p2pmap_subscription_close(subscription->as.subscription, &error)
                                      : p2pmap_watch_close(watch->as.watch, &error);
  if (status != P2PMAP_OK) return failed(r, status, error);
  if (subscription) {
    pthread_mutex_lock(&subscription->queue->lock);
    subscription->queue->ended = true;
    pthread_mutex_unlock(&subscription->queue->lock);
  }
  return add_text(r, "ok");
}

void free_queue(queue *q) {
  while (q->first) {
    queued *event = q->first;
    q->first = event->next;
    free_event(event);
  }
  pthread_cond_destroy(&q->told);
  pthread_mutex_destroy(&q->lock);
  free(q);
}

const operation_row event_operations[] = {
    {"subscribe", 2, op_subscribe}, {"watch", 2, op_watch},             {"event", 1, op_event},
    {"origin", 1, op_origin},       {"unsubscribe", 1, op_unsubscribe}, {0},
};
