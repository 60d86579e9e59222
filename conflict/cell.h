#pragma once

// Cell: one field of a record, and the order that decides which of two cells stays.
// Values borrow: a cell's `value` points into the bytes it was read from (a txn, a row) and is
// valid only as long as those.

#include <compare>
#include <cstdint>
#include <string_view>

#include "conflict/types.h"
#include "conflict/version.h"

namespace hawser {

// How concurrent values of a field settle. The kind travels in every put, so the join of two cells
// is a function of the two cells alone. The numbers are format; among kinds the larger wins.
enum class Kind : std::uint8_t {
  kLww = 0,     // the later version (a counter's base is an lww cell)
  kStates = 1,  // the later state of a declared line of states, by rank
  kFirst = 2,   // the smallest version: immutable facts and claims
  kMax = 3,     // the largest value, by CompareValues
  kMin = 4,     // the smallest value, by CompareValues
};
inline constexpr std::uint8_t kKindMax = 4;

struct Cell {
  std::uint64_t generation =
      0;  // above all else: raised by a delete of a non-lww field, an override
  Kind kind = Kind::kLww;
  bool null = true;        // deleted; `value` is empty
  std::uint64_t rank = 0;  // kStates only: the state's place in its line
  std::string_view value;
  Version version;
  Dot dot;
};

// The total order of DESIGN section 5: (generation, kind, null lowest, order of the kind, version);
// for lww (generation, kind, version). The join of two cells is the larger.
std::strong_ordering Compare(const Cell& a, const Cell& b);

// Orders values for kMax and kMin: numbers (decimal, finite) by size and before all other texts,
// texts by bytes. "1" and "1.0" are equal here; the version then decides.
std::weak_ordering CompareValues(std::string_view a, std::string_view b);

}  // namespace hawser
