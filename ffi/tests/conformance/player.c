// Plays scripts, line by line, and says how it went.

#include "player.h"

#include <ftw.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

bool problem(player *p, const char *what, const char *which) {
  snprintf(p->problem, sizeof p->problem, "%s: %s", what, which);
  return false;
}

thing *new_thing(player *p, const char *name, kind kind) {
  if (p->thing_count == MAX_THINGS || strlen(name) >= MAX_NAME) return problem(p, "too many or too long", name), NULL;
  thing *made = &p->things[p->thing_count];
  *made = (thing){.kind = kind};
  strcpy(made->name, name);
  return made;  // counted by who opened it
}

thing *find(player *p, const char *name, kind kind) {
  for (size_t i = 0; i < p->thing_count; i++)
    if (strcmp(p->things[i].name, name) == 0 && p->things[i].kind == kind) return &p->things[i];
  problem(p, "nothing of this kind is open", name);
  return NULL;
}

bool split_option(player *p, const char *word, char name[64], bytes *value) {
  const char *equals = strchr(word, '=');
  if (!equals || equals - word >= 64) return problem(p, "not an option", word);
  memcpy(name, word, (size_t)(equals - word));
  name[equals - word] = 0;
  return decode(p, equals + 1, value);
}

static const operation_row *operation_named(const char *name) {
  const operation_row *tables[] = {node_operations, map_operations, event_operations};
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
    for (const operation_row *row = tables[i]; row->name; row++)
      if (strcmp(row->name, name) == 0) return row;
  return NULL;
}

static long long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static bool same(const result *a, const result *b) {
  if (a->count != b->count) return false;
  for (size_t i = 0; i < a->count; i++)
    if (!bytes_equal(a->items[i], b->items[i])) return false;
  return true;
}

static bool is_error(const result *r) { return r->count == 1 && r->items[0].data[0] == '!'; }

static bool differs(player *p, const result *expected, const result *got) {
  char want[600], have[600];
  show(expected, want, sizeof want);
  show(got, have, sizeof have);
  snprintf(p->problem, sizeof p->problem, "expected %.80s got %.80s [%.60s]", want, have, got->message);
  return false;
}

static bool remember(player *p, const char *name, const result *got) {
  if (got->count != 1 || is_error(got)) return problem(p, "not one token to remember as", name);
  if (p->variable_count == MAX_VARIABLES || strlen(name) >= MAX_NAME) return problem(p, "too many or too long", name);
  strcpy(p->variables[p->variable_count].name, name);
  p->variables[p->variable_count++].value = bytes_copy(got->items[0].data, got->items[0].len);
  return true;
}

// Runs an operation until its result is the one expected, or the time is up.
static bool awaited(player *p, const operation_row *row, arguments words, const result *expected, result *got) {
  for (long long limit = now_ms() + WAIT_MS;;) {
    if (!row->run(p, words, got)) return false;
    if (same(got, expected)) return true;
    if (now_ms() >= limit) return differs(p, expected, got);
    clear(got);
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
  }
}

static bool step(player *p, char **words, int count) {
  bool await = count > 0 && strcmp(words[0], "await") == 0;
  if (await) words++, count--;
  const operation_row *row = count > 0 ? operation_named(words[0]) : NULL;
  if (!row) return problem(p, "no such operation", count > 0 ? words[0] : "");
  int arrow = 1;
  while (arrow < count && strcmp(words[arrow], "->") != 0 && strcmp(words[arrow], "=>") != 0) arrow++;
  arguments own = {words + 1, arrow - 1};
  if (own.count < row->least) return problem(p, "too few words for", row->name);
  bool expects = arrow < count && strcmp(words[arrow], "->") == 0, remembers = arrow < count && !expects;

  result expected = {0}, got = {0};
  bool good = true;
  for (int i = arrow + 1; expects && good && i < count; i++) {
    bytes token;
    good = decode(p, words[i], &token) && add(&expected, token.data, token.len);
    if (good) free(token.data);
  }
  if (good && await) good = awaited(p, row, own, &expected, &got);
  else if (good) good = row->run(p, own, &got);
  if (good && expects && !same(&expected, &got)) good = differs(p, &expected, &got);
  else if (good && remembers) good = remember(p, words[arrow + 1], &got);
  else if (good && !expects && is_error(&got)) good = differs(p, &expected, &got);
  clear(&expected);
  clear(&got);
  return good;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where) {
  (void)info, (void)type, (void)where;
  return remove(path);
}

static void remove_tree(char *directory) {
  nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
  free(directory);
}

static void close_all(player *p) {
  for (int order = WATCH; order >= NODE; order--)  // watches and subscriptions, then maps, then nodes
    for (size_t i = p->thing_count; i-- > 0;) {
      thing *t = &p->things[i];
      if ((int)t->kind != order) continue;
      if (order == WATCH) p2pmap_watch_free(t->as.watch);
      if (order == SUBSCRIPTION) p2pmap_subscription_free(t->as.subscription), free_queue(t->queue);
      if (order == MAP) p2pmap_map_close(t->as.map, NULL), p2pmap_map_free(t->as.map);
      if (order == NODE) p2pmap_node_free(t->as.node);
    }
  for (size_t i = 0; i < p->thing_count; i++)
    if (p->things[i].kind == SOCKET) close(p->things[i].as.socket);
    else if (p->things[i].kind == DIRECTORY) remove_tree(p->things[i].as.directory);
  for (size_t i = 0; i < p->variable_count; i++) free(p->variables[i].value.data);
}

// Splits a line at single spaces.
static int split(char *line, char **words) {
  int count = 0;
  for (char *word; (word = strsep(&line, " "));) {
    if (count == MAX_TOKENS) return -1;
    words[count++] = word;
  }
  return count;
}

bool play(const char *path, size_t *played, size_t *steps) {
  FILE *file = fopen(path, "r");
  if (!file) return printf("FAIL %s:0 cannot be read\n", path), false;
  player p = {0};
  char line[4096], *words[MAX_TOKENS];
  int number = 0;
  bool good = true;
  while (good && !p.skip && fgets(line, sizeof line, file)) {
    number++;
    line[strcspn(line, "\n")] = 0;
    if (line[0] == 0 || line[0] == '#') continue;
    int count = split(line, words);
    good = count < 0 ? problem(&p, "more words than", "64") : step(&p, words, count);
    if (good && !p.skip) ++*steps;
  }
  fclose(file);
  if (!good) printf("FAIL %s:%d %s\n", path, number, p.problem);
  else if (p.skip) printf("skip %s: requires %s\n", path, p.problem);
  else printf("ok %s\n", path);
  close_all(&p);
  *played += !p.skip;
  return good;
}
