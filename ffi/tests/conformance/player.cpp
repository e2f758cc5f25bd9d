// The operations of the scripts, over <p2pmap.hpp>.

#include "player.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <filesystem>
#include <fstream>
#include <sys/socket.h>
#include <unistd.h>

namespace {

constexpr std::chrono::milliseconds wait_time{10000};

std::string text(const p2pmap::stamp &stamp) {
  return std::to_string(stamp.timestamp) + '.' + std::to_string(stamp.epoch) + '.' + stamp.author_id();
}

// A stamp of the text that `text` made.
p2pmap::stamp stamp_of(const std::string &text) {
  const auto one = text.find('.'), two = text.find('.', one + 1);
  if (one == std::string::npos || two == std::string::npos) throw failure("not a stamp: " + text);
  return {std::stoull(text), std::stoull(text.substr(one + 1)), p2pmap::parse_peer_id(text.substr(two + 1))};
}

// `never`, or milliseconds.
std::optional<std::chrono::milliseconds> ttl(const std::string &word) {
  if (word == "never") return std::nullopt;
  return std::chrono::milliseconds(std::stoul(word));
}

std::string expires(const p2pmap::entry &entry) {
  if (!entry.expires_at) return "never";
  return entry.expires_at->count() > static_cast<std::int64_t>(entry.stamp.time_ms()) ? "later" : "before it was written";
}

std::string yes_no(bool yes) { return yes ? "true" : "false"; }

words or_none(words result) { return result.empty() ? words{"none"} : result; }

words sorted(words result) {
  std::sort(result.begin(), result.end());
  return or_none(std::move(result));
}

std::chrono::milliseconds time_in(const words &a, std::size_t index) {
  return a.size() > index ? std::chrono::milliseconds(std::stoul(a[index])) : wait_time;
}

// Sets options on a configuration or on a map's options; `function=` is the runner's own.
template <class Options>
void set(Options &target, const std::vector<std::pair<std::string, std::string>> &given) {
  for (const auto &[name, value] : given) {
    if (name != "function") {
      target.set(name, value);
      continue;
    }
    const bool throws = value.rfind("throw:", 0) == 0;
    target.validator([throws, refused = value.substr(value.find(':') + 1)](std::string_view, std::string_view bytes) {
      if (bytes == refused && throws) throw std::runtime_error("this value");
      return bytes != refused;
    });
  }
}

told copy(const p2pmap::event &event) {
  if (event.kind() == P2PMAP_EVENT_SYNCED) return {{"synced"}, std::nullopt};
  const auto optional = [](std::optional<std::string_view> value) { return value ? std::string(*value) : "none"; };
  return {{event.kind_name(), std::string(event.key()), optional(event.value()), optional(event.old_value()),
           event.is_local() ? "local" : "remote"},
          event.stamp()};
}

}  // namespace

socket_of_the_runner::~socket_of_the_runner() { close(fd); }

directory_of_the_runner::directory_of_the_runner() : path((std::filesystem::temp_directory_path() / "p2pmap-script-XXXXXX").string()) {
  if (!mkdtemp(path.data())) throw failure("no directory " + path);
}

