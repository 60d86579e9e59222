#include "storage/lmdb.h"

#include <fcntl.h>
#include <lmdb.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "conflict/assert.h"
#include "storage/files.h"

namespace hawser {
namespace {

static_assert(MDB_VERSION_FULL >= MDB_VERINT(0, 9, 24));

// The one place where LMDB's codes are read. LMDB maps a short write, which is what a full disk
// looks like, to EIO.
StorageError FromLmdb(int rc) {
  switch (rc) {
    case MDB_NOTFOUND:
      return StorageError::kNotFound;
    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT:
      return StorageError::kFull;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_BAD_DBI:
    case MDB_INCOMPATIBLE:
      return StorageError::kCorrupt;
    case MDB_VERSION_MISMATCH:
      return StorageError::kNewer;
    default:
      return StorageError::kIo;
  }
}

MDB_val ToVal(std::string_view bytes) {
  return {bytes.size(), const_cast<char*>(bytes.data())};
}
std::string_view FromVal(const MDB_val& val) {
  return {static_cast<const char*>(val.mv_data), val.mv_size};
}

void SayAssert(MDB_env*, const char* message) {
  std::fprintf(stderr, "hawser: lmdb: %s\n", message);
}

// LMDB makes its lock file sparse and writes it through a mapping: on a full disk the first touch
// of a hole is SIGBUS. A file written whole beforehand has no holes; its size sets the number of
// readers.
constexpr std::size_t kLockFileBytes = 64 << 10;  // room for about 1,000 readers

bool MakeLockFile(const std::string& path) {
  if (::access(path.c_str(), F_OK) == 0) return true;
  return WriteFileDurably(path, std::string(kLockFileBytes, '\0'));
}

}  // namespace

std::expected<LmdbEnv, OpenError> LmdbEnv::Open(const Options& options) {
  const auto fail = [&](int rc, const char* what) {
    return std::unexpected(
        OpenError{FromLmdb(rc), options.directory + ": " + what + ": " + mdb_strerror(rc)});
  };
  if (!MakeDirectoryDurably(options.directory)) return fail(errno, "cannot make the directory");
  if (!MakeLockFile(options.directory + "/lock.mdb"))
    return fail(errno, "cannot make the lock file");

  MDB_env* raw = nullptr;
  if (const int rc = mdb_env_create(&raw); rc != 0) return fail(rc, "mdb_env_create");
  LmdbEnv env(raw);
  mdb_env_set_assert(raw, &SayAssert);
  mdb_env_set_mapsize(raw, options.map_bytes);
  if (options.tables_max > 0) mdb_env_set_maxdbs(raw, options.tables_max);
  unsigned int flags = MDB_NOTLS;
  if (options.random_access) flags |= MDB_NORDAHEAD;
  if (const int rc = mdb_env_open(raw, options.directory.c_str(), flags, 0600); rc != 0) {
    return fail(rc, "cannot open");
  }
  int fd = -1;
  if (mdb_env_get_fd(raw, &fd) == 0 && fd >= 0) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  int dead = 0;
  mdb_reader_check(raw, &dead);  // slots of a killed process
  MDB_stat stat;
  if (const int rc = mdb_env_stat(raw, &stat); rc != 0) return fail(rc, "mdb_env_stat");
  if (stat.ms_psize != kPageBytes) return fail(MDB_INCOMPATIBLE, "page size is not 4096");
  if (!SyncDirectory(options.directory)) return fail(errno, "cannot sync the directory");
  return env;
}

LmdbEnv::~LmdbEnv() {
  if (env_) mdb_env_close(env_);
}

std::uint64_t LmdbEnv::map_bytes() const {
  MDB_envinfo info;
  mdb_env_info(env_, &info);
  return info.me_mapsize;
}

std::uint64_t LmdbEnv::file_pages() const {
  MDB_envinfo info;
  mdb_env_info(env_, &info);
  return info.me_last_pgno + 1;
}

// --- Transactions ------------------------------------------------------------------------------

std::expected<LmdbTxn, StorageError> LmdbTxn::Begin(const LmdbEnv& env, Mode mode) {
  MDB_txn* txn = nullptr;
  const unsigned int flags = mode == Mode::kRead ? MDB_RDONLY : 0u;
  if (const int rc = mdb_txn_begin(env.get(), nullptr, flags, &txn); rc != 0) {
    return std::unexpected(FromLmdb(rc));
  }
  return LmdbTxn(txn);
}

LmdbTxn::~LmdbTxn() {
  Abort();
}

void LmdbTxn::Abort() {
  if (txn_) mdb_txn_abort(std::exchange(txn_, nullptr));
}

void LmdbTxn::Reset() {
  mdb_txn_reset(txn_);
}

std::expected<void, StorageError> LmdbTxn::Renew() {
  if (const int rc = mdb_txn_renew(txn_); rc != 0) return std::unexpected(FromLmdb(rc));
  return {};
}

std::expected<void, StorageError> LmdbTxn::Commit() {
  if (const int rc = mdb_txn_commit(std::exchange(txn_, nullptr)); rc != 0) {
    return std::unexpected(FromLmdb(rc));
  }
  return {};
}

std::expected<LmdbTable, StorageError> LmdbTxn::Table(const char* name, bool create) {
  LmdbTable table;
  const unsigned int flags = create ? MDB_CREATE : 0u;
  const char* name_or_null = *name == '\0' ? nullptr : name;
  if (const int rc = mdb_dbi_open(txn_, name_or_null, flags, &table.id); rc != 0) {
    return std::unexpected(FromLmdb(rc));
  }
  return table;
}

std::expected<std::string_view, StorageError> LmdbTxn::Get(LmdbTable table,
                                                           std::string_view key) const {
  MDB_val k = ToVal(key);
  MDB_val v;
  if (const int rc = mdb_get(txn_, table.id, &k, &v); rc != 0) {
    return std::unexpected(FromLmdb(rc));
  }
  return FromVal(v);
}

std::expected<void, StorageError> LmdbTxn::Put(LmdbTable table, std::string_view key,
                                               std::string_view value) {
  MDB_val k = ToVal(key);
  MDB_val v = ToVal(value);
  if (const int rc = mdb_put(txn_, table.id, &k, &v, 0); rc != 0) {
    return std::unexpected(FromLmdb(rc));
  }
  return {};
}

std::expected<char*, StorageError> LmdbTxn::Reserve(LmdbTable table, std::string_view key,
                                                    std::size_t size) {
  MDB_val k = ToVal(key);
  MDB_val v{size, nullptr};
  if (const int rc = mdb_put(txn_, table.id, &k, &v, MDB_RESERVE); rc != 0) {
    return std::unexpected(FromLmdb(rc));
  }
  return static_cast<char*>(v.mv_data);
}

std::expected<void, StorageError> LmdbTxn::Delete(LmdbTable table, std::string_view key) {
  MDB_val k = ToVal(key);
  if (const int rc = mdb_del(txn_, table.id, &k, nullptr); rc != 0) {
    return std::unexpected(FromLmdb(rc));
  }
  return {};
}

LmdbStat LmdbTxn::Stat(LmdbTable table) const {
  MDB_stat stat;
  if (mdb_stat(txn_, table.id, &stat) != 0) return {};
  return {stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages, stat.ms_entries};
}

// --- Cursors -----------------------------------------------------------------------------------

std::expected<LmdbCursor, StorageError> LmdbCursor::Open(const LmdbTxn& txn, LmdbTable table) {
  MDB_cursor* cursor = nullptr;
  if (const int rc = mdb_cursor_open(txn.get(), table.id, &cursor); rc != 0) {
    return std::unexpected(FromLmdb(rc));
  }
  return LmdbCursor(cursor);
}

LmdbCursor::~LmdbCursor() {
  if (cursor_) mdb_cursor_close(cursor_);
}

std::expected<void, StorageError> LmdbCursor::Renew(const LmdbTxn& txn) {
  if (const int rc = mdb_cursor_renew(txn.get(), cursor_); rc != 0) {
    return std::unexpected(FromLmdb(rc));
  }
  return {};
}

std::expected<bool, StorageError> LmdbCursor::Move(int operation) {
  MDB_val k = ToVal(key_);
  MDB_val v;
  const int rc = mdb_cursor_get(cursor_, &k, &v, static_cast<MDB_cursor_op>(operation));
  if (rc == MDB_NOTFOUND) return false;
  if (rc != 0) return std::unexpected(FromLmdb(rc));
  key_ = FromVal(k);
  value_ = FromVal(v);
  return true;
}

std::expected<bool, StorageError> LmdbCursor::Seek(std::string_view key) {
  if (key.empty()) return Move(MDB_FIRST);
  key_ = key;
  return Move(MDB_SET_RANGE);
}
std::expected<bool, StorageError> LmdbCursor::Next() {
  return Move(MDB_NEXT);
}
std::expected<bool, StorageError> LmdbCursor::Previous() {
  return Move(MDB_PREV);
}
std::expected<bool, StorageError> LmdbCursor::Last() {
  return Move(MDB_LAST);
}

std::expected<char*, StorageError> LmdbCursor::Write(std::string_view key, std::size_t size,
                                                     unsigned int flags) {
  MDB_val k = ToVal(key);
  MDB_val v{size, nullptr};
  const int rc = mdb_cursor_put(cursor_, &k, &v, flags | MDB_RESERVE);
  if (rc == MDB_KEYEXIST && (flags & MDB_NOOVERWRITE)) {
    value_ = FromVal(v);
    return nullptr;
  }
  HW_ASSERT(rc != MDB_KEYEXIST);  // an append out of order
  if (rc != 0) return std::unexpected(FromLmdb(rc));
  return static_cast<char*>(v.mv_data);
}

std::expected<char*, StorageError> LmdbCursor::Append(std::string_view key, std::size_t size) {
  return Write(key, size, MDB_APPEND);
}
std::expected<char*, StorageError> LmdbCursor::Insert(std::string_view key, std::size_t size) {
  return Write(key, size, MDB_NOOVERWRITE);
}
std::expected<char*, StorageError> LmdbCursor::Replace(std::string_view key, std::size_t size) {
  return Write(key, size, 0);
}

std::expected<void, StorageError> LmdbCursor::Delete() {
  if (const int rc = mdb_cursor_del(cursor_, 0); rc != 0) return std::unexpected(FromLmdb(rc));
  return {};
}

}  // namespace hawser
