#include "storage/arena.h"

namespace hawser {

Arena::~Arena() {
  for (char* block : blocks_) pool_->Give(block);
  for (const Large& piece : large_) BlockPool::Unmap(piece.at, piece.bytes);
}

char* Arena::AllocateZeros(std::size_t bytes) {
  bytes = (bytes + 4095) & ~std::size_t{4095};
  pool_->Shrink(bytes);
  char* piece = BlockPool::Map(bytes);
  large_.push_back({piece, bytes});
  bytes_.fetch_add(bytes, std::memory_order_relaxed);
  return piece;
}

char* Arena::Grow(std::size_t bytes) {
  if (bytes > BlockPool::kBlockBytes / 4) return AllocateZeros(bytes);
  char* block = pool_->Take();
  if (!block) block = BlockPool::Map(BlockPool::kBlockBytes);
  blocks_.push_back(block);
  bytes_.fetch_add(BlockPool::kBlockBytes, std::memory_order_relaxed);
  at_ = block + bytes;
  left_ = BlockPool::kBlockBytes - bytes;
  return block;
}

}  // namespace hawser
