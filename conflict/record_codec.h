#pragma once

// Rows: a record as bytes, in the memtable, the record tables and (later) snapshots.
// The format is docs/formats.md, section 3. Decoded records borrow from the bytes.

#include <string>
#include <string_view>

#include "conflict/record.h"

namespace hawser {

// Appends the record's bytes to `out`. Canonical: equal records give equal bytes.
void EncodeRecord(const Record& record, std::string& out);
// False if the bytes are no record. `record` is cleared first and its storage reused.
bool DecodeRecord(std::string_view bytes, Record& record);

// The row key: table, a zero byte, key. Table names hold no zero byte, so rows of a table stand
// together, in byte order of their keys.
void AppendRowKey(std::string_view table, std::string_view key, std::string& out);
struct RowKey {
  std::string_view table;
  std::string_view key;
};
RowKey SplitRowKey(std::string_view row_key);

}  // namespace hawser
