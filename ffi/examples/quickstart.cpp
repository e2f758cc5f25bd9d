#include <iostream>
#include <p2pmap.hpp>

int main() {
  auto flags = p2pmap::open("flags");
  auto changes = flags.subscribe([](const p2pmap::events &batch) {
    for (const p2pmap::event &change : batch) std::cout << change.kind_name() << ' ' << change.key() << std::endl;
  });

  flags.put("dark_mode", "on");
  if (auto value = flags.get("dark_mode")) std::cout << "dark_mode is " << *value << std::endl;
  for (const p2pmap::entry &entry : flags.scan({"dark_"})) std::cout << entry.key << " by " << entry.stamp.author_id() << std::endl;
}
