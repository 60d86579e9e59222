#include "conflict/clock.h"

#include <cstdlib>

namespace hawser {

void HybridClock::Observe(Now now) {
  // What was read before stays: others may count on it, so a small step back must not undo it.
  last_ = Read();
  if (!observed_) {
    observed_ = true;
    followed_ms_ = now.wall_ms;
  } else {
    const std::int64_t steady_ms = followed_ms_ + (now.mono_ms - last_mono_ms_);
    const std::int64_t off_ms = now.wall_ms - steady_ms;
    const bool jumped = std::llabs(off_ms) > skew_ms_max_;
    stepped_ms_ = jumped ? off_ms : 0;
    followed_ms_ = jumped ? steady_ms : now.wall_ms;
  }
  last_mono_ms_ = now.mono_ms;
}

Stamp HybridClock::Tick() {
  last_ = Stamp{Read().raw + 1};
  return last_;
}

}  // namespace hawser
