#include "storage/record_writer.h"

#include "conflict/record_codec.h"
#include "storage/memtable.h"

namespace hawser {

std::expected<RecordWriter, StorageError> RecordWriter::Begin(const RecordTables& tables) {
  auto txn = LmdbTxn::Begin(tables.env(), LmdbTxn::Mode::kWrite);
  if (!txn) return std::unexpected(txn.error());
  auto cursor = LmdbCursor::Open(*txn, tables.handles().rows);
  if (!cursor) return std::unexpected(cursor.error());
  return RecordWriter(std::move(*txn), std::move(*cursor), tables.handles());
}

std::expected<void, StorageError> RecordWriter::Put(std::string_view row_key, const Row& row) {
  if (!DecodeRecord(row.record, scratch_)) return std::unexpected(StorageError::kCorrupt);
  const StoredRow stored{row.lsn, FateOf(scratch_), row.record};
  const std::size_t bytes = RowHeadBytes(stored.fate) + row.record.size();
  const std::uint64_t hash = HashRowKey(row_key);

  auto room = cursor_.Insert(row_key, bytes);
  if (!room) return std::unexpected(room.error());
  if (*room == nullptr) {
    const auto old = DecodeRow(hash, cursor_.value());
    if (!old) return std::unexpected(old.error());
    // Written by a checkpoint that ended early; rows that no txn wrote may move on at one LSN.
    if (old->lsn == row.lsn && old->record == row.record) return {};
    const Fate was = old->fate;
    room = cursor_.Replace(row_key, bytes);
    if (!room) return std::unexpected(room.error());
    EncodeRow(hash, stored, *room);
    CountPages(*room, bytes);
    if (was.fading == stored.fate.fading && was.due_ms == stored.fate.due_ms) return {};
    if (const auto unlisted = Unlist(was, row_key); !unlisted) return unlisted;
  } else {
    EncodeRow(hash, stored, *room);
    CountPages(*room, bytes);
  }
  return List(stored.fate, row_key);
}

// A new leaf is where the place written jumps away from the last one; branches are few beside them.
void RecordWriter::CountPages(const char* written, std::size_t bytes) {
  constexpr std::ptrdiff_t kPage = LmdbEnv::kPageBytes;
  const std::ptrdiff_t distance = written - page_;
  if (page_ == nullptr || distance >= kPage || distance <= -kPage) {
    page_ = written;
    ++dirty_pages_;
  }
  if (bytes > LmdbEnv::kPageBytes / 2) dirty_pages_ += bytes / LmdbEnv::kPageBytes + 1;
}

std::expected<void, StorageError> RecordWriter::Unlist(const Fate& fate, std::string_view row_key) {
  if (fate.fading == Fading::kNo) return {};
  ++dirty_pages_;
  const auto gone = fate.fading == Fading::kDead
                        ? txn_.Delete(handles_->dead, row_key)
                        : txn_.Delete(handles_->expiring, ExpiringKey(fate.due_ms, row_key));
  if (!gone && gone.error() == StorageError::kNotFound) {
    return std::unexpected(StorageError::kCorrupt);
  }
  return gone;
}

std::expected<void, StorageError> RecordWriter::List(const Fate& fate, std::string_view row_key) {
  if (fate.fading == Fading::kNo) return {};
  ++dirty_pages_;
  return fate.fading == Fading::kDead
             ? txn_.Put(handles_->dead, row_key, {})
             : txn_.Put(handles_->expiring, ExpiringKey(fate.due_ms, row_key), {});
}

std::expected<void, StorageError> RecordWriter::Delete(std::string_view row_key) {
  const auto bytes = txn_.Get(handles_->rows, row_key);
  if (!bytes) {
    if (bytes.error() == StorageError::kNotFound) return {};
    return std::unexpected(bytes.error());
  }
  const auto old = DecodeRow(HashRowKey(row_key), *bytes);
  if (!old) return std::unexpected(old.error());
  if (const auto unlisted = Unlist(old->fate, row_key); !unlisted) return unlisted;
  dirty_pages_ += 2;
  return txn_.Delete(handles_->rows, row_key);
}

std::expected<void, StorageError> RecordWriter::MoveMark(const Mark& mark) {
  return txn_.Put(handles_->meta, "mark", EncodeMark(mark));
}

std::expected<void, StorageError> RecordWriter::Commit() {
  cursor_ = LmdbCursor();
  return txn_.Commit();
}

}  // namespace hawser
