#pragma once

// An applied change as JSON. Pure.

#include "daemon/admin/conflict_json.h"
#include "daemon/admin/json_writer.h"
#include "daemon/feeds/change_follower.h"

namespace hawser::admin {

// The change as an object: what was written, by whom and when; not what the record shows, since a
// write from elsewhere may have lost to what is there.
void WriteChange(const AppliedChange& applied, const RegionNames& region_name, JsonWriter& json);

}  // namespace hawser::admin
