#pragma once

// Declarations: a field's rule as text, the way it is committed as a fact. A declaration is a row
// of the internal table "!decl", key = table, zero byte, field; its one field "rule" settles
// `first`, so the earliest declaration of a field is the one that counts, in every region. The text
// is canonical (docs/formats.md, section 6): equal rules give equal texts.

#include <optional>
#include <string>
#include <string_view>

#include "conflict/schema.h"

namespace hawser {

inline constexpr std::string_view kDeclarationTable = "!decl";
inline constexpr std::string_view kDeclarationField = "rule";

std::string DeclarationKey(std::string_view table, std::string_view field);
std::string RuleText(const FieldRule& rule);
// Nothing if the text is no rule this software knows.
std::optional<FieldRule> ParseRule(std::string_view text);

// The rules of the internal tables themselves; part of every schema.
void AddInternalRules(Schema& schema);

}  // namespace hawser
