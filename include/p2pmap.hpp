// p2pmap for C++17: the C interface of <p2pmap.h>, with handles that close themselves, exceptions and lambdas.
//
//     auto flags = p2pmap::open("flags", p2pmap::config().set("bootstrap", "/dns4/seed/tcp/7400"));
//     auto changes = flags.subscribe([](const p2pmap::events &batch) {
//       for (const p2pmap::event &change : batch) std::cout << change.kind_name() << ' ' << change.key() << '\n';
//     });
//     flags.put("dark_mode", "on");
//     if (auto value = flags.get("dark_mode")) std::cout << *value << '\n';
//
// Keys and values are any bytes, as std::string_view in and std::string out. What fails throws p2pmap::error. Handles are
// move-only, and one that was moved from fails with INVALID_ARGUMENT. Threads, callbacks, fork: as <p2pmap.h> says.

#ifndef P2PMAP_HPP
#define P2PMAP_HPP

#include <p2pmap.h>

#include <chrono>
#include <cstring>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace p2pmap {

using std::chrono::milliseconds;

/// Without a limit: waits for ever, never expires.
inline constexpr milliseconds forever = milliseconds::max();

/// What a call throws: the sentence of `what()`, and as `code()` one of the negative P2PMAP_ constants.
class error : public std::runtime_error {
 public:
  error(p2pmap_status code, const std::string &message) : std::runtime_error(message), code_(code) {}
  p2pmap_status code() const noexcept { return code_; }
  /// Such as "TOO_LARGE".
  const char *name() const noexcept { return p2pmap_status_name(code_); }

 private:
  p2pmap_status code_;
};

namespace detail {

/// Calls `function(arguments..., &error)`; gives its status, or throws.
template <class Function, class... Arguments>
p2pmap_status call(Function function, Arguments... arguments) {
  p2pmap_error *cause = nullptr;
  const p2pmap_status status = function(arguments..., &cause);
  if (status >= 0) return status;
  const std::unique_ptr<p2pmap_error, decltype(&p2pmap_error_free)> owner(cause, p2pmap_error_free);
  throw error(status, p2pmap_error_message(cause));
}

/// A handle that is freed by its own function.
template <class T, void (*Free)(T *)>
struct free_with {
  void operator()(T *handle) const noexcept { Free(handle); }
};
template <class T, void (*Free)(T *)>
using handle = std::unique_ptr<T, free_with<T, Free>>;

/// A handle from a function that gives one in its last argument but the error.
template <class Handle, class Function, class... Arguments>
Handle make(Function function, Arguments... arguments) {
  typename Handle::pointer made = nullptr;
  call(function, arguments..., &made);
  return Handle(made);
}

/// A struct of the C interface that `Free` resets; moved, never copied.
template <class T, void (*Free)(T *)>
struct owned : T {
  owned() : T{} {}
  owned(owned &&other) noexcept : T(other) { static_cast<T &>(other) = T{}; }
  owned &operator=(owned &&other) noexcept {
    if (this != &other) {
      Free(this);
      static_cast<T &>(*this) = other;
      static_cast<T &>(other) = T{};
    }
    return *this;
  }
  ~owned() { Free(this); }
};

inline std::string_view text(const std::uint8_t *data, std::size_t len) {
  return {reinterpret_cast<const char *>(data), len};
}
inline std::uint64_t wait(milliseconds time) {
  if (time == forever) return P2PMAP_FOREVER;
  return time.count() < 0 ? 0 : static_cast<std::uint64_t>(time.count());
}
template <class T>
void destroy(void *data) {
  delete static_cast<T *>(data);
}
/// Asks a function object; one that throws says no.
template <class F>
bool validate(const std::uint8_t *key, std::size_t key_len, const std::uint8_t *value, std::size_t len, void *data) noexcept {
  try {
    return (*static_cast<F *>(data))(text(key, key_len), text(value, len));
  } catch (...) {
    return false;
  }
}
/// A time to live; nothing is none.
inline std::uint64_t ttl(std::optional<milliseconds> ttl) { return wait(ttl.value_or(forever)); }
inline std::optional<milliseconds> drift(std::int64_t ms) {
  return ms == P2PMAP_UNKNOWN ? std::nullopt : std::optional<milliseconds>(ms);
}
inline std::vector<std::string> strings(const char *const *items, std::size_t count) { return {items, items + count}; }
inline std::optional<bool> answer(p2pmap_answer known) {
  return known < 0 ? std::nullopt : std::optional<bool>(known != 0);
}

}  // namespace detail

