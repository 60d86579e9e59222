#pragma once

// One conflict of the log's order as the text of an event, for streams and for NATS.

#include <string>

#include "daemon/admin/conflict_json.h"
#include "storage/store.h"

namespace hawser::admin {

// A conflict as the list shows it. Empty: it is not there (any more).
std::string ConflictEventJson(View& view, const std::string& order_key, const RegionNames& names);

}  // namespace hawser::admin
