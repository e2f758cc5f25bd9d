// Tokens to bytes, and results. The format: tests/conformance/README.md of this project.

#ifndef TOKEN_HPP
#define TOKEN_HPP

#include <p2pmap.hpp>

#include <map>
#include <string>
#include <vector>

using words = std::vector<std::string>;
using variables = std::map<std::string, std::string>;

// A step that cannot be played, or that gave something else.
struct failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A script that needs what C++ does not have.
struct skipped : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline std::string unescape(const std::string &text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); i++) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) throw failure("a lone backslash");
    switch (text[i]) {
      case 's': out += ' '; break;
      case 'n': out += '\n'; break;
      case 't': out += '\t'; break;
      case '\\': out += '\\'; break;
      case 'x':
        out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
        i += 2;
        break;
      default: throw failure("an escape: " + text.substr(i));
    }
  }
  return out;
}

inline std::string decode(const std::string &token, const variables &known) {
  if (token[0] == '$') {
    const auto found = known.find(token.substr(1));
    if (found == known.end()) throw failure("no variable " + token);
    return found->second;
  }
  if (token == "\"\"") return "";
  const auto star = token.rfind('*');
  if (star == std::string::npos) return unescape(token);
  const std::string part = unescape(token.substr(0, star));
  std::string out;
  for (std::size_t count = std::stoul(token.substr(star + 1)); count > 0; count--) out += part;
  return out;
}

// `name=value` words from `first` on.
inline std::vector<std::pair<std::string, std::string>> options(const words &given, std::size_t first, const variables &known) {
  std::vector<std::pair<std::string, std::string>> found;
  for (std::size_t i = first; i < given.size(); i++) {
    const auto equals = given[i].find('=');
    if (equals == std::string::npos) throw failure("not an option: " + given[i]);
    found.emplace_back(given[i].substr(0, equals), decode(given[i].substr(equals + 1), known));
  }
  return found;
}

// For people: what is not plain is escaped, and what is long is cut.
inline std::string show(const words &result) {
  std::string out;
  for (const std::string &item : result) {
    if (!out.empty()) out += ' ';
    if (item.empty()) out += "\"\"";
    for (const char c : item.substr(0, 16)) {
      char escape[8];
      std::snprintf(escape, sizeof escape, c > ' ' && c < 127 ? "%c" : "\\x%02x", static_cast<unsigned char>(c));
      out += escape;
    }
    if (item.size() > 16) out += "..(" + std::to_string(item.size()) + ")";
    if (out.size() > 160) return out + "..";
  }
  return out;
}

#endif
