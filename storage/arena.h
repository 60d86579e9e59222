#pragma once

// Arena: memory handed out in pieces and given back all at once, in blocks of a pool; what is too
// large for those comes straight from the system and goes straight back.
// Threads: one allocator; bytes() may be read by any thread.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "storage/block_pool.h"

namespace hawser {

class Arena {
 public:
  explicit Arena(std::shared_ptr<BlockPool> pool) : pool_(std::move(pool)) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena();

  // 8-byte aligned, with whatever was there before.
  char* Allocate(std::size_t bytes) {
    bytes = (bytes + 7) & ~std::size_t{7};
    if (bytes > left_) return Grow(bytes);
    char* piece = at_;
    at_ += bytes;
    left_ -= bytes;
    return piece;
  }
  // Straight from the system: zeros, and no memory until it is touched.
  char* AllocateZeros(std::size_t bytes);

  // Taken from the system.
  std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  // Handed out, plus what large pieces took.
  std::uint64_t used_bytes() const { return bytes() - left_; }

 private:
  struct Large {
    char* at;
    std::size_t bytes;
  };
  char* Grow(std::size_t bytes);

  const std::shared_ptr<BlockPool> pool_;
  char* at_ = nullptr;
  std::size_t left_ = 0;
  std::atomic<std::uint64_t> bytes_{0};
  std::vector<char*> blocks_;
  std::vector<Large> large_;
};

}  // namespace hawser
