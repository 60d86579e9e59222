#include "storage/index_set.h"

#include "conflict/declaration.h"
#include "conflict/record_codec.h"

namespace hawser {

void IndexSet::Load(const Scan& scan) {
  std::string start;
  AppendRowKey(kDeclarationTable, "", start);
  Record row;
  scan(start, [&](std::string_view row_key, std::string_view bytes) {
    const RowKey parts = SplitRowKey(row_key);
    if (parts.table != kDeclarationTable) return false;
    if (DecodeRecord(bytes, row)) Take(parts.key, row);
    return true;
  });
}

void IndexSet::Take(std::string_view key, const Record& row) {
  Schema schema;
  TakeDeclaration(key, row, schema);
  for (const auto& [name, table] : schema.tables) {
    if (table.index.empty() || !IsTableName(name)) continue;
    for (const std::string& field : table.index) {
      // A row key of the index's state must hold it.
      if (field.size() > kDeclaredNameBytesMax) continue;
      if (tables_[name].insert(field).second) ++size_;
    }
  }
}

}  // namespace hawser
