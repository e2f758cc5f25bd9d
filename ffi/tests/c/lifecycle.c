// Handles and callbacks from their first to their last moment.

#include "check.h"

// What a subscription's user_data counts.
typedef struct {
  counter events, destroyed;
  p2pmap_subscription *own;  // closed by its own callback when it is set
  p2pmap_map *map;           // closed by the callback when it is set
  counter *entered, *leave;  // the callback waits between the two when they are set
  bool finished;
} watched;

#define WATCHED {.events = COUNTER, .destroyed = COUNTER}

static void on_events(const p2pmap_event *events, size_t count, void *user_data) {
  watched *w = user_data;
  CHECK(events && count > 0 && read_counter(&w->destroyed) == 0);
  if (w->entered) {
    raise_counter(w->entered);
    await_counter(w->leave, 1);
  }
  if (w->own) OK(p2pmap_subscription_close(w->own, NULL));
  if (w->map) OK(p2pmap_map_close(w->map, NULL));
  w->finished = true;
  for (size_t i = 0; i < count; i++) raise_counter(&w->events);
}

static void on_destroy(void *user_data) { raise_counter(&((watched *)user_data)->destroyed); }

static p2pmap_map *open_map(void) {
  p2pmap_map *map = NULL;
  OK(p2pmap_open("lifecycle", NULL, &map, NULL));
  return map;
}

static p2pmap_subscription *subscribe(p2pmap_map *map, watched *w) {
  p2pmap_subscription *subscription = NULL;
  OK(p2pmap_map_subscribe(map, NULL, on_events, w, on_destroy, &subscription, NULL));
  CHECK(p2pmap_subscription_is_active(subscription));
  return subscription;
}

static void closing_twice_is_fine_and_use_after_close_says_closed(void) {
  p2pmap_node *node = NULL;
  p2pmap_map *map = NULL;
  OK(p2pmap_node_open(NULL, &node, NULL));
  OK(p2pmap_map_open(node, "m", NULL, &map, NULL));
  OK(put(map, "k", "v"));
  OK(p2pmap_map_close(map, NULL));
  OK(p2pmap_map_close(map, NULL));

  char buffer[8];
  size_t len;
  bool flag;
  p2pmap_scan *scan;
  p2pmap_watch *watch;
  p2pmap_batch *batch = p2pmap_batch_new();
  p2pmap_map_report report = {.struct_size = sizeof report};
  EXPECT(P2PMAP_CLOSED, put(map, "k", "v"));
  EXPECT(P2PMAP_CLOSED, p2pmap_map_get(map, "k", 1, buffer, sizeof buffer, &len, NULL));
  EXPECT(P2PMAP_CLOSED, p2pmap_map_contains(map, "k", 1, &flag, NULL));
  EXPECT(P2PMAP_CLOSED, p2pmap_map_len(map, &len, NULL));
  EXPECT(P2PMAP_CLOSED, p2pmap_map_remove(map, "k", 1, &flag, NULL));
  EXPECT(P2PMAP_CLOSED, p2pmap_map_apply(map, batch, NULL, NULL));
  EXPECT(P2PMAP_CLOSED, p2pmap_map_scan(map, NULL, &scan, NULL));
  EXPECT(P2PMAP_CLOSED, p2pmap_map_watch(map, NULL, &watch, NULL));
  EXPECT(P2PMAP_CLOSED, p2pmap_map_status(map, &report, NULL));
  CHECK(strcmp(p2pmap_map_name(map), "m") == 0);
  p2pmap_batch_free(batch);

  OK(p2pmap_node_close(node, NULL));
  OK(p2pmap_node_close(node, NULL));
  EXPECT(P2PMAP_CLOSED, p2pmap_map_open(node, "n", NULL, &map, NULL));
  p2pmap_map_free(map);
  p2pmap_node_free(node);
}

