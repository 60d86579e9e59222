#include "daemon/ctl/laboratory.h"

#include <algorithm>
#include <charconv>

namespace hawser::ctl {
namespace {

constexpr std::string_view kStates = "states:";

// Takes a number off the front.
std::optional<std::uint64_t> TakeNumber(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

bool TakeChar(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::expected<LabRule, std::string> LabRule::Parse(std::string_view text) {
  LabRule rule;
  if (text == "lww") return rule;
  if (text == "first") {
    rule.kind_ = Kind::kFirst;
  } else if (text == "max") {
    rule.kind_ = Kind::kMax;
  } else if (text == "min") {
    rule.kind_ = Kind::kMin;
  } else if (text.starts_with(kStates)) {
    rule.kind_ = Kind::kStates;
    for (std::string_view rest = text.substr(kStates.size()); !rest.empty();) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      rule.states_.emplace_back(rest.substr(0, comma));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    if (rule.states_.size() < 2) {
      return std::unexpected("name the states in their order, such as states:OPEN,PAID,CLOSED");
    }
  } else if (text == "counter") {
    return std::unexpected("a counter adds up what a log of values cannot tell; take another rule");
  } else {
    return std::unexpected("\"" + std::string(text) +
                           "\" is no rule; there are lww, first, max, min and states:A,B,C");
  }
  return rule;
}

// A delete raises the generation of a field whose rule has an order: it stays above the value.
std::optional<Cell> LabRule::CellOf(const LabSide& side) const {
  Cell cell{.kind = kind_, .null = !side.value, .version = side.version};
  if (!side.value) {
    cell.generation = kind_ == Kind::kLww ? 0 : 1;
    return cell;
  }
  cell.value = *side.value;
  if (kind_ != Kind::kStates) return cell;
  const auto at = std::ranges::find(states_, *side.value);
  if (at == states_.end()) return std::nullopt;
  cell.rank = static_cast<std::uint64_t>(at - states_.begin()) + 1;
  return cell;
}

LabOutcome LabRule::Decide(const LabConflict& conflict) const {
  const auto winner = CellOf(conflict.winner), loser = CellOf(conflict.loser);
  if (!winner || !loser) return LabOutcome::kUndecided;
  return Compare(*loser, *winner) > 0 ? LabOutcome::kChanges : LabOutcome::kStays;
}

std::optional<Version> ParseVersion(std::string_view text) {
  const auto ms = TakeNumber(text);
  if (!ms || *ms >= std::uint64_t{1} << 48 || !TakeChar(text, '.')) return std::nullopt;
  const auto counter = TakeNumber(text);
  if (!counter || *counter > 0xFFFF || !TakeChar(text, '-')) return std::nullopt;
  const auto region = TakeNumber(text);
  if (!region || *region == 0 || *region > kRegionIdMax || !text.empty()) return std::nullopt;
  return Version{Stamp{*ms << 16 | *counter}, RegionId{static_cast<std::uint8_t>(*region)}};
}

}  // namespace hawser::ctl
