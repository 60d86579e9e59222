#pragma once

// The conflict log's rows: a local table (not replicated: each region logs what gave way there),
// one row per value that was discarded. The row key is (kConflictTable, id); the row is an ordinary
// record, so everything that reads records can read it. Its name sorts before every client's table:
// a checkpoint writes in key order, so a conflict is durable not later than the row it came from.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "conflict/merge.h"
#include "conflict/record.h"

namespace hawser {

inline constexpr std::string_view kConflictTable = "!conflict";

// 32 hex digits, the same in every region: XXH3-128 of the losing dot, table, key and field.
std::string ConflictId(std::string_view table, std::string_view key, const Discarded& what);

// Appends the row's bytes. `writer` is the txn whose arrival settled it; its stamp is the time.
void EncodeConflict(const Writer& writer, std::string_view table, std::string_view key,
                    const Discarded& what, std::string& out);

struct ConflictSide {
  std::optional<std::string_view> value;  // nullopt: a delete
  Version version;
  Dot dot;
};
struct Conflict {
  std::int64_t at_ms = 0;  // the stamp of the txn that settled it
  std::string_view table, key, field;
  bool expiry = false;    // the record's expiry, `field` is empty
  std::string_view kind;  // "update": a value gave way to a value; "delete": to a delete
  std::string_view rule;  // "lww", "states", "first", "max", "min"
  ConflictSide winner, loser;
};
// Reads a row of the log; texts borrow from the record. nullopt: not such a row.
std::optional<Conflict> ParseConflict(const Record& record);

}  // namespace hawser
