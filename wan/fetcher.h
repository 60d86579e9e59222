#pragma once

// Fetcher: decides what to ask of whom when a log has a hole or has fallen behind. One request per
// origin is under way; its size is the flow control. Sources are tried in turn, with growing
// patience. Threads: a plain value, the engine's. Times are the monotonic clock's milliseconds.

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "wan/message.h"

namespace hawser {

struct FetcherOptions {
  RegionId self{};
  // Asked for and not yet received, per origin. 8 MiB at 250 ms round trip allows 32 MiB/s.
  std::uint64_t window_bytes = 8 * 1024 * 1024;
  std::int64_t gap_patience_ms = 15;  // a hole with something behind it: reordering heals itself
  std::int64_t behind_patience_ms = 150;  // known to exist, nothing arrives
  std::int64_t timeout_ms = 700;          // silence of a source; doubles up to 8 times
};

// How one origin's log stands on the way in.
struct LogProgress {
  Origin origin;
  Seq contiguous{};                        // applied, or here without a hole
  Seq head{};                              // the furthest anybody is known to have
  bool gap = false;                        // something beyond a hole is here
  std::uint64_t room = ~std::uint64_t{0};  // bytes that may be asked for
};

class Fetcher {
 public:
  explicit Fetcher(FetcherOptions options) : options_(options) {}

  // `sources`: regions that hold the log past `contiguous` and were heard lately, best first.
  std::optional<Send> Plan(const LogProgress& log, const std::vector<RegionId>& sources,
                           std::int64_t mono_ms);
  // A batch that answers a fetch came in.
  void OnAnswer(const Batch& batch, std::int64_t mono_ms);

  // A region is heard again, or runs anew: what was asked of it is lost, and what it failed to
  // answer before says nothing about now.
  void OnReturn(RegionId region);
  // What came of this log belongs to another branch: the next source is asked.
  void Distrust(const Origin& origin, std::int64_t mono_ms);

  std::uint64_t fetches() const { return fetches_; }
  std::uint64_t retries() const { return retries_; }
  // True if a source said it no longer holds what we need, and nobody has helped since.
  bool IsMissing(const Origin& origin) const;

 private:
  struct State {
    bool active = false;
    std::uint64_t id = 0;
    RegionId asked{};                   // of the last request
    std::int64_t quiet_since_ms = 0;    // of the active request
    std::int64_t behind_since_ms = -1;  // no request: since when something is missing
    Seq behind_at{};
    std::uint32_t failures = 0;  // in a row
    std::size_t source = 0;      // index to try next
    bool catching_up = false;    // the last request was answered to its end: go on at once
    bool missing = false;
  };
  std::int64_t TimeoutMs(const State& state) const;

  FetcherOptions options_;
  std::map<Origin, State> states_;
  std::uint64_t id_last_ = 0;
  std::uint64_t fetches_ = 0;
  std::uint64_t retries_ = 0;
};

}  // namespace hawser
