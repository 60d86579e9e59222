#include "conflict/schema.h"

#include <algorithm>

namespace hawser {
namespace {

bool IsAlnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

}  // namespace

std::optional<std::uint64_t> FieldRule::RankOf(std::string_view state) const {
  const auto at = std::ranges::find(states, state);
  if (at == states.end()) return std::nullopt;
  return ranks[static_cast<std::size_t>(at - states.begin())];
}

FieldRule StatesRule(std::vector<std::string> states) {
  FieldRule rule{
      .kind = Kind::kStates, .counter = false, .min = {}, .states = std::move(states), .ranks = {}};
  for (std::uint64_t i = 1; i <= rule.states.size(); ++i) rule.ranks.push_back(i << 16);
  return rule;
}

const FieldRule& Schema::Rule(std::string_view table, std::string_view field) const {
  static const FieldRule kUndeclared;
  if (tables.empty()) return kUndeclared;
  const auto in_table = tables.find(table);
  if (in_table == tables.end()) return kUndeclared;
  const auto at = in_table->second.fields.find(field);
  return at == in_table->second.fields.end() ? in_table->second.others : at->second;
}

bool IsTableName(std::string_view name) {
  if (name.empty() || name.size() > kTableNameBytesMax) return false;
  if (!IsAlnum(name[0]) && name[0] != '_') return false;
  return std::ranges::all_of(name,
                             [](char c) { return IsAlnum(c) || c == '_' || c == '.' || c == '-'; });
}

}  // namespace hawser
