#include "conflict/declaration.h"

#include "conflict/bytes.h"
#include "conflict/record.h"

namespace hawser {
namespace {

constexpr std::string_view kKindNames[] = {"lww", "states", "first", "max", "min"};

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

void AddInternalRules(Schema& schema) {
  schema.tables[std::string(kDeclarationTable)].fields[std::string(kDeclarationField)].kind =
      Kind::kFirst;
}

}  // namespace hawser
