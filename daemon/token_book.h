#pragma once

// TokenBook: who a token is. Tokens are compared in a time that does not depend on them.
// Threads: Find from any thread once built.

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/config.h"

namespace hawser {

class TokenBook {
 public:
  // Reads each token's file; the error names the token, the file and what to do about it.
  static std::expected<TokenBook, std::string> Read(const std::vector<TokenConfig>& tokens);

  bool empty() const { return entries_.empty(); }
  // The role of `token`; with a `name`, only of the token of that name. nullopt: nobody.
  std::optional<TokenRole> Find(std::string_view name, std::string_view token) const;
  // The name of a token; empty: nobody's.
  std::string NameOf(std::string_view token) const;

 private:
  struct Entry {
    std::string name;
    TokenRole role;
    std::string secret;
  };
  std::vector<Entry> entries_;
};

}  // namespace hawser
