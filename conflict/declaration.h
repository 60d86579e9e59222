#pragma once

// Declarations: what is declared of tables and fields, the way it is committed as facts. Rows of
// the internal table "!decl", whose every field settles `first`: the earliest word on a thing is
// the one that counts, in every region. All texts are canonical (docs/formats.md, section 6):
// equal rules give equal texts.
//   key                     fields
//   table 00 field          "rule": the rule's text; "state LINE NAME": the rank of a state added
//                           later to the line of that id
//   "@table" 00 table       "placement", "default_home", "index FIELD"
//   "@unique" 00 name       "unique"
// No table is named "@…", so the keys do not meet.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conflict/record.h"
#include "conflict/schema.h"

namespace hawser {

inline constexpr std::string_view kDeclarationTable = "!decl";
inline constexpr std::string_view kDeclarationField = "rule";
inline constexpr std::string_view kPlacementField = "placement";
inline constexpr std::string_view kDefaultHomeField = "default_home";
inline constexpr std::string_view kDeclaredUniqueField = "unique";
inline constexpr std::size_t kDeclaredNameBytesMax = 256;  // of a field, of a state

std::string DeclarationKey(std::string_view table, std::string_view field);
std::string TableDeclarationKey(std::string_view table);
std::string UniqueDeclarationKey(std::string_view name);
std::string IndexField(std::string_view field);

std::string RuleText(const FieldRule& rule);
// Nothing if the text is no rule this software knows.
std::optional<FieldRule> ParseRule(std::string_view text);

// One field's declaration: the rule as first declared and the states added to its line since. What
// was added to another line, one that lost against this, does not count: its ranks stood between
// that line's. Whoever added it adds it anew.
class FieldDeclaration {
 public:
  // Takes one field of a row; what this software does not know is passed over.
  void Take(std::string_view field, std::string_view value);

  bool known() const { return known_; }  // the rule was there and readable
  const FieldRule& first() const { return first_; }
  // States added to the line of `first`, with their ranks.
  std::map<std::string, std::uint64_t, std::less<>> Added() const;
  // The field of the row that adds `state` to the line of `first`.
  std::string AddedStateField(std::string_view state) const;
  // The rule that holds: states by rank, of two with one rank the smaller name first. A state that
  // is in `first` as well keeps the rank it has there.
  FieldRule Effective() const;

 private:
  FieldRule first_;
  bool known_ = false;
  std::string line_id_;                                      // of the rule's text
  std::map<std::string, std::uint64_t, std::less<>> added_;  // by "LINE NAME"
};

// What one row of the table says, into `schema`: the declared rule stands in place of another.
void TakeDeclaration(std::string_view key, const Record& row, Schema& schema);

// The rules of the internal tables themselves; part of every schema.
void AddInternalRules(Schema& schema);

}  // namespace hawser
