#pragma once

// Broken variants: deliberate mistakes that only the simulator's test-only build can switch on, one
// at a time, to prove that its checks would catch them. In every other build HW_VARIANT(x) is
// `false` and the mistake is compiled away.

namespace hawser {

enum class Variant {
  kNone = 0,
  kAckBeforeCommit,
  kSendBeforeCommit,
  kNoDedupe,
  kNoGapCheck,
  kNoCausalWait,
  kTieFlipped,
  kCreatedMarkIgnored,
  kAbsentMarkIgnored,
  kDropBeforeStable,
  kCutReportedBeforeCommit,
  kCeilingNotKept,
  kDepsOffByOneInGroup,
  kRelayServesWhatItLacks,
  kReplayWithoutLsnSkip,
  kMarkMovedInFirstCommit,
  kLatestBeatOnly,
  kStableIgnoresSilent,
  kGenerationIgnored,
  kSeenSharesIgnored,
  kSkewNotHeld,
  kRollbackNotDetected,
  kHashNotChecked,
  kTrimBeforeStable,
  kConflictOfSeen,
  kHeldLoserNotLogged,
  kFirstIsLast,
  kRankIgnored,
  kNullByVersion,
  kMinIsMax,
  kSharesSurviveBase,
  kBaseTakesUnseenShares,
  kExpiryByArrival,
  kGenerationNotRaised,
  kAddedStateLast,
  kDeclarationsNotFollowed,
  kClaimAtOnce,
  kClaimByClock,
  kClaimUncompared,
  kClaimRivalReleases,
  kClaimNotReclaimed,
  kClaimReclaimedLater,
  kRightsNotAsked,
  kRightsCountedTwice,
  kRightsGivenUnheld,
  kRightsDeleted,
  kRightsExpire,
  kAuditUnchained,
  kOverrideNotRaised,
  kHomeNotAsked,
  kHomeOfFirstOnly,
  kHomeNotWritten,
  kDefaultHomeIgnored,
  kUnitIsKey,
  kHomeAtOnce,
  kHomeEpochIgnored,
  kHomeStartsEarly,
  kOldHomeWritesOn,
  kHomeMovedByAnyone,
  kTakeoverAsMove,
  kCount,
};
const char* Name(Variant variant);

#ifdef HAWSER_VARIANTS
extern Variant g_variant;
#define HW_VARIANT(name) (::hawser::g_variant == ::hawser::Variant::name)
#else
#define HW_VARIANT(name) false
#endif

}  // namespace hawser
