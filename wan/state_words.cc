#include "wan/state_words.h"

namespace hawser {

const char* Text(LinkState state) {
  switch (state) {
    case LinkState::kUp:
      return "up";
    case LinkState::kSlow:
      return "slow";
    case LinkState::kDown:
      return "down";
    case LinkState::kHeld:
      return "held";
    case LinkState::kStale:
      return "stale";
  }
  return "?";
}

const char* Text(Lifecycle lifecycle) {
  switch (lifecycle) {
    case Lifecycle::kJoining:
      return "joining";
    case Lifecycle::kSnapshot:
      return "snapshot";
    case Lifecycle::kCatchingUp:
      return "catching_up";
    case Lifecycle::kActive:
      return "active";
    case Lifecycle::kDraining:
      return "draining";
    case Lifecycle::kRemoved:
      return "removed";
    case Lifecycle::kStale:
      return "stale";
  }
  return "?";
}

const char* Text(Refusal gate) {
  switch (gate) {
    case Refusal::kNone:
      return "open";
    case Refusal::kFull:
      return "full";
    case Refusal::kReadOnly:
      return "read_only";
    case Refusal::kRolledBack:
      return "rolled_back";
    case Refusal::kTooBig:
      return "too_big";
    case Refusal::kNotHome:
      return "not_home";
    case Refusal::kNotEnough:
      return "not_enough";
    case Refusal::kRightsElsewhere:
      return "rights_elsewhere";
    case Refusal::kRightsLeft:
      return "rights_left";
    case Refusal::kStopping:
      return "stopping";
  }
  return "?";
}

}  // namespace hawser
