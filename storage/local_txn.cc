#include "storage/local_txn.h"

#include "conflict/assert.h"
#include "conflict/record_codec.h"

namespace hawser {
namespace {

constexpr std::size_t kSearchedInOrderMax = 8;

Record ReadRecord(Store& store, std::string_view row_key) {
  Record record;
  if (const auto bytes = store.Read(row_key)) {
    // The store verifies checksums: what it hands out was encoded by this software.
    HW_ASSERT(DecodeRecord(*bytes, record));
  }
  return record;
}

}  // namespace

LocalTxn::Touched::Touched(Store& store, const Schema& schema, std::int64_t now_ms,
                           std::string_view table, std::string_view key, std::string row_key_in)
    : row_key(std::move(row_key_in)),
      held(ReadRecord(store, row_key)),
      edit(table, key, held, schema, store.self(), now_ms) {}

LocalTxn::Touched& LocalTxn::Touch(std::string_view table, std::string_view key) {
  std::string row_key;
  AppendRowKey(table, key, row_key);
  if (by_row_key_.empty()) {
    for (Touched& touched : touched_) {
      if (touched.row_key == row_key) return touched;
    }
  } else if (const auto at = by_row_key_.find(row_key); at != by_row_key_.end()) {
    return *at->second;
  }
  touched_.emplace_back(store_, schema_, now_ms_, table, key, std::move(row_key));
  if (!by_row_key_.empty() || touched_.size() > kSearchedInOrderMax) {
    if (by_row_key_.empty()) {
      for (Touched& touched : touched_) by_row_key_.emplace(touched.row_key, &touched);
    } else {
      by_row_key_.emplace(touched_.back().row_key, &touched_.back());
    }
  }
  return touched_.back();
}

RecordEdit& LocalTxn::Edit(std::string_view table, std::string_view key) {
  return Touch(table, key).edit;
}

Version LocalTxn::HeldVersion(std::string_view table, std::string_view key) {
  return RecordVersion(Touch(table, key).held);
}

std::vector<Change> LocalTxn::Finish() {
  std::vector<Change> changes;
  changes.reserve(touched_.size());
  for (Touched& touched : touched_) {
    Change change = touched.edit.Finish();
    if (!change.ops.empty()) changes.push_back(std::move(change));
  }
  return changes;
}

}  // namespace hawser
