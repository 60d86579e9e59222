#pragma once

// RecordWriter: one write transaction on the record tables. Keeps the dead and expiring tables in
// step with the rows, and an eye on how many pages it has dirtied.
// Threads: one; rows are best put in key order.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "storage/record_tables.h"

namespace hawser {

class RecordWriter {
 public:
  static std::expected<RecordWriter, StorageError> Begin(const RecordTables& tables);

  std::expected<void, StorageError> Put(std::string_view row_key, const Row& row);
  std::expected<void, StorageError> Delete(std::string_view row_key);
  std::expected<void, StorageError> MoveMark(const Mark& mark);
  std::expected<void, StorageError> Commit();

  // About how many pages the transaction holds in memory.
  std::uint64_t dirty_pages() const { return dirty_pages_; }

 private:
  RecordWriter(LmdbTxn txn, LmdbCursor cursor, const RecordTables::Handles& handles)
      : txn_(std::move(txn)), cursor_(std::move(cursor)), handles_(&handles) {}
  std::expected<void, StorageError> Unlist(const Fate& fate, std::string_view row_key);
  std::expected<void, StorageError> List(const Fate& fate, std::string_view row_key);
  void CountPages(const char* written, std::size_t bytes);

  LmdbTxn txn_;
  LmdbCursor cursor_;
  const RecordTables::Handles* handles_;
  Record scratch_;
  const char* page_ = nullptr;
  std::uint64_t dirty_pages_ = 0;
};

}  // namespace hawser
