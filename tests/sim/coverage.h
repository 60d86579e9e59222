#pragma once

// Coverage: how often each fault and each branch of the protocol came up. A run over many seeds in
// which one of them never came up fails: what was never tried was not tested.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace hawser::sim {

enum class Branch : std::uint8_t {
  // What was done to the regions
  kMessageSent,
  kMessageDelivered,
  kMessageLost,
  kMessageDuplicated,
  kMessageReordered,
  kMessageCorrupted,
  kMessageStrange,
  kLinkCutOneWay,
  kLinkCut,
  kPartition,
  kIsolated,
  kSwizzle,
  kClogged,
  kCrashBeforeCommit,
  kCrashAfterCommit,
  kCrashWhileSending,
  kCrashMidCheckpoint,
  kCommitFailed,
  kCrashLostTxns,
  kCrashIdle,
  kPaused,
  kClockStepped,
  kDiskFull,
  kInboxOverflow,
  kRollback,
  kWiped,
  kOriginDestroyed,
  kPairLeftCut,
  kFullOfEachOther,
  kSteadySeed,
  // What the protocol did
  kLocalTxn,
  kRemoteTxn,
  kGroupCommit,
  kRecovery,
  kReplayedTxns,
  kDuplicateTxns,
  kGap,
  kFetch,
  kFetchRetry,
  kFetchMissing,
  kServedTxns,
  kRelayedTxns,
  kRelayedReports,
  kMalformed,
  kForeign,
  kFragment,
  kCausalWait,
  kSkewHold,
  kClockStepSeen,
  kOverflow,
  kHashMismatch,
  kRollbackDetected,
  kCongested,
  kReceivingPaused,
  kWriteRefusedFull,
  kTrimmed,
  kCheckpoint,
  kStale,
  kAckReached,
  kAckMissed,
  kCutReached,
  kStepLimited,
  kBudgetHeld,
  // What the writes did
  kSet,
  kHashSet,
  kDelete,
  kFieldDelete,
  kIncrement,
  kFloatIncrement,
  kState,
  kFirst,
  kMaxMin,
  kMulti,
  kExpire,
  kPersist,
  kOverride,
  kLargeValue,
  kRefusedEdit,
  kCreatedMark,
  kAbsentMark,
  kRaisedGeneration,
  kSeenShares,
  kConflict,
  kRowDropped,
  kExpired,
  kRecordChecked,
  kConflictChecked,
  kCounterChecked,
  kTombstonesGone,
  // What the claims did
  kClaimMade,
  kClaimTaken,
  kClaimPending,
  kClaimConfirmed,
  kClaimLost,
  kClaimReclaimed,
  kClaimHandedOver,
  kRelease,
  kReleaseRefused,
  kClaimChecked,
  kCount,
};
const char* Name(Branch branch);

class Coverage {
 public:
  void Add(Branch branch, std::uint64_t times = 1) {
    counts_[static_cast<std::size_t>(branch)] += times;
  }
  std::uint64_t Get(Branch branch) const { return counts_[static_cast<std::size_t>(branch)]; }
  void Join(const Coverage& other);
  // One line per branch; empty lines between the groups.
  std::string Text() const;
  std::vector<std::string> Missing() const;

 private:
  std::array<std::uint64_t, static_cast<std::size_t>(Branch::kCount)> counts_{};
};

}  // namespace hawser::sim
