#include "tests/sim/coverage.h"

#include <cstdio>

namespace hawser::sim {

const char* Name(Branch branch) {
  switch (branch) {
    case Branch::kMessageSent:
      return "message sent";
    case Branch::kMessageDelivered:
      return "message delivered";
    case Branch::kMessageLost:
      return "message lost";
    case Branch::kMessageDuplicated:
      return "message duplicated";
    case Branch::kMessageReordered:
      return "message reordered";
    case Branch::kMessageCorrupted:
      return "message corrupted";
    case Branch::kMessageStrange:
      return "message strange";
    case Branch::kLinkCutOneWay:
      return "link cut one way";
    case Branch::kLinkCut:
      return "link cut";
    case Branch::kPartition:
      return "partition";
    case Branch::kIsolated:
      return "isolated";
    case Branch::kSwizzle:
      return "swizzle";
    case Branch::kClogged:
      return "clogged";
    case Branch::kCrashBeforeCommit:
      return "crash before commit";
    case Branch::kCrashAfterCommit:
      return "crash after commit";
    case Branch::kCrashWhileSending:
      return "crash while sending";
    case Branch::kCrashMidCheckpoint:
      return "crash mid checkpoint";
    case Branch::kCommitFailed:
      return "commit failed";
    case Branch::kCrashLostTxns:
      return "crash lost txns";
    case Branch::kCrashIdle:
      return "crash idle";
    case Branch::kPaused:
      return "paused";
    case Branch::kClockStepped:
      return "clock stepped";
    case Branch::kDiskFull:
      return "disk full";
    case Branch::kInboxOverflow:
      return "inbox overflow";
    case Branch::kRollback:
      return "rollback";
    case Branch::kWiped:
      return "wiped";
    case Branch::kOriginDestroyed:
      return "origin destroyed";
    case Branch::kPairLeftCut:
      return "pair left cut";
    case Branch::kFullOfEachOther:
      return "full of each other";
    case Branch::kSteadySeed:
      return "steady seed";
    case Branch::kLocalTxn:
      return "local txn";
    case Branch::kRemoteTxn:
      return "remote txn";
    case Branch::kGroupCommit:
      return "group commit";
    case Branch::kRecovery:
      return "recovery";
    case Branch::kReplayedTxns:
      return "replayed txns";
    case Branch::kDuplicateTxns:
      return "duplicate txns";
    case Branch::kGap:
      return "gap";
    case Branch::kFetch:
      return "fetch";
    case Branch::kFetchRetry:
      return "fetch retry";
    case Branch::kFetchMissing:
      return "fetch missing";
    case Branch::kServedTxns:
      return "served txns";
    case Branch::kRelayedTxns:
      return "relayed txns";
    case Branch::kRelayedReports:
      return "relayed reports";
    case Branch::kMalformed:
      return "malformed";
    case Branch::kForeign:
      return "foreign";
    case Branch::kFragment:
      return "fragment";
    case Branch::kCausalWait:
      return "causal wait";
    case Branch::kSkewHold:
      return "skew hold";
    case Branch::kClockStepSeen:
      return "clock step seen";
    case Branch::kOverflow:
      return "overflow";
    case Branch::kHashMismatch:
      return "hash mismatch";
    case Branch::kRollbackDetected:
      return "rollback detected";
    case Branch::kCongested:
      return "congested";
    case Branch::kReceivingPaused:
      return "receiving paused";
    case Branch::kWriteRefusedFull:
      return "write refused full";
    case Branch::kTrimmed:
      return "trimmed";
    case Branch::kCheckpoint:
      return "checkpoint";
    case Branch::kStale:
      return "stale";
    case Branch::kAckReached:
      return "ack reached";
    case Branch::kAckMissed:
      return "ack missed";
    case Branch::kCutReached:
      return "cut reached";
    case Branch::kStepLimited:
      return "step limited";
    case Branch::kBudgetHeld:
      return "budget held";
    case Branch::kSet:
      return "set";
    case Branch::kHashSet:
      return "hash set";
    case Branch::kDelete:
      return "delete";
    case Branch::kFieldDelete:
      return "field delete";
    case Branch::kIncrement:
      return "increment";
    case Branch::kFloatIncrement:
      return "float increment";
    case Branch::kState:
      return "state";
    case Branch::kFirst:
      return "first";
    case Branch::kMaxMin:
      return "max min";
    case Branch::kMulti:
      return "multi";
    case Branch::kExpire:
      return "expire";
    case Branch::kPersist:
      return "persist";
    case Branch::kOverride:
      return "override";
    case Branch::kLargeValue:
      return "large value";
    case Branch::kRefusedEdit:
      return "refused edit";
    case Branch::kCreatedMark:
      return "created mark";
    case Branch::kAbsentMark:
      return "absent mark";
    case Branch::kRaisedGeneration:
      return "raised generation";
    case Branch::kSeenShares:
      return "seen shares";
    case Branch::kConflict:
      return "conflict";
    case Branch::kRowDropped:
      return "row dropped";
    case Branch::kExpired:
      return "expired";
    case Branch::kRecordChecked:
      return "record checked";
    case Branch::kConflictChecked:
      return "conflict checked";
    case Branch::kCounterChecked:
      return "counter checked";
    case Branch::kTombstonesGone:
      return "tombstones gone";
    case Branch::kClaimMade:
      return "claim made";
    case Branch::kClaimTaken:
      return "claim taken";
    case Branch::kClaimPending:
      return "claim still pending";
    case Branch::kClaimConfirmed:
      return "claim confirmed";
    case Branch::kClaimLost:
      return "claim lost";
    case Branch::kClaimReclaimed:
      return "claim made again";
    case Branch::kClaimHandedOver:
      return "claim handed over";
    case Branch::kRelease:
      return "release";
    case Branch::kReleaseRefused:
      return "release refused";
    case Branch::kClaimChecked:
      return "claim checked";
    case Branch::kSold:
      return "scarce things sold";
    case Branch::kSaleRefused:
      return "sale refused";
    case Branch::kRightsGiven:
      return "rights given";
    case Branch::kStockDeleted:
      return "scarce field deleted";
    case Branch::kStockChecked:
      return "rights checked";
    case Branch::kDeclared:
      return "declared";
    case Branch::kOlderFile:
      return "older file";
    case Branch::kContradicted:
      return "contradicted";
    case Branch::kRulesChecked:
      return "rules checked";
    case Branch::kStateMoved:
      return "state moved";
    case Branch::kAddedStateShown:
      return "added state shown";
    case Branch::kResolution:
      return "resolution";
    case Branch::kAuditChecked:
      return "audit entry checked";
    case Branch::kHomeWrite:
      return "homed write taken";
    case Branch::kHomeRefused:
      return "homed write refused";
    case Branch::kHomeForwarded:
      return "homed write forwarded";
    case Branch::kHomeCrossing:
      return "homed write crossing homes";
    case Branch::kHomeFirst:
      return "home by first write";
    case Branch::kHomeByDefault:
      return "home by default";
    case Branch::kHomeRaced:
      return "first writes racing";
    case Branch::kHomeMoved:
      return "home moved by plan";
    case Branch::kHomeMoveRefused:
      return "home move refused";
    case Branch::kHomeTakenOver:
      return "home taken over";
    case Branch::kHomeConfirmed:
      return "home confirmed";
    case Branch::kHomeOverlap:
      return "homed writes overlapping";
    case Branch::kHomeKept:
      return "homed write kept";
    case Branch::kHomeChecked:
      return "home checked";
    case Branch::kCount:
      break;
  }
  return "?";
}

const char* Name(Rule rule) {
  constexpr const char* kNames[] = {"lww", "states", "first", "max", "min", "counter"};
  return rule < Rule::kCount ? kNames[static_cast<std::size_t>(rule)] : "?";
}

const char* Name(Fate fate) {
  constexpr const char* kNames[] = {"deleted", "made anew", "replaced", "expired", "overridden"};
  return fate < Fate::kCount ? kNames[static_cast<std::size_t>(fate)] : "?";
}

void Coverage::Join(const Coverage& other) {
  for (std::size_t i = 0; i < fates_.size(); ++i) fates_[i] += other.fates_[i];
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
}

std::string Coverage::Text() const {
  std::string text;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    char line[80];
    std::snprintf(line, sizeof line, "%-28s%14llu%s", Name(static_cast<Branch>(i)),
                  static_cast<unsigned long long>(counts_[i]),  // NOLINT(google-runtime-int)
                  i % 2 == 1 || i + 1 == counts_.size() ? "\n" : "    ");
    text += line;
  }
  text += "fields that were";
  for (std::size_t fate = 0; fate < kFates; ++fate) {
    char cell[32];
    std::snprintf(cell, sizeof cell, "%12s", Name(static_cast<Fate>(fate)));
    text += cell;
  }
  text += '\n';
  for (std::size_t rule = 0; rule < kRules; ++rule) {
    char line[32];
    std::snprintf(line, sizeof line, "  %-14s", Name(static_cast<Rule>(rule)));
    text += line;
    for (std::size_t fate = 0; fate < kFates; ++fate) {
      std::snprintf(line, sizeof line, "%12llu",
                    static_cast<unsigned long long>(fates_[rule * kFates + fate]));  // NOLINT
      text += line;
    }
    text += '\n';
  }
  return text;
}

std::vector<std::string> Coverage::Missing() const {
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] == 0) missing.emplace_back(Name(static_cast<Branch>(i)));
  }
  for (std::size_t rule = 0; rule < kRules; ++rule) {
    for (std::size_t fate = 0; fate < kFates; ++fate) {
      if (fates_[rule * kFates + fate] > 0) continue;
      missing.push_back(std::string(Name(static_cast<Rule>(rule))) + " " +
                        Name(static_cast<Fate>(fate)));
    }
  }
  return missing;
}

}  // namespace hawser::sim
