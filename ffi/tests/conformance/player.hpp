// What a script has opened, and the operations on it.

#ifndef PLAYER_HPP
#define PLAYER_HPP

#include "token.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>

// An event that was handed to a callback, or taken from a watch.
struct told {
  words result;
  std::optional<p2pmap::stamp> stamp;
};

// What a callback appends to.
struct queue {
  std::mutex lock;
  std::condition_variable added;
  std::deque<told> events;
  bool ended = false;
};

// A subscription or a watch.
struct stream {
  std::shared_ptr<queue> pushed;
  p2pmap::subscription subscription;
  p2pmap::watch watch;
  std::optional<p2pmap::stamp> last;
};

struct socket_of_the_runner {
  explicit socket_of_the_runner(int fd) : fd(fd) {}
  socket_of_the_runner(const socket_of_the_runner &) = delete;
  socket_of_the_runner &operator=(const socket_of_the_runner &) = delete;
  ~socket_of_the_runner();
  int fd;
};

struct directory_of_the_runner {
  directory_of_the_runner();
  directory_of_the_runner(const directory_of_the_runner &) = delete;
  directory_of_the_runner &operator=(const directory_of_the_runner &) = delete;
  ~directory_of_the_runner();
  std::string path;
};

// Members are destroyed from the last to the first: subscriptions, then maps, then nodes.
class player {
 public:
  player() = default;
  player(const player &) = delete;
  player &operator=(const player &) = delete;
  ~player();
  words run(const std::string &operation, const words &arguments);
  variables known;

 private:
  words on_node(const std::string &operation, const words &a, bool &is_one);
  words on_map(const std::string &operation, const words &a, bool &is_one);
  words on_bulk(const std::string &operation, const words &a, bool &is_one);
  words on_stream(const std::string &operation, const words &a, bool &is_one);
  words scan(const words &a, bool keys, bool values, std::size_t &count);
  words take(stream &from);
  words socket();
  p2pmap::node &node(const std::string &name);
  p2pmap::map &map(const std::string &name);
  stream &stream_named(const std::string &name);

  std::vector<std::unique_ptr<directory_of_the_runner>> directories_;
  std::vector<std::unique_ptr<socket_of_the_runner>> sockets_;
  std::map<std::string, p2pmap::node> nodes_;
  std::map<std::string, p2pmap::map> maps_;
  std::map<std::string, stream> streams_;
};

#endif
