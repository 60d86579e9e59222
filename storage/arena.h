#pragma once

// Arena: memory handed out in pieces and given back all at once. Blocks come straight from the
// system and go straight back, so that dropping a memtable really frees it. Threads: one allocator;
// bytes() may be read by any thread.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace hawser {

class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena();

  // 8-byte aligned, zero-filled.
  char* Allocate(std::size_t bytes) {
    bytes = (bytes + 7) & ~std::size_t{7};
    if (bytes > left_) return Grow(bytes);
    char* piece = at_;
    at_ += bytes;
    left_ -= bytes;
    return piece;
  }
  // Taken from the system.
  std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  // Handed out, plus what large pieces took.
  std::uint64_t used_bytes() const { return bytes() - left_; }

 private:
  struct Block {
    char* at;
    std::size_t bytes;
  };
  char* Grow(std::size_t bytes);
  char* Map(std::size_t bytes);

  static constexpr std::size_t kHugePage = 2 << 20;
  static constexpr std::size_t kBlockBytes = kHugePage;
  char* at_ = nullptr;
  std::size_t left_ = 0;
  std::atomic<std::uint64_t> bytes_{0};
  std::vector<Block> blocks_;
};

}  // namespace hawser
