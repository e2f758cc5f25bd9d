// Opening and closing a hundred times leaves no thread, no descriptor and no memory behind.

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

// The kernel takes a joined thread off the list a moment later.
static int settled(const char *path, int expected) {
  for (int i = 0; i < 10000 && entries(path) != expected; i++) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  return entries(path);
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
  // Memory that is retired by reference is given back with some delay: the first rounds fill that pool.
  for (int i = 0; i < 20; i++) once();
  int threads = entries("/proc/self/task"), descriptors = entries("/proc/self/fd");
  size_t memory = mallinfo2().uordblks;
  for (int i = 0; i < 100; i++) once();
  size_t grown = mallinfo2().uordblks > memory ? mallinfo2().uordblks - memory : 0;
  int threads_after = settled("/proc/self/task", threads), descriptors_after = settled("/proc/self/fd", descriptors);
  printf("again: threads %d -> %d, descriptors %d -> %d, memory %zu + %zu\n", threads, threads_after, descriptors,
         descriptors_after, memory, grown);
  CHECK(threads_after == threads && descriptors_after == descriptors);
  CHECK(grown < 100 * 1024);  // one leaked allocation of 1 KiB a round would be more
}
