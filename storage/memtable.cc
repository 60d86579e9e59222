#include "storage/memtable.h"

#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <utility>

#include "conflict/assert.h"

namespace hawser {

std::uint64_t HashRowKey(std::string_view row_key) {
  return XXH3_64bits(row_key.data(), row_key.size());
}

// Rows take about 200 bytes and more: the table is a bucket or two per row when the memtable is
// full.
Memtable::Memtable(std::uint64_t bytes_max, std::shared_ptr<BlockPool> pool)
    : arena_(std::move(pool)) {
  const std::uint64_t buckets =
      std::bit_ceil(std::clamp<std::uint64_t>(bytes_max / 192, 1024, std::uint64_t{1} << 26));
  bucket_mask_ = buckets - 1;
  buckets_ = reinterpret_cast<std::atomic<Node*>*>(
      arena_.AllocateZeros(buckets * sizeof(std::atomic<Node*>)));
  empty_bytes_ = arena_.used_bytes();
}

void Memtable::Put(std::string_view row_key, std::uint64_t hash, ViewSeq seq, Lsn lsn,
                   std::string_view record, bool gone) {
  char* at = arena_.Allocate(sizeof(Version) + record.size());
  auto* version =
      new (at) Version{nullptr, seq, lsn, static_cast<std::uint32_t>(record.size()), gone};
  if (!record.empty()) std::memcpy(at + sizeof(Version), record.data(), record.size());
  ++versions_;
  if (Node* node = FindNode(row_key, hash)) {
    const Version* newest = node->newest.load(std::memory_order_relaxed);
    HW_ASSERT(newest->seq <= seq);
    version->older = newest;
    node->newest.store(version, std::memory_order_release);
    return;
  }
  const Node* last = newest_.load(std::memory_order_relaxed);
  auto& bucket = buckets_[hash & bucket_mask_];
  char* memory = arena_.Allocate(sizeof(Node) + row_key.size());
  Node* node = new (memory) Node{version,
                                 bucket.load(std::memory_order_relaxed),
                                 last,
                                 hash,
                                 last ? last->number + 1 : 1,
                                 static_cast<std::uint32_t>(row_key.size())};
  std::memcpy(memory + sizeof(Node), row_key.data(), row_key.size());
  bucket.store(node, std::memory_order_release);
  newest_.store(node, std::memory_order_release);
}

Memtable::Node* Memtable::FindNode(std::string_view row_key, std::uint64_t hash) const {
  Node* node = buckets_[hash & bucket_mask_].load(std::memory_order_acquire);
  while (node && (node->hash != hash || node->key() != row_key)) node = node->chain;
  return node;
}

std::optional<Memtable::Found> Memtable::FindVersion(const Node& node, ViewSeq visible) {
  const Version* version = node.newest.load(std::memory_order_acquire);
  while (version && version->seq > visible) version = version->older;
  if (!version) return std::nullopt;
  return Found{version->gone, version->lsn, version->record()};
}

std::optional<Memtable::Found> Memtable::Get(std::string_view row_key, std::uint64_t hash,
                                             ViewSeq visible) const {
  const Node* node = FindNode(row_key, hash);
  return node ? FindVersion(*node, visible) : std::nullopt;
}

std::uint64_t Memtable::unsorted() const {
  const Node* newest = newest_.load(std::memory_order_acquire);
  return newest ? newest->number - order_.count() : 0;
}

Memtable::Iterator::Iterator(const Memtable& table, ViewSeq visible)
    : runs_(table.order_.Upto(table.newest_.load(std::memory_order_acquire))),
      places_(runs_.size()),
      visible_(visible) {}

void Memtable::Iterator::Seek(std::string_view start) {
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    const auto at = std::ranges::lower_bound(*runs_[i], start, {}, &Node::key);
    places_[i] = static_cast<std::size_t>(at - runs_[i]->begin());
  }
  Settle();
}

void Memtable::Iterator::Next() {
  ++places_[run_];
  // Nodes lie in the order they came: each step would wait for memory.
  const KeyOrder::Run& run = *runs_[run_];
  if (places_[run_] + 8 < run.size()) __builtin_prefetch(run[places_[run_] + 8]);
  if (places_[run_] + 4 < run.size()) {
    __builtin_prefetch(run[places_[run_] + 4]->newest.load(std::memory_order_relaxed));
  }
  Settle();
}

// Goes to the least key from the places on that has a visible version.
void Memtable::Iterator::Settle() {
  for (;; ++places_[run_]) {
    node_ = nullptr;
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      if (places_[i] == runs_[i]->size()) continue;
      const Node* candidate = (*runs_[i])[places_[i]];
      if (node_ && node_->key() <= candidate->key()) continue;
      node_ = candidate;
      run_ = i;
    }
    if (!node_) return;
    if (const auto found = FindVersion(*node_, visible_)) {
      found_ = *found;
      return;
    }
  }
}

}  // namespace hawser
