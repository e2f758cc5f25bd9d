// One process of a cluster that shares the machine's services: it loads its part of a file in the format of /etc/services
// into the map `services`, tells every change, and takes commands on standard input.
//
//     services <name> <bootstrap address or ""> <file> <part> <parts>
//
//     cc services.c $(pkg-config --cflags --libs p2pmap) -o services
//     ./services one "" /etc/services 0 2        prints: addr /ip4/127.0.0.1/tcp/...
//     ./services two <that address> /etc/services 1 2

#define _POSIX_C_SOURCE 200809L

#include <p2pmap.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PING "~ping/"

// What the callback has seen. It runs on a thread of the library, so a lock stands between it and main.
static struct {
  pthread_mutex_t lock;
  size_t events;
  long long *latencies_us;
  size_t latency_count, latency_room;
} seen = {.lock = PTHREAD_MUTEX_INITIALIZER};

static long long now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

// Why the last call of main failed.
static p2pmap_error *error;

// Ends the program when a call failed, and says why.
static void check(p2pmap_status status) {
  if (status >= 0) return;
  fprintf(stderr, "services: %s: %s\n", p2pmap_status_name(status), p2pmap_error_message(error));
  p2pmap_error_free(error);
  exit(1);
}

static void keep_latency(long long latency_us) {
  if (seen.latency_count == seen.latency_room) {
    seen.latency_room = seen.latency_room ? 2 * seen.latency_room : 256;
    seen.latencies_us = realloc(seen.latencies_us, seen.latency_room * sizeof *seen.latencies_us);
    if (!seen.latencies_us) abort();
  }
  seen.latencies_us[seen.latency_count++] = latency_us;
}

static void on_event(const p2pmap_event *event) {
  if (event->kind == P2PMAP_EVENT_SYNCED) return;
  char author[P2PMAP_PEER_ID_TEXT_BYTES] = "-", latency[24] = "-";
  p2pmap_peer_id_text(&event->stamp.author, author, sizeof author, NULL);
  if (event->key_len < strlen(PING) || memcmp(event->key, PING, strlen(PING)) != 0) {
    seen.events++;
  } else if (event->kind == P2PMAP_EVENT_PUT && !event->local) {
    char value[24] = "";
    memcpy(value, event->value, event->value_len < sizeof value ? event->value_len : sizeof value - 1);
    keep_latency(now_us() - atoll(value));
    snprintf(latency, sizeof latency, "%lld", seen.latencies_us[seen.latency_count - 1]);
  }
  printf("event %s %.*s %s %s %s\n", p2pmap_event_kind_name(event->kind), (int)event->key_len, (const char *)event->key,
         event->local ? "local" : "remote", author, latency);
}

// The change callback: a batch of events, valid until it returns.
static void on_events(const p2pmap_event *events, size_t count, void *user_data) {
  (void)user_data;
  pthread_mutex_lock(&seen.lock);
  for (size_t i = 0; i < count; i++) on_event(&events[i]);
  pthread_mutex_unlock(&seen.lock);
}

static void put(p2pmap_map *map, const char *key, const char *value) {
  check(p2pmap_map_put(map, key, strlen(key), value, strlen(value), NULL, &error));
}

// `http 80/tcp www # x` becomes `http/tcp` -> `80 www`.
static void load_line(p2pmap_map *map, char *line) {
  char key[256], value[1024];
  char *name = strtok(line, " \t\n"), *port = strtok(NULL, " \t\n");
  char *protocol = port ? strchr(port, '/') : NULL;
  if (!protocol) return;
  *protocol++ = '\0';
  snprintf(key, sizeof key, "%s/%s", name, protocol);
  snprintf(value, sizeof value, "%s", port);
  for (char *alias; (alias = strtok(NULL, " \t\n"));) {
    size_t len = strlen(value);
    snprintf(value + len, sizeof value - len, " %s", alias);
  }
  put(map, key, value);
}

static void load(p2pmap_map *map, const char *path, long part, long parts) {
  FILE *file = fopen(path, "r");
  if (!file) {
    perror(path);
    exit(1);
  }
  char line[2048];
  for (long index = 0; fgets(line, sizeof line, file);) {
    line[strcspn(line, "#")] = '\0';
    if (line[strspn(line, " \t\r\n")] == '\0') continue;
    if (index++ % parts == part) load_line(map, line);
  }
  fclose(file);
}

