// Opening and closing hundreds of times leaves no thread, no descriptor and no memory behind.

#include "check.h"

#include <dirent.h>
#include <malloc.h>

static counter told = COUNTER;

static void on_events(const p2pmap_event *events, size_t count, void *user_data) {
  (void)events, (void)user_data;
  for (size_t i = 0; i < count; i++) raise_counter(&told);
}

static int entries(const char *path) {
  int count = 0;
  DIR *directory = opendir(path);
  CHECK(directory);
  while (readdir(directory)) count++;
  closedir(directory);
  return count;
}

// What ends, ends a moment later: the kernel takes a joined thread off its list, and the process's timer thread drops its
// last reference to a node's descriptors.
static bool settled(const char *path, int expected) {
  for (int i = 0; i < 10000 && entries(path) > expected; i++) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  return entries(path) <= expected;
}

static void once(void) {
  p2pmap_node *node = NULL;
  p2pmap_map *map = NULL;
  p2pmap_subscription *subscription = NULL;
  p2pmap_watch *watch = NULL;
  int fd, before = read_counter(&told);
  OK(p2pmap_node_open(NULL, &node, NULL));
  OK(p2pmap_map_open(node, "again", NULL, &map, NULL));
  OK(p2pmap_map_subscribe(map, NULL, on_events, NULL, NULL, &subscription, NULL));
  OK(p2pmap_map_watch(map, NULL, &watch, NULL));
  OK(p2pmap_watch_fd(watch, &fd, NULL));
  char key[16];
  for (int i = 0; i < 100; i++) {
    snprintf(key, sizeof key, "key %d", i);
    OK(put(map, key, "value"));
  }
  await_counter(&told, before + 100);
  p2pmap_watch_free(watch);
  p2pmap_subscription_free(subscription);
  p2pmap_map_free(map);
  p2pmap_node_free(node);
}

int main(void) {
  // One thread for timers serves all nodes of a process, and stays.
  int threads = entries("/proc/self/task") + 1, descriptors = entries("/proc/self/fd");
  // Memory that is retired by reference is given back with some delay: the first rounds fill that pool.
  for (int i = 0; i < 100; i++) once();
  size_t before = mallinfo2().uordblks;
  for (int i = 0; i < 300; i++) once();
  size_t after = mallinfo2().uordblks;
  printf("again: memory %zu, then %zu\n", before, after);
  CHECK(settled("/proc/self/task", threads));
  CHECK(settled("/proc/self/fd", descriptors));
  CHECK(after < before + 150 * 1024);  // half a KiB for each round
}
