#pragma once

// What a connection knows of its client; shown by CLIENT LIST and INFO.

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "conflict/types.h"
#include "daemon/redis/options.h"

namespace hawser::redis {

// CLIENT TRACKING: which keys the client wants to hear of when they change.
struct TrackingState {
  bool on = false;
  bool broadcast = false;             // keys with one of `prefixes`; else those it has read
  bool noloop = false;                // not of what it wrote itself
  bool optin = false;                 // only of what is read after CLIENT CACHING YES
  bool optout = false;                // not of what is read after CLIENT CACHING NO
  bool caching = false;               // CLIENT CACHING came: counts for the next command, or MULTI
  std::vector<std::string> prefixes;  // empty: every key

  bool Notes() const { return on && !broadcast && caching == optin; }
};

struct ClientState {
  int protocol = 2;
  RedisRole role = RedisRole::kNone;
  std::string peer, local;  // addresses
  std::string name, library, library_version;
  std::string last_command;
  std::int64_t connected_at_ns = 0;
  std::int64_t active_at_ns = 0;
  std::uint64_t commands = 0;
  Dot last_write;              // seq 0: none yet; what WAIT waits for
  bool reads_at_home = false;  // HAWSER READ HOME: of homed units, what their home shows
  bool reply_off = false;      // CLIENT REPLY OFF
  bool skip_next = false;      // CLIENT REPLY SKIP
  std::set<std::string, std::less<>> channels, patterns;
  TrackingState tracking;

  std::size_t subscriptions() const { return channels.size() + patterns.size(); }
};

}  // namespace hawser::redis
