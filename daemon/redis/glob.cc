#include "daemon/redis/glob.h"

#include <algorithm>
#include <cstddef>

namespace hawser::redis {
namespace {

// Matches the one-character element at pattern[at]; moves `at` past it.
bool MatchOne(std::string_view pattern, std::size_t& at, char c) {
  const char p = pattern[at++];
  if (p == '?') return true;
  if (p == '\\' && at < pattern.size()) return pattern[at++] == c;
  if (p != '[') return p == c;
  bool negate = false;
  if (at < pattern.size() && pattern[at] == '^') {
    negate = true;
    ++at;
  }
  bool matched = false;
  while (at < pattern.size() && pattern[at] != ']') {
    if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
    unsigned char low = static_cast<unsigned char>(pattern[at++]);
    unsigned char high = low;
    if (at + 1 < pattern.size() && pattern[at] == '-') {
      high = static_cast<unsigned char>(pattern[at + 1]);
      at += 2;
      if (low > high) std::swap(low, high);
    }
    const unsigned char u = static_cast<unsigned char>(c);
    if (low <= u && u <= high) matched = true;
  }
  if (at < pattern.size()) ++at;  // the closing bracket
  return matched != negate;
}

}  // namespace

bool GlobMatches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0;
  std::size_t star = std::string_view::npos, star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      star_text = t;
      continue;
    }
    if (p < pattern.size()) {
      std::size_t next = p;
      if (MatchOne(pattern, next, text[t])) {
        p = next;
        ++t;
        continue;
      }
    }
    if (star == std::string_view::npos) return false;
    p = star;
    t = ++star_text;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::string_view GlobLiteralPrefix(std::string_view pattern) {
  return pattern.substr(0, std::min(pattern.find_first_of("*?[\\"), pattern.size()));
}

}  // namespace hawser::redis
