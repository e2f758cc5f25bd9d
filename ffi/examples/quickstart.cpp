#include <iostream>
#include <p2pmap.hpp>
#include <string>

// One insertion a line: changes are told on a thread of their own, and lines of two threads must not mix.
static void say(const std::string &line) { std::cout << line + "\n" << std::flush; }

int main() {
  auto flags = p2pmap::open("flags");
  auto changes = flags.subscribe([](const p2pmap::events &batch) {
    for (const p2pmap::event &change : batch) say(std::string(change.kind_name()) + " " + std::string(change.key()));
  });

  flags.put("dark_mode", "on");
  if (auto value = flags.get("dark_mode")) say("dark_mode is " + *value);
  for (const p2pmap::entry &entry : flags.scan({"dark_"})) say(entry.key + " by " + std::string(entry.stamp.author_id()));
}
