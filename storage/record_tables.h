#pragma once

// RecordTables: the merged rows on disk, in an LMDB environment of their own, written by
// checkpoints.
//   rows       row key -> checksum, lsn (fixed64 both), fading (byte) [, due (fixed64)], record
//   dead       row keys of rows that show nothing: the tombstones
//   expiring   due (big endian 64) + row key of rows that will show nothing from then on
//   meta       "identity", "mark"
// The checksum covers the row key too, so that a misplaced row is found.
// Threads: snapshots anywhere, one writer (record_writer.h).

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/apply.h"
#include "storage/drop_rule.h"
#include "storage/identity.h"
#include "storage/lmdb.h"
#include "storage/store.h"

namespace hawser {

// What the record tables cover: every entry up to `lsn`, and no row says less.
struct Mark {
  Lsn lsn{};
  Stamp highest;             // the highest stamp of any txn up to it
  std::vector<LogEnd> ends;  // how far each origin's log goes there
};
std::string EncodeMark(const Mark& mark);
std::expected<Mark, StorageError> DecodeMark(std::string_view bytes);

// A row as stored. `hash` is HashRowKey of its key.
inline constexpr std::size_t kRowHeadBytesMax = 25;
struct StoredRow {
  Lsn lsn{};
  Fate fate;
  std::string_view record;
};
std::size_t RowHeadBytes(const Fate& fate);
// Writes head and record to `out`, which has room for RowHeadBytes + record.size().
void EncodeRow(std::uint64_t hash, const StoredRow& row, char* out);
std::expected<StoredRow, StorageError> DecodeRow(std::uint64_t hash, std::string_view bytes);

std::string ExpiringKey(std::int64_t due_ms, std::string_view row_key);

class RecordTables {
 public:
  struct Options {
    std::string directory;
    std::uint64_t map_bytes = 0;
  };
  static std::expected<std::unique_ptr<RecordTables>, OpenError> Open(const Options& options);

  // nullopt: a new environment, nothing written yet.
  const std::optional<StoreIdentity>& identity() const { return identity_; }
  // Makes the tables, empty. REQUIRES: no rows are kept.
  std::expected<void, StorageError> Create(const StoreIdentity& identity);
  // As of the opening.
  const Mark& mark_at_open() const { return mark_; }

  struct Handles {
    LmdbTable rows, dead, expiring, meta;
  };
  const Handles& handles() const { return handles_; }
  const LmdbEnv& env() const { return env_; }

 private:
  explicit RecordTables(LmdbEnv env) : env_(std::move(env)) {}
  std::expected<void, StorageError> Load();
  std::expected<void, StorageError> OpenHandles(LmdbTxn& txn, bool create);

  LmdbEnv env_;
  Handles handles_;
  std::optional<StoreIdentity> identity_;
  Mark mark_;
};

// The tables as of one commit of theirs.
class RecordSnapshot {
 public:
  static std::expected<RecordSnapshot, StorageError> Take(const RecordTables& tables);
  void Reset() { txn_.Reset(); }
  std::expected<void, StorageError> Renew() { return txn_.Renew(); }

  // nullopt: no such row. kCorrupt: its checksum is wrong.
  std::expected<std::optional<StoredRow>, StorageError> Get(std::string_view row_key,
                                                            std::uint64_t hash) const;
  // kCorrupt: a row's checksum is wrong.
  class Cursor {
   public:
    static std::expected<Cursor, StorageError> Open(const RecordSnapshot& snapshot);
    std::expected<void, StorageError> Seek(std::string_view start);
    std::expected<void, StorageError> Next();
    bool Valid() const { return valid_; }
    std::string_view key() const { return cursor_.key(); }
    const StoredRow& row() const { return row_; }

   private:
    std::expected<void, StorageError> Settle(std::expected<bool, StorageError> found);
    LmdbCursor cursor_;
    bool valid_ = false;
    StoredRow row_;
  };

  LmdbStat Stat(LmdbTable table) const { return txn_.Stat(table); }
  const LmdbTxn& txn() const { return txn_; }
  const RecordTables::Handles& handles() const { return *handles_; }
  // Pages in use by all tables, free ones not counted.
  std::uint64_t pages() const;

 private:
  RecordSnapshot(LmdbTxn txn, const RecordTables::Handles& handles)
      : txn_(std::move(txn)), handles_(&handles) {}
  LmdbTxn txn_;
  const RecordTables::Handles* handles_;
};

}  // namespace hawser
