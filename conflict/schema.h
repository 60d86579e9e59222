#pragma once

// Schema: what is declared about tables and fields. It decides how a LOCAL write is made (its kind,
// its rank, what is refused); merging never looks here.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "conflict/cell.h"

namespace hawser {

struct FieldRule {
  Kind kind = Kind::kLww;
  bool counter = false;             // `resolve = "counter"`: lww kind, INCR adds up
  std::optional<std::int64_t> min;  // counter with rights: homing/escrow.h
  std::vector<std::string> states;  // kStates: in order
  // kStates: of each state, never falling; gaps leave room. Two states that regions added without
  // knowing of each other may share a rank: then neither is behind the other.
  std::vector<std::uint64_t> ranks;
  std::optional<std::uint64_t> RankOf(std::string_view state) const;
  // Never falls below `min`, whatever regions do at once; a put is an add of the difference.
  bool scarce() const { return counter && min.has_value(); }
  bool operator==(const FieldRule&) const = default;
};

// Ranks of a line of states as first declared: 1·2^16, 2·2^16 …, so that later states fit between.
FieldRule StatesRule(std::vector<std::string> states);

struct TableRule {
  std::map<std::string, FieldRule, std::less<>> fields;
  FieldRule others;       // of fields not named above; only internal tables have another than lww
  std::string placement;  // "global" or "homed"; empty: not said
  std::string default_home;                  // a region's name; empty: not said
  std::set<std::string, std::less<>> index;  // fields with a secondary key
  bool operator==(const TableRule&) const = default;
};

class Schema {
 public:
  std::map<std::string, TableRule, std::less<>> tables;
  std::set<std::string, std::less<>> unique;  // names of [[unique]]
  bool operator==(const Schema&) const = default;
  // The rule for a field; all lww where nothing is declared.
  const FieldRule& Rule(std::string_view table, std::string_view field) const;
};

// Table names: 1..64 of [A-Za-z0-9_.-], first a letter, a digit or "_". Internal tables start with
// "!" and are out of clients' reach.
bool IsTableName(std::string_view name);
inline constexpr std::size_t kTableNameBytesMax = 64;
inline constexpr std::size_t kKeyBytesMax = 480;     // table name and key together
inline constexpr std::size_t kRowKeyBytesMax = 511;  // of internal tables too: what a store takes

}  // namespace hawser
