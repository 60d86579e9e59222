#include "storage/memtable.h"

#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

#include "conflict/assert.h"

namespace hawser {

struct Memtable::Version {
  const Version* older;
  ViewSeq seq;
  Lsn lsn;
  std::uint32_t bytes;
  bool gone;
  std::string_view record() const { return {reinterpret_cast<const char*>(this + 1), bytes}; }
};

// In memory: the node, its links (one per level), the key.
struct Memtable::Node {
  std::atomic<const Version*> newest;
  Node* chain;  // the next in the hash bucket; set before the node is reachable
  std::uint64_t hash;
  std::uint32_t key_bytes;
  std::uint32_t height;

  std::atomic<Node*>* links() { return reinterpret_cast<std::atomic<Node*>*>(this + 1); }
  const Node* next(int level) const {
    const auto* all = reinterpret_cast<const std::atomic<Node*>*>(this + 1);
    return all[level].load(std::memory_order_acquire);
  }
  std::string_view key() const {
    return {reinterpret_cast<const char*>(this + 1) + height * sizeof(std::atomic<Node*>),
            key_bytes};
  }
};

std::uint64_t HashRowKey(std::string_view row_key) {
  return XXH3_64bits(row_key.data(), row_key.size());
}

// Rows take about 200 bytes and more: the table is a bucket or two per row when the memtable is
// full.
Memtable::Memtable(std::uint64_t bytes_max) {
  const std::uint64_t buckets =
      std::bit_ceil(std::clamp<std::uint64_t>(bytes_max / 192, 1024, std::uint64_t{1} << 26));
  bucket_mask_ = buckets - 1;
  buckets_ =
      reinterpret_cast<std::atomic<Node*>*>(arena_.Allocate(buckets * sizeof(std::atomic<Node*>)));
  char* at = arena_.Allocate(sizeof(Node) + kHeightMax * sizeof(std::atomic<Node*>));
  head_ = new (at) Node{nullptr, nullptr, 0, 0, kHeightMax};
  empty_bytes_ = arena_.used_bytes();
}

int Memtable::RandomHeight() {
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  int height = 1;
  for (std::uint64_t bits = random_; height < kHeightMax && (bits & 3) == 0; bits >>= 2) ++height;
  return height;
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
  Insert(row_key, hash, version);
}

Memtable::Node* Memtable::FindNode(std::string_view row_key, std::uint64_t hash) const {
  Node* node = buckets_[hash & bucket_mask_].load(std::memory_order_acquire);
  while (node && (node->hash != hash || node->key() != row_key)) node = node->chain;
  return node;
}

Memtable::Node* Memtable::Insert(std::string_view row_key, std::uint64_t hash, Version* version) {
  Node* before[kHeightMax];
  Node* at = head_;
  const Node* stop = nullptr;  // already known to be past the key
  for (int level = kHeightMax - 1; level >= 0; --level) {
    for (;;) {
      Node* next = at->links()[level].load(std::memory_order_relaxed);
      if (!next || next == stop || next->key() >= row_key) {
        stop = next;
        break;
      }
      at = next;
    }
    before[level] = at;
  }
  const int height = RandomHeight();
  char* memory =
      arena_.Allocate(sizeof(Node) + static_cast<std::size_t>(height) * sizeof(std::atomic<Node*>) +
                      row_key.size());
  auto& bucket = buckets_[hash & bucket_mask_];
  Node* node = new (memory)
      Node{version, bucket.load(std::memory_order_relaxed), hash,
           static_cast<std::uint32_t>(row_key.size()), static_cast<std::uint32_t>(height)};
  std::memcpy(const_cast<char*>(node->key().data()), row_key.data(), row_key.size());
  for (int level = 0; level < height; ++level) {
    node->links()[level].store(before[level]->links()[level].load(std::memory_order_relaxed),
                               std::memory_order_relaxed);
  }
  for (int level = 0; level < height; ++level) {
    before[level]->links()[level].store(node, std::memory_order_release);
  }
  bucket.store(node, std::memory_order_release);
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

void Memtable::Iterator::Seek(std::string_view start) {
  const Node* at = table_->head_;
  const Node* stop = nullptr;
  for (int level = kHeightMax - 1; level >= 0; --level) {
    for (;;) {
      const Node* next = at->next(level);
      if (!next || next == stop || next->key() >= start) {
        stop = next;
        break;
      }
      at = next;
    }
  }
  node_ = at->next(0);
  // A node may have come in meanwhile between `at` and the place sought.
  while (node_ && node_->key() < start) node_ = node_->next(0);
  Settle();
}

void Memtable::Iterator::Next() {
  node_ = node_->next(0);
  Settle();
}

void Memtable::Iterator::Settle() {
  for (; node_; node_ = node_->next(0)) {
    if (const auto found = FindVersion(*node_, visible_)) {
      found_ = *found;
      return;
    }
  }
}

std::string_view Memtable::Iterator::key() const {
  return node_->key();
}

}  // namespace hawser
