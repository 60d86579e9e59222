#pragma once

// Wiring: what each part is told, out of the configuration. Pure: only names and numbers are
// carried over; functions are set by node.cc.

#include <map>
#include <string>
#include <string_view>

#include "daemon/admin/explainer.h"
#include "daemon/calls/call_desk.h"
#include "daemon/config/config.h"
#include "daemon/engine/engine_loop.h"
#include "daemon/feeds/claim_teller.h"
#include "daemon/redis/options.h"
#include "storage/lmdb_store.h"
#include "wan/link.h"

namespace hawser {

std::map<RegionId, std::string> RegionNames(const Config& config);

ConflictLogOptions ConflictOptionsOf(const Config& config);
LmdbStoreOptions StoreOptionsOf(const Config& config);
// `incarnation` is the opened store's.
LinkOptions LinkOptionsOf(const Config& config, Incarnation incarnation);
EngineOptions EngineOptionsOf(const Config& config, std::string_view version);
RedisOptions RedisOptionsOf(const Config& config, std::string_view version);

CallDeskOptions CallDeskOptionsOf(const Config& config);  // without its functions
ClaimTellerOptions ClaimTellerOptionsOf(const Config& config);
admin::ExplainerOptions ExplainerOptionsOf(const Config& config);

// What to bind: the servers want an address, not a name.
std::string BindHost(const ListenAddress& listen);

}  // namespace hawser
