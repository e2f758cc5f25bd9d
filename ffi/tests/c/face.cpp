// The C++ face: handles that close themselves, exceptions, ranges, lambdas.

#include <p2pmap.hpp>

#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <thread>

#define CHECK(condition)                                                                    \
  do {                                                                                      \
    if (!(condition)) {                                                                     \
      std::cerr << __FILE__ << ':' << __LINE__ << ": failed: " << #condition << std::endl;  \
      std::exit(1);                                                                         \
    }                                                                                       \
  } while (0)

// The status of the exception that a call throws; 0 when it throws none.
template <class F>
p2pmap_status thrown(F &&call) {
  try {
    call();
  } catch (const p2pmap::error &error) {
    CHECK(*error.what() != '\0' && *error.name() != '\0');
    return error.code();
  }
  return P2PMAP_OK;
}

static void values_go_in_and_out() {
  auto map = p2pmap::open("values");
  const std::string nul("a\0b", 3), large(100000, 'x');
  const p2pmap::stamp first = map.put(nul, nul), second = map.put("large", large);
  CHECK(first < second && first != second && first == map.entry(nul)->stamp);
  CHECK(map.get(nul) == nul && map.get("large") == large && !map.get("absent"));
  CHECK(map.view("large")->bytes() == large && !map.view("absent") && !map.entry("absent"));
  CHECK(map.size() == 2 && !map.empty() && map.contains(nul) && !map.contains("absent"));
  CHECK(map.remove("large") && !map.remove("large") && map.name() == "values");
  CHECK(map.status().live == 1 && p2pmap::to_string(map.status().digest).size() == 64);
  CHECK(first.author_id() == map.node().id() && map.contains(nul));
}

static void a_scan_is_a_range() {
  auto map = p2pmap::open("scans");
  p2pmap::batch batch;
  batch.put("a/1", "1").put("a/2", "2").put("b/1", "3").remove("a/3");
  CHECK(map.apply(batch).has_value() && !map.apply(p2pmap::batch()).has_value());
  std::string seen;
  for (const p2pmap::entry &entry : map.scan()) seen += entry.key + '=' + entry.value + ' ';
  CHECK(seen == "a/1=1 a/2=2 b/1=3 ");
  p2pmap::scan_options options("a/");
  options.reverse = true;
  options.limit = 1;
  for (const p2pmap::entry &entry : map.scan(options)) seen = entry.key;
  CHECK(seen == "a/2");
  options.limit = 0;
  auto nothing = map.scan(options);
  CHECK(nothing.begin() == nothing.end());
  CHECK(map.remove_prefix("a/") == 2);
}

static void errors_are_thrown() {
  CHECK(thrown([] { p2pmap::config().set("no_such_option", "1"); }) == P2PMAP_INVALID_CONFIG);
  CHECK(thrown([] { p2pmap::open(""); }) == P2PMAP_INVALID_ARGUMENT);
  auto map = p2pmap::open("errors");
  auto moved = std::move(map);
  CHECK(thrown([&] { map.put("k", "v"); }) == P2PMAP_INVALID_ARGUMENT);
  moved.close();
  moved.close();
  CHECK(thrown([&] { moved.put("k", "v"); }) == P2PMAP_CLOSED);
  CHECK(thrown([&] { moved.get("k"); }) == P2PMAP_CLOSED);
  CHECK(thrown([&] { moved.scan(); }) == P2PMAP_CLOSED);
}

static void a_lambda_is_called_back() {
  std::mutex lock;
  std::condition_variable told;
  std::string seen;
  auto map = p2pmap::open("lambdas");
  auto token = std::make_shared<int>(1);
  {
    auto changes = map.subscribe([&, token](const p2pmap::events &batch) {
      std::lock_guard<std::mutex> guard(lock);
      for (const p2pmap::event &event : batch)
        seen += std::string(event.kind_name()) + ' ' + std::string(event.key()) + (event.is_local() ? " local;" : " remote;");
      told.notify_all();
    });
    CHECK(changes.is_active() && token.use_count() == 2);
    map.put("sky", "blue");
    std::unique_lock<std::mutex> guard(lock);
    told.wait(guard, [&] { return seen == "put sky local;"; });
  }
  CHECK(token.use_count() == 1);  // the lambda is gone with the subscription
}

static void a_watch_is_pulled() {
  auto map = p2pmap::open("watches");
  map.put("a", "1");
  auto watch = map.watch({"", true});
  const auto first = watch.recv();
  CHECK(!first.empty() && first[0].value() == "1" && !first[0].old_value());
  CHECK(watch.fd() >= 0);
  std::thread closer([&] { map.close(); });
  while (!watch.is_ended()) watch.recv();
  closer.join();
}

static void a_validator_that_throws_says_no() {
  p2pmap::config config;
  config.validator([](std::string_view, std::string_view value) {
    if (value == "throw") throw std::runtime_error("no");
    return value != "pink";
  });
  auto map = p2pmap::open("validated", config);
  CHECK(thrown([&] { map.put("k", "pink"); }) == P2PMAP_INVALID_VALUE);
  CHECK(thrown([&] { map.put("k", "throw"); }) == P2PMAP_INVALID_VALUE);
  map.put("k", "blue");
}

