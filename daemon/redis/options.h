#pragma once

// What the Redis protocol's server is told at start.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "conflict/types.h"
#include "daemon/explain.h"

namespace hawser {

class Calls;
struct HomeMover;

// What a client may do; each may do what the ones before it may.
enum class RedisRole : std::uint8_t { kNone, kViewer, kApp, kOperator };

struct RedisOptions {
  std::string host = "127.0.0.1";  // numeric, or "localhost"
  std::uint16_t port = 7379;       // 0: any free one; RedisServer::port() says which
  bool allow_flush = false;

  // Bounds. A client holds at most command_bytes_max unread, in_flight_bytes_max in the engine and
  // output_bytes_max unsent, and idle ones hold no buffers.
  std::uint32_t clients_max = 10'000;
  std::uint64_t bulk_bytes_max = 8 * 1024 * 1024;      // one argument; max_txn is of use here
  std::uint64_t command_bytes_max = 16 * 1024 * 1024;  // all arguments of one command
  std::uint64_t multi_bytes_max = 16 * 1024 * 1024;    // all commands queued in one MULTI
  std::uint64_t in_flight_bytes_max = 4 * 1024 * 1024;
  std::uint64_t output_bytes_max = 64 * 1024 * 1024;  // a reader slower than this is closed
  // CLIENT TRACKING: keys remembered for those who read them; past it all that is kept is stale.
  std::uint64_t tracked_bytes_max = 32 * 1024 * 1024;  // of all clients
  std::uint32_t tracked_keys_max = 20'000;             // of one client

  RegionId self{};
  std::string region_name;
  std::map<RegionId, std::string> region_names;
  std::string version;
  ExplainRecord explain;  // HAWSER EXPLAIN
  // For units whose home is another region; null: none of them can be written here. Both must
  // outlive the server.
  Calls* calls = nullptr;
  const HomeMover* home_mover = nullptr;
  // Checks a token (the user name may be empty); empty function: no tokens, everybody is an
  // operator.
  std::function<RedisRole(std::string_view user, std::string_view token)> authenticate;

  // Empty when usable; else names the key, the value, the rule broken.
  std::string Problem() const;
};

}  // namespace hawser
