// A bare hash table with the load of these programs: the least that a native call takes which looks a key up.

#ifndef TABLE_H
#define TABLE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_KEY = 16, TABLE_VALUE = 100 };

typedef struct {
  char key[TABLE_KEY];
  char value[TABLE_VALUE];
} table_entry;

static table_entry *table_entries;
// For each slot the number of its entry, from 1; 0: none. Twice as many as entries at least.
static uint32_t *table_slots;
static uint64_t table_mask;

static uint64_t table_hash(const char *key) {
  uint64_t words[2];
  memcpy(words, key, sizeof words);
  uint64_t hash = (words[0] ^ (words[1] >> 29)) * 0x9e3779b97f4a7c15u;
  hash = (hash ^ words[1]) * 0xbf58476d1ce4e5b9u;
  return hash ^ (hash >> 32);
}

// The value of a key of TABLE_KEY bytes, or NULL.
static const char *table_find(const char *key) {
  for (uint64_t slot = table_hash(key);; slot++) {
    uint32_t number = table_slots[slot & table_mask];
    if (number == 0) return NULL;
    if (memcmp(table_entries[number - 1].key, key, TABLE_KEY) == 0) return table_entries[number - 1].value;
  }
}

// Fills it with keys that are there once each, one after the other in `keys`.
static inline void table_fill(const char *keys, uint32_t count) {
  uint64_t slots = 1;
  while (slots < 2 * (uint64_t)count) slots *= 2;
  table_entries = malloc(count * sizeof *table_entries);
  table_slots = calloc(slots, sizeof *table_slots);
  if (table_entries == NULL || table_slots == NULL) abort();
  table_mask = slots - 1;
  for (uint32_t number = 0; number < count; number++) {
    table_entry *entry = &table_entries[number];
    memcpy(entry->key, keys + (size_t)number * TABLE_KEY, TABLE_KEY);
    memset(entry->value, 'v', TABLE_VALUE);
    uint64_t slot = table_hash(entry->key);
    while (table_slots[slot & table_mask] != 0) slot++;
    table_slots[slot & table_mask] = number + 1;
  }
}

#endif
