#pragma once

// Target: the path and query of a request, taken apart and decoded. Pure.

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hawser::admin {

struct Target {
  // Split at "/" before decoding, so that %2F stays inside its segment. May hold any bytes.
  std::vector<std::string> segments;
  std::vector<std::pair<std::string, std::string>> query;

  const std::string* Query(std::string_view name) const;
};

inline constexpr std::size_t kSegmentsMax = 16;
inline constexpr std::size_t kQueryMax = 32;

// The error says what is wrong with it. Each query name may come once; in the query "+" is a space.
std::expected<Target, std::string> ParseTarget(std::string_view text);

}  // namespace hawser::admin
