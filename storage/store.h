#pragma once

// Store: what a region keeps. A journal (the write-ahead log, in the order applied here, local and
// remote txns alike), a memtable (what was applied since the last checkpoint) and record tables.
// Two implementations, LMDB (lmdb_store.h) and in memory (memory_store.h, which forgets what was
// not synced), pass one conformance suite (tests/storage/conformance_test.cc).
//
// Units:     lsn counts journal entries from 1; sizes are bytes; times Unix milliseconds.
// Threads:   everything on one engine thread, except what says otherwise (NewReader and
//            NewJournalReader). The LMDB store writes checkpoints on a thread of its own inside.
// Order:     Apply … Apply, Commit. What was applied is seen by Read at once, by readers after
//            Commit.
// Invariant: the state after opening is a function of checkpoint + journal; a crash loses exactly
//            what no successful Commit covered.
//

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conflict/cut.h"
#include "conflict/drop.h"
#include "conflict/merge.h"
#include "conflict/record.h"
#include "conflict/txn.h"

namespace hawser {

enum class Lsn : std::uint64_t {};
constexpr std::uint64_t Raw(Lsn lsn) {
  return static_cast<std::uint64_t>(lsn);
}

enum class StorageError {
  kNotFound,
  kFull,     // no room, in the map, the bound or on the disk; trim or wait, then retry
  kIo,       // the disk failed: the process must end, reopen and verify
  kCorrupt,  // a checksum or a structure is wrong
  kLocked,   // another process has the store
  kForeign,  // the store of another region or cluster
  kNewer,    // written by newer software
};
const char* Text(StorageError error);

struct JournalEntry {
  Origin origin;
  Seq seq{};
  std::uint64_t hash = 0;         // the origin's running hash after this txn
  std::string_view bytes;         // the txn, as made at its origin
  std::uint64_t hash_before = 0;  // the running hash this txn goes on from
  std::int64_t applied_ms = 0;    // when it was applied here, by the wall clock; 0: not known
};

// How far one origin's log is applied here, with the running hash at that place.
struct LogEnd {
  Origin origin;
  Seq seq{};
  std::uint64_t hash = 0;
};

// A consistent view: records as of one moment between commits, no txn seen in part.
// Bytes handed out stay valid while the view lives. Hold it briefly (it pins pages and memtables).
class View {
 public:
  virtual ~View() = default;
  // The row's record bytes (record_codec.h); nullopt if there is none.
  virtual std::optional<std::string_view> Get(std::string_view row_key) = 0;
  // Rows with start <= key, in byte order, until `visit` says false. The arguments are valid only
  // during the call.
  virtual void Scan(
      std::string_view start,
      const std::function<bool(std::string_view row_key, std::string_view record)>& visit) = 0;
  virtual const Cut& cut() const = 0;  // what is applied in this view
  // True once a row met was damaged on disk: it was left out, and nothing read here may be
  // answered. The store's next Upkeep or Commit fails with kCorrupt.
  virtual bool damaged() const { return false; }
};

// Makes views; one per thread.
class Reader {
 public:
  virtual ~Reader() = default;
  virtual std::unique_ptr<View> Take() = 0;
};

// Reads committed journal entries; one per thread.
class JournalReader {
 public:
  virtual ~JournalReader() = default;
  // Entries of `origin` from `from` on, in order, until `visit` says false or the log ends.
  // kNotFound: `from` is trimmed (or was never here); nothing was visited. Reaching the end is no
  // error.
  virtual std::expected<void, StorageError> ReadLog(
      const Origin& origin, Seq from, const std::function<bool(const JournalEntry&)>& visit) = 0;
  // Everything from `from` on that readers may see, of all origins, in the order applied here,
  // until `visit` says false or there is no more. kNotFound: `from` is trimmed, or further than the
  // next; nothing was visited.
  virtual std::expected<void, StorageError> ReadApplied(
      Lsn from, const std::function<bool(Lsn lsn, const JournalEntry&)>& visit) = 0;
};

struct StoreUsage {
  std::uint64_t journal_bytes = 0;
  std::uint64_t journal_limit_bytes = 0;
  std::uint64_t memtable_bytes = 0;
  double map_used_ratio = 0;     // of the fuller environment
  std::uint64_t tombstones = 0;  // dead rows in the record tables
  double oldest_view_age_seconds = 0;
  Lsn lsn_last{}, lsn_first{}, lsn_checkpointed{};
};

class Store {
 public:
  virtual ~Store() = default;

  // --- Identity and state, as of the last Apply -------------------------------------------------
  virtual Origin self() const = 0;         // region and this store's incarnation
  virtual const Cut& applied() const = 0;  // staged txns included
  virtual std::vector<LogEnd> log_ends()
      const = 0;  // of every origin ever applied, staged included
  // The hash of an origin's log at `seq`: nullopt if that entry is not (or no longer) here.
  virtual std::optional<std::uint64_t> HashAt(const Origin& origin, Seq seq) = 0;
  virtual Stamp clock_floor() const = 0;  // at open: ceiling or highest stamp, the later

  // --- Writing ----------------------------------------------------------------------------------
  // The newest record, staged ones included; the bytes stay valid until the next Commit or Upkeep.
  virtual std::optional<std::string_view> Read(std::string_view row_key) = 0;
  virtual void ScanNewest(
      std::string_view start,
      const std::function<bool(std::string_view row_key, std::string_view record)>& visit) = 0;

  // Stages one txn: journal entry and merged rows. `txn` is entry.bytes decoded.
  // Appends what was discarded, for metrics; the conflict log's rows are written along.
  // REQUIRES: entry.seq is the next of its origin, txn.deps are covered by applied().
  virtual void Apply(const JournalEntry& entry, const Txn& txn,
                     std::vector<Discarded>& discarded) = 0;
  virtual bool HasStaged() const = 0;

  // Makes everything staged durable and then visible. `ceiling`: no stamp or clock above it has
  // left this process. kIo, kFull: the process must end; nothing staged may be answered but
  // UNKNOWN.
  virtual std::expected<void, StorageError> Commit(Stamp ceiling) = 0;

  // Room is asked for before anything is staged. kFull: local writes get FULL, receiving pauses.
  // `own`: a local write (own txns nobody else holds count against journal_max).
  virtual std::expected<void, StorageError> Reserve(std::uint64_t txn_bytes, bool own) = 0;
  // True while the memtable is at its bound and the checkpoint behind: wait before applying more.
  virtual bool Congested() const = 0;

  // --- Upkeep -----------------------------------------------------------------------------------
  // Told on ticks: what may be trimmed and dropped.
  //   stable     what every member has, for dropping dead rows
  //   trim       per origin, entries up to here may leave the journal once checkpointed
  virtual void SetStable(const Stable& stable, const Cut& trim) = 0;
  // Does a bounded piece of upkeep (swap memtables, take in a finished checkpoint, trim). An error
  // is as bad as one of Commit.
  virtual std::expected<void, StorageError> Upkeep() = 0;
  virtual StoreUsage usage() const = 0;

  // --- Reading elsewhere; may be called from any thread, the result belongs to the calling thread
  // --
  virtual std::unique_ptr<Reader> NewReader() = 0;
  virtual std::unique_ptr<JournalReader> NewJournalReader() = 0;
};

}  // namespace hawser
