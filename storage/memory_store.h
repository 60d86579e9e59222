#pragma once

// MemoryStore: the store's twin for the simulator. Same promises, no disk, no thread: what would be
// on the disk is a StoreImage, and Crash() goes back to it. A checkpoint takes several steps,
// driven by Upkeep(), and a crash may come between any two of them. Threads: one; views and readers
// included.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "storage/apply.h"
#include "storage/index_builder.h"
#include "storage/log_table.h"
#include "storage/store.h"

namespace hawser {

struct MemoryStoreOptions {
  RegionId region{};
  std::uint64_t cluster_id = 0;
  Incarnation incarnation{};           // of a new store; the caller's choice, for determinism
  std::uint32_t checkpoint_rows = 64;  // rows in the memtable that start a checkpoint
  std::uint32_t checkpoint_idle_upkeeps = 16;  // Upkeeps without a commit that start one anyway
  std::uint32_t rows_per_commit = 16;          // of one checkpoint commit
  std::uint32_t steps_per_upkeep = 1;          // checkpoint commits done by one Upkeep
  std::uint32_t drops_per_upkeep = 32;
  std::uint32_t indexed_per_upkeep = 32;  // records, for an index being built
  std::uint32_t trims_per_upkeep = 256;   // journal entries
  std::uint64_t journal_bytes_max = std::uint64_t{1} << 40;
  ConflictLogOptions conflicts;
};

using SharedBytes = std::shared_ptr<const std::string>;

// What a disk would hold.
struct StoreImage {
  struct StoredRow {
    Lsn lsn{};
    SharedBytes record;
  };
  struct Entry {
    Origin origin;
    Seq seq{};
    std::uint64_t hash = 0;
    SharedBytes bytes;
    std::uint64_t hash_before = 0;
    std::int64_t applied_ms = 0;
  };
  Origin self;
  std::uint64_t cluster_id = 0;
  // Record tables and their mark.
  std::map<std::string, StoredRow, std::less<>> rows;
  std::set<std::string, std::less<>> fading;  // rows that are dead or expire
  Lsn mark{};
  std::vector<LogEnd> mark_ends;
  Stamp mark_highest;
  // Journal. Entry i has LSN trimmed + 1 + i.
  std::deque<Entry> journal;
  Lsn trimmed{};
  std::uint64_t journal_bytes = 0;
  Stamp ceiling;
};

class MemoryView;

class MemoryStore final : public Store {
 public:
  explicit MemoryStore(const MemoryStoreOptions& options);  // a new, empty store
  // Opens what a disk held. REQUIRES: image.self.region == options.region.
  MemoryStore(const MemoryStoreOptions& options, StoreImage image);
  ~MemoryStore() override;

  // Power loss: a store opened from the durable part alone. This one may only be destroyed then.
  std::unique_ptr<MemoryStore> Crash();
  // A copy of the durable part: a backup, or a snapshot of the machine (rollback tests).
  StoreImage CloneDurable() const { return image_; }
  const StoreImage& durable() const { return image_; }
  const MemoryStoreOptions& options() const { return options_; }

  void SetFull(bool full) { full_ = full; }            // the disk has no room: Reserve says kFull
  void FailNextCommit() { fail_next_commit_ = true; }  // kIo, nothing of it durable, dead from then
  void SetStepsPerUpkeep(std::uint32_t steps) { options_.steps_per_upkeep = steps; }
  bool checkpoint_running() const { return flushing_; }

  Origin self() const override { return image_.self; }
  const Cut& applied() const override { return logs_.cut(); }
  std::vector<LogEnd> log_ends() const override { return logs_.ends(); }
  std::optional<std::uint64_t> HashAt(const Origin& origin, Seq seq) override;
  Stamp clock_floor() const override { return clock_floor_; }

  std::optional<std::string_view> Read(std::string_view row_key) override;
  void ScanNewest(
      std::string_view start,
      const std::function<bool(std::string_view row_key, std::string_view record)>& visit) override;
  void Apply(const JournalEntry& entry, const Txn& txn, std::vector<Discarded>& discarded) override;
  bool HasStaged() const override { return !staged_entries_.empty(); }
  std::expected<void, StorageError> Commit(Stamp ceiling) override;
  std::expected<void, StorageError> Reserve(std::uint64_t txn_bytes, bool own) override;
  bool Congested() const override;

  void SetStable(const Stable& stable, const Cut& trim) override;
  std::expected<void, StorageError> Upkeep() override;
  StoreUsage usage() const override;

  std::unique_ptr<Reader> NewReader() override;
  std::unique_ptr<JournalReader> NewJournalReader() override;

 private:
  friend class MemoryView;
  friend class MemoryReader;
  friend class MemoryJournalReader;
  class Rows;  // the RowTable handed to the applier

  using StoredRow = StoreImage::StoredRow;
  using RowMap = std::map<std::string, StoredRow, std::less<>>;
  // What changed since a point; nullopt: dropped.
  using Changes = std::map<std::string, std::optional<StoredRow>, std::less<>>;

  void Recover();
  void ApplyRows(Lsn lsn, const Dot& dot, const Txn& txn, std::vector<Discarded>& discarded);
  void PublishStaged();
  void Publish(std::string_view row_key, const std::optional<StoredRow>& row);
  Lsn LastLsn() const;
  const StoreImage::Entry* FindEntry(const Origin& origin, Seq seq) const;
  const StoreImage::Entry& EntryAt(Lsn lsn) const;

  void DropSome();
  void DropOldConflicts();
  void BuildIndexes();
  void StartCheckpoint();
  void CheckpointStep();
  void MoveMark();
  void Trim();

  MemoryStoreOptions options_;
  StoreImage image_;

  // Volatile from here on.
  RowMap rows_;     // newest committed rows: image, flushing and active together
  Changes active_;  // the memtable: changed since the last checkpoint began
  Changes frozen_;  // the memtable being written
  Changes::const_iterator flush_next_;
  bool flushing_ = false;
  Lsn flush_mark_{};
  std::vector<LogEnd> flush_ends_;
  Stamp flush_highest_;

  std::vector<StoreImage::Entry> staged_entries_;
  Changes staged_;
  std::vector<SharedBytes> outlived_;  // staged and staged over: valid until the commit

  LogTable logs_;
  Cut committed_cut_;
  Stamp highest_;
  Stamp clock_floor_;
  std::map<Origin, std::deque<Lsn>> lsns_;  // of each origin's entries in the journal

  Applier applier_{options_.conflicts};
  ConflictKeeper conflicts_{options_.conflicts};
  IndexBuilder index_builder_;
  Stable stable_;
  Cut trim_;
  std::string drop_from_;
  bool drop_pass_needed_ = true;
  bool drops_waiting_ = false;
  std::uint32_t idle_upkeeps_ = 0;
  std::uint64_t active_writes_ = 0;  // versions in the memtable, as the real one counts them
  bool full_ = false;
  bool fail_next_commit_ = false;
  bool failed_ = false;
  std::vector<MemoryView*> views_;
};

}  // namespace hawser
