#pragma once

// MachineClock: what a region's machine says the time is. Its wall clock drifts and can be stepped;
// its monotonic clock drifts a little and nothing else.

#include <cstdint>

#include "conflict/clock.h"

namespace hawser::sim {

inline constexpr std::int64_t kEpochMs = 1'800'000'000'000;

class MachineClock {
 public:
  MachineClock() = default;
  MachineClock(double wall_ppm, double mono_ppm) : wall_ppm_(wall_ppm), mono_ppm_(mono_ppm) {}

  void StepTo(std::int64_t off_ms) { off_ms_ = off_ms; }
  Now At(std::int64_t true_us) const {
    const auto drifted = [&](double ppm) {
      return (true_us + static_cast<std::int64_t>(static_cast<double>(true_us) * ppm / 1e6)) / 1000;
    };
    return {.wall_ms = kEpochMs + drifted(wall_ppm_) + off_ms_, .mono_ms = drifted(mono_ppm_)};
  }

 private:
  double wall_ppm_ = 0, mono_ppm_ = 0;
  std::int64_t off_ms_ = 0;
};

// What a gateway may take for the time: the wall clock, unless it jumps. An own reading of the rule
// in DESIGN 5, to judge how far ahead a received txn was.
class FollowedClock {
 public:
  explicit FollowedClock(std::int64_t skew_ms_max) : skew_ms_max_(skew_ms_max) {}
  void Observe(Now now) {
    if (!started_) {
      ms_ = now.wall_ms;
    } else {
      const std::int64_t steady = ms_ + now.mono_ms - mono_ms_;
      const std::int64_t off = now.wall_ms - steady;
      ms_ = off > skew_ms_max_ || off < -skew_ms_max_ ? steady : now.wall_ms;
    }
    mono_ms_ = now.mono_ms;
    started_ = true;
  }
  std::int64_t ms() const { return ms_; }

 private:
  std::int64_t skew_ms_max_;
  std::int64_t ms_ = 0, mono_ms_ = 0;
  bool started_ = false;
};

}  // namespace hawser::sim
