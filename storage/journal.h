#pragma once

// Journal: the write-ahead log in an LMDB environment of its own. Entries are staged, then one
// Commit makes them durable, in the order staged. Units:     lsn counts entries from 1; bytes() are
// those of the pages in use. Threads:   one writer (Stage, Commit, Trim …); ReadLog objects
// (journal_reader.h) anywhere. Invariant: LSNs are contiguous from first() to last().

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "conflict/cut.h"
#include "storage/identity.h"
#include "storage/journal_format.h"
#include "storage/lmdb.h"
#include "storage/store.h"

namespace hawser {

// The journal's own note of how far it was trimmed: LSN, and per origin.
std::expected<std::pair<Lsn, Cut>, StorageError> ReadTrimmed(const LmdbTxn& txn, LmdbTable table);

class Journal {
 public:
  struct Options {
    std::string directory;
    std::uint64_t map_bytes = 0;
  };
  static std::expected<std::unique_ptr<Journal>, OpenError> Open(const Options& options);

  // nullopt: a new environment, nothing written yet.
  const std::optional<StoreIdentity>& identity() const { return identity_; }
  std::expected<void, StorageError> WriteIdentity(const StoreIdentity& identity);

  // Zero-fills the file up to that size: overwriting blocks syncs faster than growing a file.
  // REQUIRES: no write since Open.
  void Prealloc(std::uint64_t bytes);

  Stamp ceiling() const { return ceiling_; }
  Lsn first() const { return first_; }  // of the oldest entry kept; last() + 1 if there is none
  Lsn last() const { return last_; }    // of the newest committed entry, trimmed or not
  std::uint64_t bytes() const { return pages_ * LmdbEnv::kPageBytes; }
  std::uint64_t staged_bytes() const { return staged_bytes_; }
  std::uint64_t staged_entries() const { return staged_entries_; }
  // Per origin, how far the log was trimmed.
  const Cut& trimmed() const { return trimmed_; }
  const LmdbEnv& env() const { return env_; }
  LmdbTable table() const { return table_; }

  Lsn Stage(const JournalEntry& entry);

  // What Commit may trim along the way: whole blocks from the front, at most about `pieces`.
  struct TrimLimit {
    Lsn checkpointed{};        // nothing after it
    const Cut* cut = nullptr;  // nothing after it, per origin
    std::uint32_t pieces = 0;
  };
  // Durable on return. Writes nothing if there is nothing to write. `ceiling` is kept when it is
  // above the one known. After an error only destruction is allowed.
  std::expected<void, StorageError> Commit(Stamp ceiling, const TrimLimit& trim);
  // True if the oldest block could go now.
  bool MayTrim(const TrimLimit& trim) const;

  // Visits every entry from `from` on; for replay. Verifies checksums and that nothing is missing.
  std::expected<void, StorageError> Replay(
      Lsn from, const std::function<bool(Lsn lsn, const JournalEntry& entry)>& visit);

 private:
  explicit Journal(LmdbEnv env) : env_(std::move(env)) {}
  std::expected<void, StorageError> Load();
  std::expected<void, StorageError> LoadFront(LmdbCursor& cursor);
  std::expected<void, StorageError> WriteBlock(LmdbTxn& txn, LmdbCursor& cursor, Lsn first,
                                               BlockBuilder& block);
  std::expected<void, StorageError> WriteIndex(LmdbTxn& txn, Lsn first, const BlockBuilder& block);
  std::expected<void, StorageError> TrimFront(LmdbTxn& txn, const TrimLimit& limit);

  LmdbEnv env_;
  std::string data_file_;
  LmdbTable table_;
  std::optional<StoreIdentity> identity_;
  Stamp ceiling_;
  Lsn first_{1};
  Lsn last_{};
  Cut trimmed_;
  std::uint64_t pages_ = 0;
  BlockHead front_;  // of the oldest block kept; entries 0: none

  std::vector<BlockBuilder> staged_;  // the first staged_blocks_ are in use
  std::size_t staged_blocks_ = 0;
  std::uint64_t staged_entries_ = 0;
  std::uint64_t staged_bytes_ = 0;

  // Index rows are sparse: one per origin and about kIndexEveryBytes of journal.
  struct Indexed {
    Origin origin;
    std::uint64_t at_bytes = 0;  // written_bytes_ when its last row was made
  };
  std::vector<Indexed> indexed_;
  std::uint64_t written_bytes_ = 0;
};

}  // namespace hawser
