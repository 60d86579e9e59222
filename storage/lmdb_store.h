#pragma once

// LmdbStore: the store that lasts. DIR/lock (ours), DIR/journal/ and DIR/records/ (LMDB).
// Start at store.h for what it promises; here is only how it is opened and put together.
// Threads: as Store says; one thread inside writes checkpoints. Readers and journal readers must be
//          gone before the store is.

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/apply.h"
#include "storage/checkpoint.h"
#include "storage/files.h"
#include "storage/index_builder.h"
#include "storage/journal.h"
#include "storage/log_table.h"
#include "storage/memtable.h"
#include "storage/recent_hashes.h"
#include "storage/record_tables.h"
#include "storage/space.h"
#include "storage/store.h"
#include "storage/view_board.h"

namespace hawser {

struct LmdbStoreOptions {
  std::string path;
  RegionId region{};
  std::uint64_t cluster_id = 0;
  bool create = true;  // false: kNotFound where there is no store

  // Both memtables together. One checkpoint commit's pages come on top (checkpoint_pages_max).
  std::uint64_t memtable_bytes_max = std::uint64_t{256} << 20;
  // Past it local writes get kFull. Disk: up to 9/8 of it for received txns.
  std::uint64_t journal_bytes_max = std::uint64_t{16} << 30;
  // Address space of the record tables; nothing is taken until used. Writes get kFull at 80 %.
  std::uint64_t map_bytes_max = std::uint64_t{256} << 30;
  // The journal's file is zero-filled up to this at open: overwriting syncs faster than growing.
  std::uint64_t journal_prealloc_bytes = std::uint64_t{64} << 20;
  // Kept free on the disk for checkpoints, trimming and dropping.
  std::uint64_t disk_reserve_bytes = std::uint64_t{64} << 20;
  // 4,096 pages are 16 MiB of memory while a checkpoint commits.
  std::uint32_t checkpoint_pages_max = 4096;
  // A checkpoint begins when nothing was committed for this long, or at the latest after the other.
  std::int64_t checkpoint_idle_ms = 1000;
  std::int64_t checkpoint_age_ms = 60'000;
  // Dead rows are looked through no more often than this.
  std::int64_t drop_every_ms = 100;
  ConflictLogOptions conflicts;
  // For tests: asked before each commit of a checkpoint, on its thread; false is a full disk.
  std::function<bool()> checkpoint_gate;
};

class LmdbStore final : public Store {
 public:
  // Recovers by replay. kNotFound, kLocked, kForeign, kNewer leave the disk as it was. Works on a
  // full disk: then Reserve says kFull until there is room.
  static std::expected<std::unique_ptr<LmdbStore>, OpenError> Open(const LmdbStoreOptions& options);
  ~LmdbStore() override;

  Origin self() const override { return identity_.self; }
  const Cut& applied() const override { return logs_.cut(); }
  std::vector<LogEnd> log_ends() const override { return logs_.ends(); }
  std::optional<std::uint64_t> HashAt(const Origin& origin, Seq seq) override;
  Stamp clock_floor() const override { return clock_floor_; }

  std::optional<std::string_view> Read(std::string_view row_key) override;
  void ScanNewest(
      std::string_view start,
      const std::function<bool(std::string_view row_key, std::string_view record)>& visit) override;
  void Apply(const JournalEntry& entry, const Txn& txn, std::vector<Discarded>& discarded) override;
  bool HasStaged() const override { return journal_->staged_entries() > 0; }
  std::expected<void, StorageError> Commit(Stamp ceiling) override;
  std::expected<void, StorageError> Reserve(std::uint64_t txn_bytes, bool own) override;
  bool Congested() const override;

  void SetStable(const Stable& stable, const Cut& trim) override;
  std::expected<void, StorageError> Upkeep() override;
  StoreUsage usage() const override;

  std::unique_ptr<Reader> NewReader() override;
  std::unique_ptr<JournalReader> NewJournalReader() override;

  // Writes a checkpoint of everything committed and waits for it; at a graceful stop, so that the
  // next start has nothing to replay. kFull: no room on the disk; nothing is lost.
  std::expected<void, StorageError> CheckpointNow();

 private:
  class Rows;
  using Clock = std::chrono::steady_clock;

