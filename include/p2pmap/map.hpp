// Maps, and what maps give. Included by <p2pmap.hpp>.

#ifndef P2PMAP_MAP_HPP
#define P2PMAP_MAP_HPP

#include <p2pmap.hpp>

namespace p2pmap {

/// Which changes a subscription or a watch is told.
struct subscribe_options {
  subscribe_options() = default;
  subscribe_options(std::string prefix, bool snapshot = false) : prefix(std::move(prefix)), snapshot(snapshot) {}
  std::string prefix;
  /// First a put for every entry, then synced, then the changes.
  bool snapshot = false;
};

/// What a scan covers. Bounds combine; `start` is inclusive, `end` exclusive.
struct scan_options {
  scan_options() = default;
  scan_options(std::string prefix) : prefix(std::move(prefix)) {}
  std::string prefix;
  std::optional<std::string> start, end;
  std::optional<std::size_t> limit;
  bool reverse = false;
};

/// A peer that a map is shared with, or an author that something is wrong with, who need not be connected.
struct map_peer {
  std::string id;
  /// Whether the copies were equal when last compared.
  std::optional<bool> in_sync;
  /// When a sync with it last completed, since the Unix epoch.
  std::optional<milliseconds> last_sync;
  /// Whether it is connected and has the map open.
  bool connected;
  /// Entries held here that it lacked when last compared.
  std::optional<std::uint64_t> behind;
  /// How far its clock is ahead of this node's, when last compared; behind when negative.
  std::optional<milliseconds> drift;
  /// Entries that it wrote and that were set aside here, because they were stamped too far ahead.
  std::uint64_t ahead_entries;
  /// Whether removals cannot be forgotten here until writes of it arrive, which are known of and missing.
  bool holds_up_forgetting;
};

namespace detail {

inline p2pmap_subscribe_options raw(const subscribe_options &options) {
  p2pmap_subscribe_options raw{};
  raw.struct_size = sizeof raw;
  raw.prefix = options.prefix.data();
  raw.prefix_len = options.prefix.size();
  raw.snapshot = options.snapshot;
  return raw;
}

inline p2pmap_scan_options raw(const scan_options &options) {
  p2pmap_scan_options raw{};
  raw.struct_size = sizeof raw;
  raw.prefix = options.prefix.data();
  raw.prefix_len = options.prefix.size();
  if (options.start) raw.start = options.start->data(), raw.start_len = options.start->size();
  if (options.end) raw.end = options.end->data(), raw.end_len = options.end->size();
  raw.limit = options.limit.value_or(0);
  raw.reverse = options.reverse;
  return raw;
}

}  // namespace detail

/// Puts and removes that travel together and are applied whole.
class batch {
 public:
  batch() : handle_(p2pmap_batch_new()) {}
  batch &put(std::string_view key, std::string_view value) {
    detail::call(p2pmap_batch_put, handle_.get(), key.data(), key.size(), value.data(), value.size());
    return *this;
  }
  /// With a time to live, as `map::put` has it; it counts from when the batch is applied, and is checked then.
  batch &put(std::string_view key, std::string_view value, std::optional<milliseconds> ttl) {
    detail::call(p2pmap_batch_put_ttl, handle_.get(), key.data(), key.size(), value.data(), value.size(), detail::ttl(ttl));
    return *this;
  }
  batch &remove(std::string_view key) {
    detail::call(p2pmap_batch_remove, handle_.get(), key.data(), key.size());
    return *this;
  }
  std::size_t size() const noexcept { return p2pmap_batch_len(handle_.get()); }
  bool empty() const noexcept { return size() == 0; }
  void clear() noexcept { p2pmap_batch_clear(handle_.get()); }

 private:
  friend class map;
  detail::handle<p2pmap_batch, p2pmap_batch_free> handle_;
};

/// Entries in key order: a range to go through once.
class scan {
 public:
  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = entry;
    using difference_type = std::ptrdiff_t;
    using pointer = const entry *;
    using reference = const entry &;
    explicit iterator(scan *scan) : scan_(scan) { ++*this; }
    iterator() = default;
    const entry &operator*() const { return *scan_->entry_; }
    const entry *operator->() const { return &*scan_->entry_; }
    iterator &operator++() {
      if (!scan_->next()) scan_ = nullptr;
      return *this;
    }
    bool operator==(const iterator &other) const { return scan_ == other.scan_; }
    bool operator!=(const iterator &other) const { return scan_ != other.scan_; }

   private:
    scan *scan_ = nullptr;
  };

  iterator begin() { return iterator(this); }
  iterator end() { return iterator(); }

 private:
  friend class map;
  scan() = default;
  bool next() {
    p2pmap_entry raw;
    entry_.reset();
    if (!handle_ || detail::call(p2pmap_scan_next, handle_.get(), &raw) == P2PMAP_END) return false;
    entry_.emplace(raw);
    return true;
  }
  detail::handle<p2pmap_scan, p2pmap_scan_free> handle_;
  std::optional<entry> entry_;
};

