#pragma once

// LMDB, thinly wrapped: environments, transactions, cursors as owners that cannot leak, and its
// codes translated in one place (FromLmdb). lmdb.cc is the only file that includes <lmdb.h>. What
// we rely on (and what bites) is in TRAPS section A: no WRITEMAP, no NOSYNC, never two opens of one
// environment in a process, every read transaction short, a failed commit ends the process.
// Threads: an environment is shared; one write transaction at a time, on one thread; a read
//          transaction and its cursors may move between threads but are used by one at a time.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "storage/store.h"

struct MDB_env;
struct MDB_txn;
struct MDB_cursor;

namespace hawser {

// Why a store could not be opened; `message` names the path and what LMDB or the system said.
struct OpenError {
  StorageError error = StorageError::kIo;
  std::string message;
};

struct LmdbTable {
  unsigned int id = 0;
};
struct LmdbStat {
  std::uint64_t pages = 0;  // branch, leaf and overflow
  std::uint64_t entries = 0;
};

class LmdbEnv {
 public:
  struct Options {
    std::string directory;        // created if absent, its parent fsynced
    std::uint64_t map_bytes = 0;  // address space, not disk; never changed while open
    unsigned int tables_max = 0;  // named tables; 0: only the unnamed one
    bool random_access = false;   // no read-ahead
  };
  static std::expected<LmdbEnv, OpenError> Open(const Options& options);
  LmdbEnv(LmdbEnv&& other) noexcept : env_(std::exchange(other.env_, nullptr)) {}
  LmdbEnv& operator=(LmdbEnv&& other) noexcept {
    std::swap(env_, other.env_);
    return *this;
  }
  ~LmdbEnv();

  MDB_env* get() const { return env_; }
  std::uint64_t map_bytes() const;
  std::uint64_t file_pages() const;  // pages in use or free inside the file
  static constexpr std::uint64_t kPageBytes = 4096;

 private:
  explicit LmdbEnv(MDB_env* env) : env_(env) {}
  MDB_env* env_ = nullptr;
};

class LmdbTxn {
 public:
  enum class Mode { kRead, kWrite };
  static std::expected<LmdbTxn, StorageError> Begin(const LmdbEnv& env, Mode mode);
  LmdbTxn() = default;
  LmdbTxn(LmdbTxn&& other) noexcept : txn_(std::exchange(other.txn_, nullptr)) {}
  LmdbTxn& operator=(LmdbTxn&& other) noexcept {
    std::swap(txn_, other.txn_);
    return *this;
  }
  ~LmdbTxn();  // aborts what was not committed

  // Read transactions: let the snapshot go, keeping the slot; take a new one. Cheap.
  void Reset();
  std::expected<void, StorageError> Renew();

  // Durable on return. The transaction is over either way.
  std::expected<void, StorageError> Commit();
  void Abort();

  // An empty name is the unnamed table. kNotFound: not there and not `create`.
  std::expected<LmdbTable, StorageError> Table(const char* name, bool create);
  // kNotFound if absent. The bytes are valid until the next write in this transaction, or its end.
  std::expected<std::string_view, StorageError> Get(LmdbTable table, std::string_view key) const;
  std::expected<void, StorageError> Put(LmdbTable table, std::string_view key,
                                        std::string_view value);
  // Room for `size` bytes, to be filled before the next call.
  std::expected<char*, StorageError> Reserve(LmdbTable table, std::string_view key,
                                             std::size_t size);
  // kNotFound if absent.
  std::expected<void, StorageError> Delete(LmdbTable table, std::string_view key);
  LmdbStat Stat(LmdbTable table) const;

  MDB_txn* get() const { return txn_; }
  explicit operator bool() const { return txn_ != nullptr; }

 private:
  explicit LmdbTxn(MDB_txn* txn) : txn_(txn) {}
  MDB_txn* txn_ = nullptr;
};

// Positioned reads and writes. Moves answer false past the end.
class LmdbCursor {
 public:
  static std::expected<LmdbCursor, StorageError> Open(const LmdbTxn& txn, LmdbTable table);
  LmdbCursor() = default;
  LmdbCursor(LmdbCursor&& other) noexcept
      : cursor_(std::exchange(other.cursor_, nullptr)), key_(other.key_), value_(other.value_) {}
  LmdbCursor& operator=(LmdbCursor&& other) noexcept {
    std::swap(cursor_, other.cursor_);
    key_ = other.key_;
    value_ = other.value_;
    return *this;
  }
  ~LmdbCursor();

  // After its read transaction was renewed.
  std::expected<void, StorageError> Renew(const LmdbTxn& txn);

  std::expected<bool, StorageError> Seek(std::string_view key);  // the first at or after
  std::expected<bool, StorageError> Next();
  std::expected<bool, StorageError> Previous();
  std::expected<bool, StorageError> Last();
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }

  // Room for a value at the end of the table. REQUIRES: key is greater than every key in it.
  std::expected<char*, StorageError> Append(std::string_view key, std::size_t size);
  // Room for a new value, or nullptr if the key is there; then value() is what it holds.
  std::expected<char*, StorageError> Insert(std::string_view key, std::size_t size);
  // Room for a value, new or in place of the old.
  std::expected<char*, StorageError> Replace(std::string_view key, std::size_t size);
  // Deletes the row the cursor is on; Next() then answers the one after it.
  std::expected<void, StorageError> Delete();

 private:
  explicit LmdbCursor(MDB_cursor* cursor) : cursor_(cursor) {}
  std::expected<bool, StorageError> Move(int operation);
  std::expected<char*, StorageError> Write(std::string_view key, std::size_t size,
                                           unsigned int flags);

  MDB_cursor* cursor_ = nullptr;
  std::string_view key_;
  std::string_view value_;
};

}  // namespace hawser
