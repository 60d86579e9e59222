#pragma once

// LocalTxn: a local write in the making. Reads the newest records of a store, hands out an edit per
// record, and ends as the txn's changes.
// Threads: the engine's, between two commits (the held records borrow from the store's bytes).

#include <cstdint>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

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

  // What was held of a record when its edit began; valid as long as this object.
  const Record& Held(std::string_view table, std::string_view key) {
    return Touch(table, key).held;
  }

  std::int64_t now_ms() const { return now_ms_; }
  // What kind of txn this becomes: data, unless it states a fact (docs/formats.md, section 6).
  TxnType type = TxnType::kData;
  Store& store() { return store_; }
  // Every change that writes something, in the order the records were first touched. They borrow
  // from this object.
  std::vector<Change> Finish();

 private:
  struct Touched {
    Touched(Store& store, const Schema& schema, std::int64_t now_ms, std::string_view table,
            std::string_view key, std::string row_key_in);
    std::string row_key;
    Record held;
    RecordEdit edit;
  };
  Touched& Touch(std::string_view table, std::string_view key);

  Store& store_;
  const Schema& schema_;
  std::int64_t now_ms_;
  std::list<Touched> touched_;
  std::map<std::string_view, Touched*> by_row_key_;  // only once there are many
};

}  // namespace hawser
