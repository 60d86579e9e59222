#pragma once

// BlockPool: memory blocks of one size between two uses. A memtable takes what the one before it
// gave back: pages fresh from the system cost a fault and a clearing each.
// Threads: any.

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace hawser {

class BlockPool {
 public:
  static constexpr std::size_t kBlockBytes = 2 << 20;  // a huge page, and at one's boundary

  // Keeps at most `bytes_max`; the rest goes back to the system.
  explicit BlockPool(std::uint64_t bytes_max) : blocks_max_(bytes_max / kBlockBytes) {}
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;
  ~BlockPool();

  // A block with whatever was in it, or null if there is none.
  char* Take();
  void Give(char* block);
  // Gives blocks worth `bytes` back to the system: somebody takes other memory instead.
  void Shrink(std::uint64_t bytes);

  // `bytes` of fresh memory at a huge page's boundary, zeros.
  static char* Map(std::size_t bytes);
  static void Unmap(char* block, std::size_t bytes);

 private:
  const std::size_t blocks_max_;
  std::mutex mutex_;
  std::vector<char*> blocks_;  // guarded by mutex_
};

}  // namespace hawser
