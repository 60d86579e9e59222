#pragma once

// The conflict log is complete and exact (G5): it names every value that gave way to a write which
// had not seen it, and nothing else.

#include "tests/sim/region.h"

namespace hawser::sim {

void CheckConflicts(Region& region, const Truth& truth, Coverage& coverage);

}  // namespace hawser::sim
