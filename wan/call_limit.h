#pragma once

// CallLimit: how many calls to one peer may be under way at once, so that a slow peer costs its own
// calls and nothing else. Rises while calls are answered in about the time they used to take;
// falls by a part when they take far longer, are refused there, or are not answered (additive
// increase, multiplicative decrease; on the way back up to half of what it was it doubles per round
// trip, as TCP's slow start does: RFC 5681). At the lowest limit one call at a time feels the way.
//
// The retry budget: what was surely not carried out may be tried again, but retries are at most a
// tenth of the calls that were answered, so that they never make an overload worse.
// Threads: a plain value, the call desk's. Times are the monotonic clock's milliseconds.

#include <cstdint>

namespace hawser {

struct CallLimitOptions {
  double start = 16;
  double max = 512;
  double slow_factor = 4;   // this many times the usual time is slow
  double slow_ms_min = 50;  // … but never what takes less than this
};

class CallLimit {
 public:
  explicit CallLimit(CallLimitOptions options) : options_(options), limit_(options.start) {}

  bool Admits() const { return under_way_ < static_cast<std::uint64_t>(limit_); }
  void Begun() { ++under_way_; }
  void Answered(std::int64_t began_ms, std::int64_t now_ms);  // carried out there
  void Refused(std::int64_t began_ms, std::int64_t now_ms);   // busy there
  void Silent(std::int64_t began_ms, std::int64_t now_ms);    // the budget ended first

  // Takes one retry out of the budget, if there is one.
  bool TakeRetry();

  std::uint64_t limit() const { return static_cast<std::uint64_t>(limit_); }
  std::uint64_t under_way() const { return under_way_; }
  // True from the first unanswered call until the next answer: whoever asks now is told so.
  bool silent() const { return silent_; }

 private:
  void Shrink(double factor, std::int64_t began_ms, std::int64_t now_ms);

  CallLimitOptions options_;
  double limit_;
  double slow_start_to_ = 0;  // below it the limit doubles per round trip
  double usual_ms_ = -1;      // of an answered call, slowly moving; -1: none yet
  std::int64_t usual_at_ms_ = 0;
  double retries_ = 3;
  std::uint64_t under_way_ = 0;
  std::int64_t shrunk_at_ms_ = -1;  // calls begun before it say nothing new
  bool silent_ = false;
};

}  // namespace hawser
