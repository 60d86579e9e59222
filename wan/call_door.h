#pragma once

// CallDoor: the callee's side: what of the calls that come in is carried out. Puts pieces together,
// refuses repeats, what comes too late, and more than the region admits at once.
// A request that was admitted is carried out at most once: its id is remembered for longer than any
// budget may last; one whose budget is over, or that was sent before this process began, is late.
// Threads: a plain value, the call desk's. Times: mono_ms is the monotonic clock's, clock_ms the
// hybrid clock's milliseconds.

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <utility>
#include <variant>

#include "wan/call_pieces.h"
#include "wan/message.h"

namespace hawser {

inline constexpr std::int64_t kCallBudgetMsMax = 10'000;

struct CallDoorOptions {
  RegionId self{};
  std::uint64_t under_way_max = 256;           // in all
  std::uint64_t under_way_of_one_max = 128;    // of one caller
  std::uint64_t remembered_max = 400'000;      // ids; beyond it new ones are refused as busy
  std::uint64_t request_bytes_max = 64 << 20;  // pieces of unfinished requests
  std::int64_t skew_ms = 500;
};

class CallDoor {
 public:
  // `clock_ms`: now.
  CallDoor(CallDoorOptions options, std::int64_t clock_ms)
      : options_(options), began_ms_(clock_ms), pieces_(options.request_bytes_max) {}

  struct Nothing {};  // a piece, or a repeat of something under way or done
  // What to do: carry it out before `budget_ms` is over and then call Finished, or send the
  // refusal.
  using Verdict = std::variant<Nothing, CallRequest, CallAnswer>;
  Verdict Admit(CallRequest request, std::int64_t mono_ms, std::int64_t clock_ms);
  void Finished(RegionId from);

  std::uint64_t under_way() const { return under_way_; }

 private:
  using Id = std::pair<RegionId, std::uint64_t>;
  void Forget(std::int64_t mono_ms);

  CallDoorOptions options_;
  std::int64_t began_ms_;
  CallPieces pieces_;
  std::uint64_t under_way_ = 0;
  std::map<RegionId, std::uint64_t> under_way_of_;
  std::set<Id> admitted_;
  std::deque<std::pair<std::int64_t, Id>>
      admitted_at_;  // monotonic time of admission, oldest first
};

}  // namespace hawser
