// The conformance runner in C++, over <p2pmap.hpp>: plays the scripts it is given, and prints what the README beside them asks for.

#include "player.hpp"

#include <fstream>
#include <iostream>
#include <thread>

namespace {

constexpr std::chrono::milliseconds wait_time{10000};

bool is_error(const words &result) { return result.size() == 1 && !result[0].empty() && result[0][0] == '!'; }

// Runs an operation; what it throws becomes its result, and `said` the sentence.
words perform(player &player, const std::string &name, const words &arguments, std::string &said) {
  try {
    return player.run(name, arguments);
  } catch (const p2pmap::error &error) {
    said = error.what();
    return {std::string("!") + error.name()};
  }
}

void step(player &player, words line) {
  const bool await = line.at(0) == "await";
  if (await) line.erase(line.begin());
  std::size_t arrow = 1;
  while (arrow < line.size() && line[arrow] != "->" && line[arrow] != "=>") arrow++;
  const words arguments(line.begin() + 1, line.begin() + static_cast<std::ptrdiff_t>(arrow));
  const bool expects = arrow < line.size() && line[arrow] == "->", remembers = arrow < line.size() && !expects;

  words expected;
  for (std::size_t i = arrow + 1; expects && i < line.size(); i++) expected.push_back(decode(line[i], player.known));
  std::string said;
  words got = perform(player, line.at(0), arguments, said);
  for (const auto limit = std::chrono::steady_clock::now() + wait_time; await && got != expected;) {
    if (std::chrono::steady_clock::now() >= limit) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    got = perform(player, line.at(0), arguments, said);
  }
  if (expects ? got != expected : is_error(got)) throw failure("expected " + show(expected) + " got " + show(got) + " [" + said + "]");
  if (remembers && got.size() != 1) throw failure("not one token to remember");
  if (remembers) player.known[line.at(arrow + 1)] = got[0];
}

words split(const std::string &line) {
  words out{""};
  for (const char c : line) {
    if (c == ' ') out.emplace_back();
    else out.back() += c;
  }
  return out;
}

// Plays one script; false when it failed.
bool play(const std::string &path, std::size_t &played, std::size_t &steps) {
  std::ifstream file(path);
  player player;
  std::string line;
  int number = 0;
  try {
    if (!file) throw failure("cannot be read");
    for (; std::getline(file, line); ) {
      number++;
      if (line.empty() || line[0] == '#') continue;
      step(player, split(line));
      steps++;
    }
    std::cout << "ok " << path << std::endl;
  } catch (const skipped &feature) {
    std::cout << "skip " << path << ": requires " << feature.what() << std::endl;
    return true;
  } catch (const std::exception &problem) {
    std::cout << "FAIL " << path << ':' << number << ' ' << problem.what() << std::endl;
    return played++, false;
  }
  return played++, true;
}

}  // namespace

int main(int argc, char **argv) {
  if (argc < 2) {
    std::cerr << "usage: " << argv[0] << " <script>..." << std::endl;
    return 2;
  }
  std::size_t played = 0, steps = 0;
  int failures = 0;
  for (int i = 1; i < argc; i++) failures += !play(argv[i], played, steps);
  std::cout << "conformance: " << played << " scripts, " << steps << " steps passed";
  if (failures > 0) std::cout << ", " << failures << " failed";
  std::cout << std::endl;
  return failures > 0;
}