/// The text of a peer id, in base58.
inline std::string to_string(const p2pmap_peer_id &id) {
  char text[P2PMAP_PEER_ID_TEXT_BYTES];
  detail::call(p2pmap_peer_id_text, &id, text, sizeof text);
  return text;
}

/// A peer id from its text. Throws INVALID_ARGUMENT when it is none.
inline p2pmap_peer_id parse_peer_id(const std::string &text) {
  p2pmap_peer_id id;
  detail::call(p2pmap_peer_id_parse, text.c_str(), &id);
  return id;
}

/// The text of a digest: 64 hexadecimal digits.
/// Makes an identity and keeps it in a new file, to be a node's `identity_file`; its peer id.
inline std::string generate_identity(const std::string &path) {
  p2pmap_peer_id id;
  detail::call(p2pmap_generate_identity, path.c_str(), &id);
  return to_string(id);
}

inline std::string to_string(const p2pmap_digest &digest) {
  char text[P2PMAP_DIGEST_TEXT_BYTES];
  detail::call(p2pmap_digest_text, &digest, text, sizeof text);
  return text;
}

/// Identifies one write; the greater stamp wins.
struct stamp : p2pmap_stamp {
  stamp() : p2pmap_stamp{} {}
  stamp(const p2pmap_stamp &other) : p2pmap_stamp(other) {}
  /// The stamp of a write that was told by other means; its parts are those that it has where it was made.
  stamp(std::uint64_t timestamp, std::uint64_t epoch, const p2pmap_peer_id &author) : p2pmap_stamp{timestamp, epoch, author} {}
  std::string author_id() const { return to_string(author); }
  std::uint64_t time_ms() const noexcept { return timestamp >> 16; }
  friend bool operator==(const stamp &a, const stamp &b) { return p2pmap_stamp_compare(&a, &b) == 0; }
  friend bool operator!=(const stamp &a, const stamp &b) { return !(a == b); }
  friend bool operator<(const stamp &a, const stamp &b) { return p2pmap_stamp_compare(&a, &b) < 0; }
};

/// A key's value with the write that made it.
struct entry {
  std::string key, value;
  p2pmap::stamp stamp;
  /// When it expires, by each node's own clock, since the Unix epoch; nothing: never.
  std::optional<milliseconds> expires_at;
  explicit entry(const p2pmap_entry &raw)
      : key(detail::text(raw.key, raw.key_len)), value(detail::text(raw.value, raw.value_len)), stamp(raw.stamp) {
    if (raw.expires_at_ms != 0) expires_at = milliseconds(raw.expires_at_ms);
  }
};

/// Counted bytes that the map itself holds; they stay as they are as long as the view lives.
class view {
 public:
  std::string_view bytes() const noexcept { return detail::text(raw_.data, raw_.len); }

 private:
  friend class map;
  detail::owned<p2pmap_view, p2pmap_view_release> raw_;
};

/// One change of the view; it points into the batch that it came with.
class event {
 public:
  explicit event(const p2pmap_event *raw) noexcept : raw_(raw) {}
  /// One of the P2PMAP_EVENT_ constants.
  p2pmap_event_kind kind() const noexcept { return raw_->kind; }
  const char *kind_name() const noexcept { return p2pmap_event_kind_name(raw_->kind); }
  std::string_view key() const noexcept { return detail::text(raw_->key, raw_->key_len); }
  /// The new value; for put only.
  std::optional<std::string_view> value() const noexcept { return optional(raw_->value, raw_->value_len); }
  /// What the view held before.
  std::optional<std::string_view> old_value() const noexcept { return optional(raw_->old_value, raw_->old_value_len); }
  /// Whether this node wrote it: the write that made the change, as `stamp` has it.
  bool is_local() const noexcept { return raw_->local; }
  /// The write that made the change; for expire and prune, that of the entry that went; all zero for synced.
  p2pmap::stamp stamp() const noexcept { return raw_->stamp; }

