#pragma once

// The words after SET key value and GETEX key.

#include <cstdint>
#include <optional>

#include "daemon/redis/call.h"

namespace hawser::redis {

struct SetOptions {
  bool nx = false, xx = false, get = false, keep_ttl = false;
  std::optional<std::int64_t> deadline_ms;
};
struct GetExOptions {
  bool persist = false;
  std::optional<std::int64_t> deadline_ms;
};

// Both read from args[first] on and answer false after an error.
bool ParseSetOptions(Call& call, std::size_t first, SetOptions& options);
bool ParseGetExOptions(Call& call, std::size_t first, GetExOptions& options);

}  // namespace hawser::redis
