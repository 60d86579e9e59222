#pragma once

// The rows of secondary keys: local tables, derived from records in every region (never journaled,
// never sent).
//   kIndexTable        8 bytes of hash of table 00 field, 16 bytes of the value's hash, key
//                      one row per record and indexed field that shows a value
//   kIndexStateTable   table 00 field     how far the index is built
// An entry only says where to look: whoever finds one looks at the record itself (index_lookup.h),
// so that an expired record, or another value of the same hash, is never a hit.
// Both tables' names sort before every client's, and entries before states: a checkpoint writes in
// key order, so an entry is durable not later than the record it was derived from, and a state not
// before the entries that it speaks of. Entries go in that order too, not at the checkpoint's end
// like other rows: replay over a record derives nothing that the record has already.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "conflict/record.h"

namespace hawser {

inline constexpr std::string_view kIndexTable = "!index";
inline constexpr std::string_view kIndexStateTable = "!index_state";

// Row keys. At most kRowKeyBytesMax where the key is at most kKeyBytesMax: longer ones, which no
// client can make, have no entries.
bool IsIndexable(std::string_view key);
void AppendIndexPrefix(std::string_view table, std::string_view field, std::string_view value,
                       std::string& row_key);
void AppendIndexEntry(std::string_view table, std::string_view field, std::string_view value,
                      std::string_view key, std::string& row_key);
std::string IndexStateKey(std::string_view table, std::string_view field);

bool IsIndexEntry(std::string_view row_key);
// The record's key; nullopt: not an entry's row key.
std::optional<std::string_view> KeyOfIndexEntry(std::string_view row_key);
// Bytes of an entry's row: the same for all.
const std::string& IndexEntryBytes();

struct IndexState {
  bool ready = false;
  std::uint64_t looked_at = 0;  // records, so far
  std::string after;            // building: the last key looked at, empty: none
};
std::string EncodeIndexState(const IndexState& state);
std::optional<IndexState> ParseIndexState(std::string_view bytes);

}  // namespace hawser
