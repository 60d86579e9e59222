#pragma once

// Indexer: keeps a record's entries in step with what it shows, TTL aside, as a txn is applied.
// Look before the change, Derive after it.
// Threads: the applier's owner; keeps scratch memory.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "conflict/record.h"
#include "storage/index_set.h"
#include "storage/store.h"

namespace hawser {

class RowTable;

class Indexer {
 public:
  // What `record` shows in `fields`; borrows from the record's bytes.
  void Look(const IndexSet::Fields& fields, const Record& record);
  // `record` of the same key is what it has become.
  void Derive(const IndexSet::Fields& fields, std::string_view table, std::string_view key,
              const Record& record, Lsn lsn, RowTable& rows);

 private:
  std::vector<Shown> before_;  // one for each of the fields, in their order
  bool may_lack_ = false;      // an entry may be gone that the record's value should have
  std::string row_key_;
};

// Row keys of the entries that a record should have, TTL aside; none for a table without index.
void ForEachIndexEntry(const IndexSet& indexes, std::string_view row_key, std::string_view record,
                       const std::function<void(std::string_view entry)>& visit);

}  // namespace hawser
