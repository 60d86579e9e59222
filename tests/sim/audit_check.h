#pragma once

// The audit log tells of every resolution applied here, once, in a chain that verifies (B27).

#include "tests/sim/region.h"

namespace hawser::sim {

void CheckAudit(Region& region, const Truth& truth, Coverage& coverage);

}  // namespace hawser::sim
