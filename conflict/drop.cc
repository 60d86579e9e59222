#include "conflict/drop.h"

#include <algorithm>

#include "conflict/variant.h"

namespace hawser {
namespace {

bool IsStable(const Field& field, const Cut& stable) {
  if (field.has_cell && !stable.Covers(field.cell.dot)) return false;
  return std::ranges::all_of(field.shares, [&](const Share& share) {
    return stable.Covers(Dot{share.origin, share.seq});
  });
}

}  // namespace

bool MayDrop(const Record& record, const Stable& stable) {
  if (HW_VARIANT(kDropBeforeStable)) return IsDead(record, stable.clock_ms);
  if (record.expiry && !stable.cut.Covers(record.expiry->dot)) return false;
  for (const Field& field : record.fields) {
    if (!IsStable(field, stable.cut)) return false;
  }
  return !IsAlive(record, stable.clock_ms);
}

bool IsDead(const Record& record, std::int64_t now_ms) {
  return !IsAlive(record, now_ms);
}

}  // namespace hawser
