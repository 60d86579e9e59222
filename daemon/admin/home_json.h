#pragma once

// A home as JSON: {"table", "unit", "home", "epoch", "state", "taken_over"}.

#include <string_view>

#include "daemon/admin/conflict_json.h"
#include "daemon/admin/json_writer.h"
#include "homing/home.h"

namespace hawser::admin {

void WriteHome(std::string_view table, std::string_view unit, const Home& home,
               const RegionNames& name, JsonWriter& json);

}  // namespace hawser::admin
