// What the programs of this folder share: the load, the clock, and what to do when something fails.

#ifndef BENCH_H
#define BENCH_H

#define _POSIX_C_SOURCE 200809L

#include <p2pmap.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KEY = 16, VALUE = 100 };

static void fail(const char *what) {
  fprintf(stderr, "%s\n", what);
  exit(1);
}

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// The number in 16 digits.
static void write_key(char *key, size_t number) {
  for (int digit = KEY - 1; digit >= 0; digit--, number /= 10) key[digit] = (char)('0' + number % 10);
}

static int by_size(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

static uint64_t median(uint64_t *samples, size_t count) {
  qsort(samples, count, sizeof *samples, by_size);
  return samples[count / 2];
}

#endif
