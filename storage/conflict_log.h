#pragma once

// The conflict log's rows: local tables (not replicated: each region logs what gave way there).
//   kConflictTable       key: the conflict's id       one row per value that was discarded
//   kConflictOrderTable  key: OrderKey, newest first  its place in the order found, and its size
//   kConflictFloorTable  one row, key ""              the newest order key that was ever dropped
// Order keys come only newer: a place is the highest stamp applied so far and the LSN, neither of
// which goes back as the journal grows. So who has read up to an order key has missed nothing that
// is older, as long as it is not older than the floor.
// Rows are ordinary records, so everything that reads records can read them. The tables' names sort
// before every client's table: a checkpoint writes in key order, so a conflict is durable not later
// than the row it came from.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "conflict/merge.h"
#include "conflict/record.h"
#include "storage/store.h"

namespace hawser {

inline constexpr std::string_view kConflictTable = "!conflict";
inline constexpr std::string_view kConflictFloorTable = "!conflict_floor";
inline constexpr std::string_view kConflictOrderTable = "!conflict_order";

// What happened; the names are part of the outside contract. Claims, homes, idempotency keys and
// datastores report here when they come.
enum class ConflictKind : std::uint8_t {
  kWrite,        // a value gave way to a value
  kDelete,       // a value gave way to a delete
  kState,        // a state of another generation gave way: it was not merely moved on from
  kClaim,        // a unique claim was lost
  kHome,         // a write under an old home gave way
  kIdempotency,  // a request was executed in two regions
  kRejected,     // the datastore beside us refused it
};
inline constexpr std::uint8_t kConflictKindMax = 6;
const char* Text(ConflictKind kind);
std::optional<ConflictKind> ParseConflictKind(std::string_view text);
ConflictKind KindOf(const Discarded& what);

// 32 hex digits, the same in every region: XXH3-128 of the losing dot, table, key and field.
inline constexpr std::size_t kConflictIdBytes = 32;
std::string ConflictId(std::string_view table, std::string_view key, const Discarded& what);

// When a conflict was found here. `found` never goes back as the LSN grows: it is the highest stamp
// applied so far, so it tells about when it was found, not when the older side was written.
struct ConflictPlace {
  Stamp found;
  Lsn lsn{};
  bool operator==(const ConflictPlace&) const = default;
};

// The order's key: later places first, 32 bytes. An id is 32 hex digits, as ConflictId gives them.
inline constexpr std::size_t kOrderKeyBytes = 32;
std::string OrderKey(const ConflictPlace& place, std::string_view id);
// The first key of all that were found before `ms` (Unix milliseconds).
std::string OrderKeyBefore(std::int64_t ms);
struct OrderedConflict {
  ConflictPlace place;
  std::string id;
};
std::optional<OrderedConflict> ParseOrderKey(std::string_view key);
// The order's row: how many bytes the conflict's row has.
void EncodeOrderRow(const Writer& writer, std::size_t row_bytes, std::string& out);
std::optional<std::uint64_t> ParseOrderRow(const Record& record);

// The floor's row: everything that was dropped is at `order_key` or behind it (older).
void EncodeConflictFloor(std::string_view order_key, std::string& out);
std::optional<std::string> ParseConflictFloor(const Record& record);

// Appends the row's bytes. `writer` is the txn whose arrival settled it.
void EncodeConflict(const Writer& writer, const ConflictPlace& place, std::string_view table,
                    std::string_view key, const Discarded& what, std::string& out);

struct ConflictSide {
  std::optional<std::string_view> value;  // nullopt: a delete; of an expiry: none
  Version version;
  Dot dot;
};
struct Conflict {
  std::int64_t at_ms = 0;  // of place.found
  ConflictPlace place;
  std::string_view table, key, field;
  bool expiry = false;    // the record's expiry, `field` is empty
  std::string_view kind;  // Text(ConflictKind)
  std::string_view rule;  // "lww", "states", "first", "max", "min"
  ConflictSide winner, loser;
  std::uint64_t generation = 0;  // the larger of the two cells'; 0 in rows of older software
};
// Reads a row of the log; texts borrow from the record. nullopt: not such a row.
std::optional<Conflict> ParseConflict(const Record& record);

}  // namespace hawser
