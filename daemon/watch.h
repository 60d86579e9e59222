#pragma once

// Watch: whether the engine makes progress, and what is to be said when that changes.
// Threads: one owner (main).

#include <chrono>
#include <cstdint>

#include "daemon/engine.h"

namespace hawser {

class Watch {
 public:
  // Looks at the engine's count of turns. True if it moved since the last look: the watchdog may be
  // fed. Logs when the loop stands still for long or moves again, and when the gate closes or
  // opens.
  bool Look(std::uint64_t ticks, Refusal gate, std::chrono::steady_clock::time_point now);

 private:
  static constexpr std::chrono::seconds kStuckAfter{5};
  std::uint64_t ticks_ = 0;
  std::chrono::steady_clock::time_point moved_at_{};
  bool stuck_ = false;
  Refusal gate_ = Refusal::kNone;
};

}  // namespace hawser
