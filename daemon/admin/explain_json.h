#pragma once

// What a region holds of a record, cell by cell, as JSON. Pure.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "conflict/cut.h"
#include "conflict/record.h"
#include "daemon/admin/json_writer.h"

namespace hawser::admin {

struct CellFacts {
  const std::function<std::string(RegionId)>& region_name;
  const Cut& stable;
  // When a txn was applied in this region, Unix milliseconds; nullopt: that is not known any more.
  std::function<std::optional<std::int64_t>(const Dot&)> arrived_ms;
};

// An array: the record's cells, nulls included, each with who wrote it, when it arrived, and
// whether every region is known to have it (`stable`); a null, or what expired, is kept until then.
void WriteCells(const Record& record, const CellFacts& facts, JsonWriter& json);

}  // namespace hawser::admin