// Puts the time n times, for the others to measure how long it takes to reach them.
static void ping(p2pmap_map *map, const char *name, long count) {
  char key[256], value[24];
  snprintf(key, sizeof key, PING "%s", name);
  for (long i = 0; i < count; i++) {
    snprintf(value, sizeof value, "%lld", now_us());
    put(map, key, value);
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
  }
  check(p2pmap_map_remove(map, key, strlen(key), NULL, &error));
}

static int ascending(const void *a, const void *b) {
  long long x = *(const long long *)a, y = *(const long long *)b;
  return (x > y) - (x < y);
}

static void report(p2pmap_map *map) {
  p2pmap_map_report status = {.struct_size = sizeof status};
  check(p2pmap_map_status(map, &status, &error));
  char digest[P2PMAP_DIGEST_TEXT_BYTES], median[24] = "-";
  p2pmap_digest_text(&status.digest, digest, sizeof digest, NULL);
  pthread_mutex_lock(&seen.lock);
  if (seen.latency_count > 0) {
    qsort(seen.latencies_us, seen.latency_count, sizeof *seen.latencies_us, ascending);
    snprintf(median, sizeof median, "%lld", seen.latencies_us[seen.latency_count / 2]);
  }
  printf("report entries=%zu digest=%s events=%zu latency_us=%s\n", status.live, digest, seen.events, median);
  pthread_mutex_unlock(&seen.lock);
}

// Reads and answers one command; false at the end.
static bool command(p2pmap_map *map, const char *name) {
  char line[4096];
  if (!fgets(line, sizeof line, stdin)) return false;
  line[strcspn(line, "\n")] = '\0';
  char *verb = strtok(line, " "), *key = strtok(NULL, " "), *value = strtok(NULL, "");
  if (!verb) verb = "";
  if (strcmp(verb, "put") == 0 && key) {
    put(map, key, value ? value : "");
    puts("ok");
  } else if (strcmp(verb, "remove") == 0 && key) {
    bool removed = false;
    check(p2pmap_map_remove(map, key, strlen(key), &removed, &error));
    printf("ok %s\n", removed ? "true" : "false");
  } else if (strcmp(verb, "ping") == 0 && key) {
    ping(map, name, atol(key));
    puts("ok");
  } else if (strcmp(verb, "report") == 0) {
    report(map);
  } else if (strcmp(verb, "quit") == 0) {
    return false;
  } else {
    puts("error unknown command");
  }
  return true;
}

static p2pmap_node *open_node(const char *bootstrap) {
  p2pmap_config *config = p2pmap_config_new();
  check(p2pmap_config_set_env(config, &error));
  if (*bootstrap) check(p2pmap_config_set(config, "bootstrap", bootstrap, &error));
  p2pmap_node *node = NULL;
  check(p2pmap_node_open(config, &node, &error));
  p2pmap_config_free(config);
  return node;
}

int main(int argc, char **argv) {
  if (argc != 6) {
    fprintf(stderr, "usage: services <name> <bootstrap address or \"\"> <file> <part> <parts>\n");
    return 2;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);  // each line at once, also into a pipe

  p2pmap_node *node = open_node(argv[2]);
  p2pmap_string_list addrs;
  check(p2pmap_node_addrs(node, &addrs, &error));
  for (size_t i = 0; i < addrs.count; i++) printf("addr %s\n", addrs.items[i]);
  p2pmap_string_list_free(&addrs);

  p2pmap_map *map = NULL;
  check(p2pmap_map_open(node, "services", NULL, &map, &error));
  p2pmap_subscribe_options everything = {.struct_size = sizeof everything, .snapshot = true};
  p2pmap_subscription *changes = NULL;
  check(p2pmap_map_subscribe(map, &everything, on_events, NULL, NULL, &changes, &error));
  load(map, argv[3], atol(argv[4]), atol(argv[5]));
  while (command(map, argv[1])) continue;

  p2pmap_subscription_free(changes);
  p2pmap_map_free(map);
  p2pmap_node_free(node);  // closes it: says goodbye to the peers
  free(seen.latencies_us);
  return 0;
}
