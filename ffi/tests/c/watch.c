// Watches: pulled, waited for, and put into an event loop.

#include "check.h"

#include <poll.h>

static p2pmap_map *open_map(void) {
  p2pmap_map *map = NULL;
  OK(p2pmap_open("watch", NULL, &map, NULL));
  return map;
}

static void events_carry_old_and_new_values(void) {
  p2pmap_map *map = open_map();
  p2pmap_watch *watch = NULL;
  p2pmap_event_list events;
  OK(put(map, "p/k", "1"));
  p2pmap_subscribe_options options = {.struct_size = sizeof options, .prefix = "p/", .prefix_len = 2, .snapshot = true};
  OK(p2pmap_map_watch(map, &options, &watch, NULL));
  OK(put(map, "other", "1"));
  size_t count = 0;
  while (count < 2) {
    OK(p2pmap_watch_recv(watch, 1, P2PMAP_FOREVER, &events, NULL));
    const p2pmap_event *event = &events.items[0];
    CHECK(events.count == 1 && event->kind == (count == 0 ? P2PMAP_EVENT_PUT : P2PMAP_EVENT_SYNCED));
    if (count++ == 1) CHECK(event->key && event->key_len == 0 && !event->value && event->stamp.timestamp == 0);
    p2pmap_event_list_free(&events);
    p2pmap_event_list_free(&events);
  }
  OK(p2pmap_map_remove(map, "p/k", 3, NULL, NULL));
  OK(p2pmap_watch_recv(watch, 8, P2PMAP_FOREVER, &events, NULL));
  const p2pmap_event *removed = &events.items[0];
  CHECK(events.count == 1 && removed->kind == P2PMAP_EVENT_REMOVE && removed->local && !removed->value);
  CHECK(removed->old_value_len == 1 && removed->old_value[0] == '1' && removed->stamp.author.len > 0);
  p2pmap_map_free(map);
  CHECK(removed->key_len == 3 && memcmp(removed->key, "p/k", 3) == 0);  // the list keeps what it shows
  p2pmap_event_list_free(&events);
  EXPECT(P2PMAP_END, p2pmap_watch_recv(watch, 8, P2PMAP_FOREVER, &events, NULL));
  p2pmap_watch_free(watch);
}

static void *close_watch(void *watch) {
  OK(p2pmap_watch_close(watch, NULL));
  return NULL;
}

static void closing_wakes_who_waits(void) {
  p2pmap_map *map = open_map();
  p2pmap_watch *watch = NULL;
  p2pmap_event_list events;
  pthread_t closer;
  OK(p2pmap_map_watch(map, NULL, &watch, NULL));
  EXPECT(P2PMAP_EMPTY, p2pmap_watch_recv(watch, 8, 0, &events, NULL));
  CHECK(pthread_create(&closer, NULL, close_watch, watch) == 0);
  EXPECT(P2PMAP_END, p2pmap_watch_recv(watch, 8, P2PMAP_FOREVER, &events, NULL));
  CHECK(pthread_join(closer, NULL) == 0);
  OK(p2pmap_watch_close(watch, NULL));
  p2pmap_watch_free(watch);
  p2pmap_map_free(map);
}

static bool readable(int fd, int timeout_ms) {
  struct pollfd waiting = {.fd = fd, .events = POLLIN};
  return poll(&waiting, 1, timeout_ms) == 1 && waiting.revents == POLLIN;
}

// Takes single events until there are none; how many there were.
static int drain(p2pmap_watch *watch, int fd) {
  int taken = 0;
  p2pmap_event_list events;
  while (readable(fd, 0)) {
    p2pmap_status status = p2pmap_watch_recv(watch, 1, 0, &events, NULL);
    if (status != P2PMAP_OK) {
      CHECK(status == P2PMAP_EMPTY || status == P2PMAP_END);
      if (status == P2PMAP_END) break;
      continue;
    }
    taken += (int)events.count;
    p2pmap_event_list_free(&events);
  }
  return taken;
}

static void the_descriptor_is_readable_while_there_is_more(void) {
  int fd = -1, again = -1;
  p2pmap_map *map = open_map();
  p2pmap_watch *watch = NULL;
  OK(p2pmap_map_watch(map, NULL, &watch, NULL));
  OK(put(map, "before", "1"));
  OK(p2pmap_watch_fd(watch, &fd, NULL));
  OK(p2pmap_watch_fd(watch, &again, NULL));
  CHECK(fd >= 0 && fd == again);
  for (int taken = 0; taken < 1; taken += drain(watch, fd)) CHECK(readable(fd, 60000));
  CHECK(!readable(fd, 0));
  OK(put(map, "a", "1"));
  OK(put(map, "b", "1"));
  OK(put(map, "c", "1"));
  for (int taken = 0; taken < 3; taken += drain(watch, fd)) CHECK(readable(fd, 60000));
  CHECK(!readable(fd, 0));
  p2pmap_map_free(map);
  CHECK(readable(fd, 60000));  // the end can be waited for as well
  CHECK(drain(watch, fd) == 0 && readable(fd, 0));
  p2pmap_watch_free(watch);
}

int main(void) {
  events_carry_old_and_new_values();
  closing_wakes_who_waits();
  the_descriptor_is_readable_while_there_is_more();
  puts("watch: ok");
}