/// A callback's registration; it ends with this object. When it has ended, no callback runs or will run, except where it is
/// ended from within its own callback.
class subscription {
 public:
  bool is_active() const noexcept { return p2pmap_subscription_is_active(handle_.get()); }
  void close() { detail::call(p2pmap_subscription_close, handle_.get()); }

 private:
  friend class map;
  detail::handle<p2pmap_subscription, p2pmap_subscription_free> handle_;
};

/// A stream of events that is pulled.
class watch {
 public:
  /// Up to `max` events; none when the time was up, and none at the end, which `is_ended` tells.
  event_list recv(milliseconds timeout = forever, std::size_t max = 256) {
    event_list list;
    p2pmap_event_list *const raw = &list.raw_;
    ended_ = detail::call(p2pmap_watch_recv, handle_.get(), max, detail::wait(timeout), raw) == P2PMAP_END;
    return list;
  }
  /// Whether the last `recv` came upon the end.
  bool is_ended() const noexcept { return ended_; }
  /// A descriptor for event loops: readable when `recv` may have something to say.
  int fd() const {
    int fd = -1;
    detail::call(p2pmap_watch_fd, handle_.get(), &fd);
    return fd;
  }
  void close() { detail::call(p2pmap_watch_close, handle_.get()); }

 private:
  friend class map;
  detail::handle<p2pmap_watch, p2pmap_watch_free> handle_;
  bool ended_ = false;
};

class node;

/// This node's copy of a map. One from `open` closes its node when it goes; one from `node::map` stays open on its node
/// until `close`.
class map {
 public:
  std::string name() const { return handle_ ? p2pmap_map_name(handle_.get()) : ""; }
  p2pmap::node node() const;

  /// Writes. On a map opened with `default_ttl_ms` the entry expires when that has passed. With `durability=sync` this, and every
  /// write, blocks until the disk has it.
  p2pmap::stamp put(std::string_view key, std::string_view value) {
    p2pmap_stamp stamp;
    detail::call(p2pmap_map_put, get(), key.data(), key.size(), value.data(), value.size(), &stamp);
    return stamp;
  }
  /// Writes an entry that expires when `ttl` has passed, on every node; a later put renews it: `put("db/1", addr, 15s)`.
  /// std::nullopt, and `forever`: it never expires, whatever the map's `default_ttl_ms`. Throws INVALID_ARGUMENT for a time
  /// below a millisecond or above 100 years.
  p2pmap::stamp put(std::string_view key, std::string_view value, std::optional<milliseconds> ttl) {
    p2pmap_stamp stamp;
    detail::call(p2pmap_map_put_ttl, get(), key.data(), key.size(), value.data(), value.size(), detail::ttl(ttl), &stamp);
    return stamp;
  }
  std::optional<std::string> get(std::string_view key) const {
    char near[256];
    std::size_t len = 0;
    p2pmap_status status = read(key, near, sizeof near, len);
    if (status == P2PMAP_OK) return std::string(near, len);
    std::string value;
    while (status == P2PMAP_BUFFER_TOO_SMALL) {
      value.resize(len);
      status = read(key, value.data(), value.size(), len);
    }
    if (status == P2PMAP_NOT_FOUND) return std::nullopt;
    value.resize(len);
    return value;
  }
  /// A value without copying it: for large ones.
  std::optional<p2pmap::view> view(std::string_view key) const {
    p2pmap::view view;
    p2pmap_view *const raw = &view.raw_;
    if (detail::call(p2pmap_map_get_view, get(), key.data(), key.size(), raw) == P2PMAP_NOT_FOUND) return std::nullopt;
    return view;
  }
  std::optional<p2pmap::entry> entry(std::string_view key) const {
    detail::owned<p2pmap_entry, p2pmap_entry_release> found;
    p2pmap_entry *const raw = &found;
    if (detail::call(p2pmap_map_entry, get(), key.data(), key.size(), raw) == P2PMAP_NOT_FOUND) return std::nullopt;
    return p2pmap::entry(found);
  }
  bool contains(std::string_view key) const {
    bool found = false;
    detail::call(p2pmap_map_contains, get(), key.data(), key.size(), &found);
    return found;
  }
  std::size_t size() const {
    std::size_t len = 0;
    detail::call(p2pmap_map_len, get(), &len);
    return len;
  }
  bool empty() const { return size() == 0; }
  /// Whether a live value was there.
  bool remove(std::string_view key) {
    bool removed = false;
    detail::call(p2pmap_map_remove, get(), key.data(), key.size(), &removed);
    return removed;
  }
  /// How many were there.
  std::size_t remove_prefix(std::string_view prefix) {
    std::size_t removed = 0;
    detail::call(p2pmap_map_remove_prefix, get(), prefix.data(), prefix.size(), &removed);
    return removed;
  }
  /// The stamp of the last write; nothing when nothing was written.
  std::optional<p2pmap::stamp> apply(const batch &batch) {
    p2pmap_stamp last;
    detail::call(p2pmap_map_apply, get(), batch.handle_.get(), &last);
    return last.timestamp == 0 ? std::nullopt : std::optional<p2pmap::stamp>(last);
  }
  p2pmap::scan scan(const scan_options &options = {}) const {
    p2pmap::scan scan;
    const p2pmap_scan_options raw = detail::raw(options);
    // A limit of nothing gives nothing, where C's 0 means no limit; a closed map still says so.
    auto handle = detail::make<decltype(scan.handle_)>(p2pmap_map_scan, get(), &raw);
    if (options.limit != std::size_t{0}) scan.handle_ = std::move(handle);
    return scan;
  }

