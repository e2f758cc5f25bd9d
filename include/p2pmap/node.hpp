// Nodes, and the quick start. Included by <p2pmap.hpp>.

#ifndef P2PMAP_NODE_HPP
#define P2PMAP_NODE_HPP

#include <p2pmap.hpp>

namespace p2pmap {

/// A peer that a node is connected to.
struct peer {
  std::string id, addr;
  bool outbound;
  std::optional<std::chrono::microseconds> round_trip;
  std::vector<std::string> maps;
  std::optional<bool> in_sync;
  /// How far its clock is ahead of this node's, when last compared; behind when negative.
  std::optional<milliseconds> drift;
};

/// One process's participation in a cluster. It closes when this object goes, with every map on it.
class node {
 public:
  explicit node(const config &config = {}) : handle_(detail::make<handle>(p2pmap_node_open, config.get())) {}

  std::string id() const {
    p2pmap_peer_id id;
    detail::call(p2pmap_node_id, get(), &id);
    return to_string(id);
  }
  /// What another node takes as `bootstrap`.
  std::vector<std::string> addrs() const { return strings(p2pmap_node_addrs); }
  std::vector<std::string> maps() const { return strings(p2pmap_node_maps); }
  /// Dials a peer and waits for the connection; its id.
  std::string connect(const std::string &addr, milliseconds timeout) {
    p2pmap_peer_id peer;
    detail::call(p2pmap_node_connect, get(), addr.c_str(), detail::wait(timeout), &peer);
    return to_string(peer);
  }
  /// Puts a node out: it is not let in again while this node is open. What it wrote stays.
  void ban(const std::string &peer) {
    const p2pmap_peer_id id = parse_peer_id(peer);
    detail::call(p2pmap_node_ban, get(), &id);
  }
  /// The peer ids that are banned, sorted.
  std::vector<std::string> banned() const { return strings(p2pmap_node_banned); }
  std::vector<peer> peers() const {
    detail::owned<p2pmap_peer_list, p2pmap_peer_list_free> list;
    p2pmap_peer_list *const raw = &list;
    detail::call(p2pmap_node_peers, get(), raw);
    std::vector<peer> peers;
    for (std::size_t i = 0; i < list.count; i++) {
      const p2pmap_peer &one = list.items[i];
      std::optional<std::chrono::microseconds> round_trip;
      if (one.round_trip_us >= 0) round_trip = std::chrono::microseconds(one.round_trip_us);
      auto maps = detail::strings(one.maps, one.map_count);
      peers.push_back({one.id, one.addr, one.outbound, round_trip, std::move(maps), detail::answer(one.in_sync),
                       detail::drift(one.drift_ms)});
    }
    return peers;
  }
  p2pmap_node_report status() const {
    p2pmap_node_report report{};
    report.struct_size = sizeof report;
    detail::call(p2pmap_node_status, get(), &report);
    return report;
  }
  /// Opens a map. The same name again gives the same map.
  p2pmap::map map(const std::string &name) { return open(name, nullptr); }
  p2pmap::map map(const std::string &name, const map_options &options) { return open(name, options.get()); }
  void close() { detail::call(p2pmap_node_close, get()); }

  const p2pmap_node *get() const noexcept { return handle_.get(); }

 private:
  using handle = detail::handle<p2pmap_node, p2pmap_node_free>;
  friend class p2pmap::map;
  explicit node(handle handle) : handle_(std::move(handle)) {}
  p2pmap::map open(const std::string &name, const p2pmap_map_options *options) {
    return p2pmap::map(detail::make<p2pmap::map::handle>(p2pmap_map_open, get(), name.c_str(), options));
  }
  template <class Function>
  std::vector<std::string> strings(Function function) const {
    detail::owned<p2pmap_string_list, p2pmap_string_list_free> list;
    p2pmap_string_list *const raw = &list;
    detail::call(function, get(), raw);
    return detail::strings(list.items, list.count);
  }
  handle handle_;
};

/// The node it is open on: a further handle, which does not close the node.
inline node map::node() const { return p2pmap::node(detail::make<p2pmap::node::handle>(p2pmap_map_node, get())); }

/// Opens a map on a node of its own: the quick start.
inline map open(const std::string &name, const config &config = {}) {
  return map(detail::make<map::handle>(p2pmap_open, name.c_str(), config.get()));
}

}  // namespace p2pmap

#endif  // P2PMAP_NODE_HPP
