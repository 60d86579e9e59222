#pragma once

// The position of the change feed as clients hold it: `id` of an event of GET /v1/changes, and in
// the messages on NATS.

#include <string>

#include "conflict/types.h"
#include "daemon/feeds/change_follower.h"

namespace hawser::admin {

std::string ChangePositionText(Incarnation store, const ChangePlace& place);

}  // namespace hawser::admin
