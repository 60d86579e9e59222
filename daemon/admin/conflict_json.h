#pragma once

// Conflicts as JSON. Pure.

#include <functional>
#include <string>
#include <string_view>

#include "daemon/admin/json_writer.h"
#include "storage/conflict_log.h"

namespace hawser::admin {

using RegionNames = std::function<std::string(RegionId)>;

// A version as clients see it: <ms>.<counter>-<region id>.
std::string VersionText(const Version& version);

// The members of one conflict, its resolution aside, into an object that is open.
void WriteConflict(std::string_view id, const Conflict& conflict, const RegionNames& region_name,
                   JsonWriter& json);

}  // namespace hawser::admin
