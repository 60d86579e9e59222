#pragma once

// Readiness: should a load balancer send traffic to this region? Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/engine.h"

namespace hawser::admin {

struct ReadyCheck {
  std::string name;
  bool ok = true;
  std::string detail;  // of a check that failed
};

// `lag_ms_max`: what reads here may be behind the other regions. A region that hears nobody is as
// far behind as it has heard nobody; one silent peer among others does not make a region unready,
// or a region's death would take its neighbours out of the balancer.
std::vector<ReadyCheck> CheckReady(Refusal gate, const ReplicaStatus& status, std::int64_t now_ms,
                                   std::optional<std::uint64_t> lag_ms_max);

}  // namespace hawser::admin
