#pragma once

// Checkpoint: writes a frozen memtable to the record tables, in key order, in commits of bounded
// size, on a thread of its own.
// Order:     "!" tables sort first, so a derived row is durable not later than the row it was
//            derived from (replay leaves alone a row that is at the LSN, and derives nothing from
//            it). Rows go, and the mark moves, only in the last commit: a row dropped earlier could
//            be brought back by replaying an older, losing put onto nothing. Entries of an index
//            go in their place in the order, before the record that does not show the value any
//            more: replay would not take them away.
// Threads:   Start, Done, Stop on the owner's; the work on one thread inside.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "storage/memtable.h"
#include "storage/record_tables.h"

namespace hawser {

struct CheckpointLimits {
  std::uint32_t pages_max =
      4096;  // dirtied by one LMDB commit, about (they live in memory): 16 MiB
  // Asked before each commit; false: no room on the disk, give up for now.
  std::function<bool()> room = [] { return true; };
};

// The work itself, all commits of one checkpoint. kFull: no room; nothing is lost, rows already
// written stay, try again later. Other errors are as bad as those of a commit.
// `cancelled` is looked at between commits; then kNotFound.
std::expected<void, StorageError> WriteCheckpoint(const RecordTables& tables,
                                                  const Memtable& memtable, const Mark& mark,
                                                  const CheckpointLimits& limits,
                                                  const std::atomic<bool>& cancelled);

class Checkpointer {
 public:
  Checkpointer(const RecordTables& tables, CheckpointLimits limits);
  ~Checkpointer();  // cancels what runs
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  // REQUIRES: !running().
  void Start(std::shared_ptr<const Memtable> memtable, Mark mark);
  bool running() const { return running_; }
  // The outcome, once, after the work ended.
  std::optional<std::expected<void, StorageError>> Done();
  // Sorts a memtable on the thread, after a checkpoint that runs.
  void Sort(std::shared_ptr<const Memtable> memtable);
  // Frees a memtable on the thread: giving back hundreds of MiB takes a while.
  void Dispose(std::shared_ptr<const Memtable> memtable);

 private:
  void Run();

  const RecordTables& tables_;
  const CheckpointLimits limits_;
  bool running_ = false;  // the owner's view: between Start and Done
  std::atomic<bool> stop_{false};
  std::atomic<bool> finished_{false};

  std::mutex mutex_;
  std::condition_variable wake_;
  std::shared_ptr<const Memtable> job_;        // guarded by mutex_
  Mark job_mark_;                              // guarded by mutex_
  std::shared_ptr<const Memtable> garbage_;    // guarded by mutex_
  std::shared_ptr<const Memtable> unsorted_;   // guarded by mutex_
  std::expected<void, StorageError> outcome_;  // written before finished_
  std::thread thread_;
};

}  // namespace hawser
