#include "daemon/watch.h"

#include <string>

#include "daemon/log.h"
#include "daemon/log_codes.h"
#include "daemon/status_line.h"

namespace hawser {

bool Watch::Look(std::uint64_t ticks, Refusal gate, std::chrono::steady_clock::time_point now) {
  const bool moved = ticks != ticks_ || moved_at_ == std::chrono::steady_clock::time_point{};
  if (moved) {
    ticks_ = ticks;
    moved_at_ = now;
  }
  const bool stuck = now - moved_at_ > kStuckAfter;
  if (stuck != stuck_) {
    stuck_ = stuck;
    if (stuck) {
      Log(LogLevel::kError, "main", code::kEngineStuck,
          "the engine's loop stands still; look at the disk");
    } else {
      Log(LogLevel::kInfo, "main", code::kEngineMoves, "the engine's loop turns again");
    }
  }
  if (gate != gate_) {
    gate_ = gate;
    if (gate == Refusal::kNone) {
      Log(LogLevel::kInfo, "main", code::kWritesTaken, "writes are taken again");
    } else {
      Log(LogLevel::kError, "main", code::kWritesRefused, "writes are refused; reads go on",
          {{"reason", GateText(gate)}});
    }
  }
  return moved;
}

}  // namespace hawser
