// Two nodes: who holds a write, and what their reports say of each other.

#include "check.h"

typedef struct {
  p2pmap_node *node;
  p2pmap_map *map;
  char id[P2PMAP_PEER_ID_TEXT_BYTES];
} member;

// A node with one map; it joins through `first`, if there is one.
static member join(const char *cluster, const member *first) {
  member made;
  p2pmap_config *config = p2pmap_config_new();
  OK(p2pmap_config_set(config, "cluster_id", cluster, NULL));
  if (first) {
    p2pmap_string_list addrs;
    OK(p2pmap_node_addrs(first->node, &addrs, NULL));
    OK(p2pmap_config_set(config, "bootstrap", addrs.items[0], NULL));
    p2pmap_string_list_free(&addrs);
  }
  OK(p2pmap_node_open(config, &made.node, NULL));
  p2pmap_config_free(config);
  OK(p2pmap_map_open(made.node, "colours", NULL, &made.map, NULL));
  p2pmap_peer_id id;
  OK(p2pmap_node_id(made.node, &id, NULL));
  OK(p2pmap_peer_id_text(&id, made.id, sizeof made.id, NULL));
  return made;
}

static void leave(member *member) {
  p2pmap_map_free(member->map);
  p2pmap_node_free(member->node);
}

static void a_write_is_waited_for(const member *one, const member *two) {
  p2pmap_stamp stamp;
  p2pmap_string_list who;
  OK(p2pmap_map_put(one->map, "sky", 3, "blue", 4, &stamp, NULL));
  OK(p2pmap_map_wait_replicated(one->map, &stamp, 1, 20000, &who, NULL));
  CHECK(who.count == 1 && strcmp(who.items[0], two->id) == 0 && holds(two->map, "sky", "blue"));
  p2pmap_string_list_free(&who);
  p2pmap_string_list_free(&who);
  OK(p2pmap_map_wait_replicated(one->map, &stamp, 1, P2PMAP_FOREVER, NULL, NULL));

  // A stamp is its parts, told to whomever.
  p2pmap_stamp told = {.timestamp = stamp.timestamp, .epoch = stamp.epoch};
  OK(p2pmap_peer_id_parse(one->id, &told.author, NULL));
  CHECK(memcmp(&stamp, &told, sizeof stamp) == 0);
  OK(p2pmap_map_wait_replicated(two->map, &told, 1, 20000, &who, NULL));
  CHECK(who.count == 1 && strcmp(who.items[0], one->id) == 0);
  p2pmap_string_list_free(&who);
}

static void a_wait_that_fails_gives_nobody(const member *one, const member *stranger) {
  p2pmap_stamp here, elsewhere, none;
  p2pmap_error *error = NULL;
  p2pmap_string_list who = {.count = 77};
  memset(&none, 0, sizeof none);
  OK(p2pmap_map_put(one->map, "sky", 3, "grey", 4, &here, NULL));
  OK(p2pmap_map_put(stranger->map, "sky", 3, "red", 3, &elsewhere, NULL));
  OK(p2pmap_map_wait_replicated(one->map, &here, 1, 20000, NULL, NULL));
  EXPECT(P2PMAP_TIMEOUT, p2pmap_map_wait_replicated(one->map, &here, 2, 100, &who, &error));
  CHECK(strstr(p2pmap_error_message(error), "1") && who.count == 77);
  p2pmap_error_free(error);
  EXPECT(P2PMAP_INVALID_ARGUMENT, p2pmap_map_wait_replicated(one->map, &elsewhere, 1, 20000, &who, NULL));
  EXPECT(P2PMAP_INVALID_ARGUMENT, p2pmap_map_wait_replicated(one->map, &none, 1, 20000, &who, &error));
  CHECK(strstr(p2pmap_error_message(error), "stamp") && who.count == 77);
  p2pmap_error_free(error);
  OK(p2pmap_map_wait_replicated(one->map, &here, 0, 0, &who, NULL));
  CHECK(who.count == 0);
  p2pmap_string_list_free(&who);
}

static void reports_say_how_a_peer_compares(const member *one, const member *two) {
  OK(p2pmap_map_sync(one->map, 20000, NULL));
  p2pmap_map_peer_list peers;
  // What was written before they met came with a sync.
  OK(p2pmap_map_peers(two->map, &peers, NULL));
  CHECK(peers.count == 1 && peers.items[0].last_sync_ms > 0);
  p2pmap_map_peer_list_free(&peers);
  OK(p2pmap_map_peers(one->map, &peers, NULL));
  CHECK(peers.count == 1 && strcmp(peers.items[0].id, two->id) == 0);
  const p2pmap_map_peer *peer = &peers.items[0];
  CHECK(peer->connected && peer->in_sync == 1 && peer->behind == 0);
  CHECK(peer->ahead_entries == 0 && !peer->holds_up_forgetting);
  CHECK(peer->drift_ms == P2PMAP_UNKNOWN || (peer->drift_ms > -60000 && peer->drift_ms < 60000));
  p2pmap_map_peer_list_free(&peers);

  p2pmap_map_report map = {.struct_size = sizeof map};
  OK(p2pmap_map_status(one->map, &map, NULL));
  CHECK(map.peers == 1 && map.live == 2 && map.hidden == 0 && map.self_checks == 0 && map.forgotten == 0);
  CHECK(map.origins == 1 && map.clock_ahead_ms < 60000);
  p2pmap_node_report node = {.struct_size = sizeof node};
  OK(p2pmap_node_status(one->node, &node, NULL));
  CHECK(node.peers == 1 && !node.clock_suspect);
  CHECK(node.clock_drift_ms == P2PMAP_UNKNOWN || (node.clock_drift_ms > -60000 && node.clock_drift_ms < 60000));
}

int main(void) {
  member one = join("cluster", NULL), stranger = join("another", NULL);
  OK(put(one.map, "sea", "green"));
  member two = join("cluster", &one);
  a_write_is_waited_for(&one, &two);
  a_wait_that_fails_gives_nobody(&one, &stranger);
  reports_say_how_a_peer_compares(&one, &two);
  leave(&two), leave(&one), leave(&stranger);
  puts("cluster: ok");
}
