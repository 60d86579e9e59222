#pragma once

// KeyOrder: the byte order of keys that came in any order, made when somebody asks for it. The
// writer of a memtable does nothing for it; a checkpoint sorts once, on its own thread; a scan
// sorts what came since the last one. What was sorted is kept as runs, each more than twice as long
// as the next, so that n keys cost n log n comparisons however often somebody asks, and there are
// few runs. Threads: any; who asks waits for who sorts.

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "storage/memtable_node.h"

namespace hawser {

class KeyOrder {
 public:
  using Run = std::vector<const MemtableNode*>;
  using Runs = std::vector<std::shared_ptr<const Run>>;

  // Runs, each in key order, that together hold every node up to `newest`, and maybe later ones.
  Runs Upto(const MemtableNode* newest);
  // How many keys are in runs.
  std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }
  // Memory taken by the runs.
  std::uint64_t bytes() const { return count() * sizeof(Run::value_type); }

 private:
  std::mutex mutex_;
  const MemtableNode* covered_ = nullptr;  // the newest in runs_; guarded by mutex_
  Runs runs_;                              // guarded by mutex_
  std::atomic<std::uint64_t> count_{0};
};

}  // namespace hawser
