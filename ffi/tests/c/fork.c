// A forked child: its parent's handles fail at once, freeing them does nothing, and it can open a node of its own.

#include "check.h"

#include <sys/wait.h>

static p2pmap_node *node;
static p2pmap_map *map;
static p2pmap_subscription *subscription;
static p2pmap_watch *watch;
static p2pmap_scan *scan;
static int destroyed;

static void on_events(const p2pmap_event *events, size_t count, void *user_data) { (void)events, (void)count, (void)user_data; }

static void on_destroy(void *user_data) {
  (void)user_data;
  destroyed++;
}

static void every_handle_says_forked(void) {
  size_t len;
  char buffer[8];
  bool flag;
  p2pmap_error *error = NULL;
  p2pmap_entry entry;
  p2pmap_string_list names;
  p2pmap_event_list events;
  p2pmap_map *other;
  p2pmap_map_report report = {.struct_size = sizeof report};
  EXPECT(P2PMAP_FORKED, p2pmap_map_put(map, "k", 1, "v", 1, NULL, &error));
  CHECK(strstr(p2pmap_error_message(error), "fork"));
  p2pmap_error_free(error);
  EXPECT(P2PMAP_FORKED, p2pmap_map_get(map, "k", 1, buffer, sizeof buffer, &len, NULL));
  EXPECT(P2PMAP_FORKED, p2pmap_map_contains(map, "k", 1, &flag, NULL));
  EXPECT(P2PMAP_FORKED, p2pmap_map_len(map, &len, NULL));
  EXPECT(P2PMAP_FORKED, p2pmap_map_sync(map, 1000, NULL));
  EXPECT(P2PMAP_FORKED, p2pmap_map_status(map, &report, NULL));
  EXPECT(P2PMAP_FORKED, p2pmap_map_close(map, NULL));
  EXPECT(P2PMAP_FORKED, p2pmap_map_open(node, "other", NULL, &other, NULL));
  EXPECT(P2PMAP_FORKED, p2pmap_node_connect(node, "/ip4/127.0.0.1/tcp/1", 1000, NULL, NULL));
  EXPECT(P2PMAP_FORKED, p2pmap_node_addrs(node, &names, NULL));
  EXPECT(P2PMAP_FORKED, p2pmap_node_close(node, NULL));
  EXPECT(P2PMAP_FORKED, p2pmap_subscription_close(subscription, NULL));
  CHECK(!p2pmap_subscription_is_active(subscription));
  EXPECT(P2PMAP_FORKED, p2pmap_watch_recv(watch, 1, P2PMAP_FOREVER, &events, NULL));
  EXPECT(P2PMAP_FORKED, p2pmap_watch_close(watch, NULL));
  EXPECT(P2PMAP_FORKED, p2pmap_scan_next(scan, &entry, NULL));
}

static void free_all(void) {
  p2pmap_scan_free(scan);
  p2pmap_watch_free(watch);
  p2pmap_subscription_free(subscription);
  p2pmap_map_free(map);
  p2pmap_node_free(node);
}

static void in_child(void) {
  alarm(60);  // a child that hangs is a failure
  every_handle_says_forked();
  free_all();
  CHECK(destroyed == 0);
  p2pmap_map *own = NULL;
  OK(p2pmap_open("child", NULL, &own, NULL));
  OK(put(own, "k", "child"));
  CHECK(holds(own, "k", "child"));
  p2pmap_map_free(own);
  _exit(0);
}

int main(void) {
  OK(p2pmap_node_open(NULL, &node, NULL));
  OK(p2pmap_map_open(node, "parent", NULL, &map, NULL));
  OK(put(map, "k", "v"));
  OK(p2pmap_map_subscribe(map, NULL, on_events, NULL, on_destroy, &subscription, NULL));
  OK(p2pmap_map_watch(map, NULL, &watch, NULL));
  OK(p2pmap_map_scan(map, NULL, &scan, NULL));

  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) in_child();
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);

  OK(put(map, "k", "parent"));  // the parent goes on
  CHECK(holds(map, "k", "parent"));
  free_all();
  CHECK(destroyed == 1);
  puts("fork: ok");
}
