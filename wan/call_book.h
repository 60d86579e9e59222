#pragma once

// CallBook: the caller's side of calls to other regions. Keeps what is under way, one limit per
// peer, and ends every call: answered, refused, or when its budget is over. Too much under way to
// one peer fails at once, before anything is sent, and touches no other peer.
//
// A call whose budget ends without an answer may or may not have been carried out. One that was
// surely not (busy or late there) is tried again within its budget if the retry budget allows.
// Threads: a plain value, the call desk's. Times are the monotonic clock's milliseconds.

#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "wan/call_limit.h"
#include "wan/call_pieces.h"
#include "wan/message.h"

namespace hawser {

enum class CallFailure {
  kStranger,  // no such region; nothing was sent
  kLimit,     // as many calls as that peer answers are under way: nothing was sent
  kBusy,      // the peer refused: not carried out
  kLate,      // the peer found the budget used up: not carried out
  kUnknown,   // the peer's software does not know such a call: not carried out
  kNoAnswer,  // the budget is over: carried out or not
  kStopping,  // this region is stopping: carried out or not
};
const char* Text(CallFailure failure);
// True if it was surely not carried out.
constexpr bool NeverRan(CallFailure failure) {
  return failure != CallFailure::kNoAnswer && failure != CallFailure::kStopping;
}

struct CallEnded {
  std::uint64_t id = 0;
  std::expected<std::string, CallFailure> answer;
};

// Since the start, of calls to one peer.
struct CallCounts {
  RegionId region{};
  std::uint64_t answered = 0, limited = 0, refused = 0, silent = 0, retried = 0;
  std::uint64_t limit = 0, under_way = 0;  // now
};

struct CallBookOptions {
  RegionId self{};
  std::vector<RegionId> peers;
  std::uint64_t first_id = 0;                 // at random, so that runs of this region do not meet
  std::uint64_t answer_bytes_max = 64 << 20;  // pieces of unfinished answers
  CallLimitOptions limit;
};

class CallBook {
 public:
  explicit CallBook(CallBookOptions options);

  // A new call; its messages are appended to `out`. `clock_ms`: the hybrid clock.
  // REQUIRES: body of at most kCallBytesMax, a verb of 1..kVerbBytesMax, budget_ms > 0.
  std::expected<std::uint64_t, CallFailure> Begin(RegionId to, std::string verb, std::string body,
                                                  std::int64_t budget_ms, std::int64_t mono_ms,
                                                  std::int64_t clock_ms, std::vector<Send>& out);
  void OnAnswer(CallAnswer answer, std::int64_t mono_ms, std::int64_t clock_ms,
                std::vector<Send>& out, std::vector<CallEnded>& ended);
  // Ends what is over its budget. Call it every few milliseconds while anything is under way.
  void Advance(std::int64_t mono_ms, std::vector<CallEnded>& ended);

  bool idle() const { return calls_.empty(); }
  std::vector<CallCounts> counts() const;

 private:
  struct UnderWay {
    RegionId to{};
    std::string verb;
    std::string body;  // kept for a retry
    std::int64_t began_ms = 0;
    std::int64_t deadline_ms = 0;
  };
  struct Peer {
    CallLimit limit;
    CallCounts counts;
  };
  void SendOff(std::uint64_t id, const UnderWay& call, std::int64_t mono_ms, std::int64_t clock_ms,
               std::vector<Send>& out) const;

  CallBookOptions options_;
  std::map<RegionId, Peer> peers_;
  std::map<std::uint64_t, UnderWay> calls_;
  std::map<std::pair<std::int64_t, std::uint64_t>, std::uint64_t> by_deadline_;  // → id
  CallPieces pieces_;
  std::uint64_t next_id_;
};

}  // namespace hawser
