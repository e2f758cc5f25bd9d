// The conformance runner in C: plays the scripts it is given, and prints what the README beside them asks for.

#include "player.h"

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: %s <script>...\n", argv[0]);
    return 2;
  }
  size_t played = 0, steps = 0;
  int failures = 0;
  for (int i = 1; i < argc; i++) {
    failures += !play(argv[i], &played, &steps);
    fflush(stdout);
  }
  printf("conformance: %zu scripts, %zu steps passed", played, steps);
  if (failures > 0) printf(", %d failed", failures);
  putchar('\n');
  return failures > 0;
}