  LmdbStore(const LmdbStoreOptions& options, FileLock lock)
      : options_(options),
        lock_(std::move(lock)),
        space_({options.path, options.journal_bytes_max, options.map_bytes_max,
                options.disk_reserve_bytes}),
        pool_(std::make_shared<BlockPool>(options.memtable_bytes_max / 2)),
        applier_(options_.conflicts),
        conflicts_(options_.conflicts) {}

  // Opening (lmdb_store_open.cc).
  std::expected<void, OpenError> OpenEnvironments();
  std::expected<void, OpenError> Identify();
  std::expected<void, OpenError> Recover();
  std::expected<void, StorageError> ReplayJournal();
  std::expected<void, StorageError> Replayed(Lsn lsn, const JournalEntry& entry, Txn& txn);
  std::expected<void, StorageError> FlushWhileReplaying(Lsn lsn);

  std::unique_ptr<Memtable> NewMemtable() const;
  std::optional<Row> Newest(std::string_view row_key, std::uint64_t hash);
  const RecordSnapshot* Snapshot();  // null: cannot be read; the store has failed then
  void LetSnapshotGo();
  std::expected<void, StorageError> Measure();
  std::expected<void, StorageError> LoadIndexes();
  void Publish();
  Mark MarkHere() const;
  std::unexpected<StorageError> Fail(StorageError error);
  std::expected<void, StorageError> Healthy();
  std::uint64_t unwritten_bytes() const;
  Journal::TrimLimit TrimLimit(std::uint32_t pieces) const;

  // Upkeep (lmdb_upkeep.cc).
  std::expected<void, StorageError> TakeInCheckpoint();
  std::expected<void, StorageError> DropSome();
  std::expected<void, StorageError> DropOldConflicts();
  std::expected<void, StorageError> BuildIndexes();
  void HideRow(std::string_view row_key, std::uint64_t hash, std::string_view record);
  bool WalkWouldSort();
  struct DropPass;
  std::expected<void, StorageError> DropFrom(LmdbTable table, DropPass& pass,
                                             std::uint32_t& budget);
  bool WantsCheckpoint() const;
  void StartCheckpoint();

  const LmdbStoreOptions options_;
  FileLock lock_;
  SpaceGuard space_;
  StoreIdentity identity_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<RecordTables> tables_;

  std::shared_ptr<BlockPool> pool_;  // half of the memtables' memory: the active one's
  std::shared_ptr<Memtable> active_;
  std::shared_ptr<const Memtable> frozen_;
  // The last one written to the tables, until the next is frozen: it finds rows for less than the
  // tables do.
  std::shared_ptr<const Memtable> written_;
  // The engine's own, taken when first read and let go with each commit and upkeep: an old one
  // would keep the pages that a running checkpoint frees from being used again.
  std::optional<RecordSnapshot> snapshot_;
  bool snapshot_live_ = false;
  // What the tables last gave: a local write reads a row, and then the applier does.
  struct Recalled {
    bool live = false;
    std::string row_key;
    std::optional<Row> row;
  };
  Recalled recalled_;
  ViewSeq visible_ = 0;  // versions staged carry visible_ + 1
  std::uint64_t generation_ = 0;
  ViewBoard board_;

  LogTable logs_;
  RecentHashes hashes_;
  Stamp highest_;
  Stamp clock_floor_;
  Applier applier_;
  ConflictKeeper conflicts_;
  IndexBuilder index_builder_;
  std::optional<StorageError> failed_;

  Mark mark_;         // durable in the record tables
  Mark mark_coming_;  // of the checkpoint that runs
  Stable stable_;
  Cut trim_;
  std::uint64_t trim_credit_bytes_ = 0;  // written since the last trim
  bool trim_waited_ = false;  // an Upkeep saw something to trim, and no commit came since
  // A walk over one of the two lists of rows that fade, in pieces.
  struct DropPass {
    std::size_t prefix_bytes;  // before the row key
    bool due = true;           // something changed since the last walk ended
    std::string resume;        // empty: at the beginning
  };
  DropPass drop_dead_{0, true, {}};
  DropPass drop_expiring_{8, true, {}};
  std::uint64_t dropped_ = 0;  // rows gone in the active memtable
  Clock::time_point last_commit_{}, last_checkpoint_{}, last_drop_pass_{};
  Clock::time_point retry_checkpoint_at_{};
  std::uint64_t table_pages_ = 0;  // as of the last checkpoint's end
  std::uint64_t tombstones_ = 0;

  std::unique_ptr<Checkpointer> checkpointer_;  // last: stops before the rest goes
};

}  // namespace hawser
