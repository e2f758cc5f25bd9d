#include <cstdio>
#include <p2pmap.hpp>

int main() {
  auto flags = p2pmap::open("flags");
  // Callbacks run on a thread of their own; printf writes a line as a whole.
  auto changes = flags.subscribe([](const p2pmap::events &batch) {
    for (const p2pmap::event &change : batch) std::printf("%s %s\n", change.kind_name(), std::string(change.key()).c_str());
  });

  flags.put("dark_mode", "on");
  if (auto value = flags.get("dark_mode")) std::printf("dark_mode is %s\n", value->c_str());
  for (const p2pmap::entry &entry : flags.scan({"dark_"})) {
    std::printf("%s by %s\n", entry.key.c_str(), entry.stamp.author_id().c_str());
  }
}
