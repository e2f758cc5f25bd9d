#include <p2pmap.h>
#include <stdio.h>

static void on_change(const p2pmap_event *events, size_t count, void *user_data) {
  (void)user_data;
  for (size_t i = 0; i < count; i++)
    printf("%s %.*s\n", p2pmap_event_kind_name(events[i].kind), (int)events[i].key_len, (const char *)events[i].key);
}

int main(void) {
  p2pmap_map *flags;
  p2pmap_subscription *changes;
  if (p2pmap_open("flags", NULL, &flags, NULL) != P2PMAP_OK) return 1;
  if (p2pmap_map_subscribe(flags, NULL, on_change, NULL, NULL, &changes, NULL) != P2PMAP_OK) return 1;

  char value[16];
  size_t len;
  p2pmap_map_put(flags, "dark_mode", 9, "on", 2, NULL, NULL);
  if (p2pmap_map_get(flags, "dark_mode", 9, value, sizeof value, &len, NULL) == P2PMAP_OK)
    printf("dark_mode is %.*s\n", (int)len, value);

  p2pmap_subscription_free(changes);
  p2pmap_map_free(flags);
}
