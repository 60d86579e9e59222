#pragma once

// Dropping: when a dead record may be forgotten. A mark in later puts makes this safe (DESIGN 5).

#include <cstdint>

#include "conflict/cut.h"
#include "conflict/record.h"

namespace hawser {

// What every member is known to have.
struct Stable {
  Cut cut;                    // applied by every member, by the counting rule
  std::int64_t clock_ms = 0;  // every member's counted clock is at or past this
};

// True if the whole record may be dropped here: every cell null (or the record expired by every
// member's counted clock, or only an expiry left), every dot and share stable, nothing visible.
bool MayDrop(const Record& record, const Stable& stable);
// True if the record shows nothing at any time from `now_ms` on: a tombstone in the metrics' sense.
bool IsDead(const Record& record, std::int64_t now_ms);

}  // namespace hawser
