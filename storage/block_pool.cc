#include "storage/block_pool.h"

#include <sys/mman.h>

#include "conflict/assert.h"

namespace hawser {

BlockPool::~BlockPool() {
  for (char* block : blocks_) Unmap(block, kBlockBytes);
}

char* BlockPool::Take() {
  const std::lock_guard lock(mutex_);
  if (blocks_.empty()) return nullptr;
  char* block = blocks_.back();
  blocks_.pop_back();
  return block;
}

void BlockPool::Give(char* block) {
  {
    const std::lock_guard lock(mutex_);
    if (blocks_.size() < blocks_max_) {
      blocks_.push_back(block);
      return;
    }
  }
  Unmap(block, kBlockBytes);
}

void BlockPool::Shrink(std::uint64_t bytes) {
  for (std::uint64_t shrunk = 0; shrunk < bytes; shrunk += kBlockBytes) {
    char* block = Take();
    if (!block) return;
    Unmap(block, kBlockBytes);
  }
}

char* BlockPool::Map(std::size_t bytes) {
  // More than needed, so that the block can begin at a huge page's boundary; the rest goes back.
  const std::size_t taken = bytes + kBlockBytes;
  void* raw = ::mmap(nullptr, taken, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  HW_ASSERT(raw != MAP_FAILED);
  char* begin = static_cast<char*>(raw);
  const std::size_t before =
      (kBlockBytes - reinterpret_cast<std::uintptr_t>(raw) % kBlockBytes) % kBlockBytes;
  char* block = begin + before;
  if (before > 0) ::munmap(begin, before);
  if (taken - before > bytes) ::munmap(block + bytes, taken - before - bytes);
  // Rows are reached at random: with small pages every access misses the TLB as well.
  ::madvise(block, bytes, MADV_HUGEPAGE);
  return block;
}

void BlockPool::Unmap(char* block, std::size_t bytes) {
  ::munmap(block, bytes);
}

}  // namespace hawser