static void a_failed_call_reports_and_leaves_its_outputs(void) {
  p2pmap_map *map = (p2pmap_map *)&map;
  p2pmap_error *error = NULL;
  p2pmap_config *config = p2pmap_config_new();
  EXPECT(P2PMAP_INVALID_CONFIG, p2pmap_config_set(config, "no_such_option", "1", &error));
  CHECK(p2pmap_error_status(error) == P2PMAP_INVALID_CONFIG);
  CHECK(strstr(p2pmap_error_message(error), "no_such_option"));
  p2pmap_error_free(error);
  error = NULL;
  EXPECT(P2PMAP_INVALID_ARGUMENT, p2pmap_open("", config, &map, &error));
  CHECK(map == (p2pmap_map *)&map && error);
  p2pmap_error_free(error);
  p2pmap_config_free(config);
}

static void the_destructor_runs_once_whatever_ends_first(void) {
  watched first = WATCHED, second = WATCHED, third = WATCHED;

  p2pmap_map *map = open_map();  // the subscription, then the map
  p2pmap_subscription *subscription = subscribe(map, &first);
  OK(put(map, "k", "1"));
  await_counter(&first.events, 1);
  OK(p2pmap_subscription_close(subscription, NULL));
  CHECK(read_counter(&first.destroyed) == 1);
  OK(p2pmap_subscription_close(subscription, NULL));
  CHECK(!p2pmap_subscription_is_active(subscription));
  p2pmap_subscription_free(subscription);
  p2pmap_map_free(map);
  CHECK(read_counter(&first.destroyed) == 1);

  map = open_map();  // the map is closed, then the subscription
  subscription = subscribe(map, &second);
  OK(p2pmap_map_close(map, NULL));
  p2pmap_subscription_free(subscription);
  CHECK(read_counter(&second.destroyed) == 1);
  p2pmap_map_free(map);

  map = open_map();  // the map's handle is gone, then the subscription
  subscription = subscribe(map, &third);
  p2pmap_map_free(map);
  p2pmap_subscription_free(subscription);
  CHECK(read_counter(&third.destroyed) == 1);
  CHECK(read_counter(&second.destroyed) == 1);
}

static void the_destructor_runs_when_subscribing_fails(void) {
  watched closed = WATCHED, nothing = WATCHED;
  p2pmap_subscription *subscription = NULL;
  p2pmap_map *map = open_map();
  EXPECT(P2PMAP_INVALID_ARGUMENT, p2pmap_map_subscribe(map, NULL, NULL, &nothing, on_destroy, &subscription, NULL));
  CHECK(read_counter(&nothing.destroyed) == 1);
  OK(p2pmap_map_close(map, NULL));
  EXPECT(P2PMAP_CLOSED, p2pmap_map_subscribe(map, NULL, on_events, &closed, on_destroy, &subscription, NULL));
  CHECK(read_counter(&closed.destroyed) == 1 && !subscription);
  p2pmap_map_free(map);
}

static void a_callback_may_end_its_own_subscription(void) {
  watched own = WATCHED, other = WATCHED;
  p2pmap_map *map = open_map();
  p2pmap_subscription *subscription = subscribe(map, &own), *barrier = subscribe(map, &other);
  own.own = subscription;  // before the first event, so before the callback reads it
  OK(put(map, "k", "1"));
  await_counter(&own.destroyed, 1);
  CHECK(read_counter(&own.events) == 1);
  OK(put(map, "l", "2"));
  await_counter(&other.events, 2);
  CHECK(read_counter(&own.events) == 1);
  p2pmap_subscription_free(subscription);
  p2pmap_subscription_free(barrier);
  p2pmap_map_free(map);
  CHECK(read_counter(&own.destroyed) == 1 && read_counter(&other.destroyed) == 1);
}

static void *close_subscription(void *subscription) {
  OK(p2pmap_subscription_close(subscription, NULL));
  return NULL;
}

