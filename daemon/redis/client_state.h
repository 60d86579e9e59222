#pragma once

// What a connection knows of its client; shown by CLIENT LIST and INFO.

#include <cstdint>
#include <set>
#include <string>

#include "conflict/types.h"
#include "daemon/redis/options.h"

namespace hawser::redis {

struct ClientState {
  int protocol = 2;
  RedisRole role = RedisRole::kNone;
  std::string peer, local;  // addresses
  std::string name, library, library_version;
  std::string last_command;
  std::int64_t connected_at_ns = 0;
  std::int64_t active_at_ns = 0;
  std::uint64_t commands = 0;
  Dot last_write;          // seq 0: none yet; what WAIT waits for
  bool reply_off = false;  // CLIENT REPLY OFF
  bool skip_next = false;  // CLIENT REPLY SKIP
  std::set<std::string, std::less<>> channels, patterns;

  std::size_t subscriptions() const { return channels.size() + patterns.size(); }
};

}  // namespace hawser::redis