 private:
  static std::optional<std::string_view> optional(const std::uint8_t *data, std::size_t len) noexcept {
    if (data == nullptr) return std::nullopt;
    return detail::text(data, len);
  }
  const p2pmap_event *raw_;
};

/// A batch of events, for range-for.
class events {
 public:
  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = event;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = event;
    explicit iterator(const p2pmap_event *at) noexcept : at_(at) {}
    event operator*() const noexcept { return event(at_); }
    iterator &operator++() noexcept { return ++at_, *this; }
    bool operator==(const iterator &other) const noexcept { return at_ == other.at_; }
    bool operator!=(const iterator &other) const noexcept { return at_ != other.at_; }

   private:
    const p2pmap_event *at_;
  };

  events(const p2pmap_event *items, std::size_t count) noexcept : items_(items), count_(count) {}
  iterator begin() const noexcept { return iterator(items_); }
  iterator end() const noexcept { return iterator(items_ + count_); }
  event operator[](std::size_t index) const noexcept { return event(items_ + index); }
  std::size_t size() const noexcept { return count_; }
  bool empty() const noexcept { return count_ == 0; }

 private:
  const p2pmap_event *items_;
  std::size_t count_;
};

/// Events that `watch::recv` took; they live as long as this does.
class event_list {
 public:
  events::iterator begin() const noexcept { return batch().begin(); }
  events::iterator end() const noexcept { return batch().end(); }
  event operator[](std::size_t index) const noexcept { return batch()[index]; }
  std::size_t size() const noexcept { return raw_.count; }
  bool empty() const noexcept { return raw_.count == 0; }

 private:
  friend class watch;
  events batch() const noexcept { return {raw_.items, raw_.count}; }
  detail::owned<p2pmap_event_list, p2pmap_event_list_free> raw_;
};

/// Options by name; the base of `config` and `map_options`.
template <class Self, class T, T *(*New)(), void (*Free)(T *), p2pmap_status (*Set)(T *, const char *, const char *, p2pmap_error **),
          p2pmap_status (*Validator)(T *, p2pmap_validator, void *, p2pmap_destructor, p2pmap_error **)>
class options {
 public:
  options() : handle_(New()) {}
  /// Sets an option. Throws INVALID_CONFIG, and says what is allowed.
  Self &set(const std::string &name, const std::string &value) & {
    detail::call(Set, get(), name.c_str(), value.c_str());
    return self();
  }
  Self &&set(const std::string &name, const std::string &value) && { return std::move(set(name, value)); }
  /// Sets what a map may hold: `bool(std::string_view key, std::string_view value)`. One that throws says no.
  template <class F>
  Self &validator(F &&function) & {
    using Function = std::decay_t<F>;
    void *data = new Function(std::forward<F>(function));
    detail::call(Validator, get(), detail::validate<Function>, data, detail::destroy<Function>);
    return self();
  }
  T *get() const noexcept { return handle_.get(); }

 protected:
  Self &self() noexcept { return static_cast<Self &>(*this); }

 private:
  detail::handle<T, Free> handle_;
};

/// What opens a node. All names and their meaning: the table in <p2pmap.h>.
class config : public options<config, p2pmap_config, p2pmap_config_new, p2pmap_config_free, p2pmap_config_set, p2pmap_config_validator> {
 public:
  config &set_toml(const std::string &toml) { return detail::call(p2pmap_config_set_toml, get(), toml.c_str()), *this; }
  config &load(const std::string &path) { return detail::call(p2pmap_config_load, get(), path.c_str()), *this; }
  config &set_env() { return detail::call(p2pmap_config_set_env, get()), *this; }
};

/// What opens a map; what is not set is as the node's configuration says.
class map_options : public options<map_options, p2pmap_map_options, p2pmap_map_options_new, p2pmap_map_options_free,
                                   p2pmap_map_options_set, p2pmap_map_options_validator> {};

}  // namespace p2pmap

#include <p2pmap/map.hpp>

#endif  // P2PMAP_HPP