static void closing_elsewhere_waits_for_the_callback_that_runs(void) {
  counter entered = COUNTER, leave = COUNTER;
  watched w = WATCHED;
  w.entered = &entered;
  w.leave = &leave;
  p2pmap_map *map = open_map();
  p2pmap_subscription *subscription = subscribe(map, &w);
  OK(put(map, "k", "1"));
  await_counter(&entered, 1);
  pthread_t closer;
  CHECK(pthread_create(&closer, NULL, close_subscription, subscription) == 0);
  OK(put(map, "l", "2"));  // a write is not held up by the callback
  CHECK(!w.finished);
  raise_counter(&leave);
  CHECK(pthread_join(closer, NULL) == 0);
  CHECK(w.finished && read_counter(&w.destroyed) == 1);
  p2pmap_subscription_free(subscription);
  p2pmap_map_free(map);
}

static void a_callback_may_close_its_map_and_node(void) {
  watched w = WATCHED;
  p2pmap_map *map = open_map();
  p2pmap_subscription *subscription = subscribe(map, &w);
  w.map = map;
  OK(put(map, "k", "1"));
  await_counter(&w.destroyed, 1);
  EXPECT(P2PMAP_CLOSED, put(map, "k", "2"));
  p2pmap_subscription_free(subscription);
  p2pmap_map_free(map);
  CHECK(w.finished && read_counter(&w.destroyed) == 1);
}

static counter writes = COUNTER;

static void *write_until_closed(void *map) {
  for (;;) {
    p2pmap_status status = put(map, "k", "v");
    if (status == P2PMAP_CLOSED) return NULL;
    CHECK(status == P2PMAP_OK && (holds(map, "k", "v") || put(map, "k", "v") == P2PMAP_CLOSED));
    raise_counter(&writes);
  }
}

static void closing_while_others_call_gives_them_closed(void) {
  p2pmap_map *map = open_map();
  pthread_t writers[4];
  for (int i = 0; i < 4; i++) CHECK(pthread_create(&writers[i], NULL, write_until_closed, map) == 0);
  await_counter(&writes, 100);
  OK(p2pmap_map_close(map, NULL));
  for (int i = 0; i < 4; i++) CHECK(pthread_join(writers[i], NULL) == 0);
  p2pmap_map_free(map);
}

static bool no_pink(const uint8_t *key, size_t key_len, const uint8_t *value, size_t value_len, void *user_data) {
  (void)key, (void)key_len, (void)user_data;
  return value_len != 4 || memcmp(value, "pink", 4) != 0;
}

static void a_validator_lives_as_long_as_its_map(void) {
  watched w = WATCHED;
  p2pmap_map *map = NULL;
  p2pmap_config *config = p2pmap_config_new();
  OK(p2pmap_config_validator(config, no_pink, &w, on_destroy, NULL));
  OK(p2pmap_open("valid", config, &map, NULL));
  p2pmap_config_free(config);
  CHECK(read_counter(&w.destroyed) == 0);
  EXPECT(P2PMAP_INVALID_VALUE, put(map, "k", "pink"));
  OK(put(map, "k", "blue"));
  p2pmap_map_free(map);
  await_counter(&w.destroyed, 1);

  watched refused = WATCHED;
  EXPECT(P2PMAP_INVALID_ARGUMENT, p2pmap_config_validator(NULL, no_pink, &refused, on_destroy, NULL));
  CHECK(read_counter(&refused.destroyed) == 1);
}

int main(void) {
  closing_twice_is_fine_and_use_after_close_says_closed();
  a_failed_call_reports_and_leaves_its_outputs();
  the_destructor_runs_once_whatever_ends_first();
  the_destructor_runs_when_subscribing_fails();
  a_callback_may_end_its_own_subscription();
  closing_elsewhere_waits_for_the_callback_that_runs();
  a_callback_may_close_its_map_and_node();
  closing_while_others_call_gives_them_closed();
  a_validator_lives_as_long_as_its_map();
  puts("lifecycle: ok");
}
