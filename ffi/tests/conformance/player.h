// The parts of the conformance runner in C. The format of the scripts: tests/conformance/README.md of this project.

#ifndef PLAYER_H
#define PLAYER_H

#define _GNU_SOURCE

#include <p2pmap.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TOKENS = 64, MAX_THINGS = 64, MAX_VARIABLES = 32, MAX_NAME = 32, WAIT_MS = 10000 };

typedef struct {
  uint8_t *data;  // never NULL; a zero byte follows
  size_t len;
} bytes;

// What a step gave: byte strings, and for an error what it said.
typedef struct {
  bytes *items;
  size_t count, room;
  char message[256];
} result;

typedef enum { NODE, MAP, SUBSCRIPTION, WATCH, SOCKET, DIRECTORY } kind;

// An event that was handed to a callback, or taken from a watch.
typedef struct queued {
  struct queued *next;
  p2pmap_event_kind kind;
  bool local;
  bytes key, value, old_value;  // a value that is not there has no data
  p2pmap_stamp stamp;
} queued;

// What a callback appends to, and `event` takes from.
typedef struct {
  pthread_mutex_t lock;
  pthread_cond_t told;
  queued *first, **last;
  bool ended;
} queue;

// Something that a script opened and named.
typedef struct {
  char name[MAX_NAME];
  kind kind;
  union {
    p2pmap_node *node;
    p2pmap_map *map;
    p2pmap_subscription *subscription;
    p2pmap_watch *watch;
    int socket;
    char *directory;
  } as;
  queue *queue;       // of a subscription
  p2pmap_stamp stamp; // of the event taken last
} thing;

typedef struct {
  thing things[MAX_THINGS];
  size_t thing_count;
  struct {
    char name[MAX_NAME];
    bytes value;
  } variables[MAX_VARIABLES];
  size_t variable_count;
  char problem[256];  // why a step cannot be played
  bool skip;
} player;

// A step's words after its operation.
typedef struct {
  char **words;
  int count;
} arguments;

typedef bool (*operation)(player *, arguments, result *);
typedef struct {
  const char *name;
  int least;  // words that it needs
  operation run;
} operation_row;

extern const operation_row node_operations[], map_operations[], event_operations[];

// bytes and results (token.c)
bytes bytes_copy(const void *data, size_t len);
bool bytes_equal(bytes a, bytes b);
bool decode(player *, const char *token, bytes *value);
void show(const result *, char *out, size_t capacity);
bool add(result *, const void *data, size_t len);
bool add_text(result *, const char *text);
bool add_number(result *, size_t number);
bool add_bool(result *, bool yes);
bool add_peer(result *, const p2pmap_peer_id *);
bool add_stamp(result *, const p2pmap_stamp *);
bool read_stamp(player *, const char *token, p2pmap_stamp *);
bool or_none(result *);
bool failed(result *, p2pmap_status, p2pmap_error *);
void clear(result *);

// events (events.c)
void free_queue(queue *);

// the player (player.c)
bool problem(player *, const char *what, const char *which);
bool play(const char *path, size_t *played, size_t *steps);
thing *new_thing(player *, const char *name, kind);
thing *find(player *, const char *name, kind);
bool split_option(player *, const char *word, char name[64], bytes *value);

#endif
