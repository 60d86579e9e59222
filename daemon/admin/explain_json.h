#pragma once

// What a region holds of a record, cell by cell, as JSON. Pure.

#include <functional>
#include <string>

#include "conflict/cut.h"
#include "conflict/record.h"
#include "daemon/admin/json_writer.h"

namespace hawser::admin {

// An array: the record's cells, nulls included, each with who wrote it and whether every region is
// known to have it (`stable`); a null, or what expired, is kept until then.
void WriteCells(const Record& record, const Cut& stable,
                const std::function<std::string(RegionId)>& region_name, JsonWriter& json);

}  // namespace hawser::admin
