#pragma once

// HybridClock: gives stamps that never go back, over restarts too, and refuses to follow a wall
// clock that jumps. Units:     milliseconds. `wall` is Unix time, `mono` a clock that only runs
// forward at a steady rate. Threads:   one owner (the engine); a plain value otherwise. Invariant:
// every stamp given is greater than any given or received before.

#include <cstdint>

#include "conflict/version.h"

namespace hawser {

struct Now {
  std::int64_t wall_ms = 0;
  std::int64_t mono_ms = 0;
};

class HybridClock {
 public:
  // `floor` is what the store kept: the persisted ceiling, or the highest stamp of its journal.
  HybridClock(std::int64_t skew_ms_max, Stamp floor) : skew_ms_max_(skew_ms_max), last_(floor) {}

  // Takes note of the time; called once per engine step, before anything else uses the clock.
  // A wall clock that moved by more than skew_ms_max against `mono` since the last call is not
  // followed: time goes on at the steady rate and stepped_ms() says by how much the wall is off.
  void Observe(Now now);

  // The next stamp: greater than all before, and not before the followed wall time.
  Stamp Tick();
  // A txn stamped `received` is applied: everything given from here on is later.
  void Witness(Stamp received) {
    if (received > last_) last_ = received;
  }
  // True if a txn stamped `received` is further ahead of our time than max_clock_skew: it must
  // wait.
  bool IsAhead(Stamp received) const { return received.ms() > followed_ms_ + skew_ms_max_; }

  // What the clock stands at: the later of the last stamp and the followed wall time.
  Stamp Read() const {
    const Stamp wall = Stamp::FromMs(followed_ms_);
    return wall > last_ ? wall : last_;
  }
  std::int64_t followed_ms() const { return followed_ms_; }
  std::int64_t stepped_ms() const { return stepped_ms_; }

 private:
  std::int64_t skew_ms_max_;
  Stamp last_;
  std::int64_t followed_ms_ = 0;
  std::int64_t last_mono_ms_ = 0;
  std::int64_t stepped_ms_ = 0;
  bool observed_ = false;
};

}  // namespace hawser
