#pragma once

// The applier's access to an LmdbStore, for its own files.

#include "storage/lmdb_store.h"

namespace hawser {

// What the applier sees. Stage follows Newest of the same key, whose hash is kept.
class LmdbStore::Rows final : public RowTable {
 public:
  explicit Rows(LmdbStore& store) : store_(store) {}
  std::optional<Row> Newest(std::string_view row_key) override {
    hash_ = HashRowKey(row_key);
    return store_.Newest(row_key, hash_);
  }
  void Stage(std::string_view row_key, Lsn lsn, std::string_view record) override {
    store_.active_->Put(row_key, hash_, store_.visible_ + 1, lsn, record);
  }
  void Put(std::string_view row_key, Lsn lsn, std::string_view record) override {
    store_.active_->Put(row_key, HashRowKey(row_key), store_.visible_ + 1, lsn, record);
  }
  void Remove(std::string_view row_key, Lsn lsn) override {
    store_.active_->Put(row_key, HashRowKey(row_key), store_.visible_ + 1, lsn, {}, /*gone=*/true);
  }

 private:
  LmdbStore& store_;
  std::uint64_t hash_ = 0;
};

}  // namespace hawser
