#pragma once

// When a row may leave the record tables, told from its bytes. Both stores ask here.

#include <cstdint>
#include <string_view>

#include "conflict/drop.h"
#include "conflict/record.h"

namespace hawser {

// What must happen for a row to become droppable, apart from stability.
enum class Fading : std::uint8_t {
  kNo,        // shows something until it is written again
  kDead,      // shows nothing
  kExpiring,  // shows nothing from `due_ms` on
};
struct Fate {
  Fading fading = Fading::kNo;
  std::int64_t due_ms = 0;
};
Fate FateOf(const Record& record);

// `scratch` is used for decoding. False for bytes that are no record.
bool RowMayDrop(std::string_view record_bytes, const Stable& stable, Record& scratch);

}  // namespace hawser
