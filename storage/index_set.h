#pragma once

// IndexSet: which fields of which tables have a secondary key, as the declarations applied here
// say. Declared once, an index stays (docs/changes-to-the-design.md).
// Threads: the store's owner.

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "conflict/record.h"

namespace hawser {

class IndexSet {
 public:
  using Fields = std::set<std::string, std::less<>>;
  using Visit = std::function<bool(std::string_view row_key, std::string_view record)>;
  using Scan = std::function<void(std::string_view start, const Visit& visit)>;

  // Takes all declarations that `scan` finds; at open.
  void Load(const Scan& scan);
  // Takes one row of the table of declarations.
  void Take(std::string_view key, const Record& row);

  // null: none in this table.
  const Fields* Find(std::string_view table) const {
    if (tables_.empty()) return nullptr;
    const auto at = tables_.find(table);
    return at == tables_.end() ? nullptr : &at->second;
  }
  const std::map<std::string, Fields, std::less<>>& tables() const { return tables_; }
  std::size_t size() const { return size_; }  // fields, of all tables; only grows

 private:
  std::map<std::string, Fields, std::less<>> tables_;
  std::size_t size_ = 0;
};

}  // namespace hawser
