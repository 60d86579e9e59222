#include "storage/arena.h"

#include <sys/mman.h>

#include "conflict/assert.h"

namespace hawser {

Arena::~Arena() {
  for (const Block& block : blocks_) ::munmap(block.at, block.bytes);
}

char* Arena::Map(std::size_t bytes) {
  // More than needed, so that the block can begin at a huge page's boundary; the rest goes back.
  const std::size_t taken = bytes + kHugePage;
  void* raw = ::mmap(nullptr, taken, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  HW_ASSERT(raw != MAP_FAILED);
  char* begin = static_cast<char*>(raw);
  const std::size_t before =
      (kHugePage - reinterpret_cast<std::uintptr_t>(raw) % kHugePage) % kHugePage;
  char* block = begin + before;
  if (before > 0) ::munmap(begin, before);
  if (taken - before > bytes) ::munmap(block + bytes, taken - before - bytes);
  // Rows are reached at random: with small pages every access misses the TLB as well.
  ::madvise(block, bytes, MADV_HUGEPAGE);
  blocks_.push_back({block, bytes});
  bytes_.fetch_add(bytes, std::memory_order_relaxed);
  return block;
}

char* Arena::Grow(std::size_t bytes) {
  if (bytes > kBlockBytes / 4) return Map((bytes + 4095) & ~std::size_t{4095});
  at_ = Map(kBlockBytes) + bytes;
  left_ = kBlockBytes - bytes;
  return at_ - bytes;
}

}  // namespace hawser