static void a_node_opens_maps() {
  p2pmap::node node(p2pmap::config().set("cluster_id", "blue"));
  auto one = node.map("one"), again = node.map("one"), two = node.map("two", p2pmap::map_options());
  one.put("k", "v");
  CHECK(again.get("k") == "v" && !two.get("k"));
  CHECK((node.maps() == std::vector<std::string>{"one", "two"}) && !node.addrs().empty() && node.peers().empty());
  CHECK(node.status().maps == 2 && one.peers().empty());
  node.close();
  CHECK(thrown([&] { one.get("k"); }) == P2PMAP_CLOSED);
}

static void an_entry_may_expire() {
  using namespace std::chrono_literals;
  using p2pmap::milliseconds;
  auto map = p2pmap::open("sessions", p2pmap::config().set("default_ttl_ms", "3600000"));
  // From the write to the expiry.
  const auto left = [&](std::string_view key) {
    const auto entry = map.entry(key);
    return *entry->expires_at - milliseconds(entry->stamp.time_ms());
  };
  map.put("default", "1");
  map.put("day", "1", 24h);
  map.put("never", "1", std::nullopt);
  map.put("forever", "1", p2pmap::forever);
  CHECK(left("default") > 59min && left("default") < 61min && left("day") > 23h && left("day") < 25h);
  CHECK(!map.entry("never")->expires_at && !map.entry("forever")->expires_at);
  for (const milliseconds wrong : {0ms, -1ms, milliseconds(3155760000001)})
    CHECK(thrown([&] { map.put("never", "2", wrong); }) == P2PMAP_INVALID_ARGUMENT);
  p2pmap::batch batch;
  map.apply(batch.put("batch", "1", 24h).put("never", "2", std::nullopt).put("default", "2"));
  CHECK(left("batch") > 23h && left("default") < 61min && !map.entry("never")->expires_at && map.get("never") == "2");
}

static void a_write_is_waited_for() {
  using namespace std::chrono_literals;
  p2pmap::node one, two(p2pmap::config().set("bootstrap", one.addrs().at(0)));
  auto here = one.map("colours"), there = two.map("colours");
  const p2pmap::stamp sky = here.put("sky", "blue");
  CHECK(here.wait_replicated(sky, 1, 20s) == std::vector<std::string>{two.id()} && there.get("sky") == "blue");
  const p2pmap::stamp told(sky.timestamp, sky.epoch, p2pmap::parse_peer_id(one.id()));
  CHECK(told == sky && there.wait_replicated(told, 1, p2pmap::forever).size() == 1);
  CHECK(here.wait_replicated(sky, 0, 0ms).empty());
  CHECK(thrown([&] { here.wait_replicated(sky, 2, 100ms); }) == P2PMAP_TIMEOUT);
  CHECK(thrown([&] { here.wait_replicated({}, 1, 20s); }) == P2PMAP_INVALID_ARGUMENT);
  CHECK(thrown([] { p2pmap::parse_peer_id("0"); }) == P2PMAP_INVALID_ARGUMENT);
  here.sync(20s);
  const auto peers = here.peers();
  CHECK(peers.size() == 1 && peers[0].connected && peers[0].in_sync == true && peers[0].behind == 0u);
  CHECK(one.peers().at(0).id == two.id() && here.status().hidden == 0);
}

static void an_identity_lasts_and_may_be_banned(const std::string &path) {
  const std::string id = p2pmap::generate_identity(path);
  CHECK(thrown([&] { p2pmap::generate_identity(path); }) == P2PMAP_INVALID_ARGUMENT);
  p2pmap::node one, two(p2pmap::config().set("identity_file", path));
  CHECK(two.id() == id && one.banned().empty());
  one.ban(id);
  CHECK(one.banned() == std::vector<std::string>{id});
  CHECK(thrown([&] { two.connect(one.addrs().at(0), p2pmap::milliseconds(20000)); }) == P2PMAP_NETWORK);
  CHECK(std::string(two.status().admission_error).find("banned") != std::string::npos);
  CHECK(thrown([&] { one.ban(one.id()); }) == P2PMAP_INVALID_ARGUMENT && thrown([&] { one.ban("0"); }) == P2PMAP_INVALID_ARGUMENT);
}

static void a_signed_map_has_writers() {
  p2pmap::node one, two(p2pmap::config().set("bootstrap", one.addrs().at(0)));
  const auto signed_by_one = [&] { return p2pmap::map_options().set("signed", "true").set("writers", one.id()); };
  auto here = one.map("colours", signed_by_one()), there = two.map("colours", signed_by_one());
  here.wait_replicated(here.put("sky", "blue"), 1, p2pmap::milliseconds(20000));
  CHECK(there.get("sky") == "blue" && thrown([&] { there.put("sky", "grey"); }) == P2PMAP_NOT_PERMITTED);
}

int main() {
  const char *directory = std::getenv("TMPDIR");
  const std::string path = std::string(directory ? directory : "/tmp") + "/p2pmap-face-" + std::to_string(::getpid());
  an_identity_lasts_and_may_be_banned(path);
  std::remove(path.c_str());
  a_signed_map_has_writers();
  values_go_in_and_out();
  a_scan_is_a_range();
  errors_are_thrown();
  a_lambda_is_called_back();
  a_watch_is_pulled();
  a_validator_that_throws_says_no();
  a_node_opens_maps();
  an_entry_may_expire();
  a_write_is_waited_for();
  std::cout << "face: ok" << std::endl;
}
