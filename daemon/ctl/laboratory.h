#pragma once

// Laboratory: logged conflicts decided once more, by another rule than the one that settled them.
// Asks the same order as the daemon does (conflict/cell.h), changes nothing. Pure.

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conflict/cell.h"

namespace hawser::ctl {

struct LabSide {
  std::optional<std::string> value;  // nullopt: deleted
  Version version;
};
struct LabConflict {
  std::string id, key;
  LabSide winner, loser;  // as the log has them
};

enum class LabOutcome {
  kStays,
  kChanges,    // the loser would have won
  kUndecided,  // a value that is no state of the rule's line
};

class LabRule {
 public:
  // "lww", "first", "max", "min" or "states:A,B,C". The error says what is wrong.
  static std::expected<LabRule, std::string> Parse(std::string_view text);
  LabOutcome Decide(const LabConflict& conflict) const;

 private:
  std::optional<Cell> CellOf(const LabSide& side) const;

  Kind kind_ = Kind::kLww;
  std::vector<std::string> states_;  // of kStates, in their order
};

// A version as the daemon writes it: Unix milliseconds, counter and region, "1763793281000.0-1".
std::optional<Version> ParseVersion(std::string_view text);

}  // namespace hawser::ctl
