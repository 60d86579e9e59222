#include "conflict/declaration.h"

#include <algorithm>
#include <utility>

#include <xxhash.h>

#include "conflict/bytes.h"
#include "conflict/internal_tables.h"

namespace hawser {
namespace {

constexpr std::string_view kKindNames[] = {"lww", "states", "first", "max", "min"};
constexpr std::string_view kStatePrefix = "state ";
constexpr std::string_view kIndexPrefix = "index ";
constexpr std::string_view kTableRows = "@table";
constexpr std::string_view kUniqueRows = "@unique";

// Names a line of states by its text: 16 hex digits.
std::string LineId(std::string_view rule_text) {
  const std::uint64_t hash = XXH3_64bits(rule_text.data(), rule_text.size());
  std::string id;
  for (int shift = 60; shift >= 0; shift -= 4) id.push_back("0123456789abcdef"[hash >> shift & 15]);
  return id;
}

std::string_view Before(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  const std::string_view part = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
  return part;
}

}  // namespace

std::string DeclarationKey(std::string_view table, std::string_view field) {
  std::string key(table);
  key.push_back('\0');
  key.append(field);
  return key;
}

std::string TableDeclarationKey(std::string_view table) {
  return DeclarationKey(kTableRows, table);
}

std::string UniqueDeclarationKey(std::string_view name) {
  return DeclarationKey(kUniqueRows, name);
}

std::string IndexField(std::string_view field) {
  return std::string(kIndexPrefix) + std::string(field);
}

// "lww", "counter", "counter min=0", "states OPEN=65536,PAID=131072": names may hold no space,
// comma or equals sign (the configuration refuses them).
std::string RuleText(const FieldRule& rule) {
  if (rule.counter) {
    return rule.min ? "counter min=" + std::to_string(*rule.min) : std::string("counter");
  }
  std::string text(kKindNames[static_cast<std::size_t>(rule.kind)]);
  for (std::size_t i = 0; i < rule.states.size(); ++i) {
    text += (i == 0 ? " " : ",") + rule.states[i] + "=" + std::to_string(rule.ranks[i]);
  }
  return text;
}

std::optional<FieldRule> ParseRule(std::string_view text) {
  const std::string_view name = Before(text, ' ');
  FieldRule rule;
  if (name == "counter") {
    rule.counter = true;
    if (text.empty()) return rule;
    if (Before(text, '=') != "min") return std::nullopt;
    rule.min = ParseInt(text);
    return rule.min ? std::optional(rule) : std::nullopt;
  }
  bool known = false;
  for (std::uint8_t kind = 0; kind <= kKindMax; ++kind) {
    if (name == kKindNames[kind]) {
      rule.kind = static_cast<Kind>(kind);
      known = true;
    }
  }
  if (!known || (rule.kind == Kind::kStates) == text.empty()) return std::nullopt;
  while (!text.empty()) {
    std::string_view state = Before(text, ',');
    const std::string_view label = Before(state, '=');
    const auto rank = ParseInt(state);
    if (label.empty() || !rank || *rank < 1) return std::nullopt;
    if (!rule.ranks.empty() && rule.ranks.back() >= static_cast<std::uint64_t>(*rank))
      return std::nullopt;
    rule.states.emplace_back(label);
    rule.ranks.push_back(static_cast<std::uint64_t>(*rank));
  }
  return rule;
}

void FieldDeclaration::Take(std::string_view field, std::string_view value) {
  if (field == kDeclarationField) {
    if (auto rule = ParseRule(value)) {
      first_ = std::move(*rule);
      known_ = true;
      line_id_ = LineId(value);
    }
  } else if (field.starts_with(kStatePrefix)) {
    const auto rank = ParseInt(value);
    if (rank && *rank > 0) {
      added_.emplace(field.substr(kStatePrefix.size()), static_cast<std::uint64_t>(*rank));
    }
  }
}

std::map<std::string, std::uint64_t, std::less<>> FieldDeclaration::Added() const {
  std::map<std::string, std::uint64_t, std::less<>> added;
  const std::string prefix = line_id_ + ' ';
  for (auto at = added_.lower_bound(prefix); at != added_.end() && at->first.starts_with(prefix);
       ++at) {
    added.emplace(at->first.substr(prefix.size()), at->second);
  }
  return added;
}

std::string FieldDeclaration::AddedStateField(std::string_view state) const {
  return std::string(kStatePrefix) + line_id_ + ' ' + std::string(state);
}

FieldRule FieldDeclaration::Effective() const {
  const auto added = Added();
  if (first_.kind != Kind::kStates || added.empty()) return first_;
  std::vector<std::pair<std::uint64_t, std::string>> line;
  for (std::size_t i = 0; i < first_.states.size(); ++i) {
    line.emplace_back(first_.ranks[i], first_.states[i]);
  }
  for (const auto& [state, rank] : added) {
    if (!first_.RankOf(state)) line.emplace_back(rank, state);
  }
  std::ranges::sort(line);
  FieldRule rule = first_;
  rule.states.clear();
  rule.ranks.clear();
  for (auto& [rank, state] : line) {
    rule.ranks.push_back(rank);
    rule.states.push_back(std::move(state));
  }
  return rule;
}

void TakeDeclaration(std::string_view key, const Record& row, Schema& schema) {
  const std::size_t zero = key.find('\0');
  if (zero == std::string_view::npos) return;
  const std::string_view owner = key.substr(0, zero), name = key.substr(zero + 1);
  FieldDeclaration declaration;
  for (const Field& field : row.fields) {
    if (!field.has_cell || field.cell.null) continue;
    if (owner == kTableRows) {
      TableRule& table = schema.tables[std::string(name)];
      if (field.name == kPlacementField) table.placement = field.cell.value;
      if (field.name == kDefaultHomeField) table.default_home = field.cell.value;
      if (field.name.starts_with(kIndexPrefix)) {
        table.index.emplace(field.name.substr(kIndexPrefix.size()));
      }
    } else if (owner == kUniqueRows) {
      schema.unique.emplace(name);
    } else {
      declaration.Take(field.name, field.cell.value);
    }
  }
  if (!declaration.known() || !IsTableName(owner)) return;
  schema.tables[std::string(owner)].fields[std::string(name)] = declaration.Effective();
}

void AddInternalRules(Schema& schema) {
  schema.tables[std::string(kDeclarationTable)].others.kind = Kind::kFirst;
  schema.tables[std::string(kHomeTable)].fields[std::string(kHomeField)].kind = Kind::kFirst;
  schema.tables[std::string(kUniqueTable)].fields[std::string(kOwnerField)].kind = Kind::kFirst;
  schema.tables[std::string(kRequestTable)].fields[std::string(kRequestField)].kind = Kind::kFirst;
}

}  // namespace hawser
