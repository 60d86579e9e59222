#pragma once

// LocalTxn: a local write in the making. Reads the newest records of a store, hands out an edit per
// record, and ends as the txn's changes.
// Threads: the engine's, between two commits. The held records are decoded and owned here.

#include <list>
#include <map>
#include <string>
#include <string_view>

#include "conflict/edit.h"
#include "storage/store.h"

namespace hawser {

class LocalTxn {
 public:
  // `now_ms` judges expiry: the hybrid clock's milliseconds.
  LocalTxn(Store& store, const Schema& schema, std::int64_t now_ms)
      : store_(store), schema_(schema), now_ms_(now_ms) {}
  LocalTxn(const LocalTxn&) = delete;
  LocalTxn& operator=(const LocalTxn&) = delete;

  // The edit of one record; the same one each time it is asked for.
  RecordEdit& Edit(std::string_view table, std::string_view key);
  // The version held of a record when its edit began (compare-and-set); zero if none.
  Version HeldVersion(std::string_view table, std::string_view key);

  std::int64_t now_ms() const { return now_ms_; }
  Store& store() { return store_; }
  // Every change that writes something, in the order the records were first touched.
  std::vector<Change> Finish();

 private:
  struct Touched {
    std::string row_key;
    std::string bytes;  // what `held` borrows from
    Record held;
    std::optional<RecordEdit> edit;
  };
  Touched& Touch(std::string_view table, std::string_view key);

  Store& store_;
  const Schema& schema_;
  std::int64_t now_ms_;
  std::list<Touched> touched_;
};

}  // namespace hawser
