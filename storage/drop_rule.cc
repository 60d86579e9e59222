#include "storage/drop_rule.h"

#include <limits>

#include "conflict/record_codec.h"
#include "conflict/variant.h"

namespace hawser {

Fate FateOf(const Record& record) {
  if (IsDead(record, std::numeric_limits<std::int64_t>::min())) return {Fading::kDead, 0};
  const auto due_ms = ExpiryMs(record);
  if (due_ms) return {Fading::kExpiring, *due_ms};
  return {};
}

bool RowMayDrop(std::string_view record_bytes, const Stable& stable, Record& scratch) {
  if (!DecodeRecord(record_bytes, scratch)) return false;
  if (HW_VARIANT(kDropBeforeStable)) return IsDead(scratch, stable.clock_ms);
  return MayDrop(scratch, stable);
}

}  // namespace hawser
