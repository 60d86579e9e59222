#include "storage/arena.h"

#include <sys/mman.h>

#include "conflict/assert.h"

namespace hawser {

Arena::~Arena() {
  for (const Block& block : blocks_) ::munmap(block.at, block.bytes);
}

char* Arena::Map(std::size_t bytes) {
  void* block = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  HW_ASSERT(block != MAP_FAILED);
  blocks_.push_back({static_cast<char*>(block), bytes});
  bytes_.fetch_add(bytes, std::memory_order_relaxed);
  return static_cast<char*>(block);
}

char* Arena::Grow(std::size_t bytes) {
  if (bytes > kBlockBytes / 4) return Map((bytes + 4095) & ~std::size_t{4095});
  at_ = Map(kBlockBytes) + bytes;
  left_ = kBlockBytes - bytes;
  return at_ - bytes;
}

}  // namespace hawser