  /// Calls `void(const events &)` on a thread of the library. It must not throw: that ends the program.
  template <class F>
  [[nodiscard]] subscription subscribe(F &&callback, const subscribe_options &options = {}) {
    using Function = std::decay_t<F>;
    const p2pmap_subscribe_options raw = detail::raw(options);
    const p2pmap_events_callback tell = [](const p2pmap_event *items, std::size_t count, void *data) noexcept {
      (*static_cast<Function *>(data))(events(items, count));
    };
    subscription made;
    void *data = new Function(std::forward<F>(callback));
    const p2pmap_destructor destroy = detail::destroy<Function>;
    made.handle_ = detail::make<decltype(made.handle_)>(p2pmap_map_subscribe, get(), &raw, tell, data, destroy);
    return made;
  }
  [[nodiscard]] p2pmap::watch watch(const subscribe_options &options = {}) {
    const p2pmap_subscribe_options raw = detail::raw(options);
    p2pmap::watch made;
    made.handle_ = detail::make<decltype(made.handle_)>(p2pmap_map_watch, get(), &raw);
    return made;
  }

  /// Returns when every write made here before is on disk: for maps with `durability=async`. Throws STORAGE.
  void flush() { detail::call(p2pmap_map_flush, get()); }
  /// Writes every entry in the view to a file, as lines of JSON; how many. The file is there whole or not at all, and only its
  /// owner may read it. Throws STORAGE.
  std::uint64_t dump(const std::string &path) const {
    std::uint64_t count = 0;
    detail::call(p2pmap_map_dump, get(), path.c_str(), &count);
    return count;
  }
  /// Writes every entry of such a file into this map, as new writes; how many. All of it is checked before anything is written.
  /// Throws INVALID_ARGUMENT, TOO_LARGE, INVALID_VALUE with the number of the line; STORAGE.
  std::uint64_t load(const std::string &path) {
    std::uint64_t count = 0;
    detail::call(p2pmap_map_load, get(), path.c_str(), &count);
    return count;
  }

  /// Waits until that many other nodes hold a write, or a later one to its key; the ids of those that do.
  /// Throws TIMEOUT, and INVALID_ARGUMENT for a stamp that this copy does not hold itself.
  std::vector<std::string> wait_replicated(const p2pmap::stamp &stamp, std::size_t peers, milliseconds timeout) {
    detail::owned<p2pmap_string_list, p2pmap_string_list_free> who;
    const p2pmap_stamp *const of = &stamp;
    p2pmap_string_list *const raw = &who;
    detail::call(p2pmap_map_wait_replicated, get(), of, peers, detail::wait(timeout), raw);
    return detail::strings(who.items, who.count);
  }
  /// Reconciles now; returns when this copy equals each connected peer's. Throws TIMEOUT.
  void sync(milliseconds timeout) { detail::call(p2pmap_map_sync, get(), detail::wait(timeout)); }
  p2pmap_map_report status() const {
    p2pmap_map_report report{};
    report.struct_size = sizeof report;
    detail::call(p2pmap_map_status, get(), &report);
    return report;
  }
  std::vector<map_peer> peers() const {
    detail::owned<p2pmap_map_peer_list, p2pmap_map_peer_list_free> list;
    p2pmap_map_peer_list *const raw = &list;
    detail::call(p2pmap_map_peers, get(), raw);
    std::vector<map_peer> peers;
    for (std::size_t i = 0; i < list.count; i++) {
      const p2pmap_map_peer &one = list.items[i];
      std::optional<milliseconds> last;
      std::optional<std::uint64_t> behind;
      if (one.last_sync_ms >= 0) last = milliseconds(one.last_sync_ms);
      if (one.behind >= 0) behind = static_cast<std::uint64_t>(one.behind);
      peers.push_back({one.id, detail::answer(one.in_sync), last, one.connected, behind, detail::drift(one.drift_ms),
                       one.ahead_entries, one.holds_up_forgetting});
    }
    return peers;
  }
  void close() { detail::call(p2pmap_map_close, get()); }
  /// Closes, and deletes what this node stored of it.
  void destroy() { detail::call(p2pmap_map_destroy, get()); }

  const p2pmap_map *get() const noexcept { return handle_.get(); }

 private:
  using handle = detail::handle<p2pmap_map, p2pmap_map_free>;
  friend class p2pmap::node;
  friend map open(const std::string &name, const config &config);
  explicit map(handle handle) : handle_(std::move(handle)) {}
  p2pmap_status read(std::string_view key, char *buffer, std::size_t capacity, std::size_t &len) const {
    return detail::call(p2pmap_map_get, get(), key.data(), key.size(), buffer, capacity, &len);
  }
  handle handle_;
};

}  // namespace p2pmap

#include <p2pmap/node.hpp>

#endif  // P2PMAP_MAP_HPP
