#pragma once

// RunSeed: one world from one number.

#include <cstdint>
#include <optional>
#include <string>

#include "tests/sim/coverage.h"

namespace hawser::sim {

struct Result {
  std::uint64_t seed = 0;
  std::uint64_t events = 0;
  std::uint64_t trace = 0;  // the same seed, the same number
  std::int64_t virtual_ms = 0;
  Coverage coverage;
  std::string check;  // the name of the broken check; empty: all held
  std::string detail;
};

Result RunSeed(std::uint64_t seed);

}  // namespace hawser::sim
