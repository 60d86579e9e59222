#pragma once

// SpaceGuard: whether there is room for more, asked before anything is staged. Looks at the disk at
// most every 100 ms.
// Three bounds: the journal's, the map's, the disk's. Received txns may go a little further into
// the first than local ones: what they say lets the journal be trimmed. The rest of the map and the
// disk's reserve are for checkpoints, trimming and dropping, which need room to make room (LMDB
// copies a page to delete from it).

#include <atomic>
#include <chrono>
#include <cstdint>
#include <expected>
#include <string>

#include "storage/store.h"

namespace hawser {

struct SpaceLimits {
  std::string path;  // somewhere on the disk
  std::uint64_t journal_bytes_max = 0;
  std::uint64_t map_bytes_max = 0;       // of the record tables
  std::uint64_t disk_reserve_bytes = 0;  // kept free for upkeep, beside what memtables will need
};

// What is in use, as the store knows it.
struct SpaceUse {
  std::uint64_t journal_bytes = 0;   // staged ones included
  std::uint64_t table_bytes = 0;     // of the record tables
  std::uint64_t memtable_bytes = 0;  // still to be written to them
};

class SpaceGuard {
 public:
  explicit SpaceGuard(SpaceLimits limits);

  std::expected<void, StorageError> Check(const SpaceUse& use, std::uint64_t txn_bytes, bool own);
  // For the checkpoint thread: room for one more commit of `bytes`. Any thread.
  bool DiskHas(std::uint64_t bytes) const;
  // The journal's map must hold what Check lets through, and the copies that trimming makes.
  static std::uint64_t JournalMapBytes(std::uint64_t journal_bytes_max);

 private:
  const SpaceLimits limits_;
  std::chrono::steady_clock::time_point looked_at_{};
  std::uint64_t disk_free_bytes_ = 0;
  std::uint64_t taken_since_ = 0;
};

}  // namespace hawser
