#pragma once

// What a region says must be true the moment it leaves: of durable txns only, of its own applied
// cut no more than is durable, of others no more than they said, of a log exactly what is in it.

#include "tests/sim/coverage.h"
#include "tests/sim/truth.h"
#include "wan/message.h"

namespace hawser::sim {

class Region;
void CheckSaid(const Send& send, Region& by, Truth& truth, Coverage& coverage);

}  // namespace hawser::sim
