#pragma once

// Record: the fields of one key, as merged so far, and what a reader sees of them.
// Values and names borrow from the bytes the record was decoded from (record_codec.h).
// Invariant: fields are sorted by name, names are unique; the expiry stands apart, so that no field
// name a client may choose can meet it.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conflict/cell.h"

namespace hawser {

// What one origin has added to a counter since the share's start; cumulative.
// The number is `sum` plus `float_sum`; the latter only takes part once an INCRBYFLOAT came.
struct Share {
  Origin origin;
  Seq start{};  // the txn that began the share
  Seq seq{};    // the last txn that extended it
  std::int64_t sum = 0;
  double float_sum = 0;
  bool has_float = false;
  Stamp stamp;  // of the txn `seq`; not kept in what a base has seen
  bool operator==(const Share&) const = default;
};

struct Field {
  std::string_view name;
  bool has_cell = false;      // false: shares only, nobody ever wrote a base
  Cell cell;                  // the value, or the base of a counter
  std::vector<Share> shares;  // sorted by origin
  std::vector<Share> seen;    // what shares the base had folded in; sorted by origin
};

struct Record {
  std::vector<Field> fields;
  std::optional<Cell> expiry;  // value: 8 bytes little endian, Unix milliseconds (ExpiryMs)

  bool empty() const { return fields.empty() && !expiry; }
  void clear() {
    fields.clear();
    expiry.reset();
  }
  const Field* Find(std::string_view name) const;
  Field* Find(std::string_view name);
  // The field of that name, added without cell or shares if there was none. Adding moves fields:
  // references into `fields` end.
  Field& At(std::string_view name);
};

// The field that a plain string lives in.
inline constexpr std::string_view kStringField;

// What one field shows, TTL aside. A counter shows base + Σ (share − what the base had seen of it).
struct Shown {
  bool visible = false;
  bool is_counter = false;  // `text` was computed and is owned here; else `value` borrows
  std::string_view value;   // valid while the record's bytes and this object are
  std::string text;
};
Shown Show(const Field& field);
// True if the field shows a value; cheaper than Show.
bool IsVisible(const Field& field);

// Numbers as Redis writes them: integers plainly, floats with up to 17 significant digits.
std::optional<std::int64_t> ParseInt(
    std::string_view text);  // no spaces, no sign "+", no leading zeros
std::optional<double> ParseFloat(std::string_view text);  // finite only
std::string FormatFloat(double value);

// Expiry. A record is expired at and after its expiry's millisecond; a lone expiry cell is dead.
std::optional<std::int64_t> ExpiryMs(const Record& record);
std::optional<std::int64_t> ParseExpiry(const Cell& cell);  // nullopt: a null, or no expiry
std::string EncodeExpiry(std::int64_t unix_ms);
bool IsExpired(const Record& record, std::int64_t now_ms);
// True if a reader at `now_ms` sees the record: not expired, and at least one field visible.
bool IsAlive(const Record& record, std::int64_t now_ms);

// True if the field's base lets shares count: there is none, a null, or a number of kind lww.
bool TakesShares(const Field& field);
// What a share adds beyond what the base had seen of it; nullopt: nothing, all of it is folded in.
struct Beyond {
  std::int64_t sum = 0;  // stands at the least or largest number where it would pass it
  double float_sum = 0;
  bool is_float = false;
};
std::optional<Beyond> BeyondSeen(const Share& share, const std::vector<Share>& seen);

// The version a reader may compare and set against: the largest of all cells and shares held; zero
// if none.
Version RecordVersion(const Record& record);

}  // namespace hawser
