#pragma once

// Doors: what the servers for clients are told, with who may come in and what they show of other
// parts.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/admin/server.h"
#include "daemon/calls/calls.h"
#include "daemon/config/config.h"
#include "daemon/config_state.h"
#include "daemon/redis/server.h"
#include "daemon/token_book.h"
#include "wan/link.h"

namespace hawser {

// Everything referred to must outlive the servers.
RedisOptions GuardedRedisOptions(const Config& config, std::string_view version,
                                 const TokenBook& tokens);
AdminOptions GuardedAdminOptions(const Config& config, std::string_view version,
                                 const TokenBook& tokens, const Link& link,
                                 const RedisServer& redis, const Calls& calls,
                                 const ConfigState& state);

// Calls to other regions as families of metrics.
std::vector<MetricFamilyValues> CallMetrics(const std::vector<CallCounts>& peers,
                                            const std::map<RegionId, std::string>& names);
// Counts of the Redis protocol as families of metrics.
std::vector<MetricFamilyValues> RedisMetrics(const RedisStats& stats);

}  // namespace hawser
