#pragma once

// Stamp: one reading of a hybrid logical clock, 48 bits of Unix milliseconds and 16 bits of counter
// that carries over into them. Version: a stamp and the region that took it; totally ordered,
// unique. Source: Kulkarni et al., "Logical Physical Clocks" (2014), packed into 64 bits.

#include <compare>
#include <cstdint>

#include "conflict/types.h"

namespace hawser {

struct Stamp {
  std::uint64_t raw = 0;
  static constexpr Stamp FromMs(std::int64_t ms) {
    return Stamp{ms <= 0 ? 0 : static_cast<std::uint64_t>(ms) << 16};
  }
  constexpr std::int64_t ms() const { return static_cast<std::int64_t>(raw >> 16); }
  constexpr Stamp Next() const { return Stamp{raw + 1}; }
  auto operator<=>(const Stamp&) const = default;
};

struct Version {
  Stamp stamp;
  RegionId region{};
  auto operator<=>(const Version&) const = default;
};

}  // namespace hawser
