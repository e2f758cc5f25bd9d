// Reads through the C interface: `get ENTRIES ROUNDS` prints the median nanoseconds of one p2pmap_map_get into the
// caller's buffer, over 64 keys and over all of them in random order.

#include "bench.h"

enum { BLOCK = 1000, HOT = 64 };

// The median nanoseconds of one read; block after block of `keys`, from the start again after `blocks`.
static double read_blocks(p2pmap_map *map, const char *keys, size_t blocks, size_t rounds) {
  uint64_t *took = calloc(rounds, sizeof *took);
  if (took == NULL) fail("no memory");
  for (size_t round = 0; round < rounds; round++) {
    const char *key = keys + round % blocks * BLOCK * KEY;
    uint64_t start = now_ns();
    for (size_t at = 0; at < BLOCK; at++, key += KEY) {
      char value[VALUE];
      size_t len;
      if (p2pmap_map_get(map, key, KEY, value, sizeof value, &len, NULL) != P2PMAP_OK || len != VALUE) fail("absent");
    }
    took[round] = now_ns() - start;
  }
  double one = (double)median(took, rounds) / BLOCK;
  free(took);
  return one;
}

int main(int argc, char **argv) {
  if (argc != 3) fail("usage: get ENTRIES ROUNDS");
  size_t entries = strtoull(argv[1], NULL, 10), rounds = strtoull(argv[2], NULL, 10);
  p2pmap_map *map;
  if (entries < BLOCK || p2pmap_open("bench", NULL, &map, NULL) != P2PMAP_OK) fail("cannot open");

  char *keys = malloc(entries * KEY), *hot = malloc(BLOCK * KEY), value[VALUE];
  if (keys == NULL || hot == NULL) fail("no memory");
  memset(value, 'v', sizeof value);
  for (size_t at = 0; at < entries; at++) {
    write_key(keys + at * KEY, at);
    if (p2pmap_map_put(map, keys + at * KEY, KEY, value, sizeof value, NULL, NULL) != P2PMAP_OK) fail("cannot put");
  }
  uint64_t random = 0x9e3779b97f4a7c15;
  for (size_t at = entries - 1; at > 0; at--) {
    random ^= random << 13, random ^= random >> 7, random ^= random << 17;
    char *a = keys + at * KEY, *b = keys + random % (at + 1) * KEY, swap[KEY];
    memcpy(swap, a, KEY), memmove(a, b, KEY), memcpy(b, swap, KEY);
  }
  for (size_t at = 0; at < BLOCK; at++) memcpy(hot + at * KEY, keys + at % HOT * KEY, KEY);

  double when_hot = read_blocks(map, hot, 1, rounds);
  printf("%.1f %.1f\n", when_hot, read_blocks(map, keys, entries / BLOCK, rounds));
  p2pmap_map_free(map);
  free(keys);
  free(hot);
  return 0;
}
