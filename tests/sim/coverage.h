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
  // What was sold
  kSold,
  kSaleRefused,
  kRightsGiven,
  kStockDeleted,
  kStockChecked,
  kDeclared,
  kOlderFile,
  kContradicted,
  kRulesChecked,
  kStateMoved,
  kAddedStateShown,
  kResolution,
  kAuditChecked,
  // What the homes did
  kHomeWrite,
  kHomeRefused,
  kHomeForwarded,
  kHomeCrossing,
  kHomeFirst,
  kHomeByDefault,
  kHomeRaced,
  kHomeMoved,
  kHomeMoveRefused,
  kHomeTakenOver,
  kHomeConfirmed,
  kHomeOverlap,
  kHomeKept,
  kHomeChecked,
  kCount,
};
const char* Name(Branch branch);

// What a local write does to a field, by the field's rule.
enum class Rule : std::uint8_t { kLww, kStates, kFirst, kMax, kMin, kCounter, kCount };
enum class Fate : std::uint8_t { kDeleted, kMadeAnew, kReplaced, kExpired, kOverridden, kCount };
const char* Name(Rule rule);
const char* Name(Fate fate);

class Coverage {
 public:
  void Add(Branch branch, std::uint64_t times = 1) {
    counts_[static_cast<std::size_t>(branch)] += times;
  }
  void Add(Rule rule, Fate fate) { ++fates_[PlaceOf(rule, fate)]; }
  std::uint64_t Get(Rule rule, Fate fate) const { return fates_[PlaceOf(rule, fate)]; }
  std::uint64_t Get(Branch branch) const { return counts_[static_cast<std::size_t>(branch)]; }
  void Join(const Coverage& other);
  // One line per two branches, and a table of rules and fates.
  std::string Text() const;
  std::vector<std::string> Missing() const;

 private:
  static constexpr std::size_t kRules = static_cast<std::size_t>(Rule::kCount);
  static constexpr std::size_t kFates = static_cast<std::size_t>(Fate::kCount);
  static std::size_t PlaceOf(Rule rule, Fate fate) {
    return static_cast<std::size_t>(rule) * kFates + static_cast<std::size_t>(fate);
  }
  std::array<std::uint64_t, static_cast<std::size_t>(Branch::kCount)> counts_{};
  std::array<std::uint64_t, kRules * kFates> fates_{};
};

}  // namespace hawser::sim
