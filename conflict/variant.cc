#include "conflict/variant.h"

namespace hawser {

#ifdef HAWSER_VARIANTS
Variant g_variant = Variant::kNone;
#endif

const char* Name(Variant variant) {
  switch (variant) {
    case Variant::kNone:
      return "none";
    case Variant::kAckBeforeCommit:
      return "ack before commit";
    case Variant::kSendBeforeCommit:
      return "send before commit";
    case Variant::kNoDedupe:
      return "no dedupe";
    case Variant::kNoGapCheck:
      return "no gap check";
    case Variant::kNoCausalWait:
      return "no causal wait";
    case Variant::kTieFlipped:
      return "tie flipped";
    case Variant::kCreatedMarkIgnored:
      return "created mark ignored";
    case Variant::kAbsentMarkIgnored:
      return "absent mark ignored";
    case Variant::kDropBeforeStable:
      return "drop before stable";
    case Variant::kCutReportedBeforeCommit:
      return "cut reported before commit";
    case Variant::kCeilingNotKept:
      return "clock ceiling not kept";
    case Variant::kDepsOffByOneInGroup:
      return "deps off by one within a group commit";
    case Variant::kRelayServesWhatItLacks:
      return "relay serves what it lacks";
    case Variant::kReplayWithoutLsnSkip:
      return "replay without the LSN skip";
    case Variant::kMarkMovedInFirstCommit:
      return "mark moved in the first checkpoint commit";
    case Variant::kLatestBeatOnly:
      return "only the latest beat counted";
    case Variant::kStableIgnoresSilent:
      return "stable ignores silent members";
    case Variant::kGenerationIgnored:
      return "generation ignored";
    case Variant::kSeenSharesIgnored:
      return "seen shares of a counter ignored";
    case Variant::kSkewNotHeld:
      return "skewed txns not held";
    case Variant::kRollbackNotDetected:
      return "rollback not detected";
    case Variant::kHashNotChecked:
      return "running hash not checked";
    case Variant::kTrimBeforeStable:
      return "trim before stable";
    case Variant::kConflictOfSeen:
      return "a write that was seen logged as a conflict";
    case Variant::kHeldLoserNotLogged:
      return "a held value that loses not logged";
    case Variant::kFirstIsLast:
      return "the last of `first` wins";
    case Variant::kRankIgnored:
      return "the rank of a state ignored";
    case Variant::kNullByVersion:
      return "a null beside an ordered value judged by version";
    case Variant::kMinIsMax:
      return "min settled as max";
    case Variant::kSharesSurviveBase:
      return "a base leaves the shares it has folded in";
    case Variant::kBaseTakesUnseenShares:
      return "a base takes shares it has not seen";
    case Variant::kExpiryByArrival:
      return "the expiry that arrives last wins";
    case Variant::kGenerationNotRaised:
      return "deleted without a generation above";
    case Variant::kAddedStateLast:
      return "an added state ranked behind the whole line";
    case Variant::kDeclarationsNotFollowed:
      return "declarations of other regions not followed";
    case Variant::kClaimAtOnce:
      return "a claim confirmed before it is stable";
    case Variant::kClaimByClock:
      return "a claim confirmed by clocks";
    case Variant::kClaimUncompared:
      return "a claim confirmed before the logs were compared";
    case Variant::kClaimRivalReleases:
      return "a release of a rival's claim honoured";
    case Variant::kClaimNotReclaimed:
      return "a claim killed by a release not made again";
    case Variant::kClaimReclaimedLater:
      return "a killed claim made again in a later commit";
    case Variant::kRightsNotAsked:
      return "a scarce field taken from without rights";
    case Variant::kRightsCountedTwice:
      return "rights given and kept";
    case Variant::kRightsGivenUnheld:
      return "rights given that the giver does not hold";
    case Variant::kRightsDeleted:
      return "a scarce field deleted while there are rights to it";
    case Variant::kRightsExpire:
      return "a scarce field that expires with its record";
    case Variant::kAuditUnchained:
      return "an audit entry not bound to the one before";
    case Variant::kOverrideNotRaised:
      return "an override in the same generation";
    case Variant::kHomeNotAsked:
      return "a homed unit written without asking for its home";
    case Variant::kHomeOfFirstOnly:
      return "only the first unit of a txn asked for its home";
    case Variant::kHomeNotWritten:
      return "a first write that homes nothing";
    case Variant::kDefaultHomeIgnored:
      return "a default home ignored";
    case Variant::kUnitIsKey:
      return "each key of a unit homed by itself";
    case Variant::kHomeAtOnce:
      return "a home confirmed before every member has it";
    case Variant::kHomeEpochIgnored:
      return "the epoch of a home ignored where it arrives";
    case Variant::kHomeStartsEarly:
      return "a new home starts before the hand-over is applied";
    case Variant::kOldHomeWritesOn:
      return "an old home writes on after its move";
    case Variant::kHomeMovedByAnyone:
      return "a planned move made by a region that is not the home";
    case Variant::kTakeoverAsMove:
      return "a takeover not ranked above a planned move";
    case Variant::kCount:
      break;
  }
  return "?";
}

}  // namespace hawser
