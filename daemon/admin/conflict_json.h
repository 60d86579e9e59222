#pragma once

// Conflicts as JSON. Pure.

#include <functional>
#include <string>
#include <string_view>

#include "daemon/admin/json_writer.h"
#include "storage/conflict_log.h"
#include "storage/resolution.h"

namespace hawser::admin {

using RegionNames = std::function<std::string(RegionId)>;

// A version as clients see it: <ms>.<counter>-<region id>.
std::string VersionText(const Version& version);

// The members of one conflict, its resolution aside, into an object that is open.
void WriteConflict(std::string_view id, const Conflict& conflict, const RegionNames& region_name,
                   JsonWriter& json);

// A resolution as an object. `in_effect`: nothing was written to the field since.
void WriteResolution(const HeldResolution& held, bool in_effect, const RegionNames& region_name,
                     JsonWriter& json);
// before and after of a resolution, as shown where it was made.
void WriteResolvedText(const ResolvedText& text, JsonWriter& json);

}  // namespace hawser::admin
