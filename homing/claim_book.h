#pragma once

// ClaimBook: the claims that this process saw made and that are not settled yet, for metrics. It is
// bounded and begins empty with the process; nothing depends on it.
// Threads: a plain value, the engine's.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "conflict/merge.h"
#include "conflict/txn.h"
#include "homing/claim.h"

namespace hawser {

struct ClaimCounts {
  std::uint64_t pending = 0;          // made anywhere, applied here, neither confirmed nor gone
  std::uint64_t confirmed_total = 0;  // of those, by now
  std::uint64_t lost_total = 0;       // of this region's own, to a rival
  std::uint64_t reclaimed_total = 0;  // of this region's own, killed by a release and made again
  std::vector<std::uint64_t> confirm_buckets;  // of this region's own, kClaimBoundsSeconds and +Inf
  double confirm_seconds_sum = 0;
};
inline constexpr double kClaimBoundsSeconds[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075,
                                                 0.1,   0.15,   0.2,   0.3,  0.5,   1,    2.5,
                                                 5,     10,     30,    60,   600,   3600};

class ClaimBook {
 public:
  static constexpr std::size_t kPendingMax = 100'000;

  explicit ClaimBook(RegionId self);
  // A txn was applied here.
  void OnApplied(const Dot& dot, const Txn& txn, std::int64_t mono_ms);
  // What it discarded, if that was a claim.
  void OnDiscarded(const Discarded& discarded);
  void OnReclaimed() { ++counts_.reclaimed_total; }
  // `look` gives what a row shows now.
  void OnProof(const Proof& proof, const std::function<Claim(std::string_view row_key)>& look,
               std::int64_t mono_ms);
  ClaimCounts counts() const;

 private:
  struct Pending {
    std::string row_key;
    std::int64_t since_mono_ms = 0;
  };
  RegionId self_;
  std::map<Dot, std::vector<Pending>> pending_;  // by the dot that claimed
  std::uint64_t pending_count_ = 0;
  ClaimCounts counts_;
};

}  // namespace hawser