directory_of_the_runner::~directory_of_the_runner() {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

player::~player() {
  streams_.clear();
  for (auto &[name, map] : maps_) map.close();
}

p2pmap::node &player::node(const std::string &name) {
  if (const auto found = nodes_.find(name); found != nodes_.end()) return found->second;
  throw failure("no node " + name);
}

p2pmap::map &player::map(const std::string &name) {
  if (const auto found = maps_.find(name); found != maps_.end()) return found->second;
  throw failure("no map " + name);
}

stream &player::stream_named(const std::string &name) {
  if (const auto found = streams_.find(name); found != streams_.end()) return found->second;
  throw failure("no subscription " + name);
}

words player::run(const std::string &operation, const words &arguments) {
  using group = words (player::*)(const std::string &, const words &, bool &);
  for (const group of : {&player::on_node, &player::on_map, &player::on_bulk, &player::on_stream}) {
    bool is_one = true;
    words result = (this->*of)(operation, arguments, is_one);
    if (is_one) return result;
  }
  throw failure("no such operation: " + operation);
}

words player::on_node(const std::string &operation, const words &a, bool &is_one) {
  if (operation == "node" || operation == "open") {
    p2pmap::config config;
    set(config, options(a, operation == "node" ? 1 : 2, known));
    if (operation == "node") nodes_.emplace(a.at(0), p2pmap::node(config));
    else maps_.emplace(a.at(0), p2pmap::open(decode(a.at(1), known), config));
    return {"ok"};
  }
  if (operation == "map") {
    p2pmap::map_options given;
    set(given, options(a, 3, known));
    const std::string name = decode(a.at(2), known);
    maps_.emplace(a.at(0), a.size() > 3 ? node(a.at(1)).map(name, given) : node(a.at(1)).map(name));
    return {"ok"};
  }
  if (operation == "close") {
    if (maps_.count(a.at(0)) > 0) map(a[0]).close();
    else node(a[0]).close();
    return {"ok"};
  }
  if (operation == "requires") {
    if (a.at(0) != "byte_keys" && a[0] != "validator_function") throw skipped(a[0]);
    return {"ok"};
  }
  if (operation == "socket") return socket();
  if (operation == "path") return {directories_.emplace_back(std::make_unique<directory_of_the_runner>())->path + "/new"};
  if (operation == "write") {
    std::ofstream file(decode(a.at(0), known), std::ios::binary);
    if (!(file << decode(a.at(1), known) << std::flush)) throw failure("cannot be written: " + a[0]);
    return {"ok"};
  }
  if (operation == "id") return {node(a.at(0)).id()};
  if (operation == "addr") return {node(a.at(0)).addrs().at(0)};
  if (operation == "connect") return {node(a.at(0)).connect(decode(a.at(1), known), time_in(a, 2))};
  if (operation == "maps") return sorted(node(a.at(0)).maps());
  if (operation == "peers") {
    words ids;
    for (const p2pmap::peer &peer : node(a.at(0)).peers()) ids.push_back(peer.id);
    return sorted(std::move(ids));
  }
  return is_one = false, words{};
}

words player::on_map(const std::string &operation, const words &a, bool &is_one) {
  if (operation == "put") {
    const std::string key = decode(a.at(1), known), value = decode(a.at(2), known);
    if (a.size() == 3) return {text(map(a[0]).put(key, value))};
    if (a[3].rfind("ttl=", 0) != 0) throw failure("no option of put: " + a[3]);
    return {text(map(a[0]).put(key, value, ttl(a[3].substr(4))))};
  }
  if (operation == "get") {
    auto value = map(a.at(0)).get(decode(a.at(1), known));
    return value ? words{std::move(*value)} : words{"none"};
  }
  if (operation == "entry") {
    auto entry = map(a.at(0)).entry(decode(a.at(1), known));
    return entry ? words{entry->value, entry->stamp.author_id(), text(entry->stamp)} : words{"none"};
  }
  if (operation == "expires") {
    const auto entry = map(a.at(0)).entry(decode(a.at(1), known));
    return {entry ? expires(*entry) : "none"};
  }
  if (operation == "contains") return {yes_no(map(a.at(0)).contains(decode(a.at(1), known)))};
  if (operation == "len") return {std::to_string(map(a.at(0)).size())};
  if (operation == "is_empty") return {yes_no(map(a.at(0)).empty())};
  if (operation == "remove") return {yes_no(map(a.at(0)).remove(decode(a.at(1), known)))};
  if (operation == "status") {
    const auto report = map(a.at(0)).status();
    return {std::to_string(report.live), std::to_string(report.tombstones)};
  }
  if (operation == "flush") return map(a.at(0)).flush(), words{"ok"};
  if (operation == "dump") return {std::to_string(map(a.at(0)).dump(decode(a.at(1), known)))};
  if (operation == "load") return {std::to_string(map(a.at(0)).load(decode(a.at(1), known)))};
  if (operation == "durability") {
    const auto report = map(a.at(0)).status();
    return {report.durability, report.storage_error[0] ? report.storage_error : "none"};
  }
  if (operation == "hidden") return {std::to_string(map(a.at(0)).status().hidden)};
  if (operation == "equal") return {yes_no(p2pmap::to_string(map(a.at(0)).status().digest) == p2pmap::to_string(map(a.at(1)).status().digest))};
  if (operation == "sync") return map(a.at(0)).sync(time_in(a, 1)), words{"ok"};
  if (operation == "wait") {
    const std::size_t peers = std::stoul(a.at(2));
    words who = map(a.at(0)).wait_replicated(stamp_of(decode(a.at(1), known)), peers, time_in(a, 3));
    std::sort(who.begin(), who.end());
    const bool twice = std::adjacent_find(who.begin(), who.end()) != who.end();
    return twice || who.size() < peers ? who : words{"ok"};
  }
  if (operation == "destroy") return map(a.at(0)).destroy(), words{"ok"};
  return is_one = false, words{};
}

words player::on_bulk(const std::string &operation, const words &a, bool &is_one) {
  std::size_t count = 0;
  if (operation == "remove_prefix") return {std::to_string(map(a.at(0)).remove_prefix(decode(a.at(1), known)))};
  if (operation == "apply") {
    p2pmap::batch batch;
    for (std::size_t i = 1; i < a.size();) {
      const std::string &what = a[i], key = decode(a.at(i + 1), known);
      if (what == "put") batch.put(key, decode(a.at(i + 2), known)), i += 3;
      else if (what == "put_ttl") batch.put(key, decode(a.at(i + 2), known), ttl(a.at(i + 3))), i += 4;
      else if (what == "remove") batch.remove(key), i += 2;
      else throw failure("no operation of a batch: " + what);
    }
    const auto last = map(a.at(0)).apply(batch);
    return {last ? text(*last) : "none"};
  }
  if (operation == "fill") {
    const std::string prefix = decode(a.at(1), known), value = decode(a.at(3), known);
    for (std::size_t i = 0, end = std::stoul(a.at(2)); i < end; i++) {
      const std::string digits = std::to_string(i);
      map(a.at(0)).put(prefix + std::string(6 - std::min<std::size_t>(6, digits.size()), '0') + digits, value);
    }
    return {"ok"};
  }
  if (operation == "keys") return or_none(scan(a, true, false, count));
  if (operation == "values") return or_none(scan(a, false, true, count));
  if (operation == "scan") return or_none(scan(a, true, true, count));
  if (operation == "count") return scan(a, false, false, count), words{std::to_string(count)};
  return is_one = false, words{};
}

words player::scan(const words &a, bool keys, bool values, std::size_t &count) {
  p2pmap::scan_options wanted;
  for (auto &[name, value] : options(a, 1, known)) {
    if (name == "prefix") wanted.prefix = value;
    else if (name == "start") wanted.start = value;
    else if (name == "end") wanted.end = value;
    else if (name == "limit") wanted.limit = std::stoul(value);
    else if (name == "reverse") wanted.reverse = value == "true";
    else throw failure("no scan option: " + name);
  }
  words found;
  for (const p2pmap::entry &entry : map(a.at(0)).scan(wanted)) {
    if (keys) found.push_back(entry.key);
    if (values) found.push_back(entry.value);
    count++;
  }
  return found;
}

words player::on_stream(const std::string &operation, const words &a, bool &is_one) {
  if (operation == "subscribe" || operation == "watch") {
    p2pmap::subscribe_options wanted;
    for (auto &[name, value] : options(a, 2, known)) {
      if (name == "prefix") wanted.prefix = value;
      else if (name == "snapshot") wanted.snapshot = value == "true";
      else throw failure("no option of subscriptions: " + name);
    }
    stream made;
    if (operation == "watch") {
      made.watch = map(a.at(1)).watch(wanted);
    } else {
      made.pushed = std::make_shared<queue>();
      made.subscription = map(a.at(1)).subscribe([pushed = made.pushed](const p2pmap::events &batch) {
        const std::lock_guard<std::mutex> guard(pushed->lock);
        for (const p2pmap::event &event : batch) pushed->events.push_back(copy(event));
        pushed->added.notify_all();
      }, wanted);
    }
    streams_.emplace(a.at(0), std::move(made));
    return {"ok"};
  }
  if (operation == "event") return take(stream_named(a.at(0)));
  if (operation == "origin") {
    const auto &last = stream_named(a.at(0)).last;
    return last ? words{last->author_id(), text(*last)} : words{"none"};
  }
  if (operation == "unsubscribe") {
    stream &ended = stream_named(a.at(0));
    if (!ended.pushed) return ended.watch.close(), words{"ok"};
    ended.subscription.close();
    const std::lock_guard<std::mutex> guard(ended.pushed->lock);
    ended.pushed->ended = true;
    return {"ok"};
  }
  return is_one = false, words{};
}

words player::take(stream &from) {
  told next;
  if (from.pushed) {
    queue &pushed = *from.pushed;
    std::unique_lock<std::mutex> guard(pushed.lock);
    if (!pushed.added.wait_for(guard, wait_time, [&] { return !pushed.events.empty() || pushed.ended; })) return {"timeout"};
    if (pushed.events.empty()) return {"end"};
    next = std::move(pushed.events.front());
    pushed.events.pop_front();
  } else {
    const auto events = from.watch.recv(wait_time, 1);
    if (events.empty()) return {from.watch.is_ended() ? "end" : "timeout"};
    next = copy(events[0]);
  }
  from.last = next.stamp;
  return next.result;
}

// A socket that holds an address and never answers.
words player::socket() {
  sockaddr_in addr{};
  addr.sin_family = AF_INET;
  addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t len = sizeof addr;
  auto *const raw = reinterpret_cast<sockaddr *>(&addr);
  sockets_.push_back(std::make_unique<socket_of_the_runner>(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)));
  const int fd = sockets_.back()->fd;
  if (fd < 0 || bind(fd, raw, len) != 0 || listen(fd, 1) != 0 || getsockname(fd, raw, &len) != 0) throw failure("no port");
  return {"/ip4/127.0.0.1/tcp/" + std::to_string(ntohs(addr.sin_port))};
}
