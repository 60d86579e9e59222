#pragma once

// Memtable: the rows changed since the last checkpoint, each with all its versions since then,
// newest first. A hash table finds a key; walks in key order sort what came since the last walk
// (key_order.h). Versions carry the number of the commit that made them (`seq`, not an LSN:
// dropping a row makes a version too). A reader names the seq up to which it sees; the writer sees
// everything.
// Units:     bytes() is all memory taken, exactly.
// Threads:   one writer (Put); any number of readers at the same time. Looking a key up takes no
//            lock; walkers wait for each other while one of them sorts.
// Invariant: nothing is changed once it is linked, and nothing freed before the memtable is.

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "storage/arena.h"
#include "storage/key_order.h"
#include "storage/memtable_node.h"
#include "storage/store.h"

namespace hawser {

using ViewSeq = std::uint64_t;
inline constexpr ViewSeq kNewest = std::numeric_limits<ViewSeq>::max();

std::uint64_t HashRowKey(std::string_view row_key);

class Memtable {
  using Version = MemtableVersion;
  using Node = MemtableNode;

 public:
  struct Found {
    bool gone = false;  // the row was dropped: whatever lies below is hidden
    Lsn lsn{};
    std::string_view record;
  };

  // `bytes_max` is how large it is meant to become: it sizes the hash table.
  Memtable(std::uint64_t bytes_max, std::shared_ptr<BlockPool> pool);
  Memtable(const Memtable&) = delete;
  Memtable& operator=(const Memtable&) = delete;

  // REQUIRES: seq is not smaller than that of any version before; hash is HashRowKey(row_key).
  void Put(std::string_view row_key, std::uint64_t hash, ViewSeq seq, Lsn lsn,
           std::string_view record, bool gone = false);

  std::optional<Found> Get(std::string_view row_key, std::uint64_t hash, ViewSeq visible) const;

  // Walks keys in byte order; keys without a visible version are passed over, and so may be keys
  // that came after it was made.
  class Iterator {
   public:
    Iterator(const Memtable& table, ViewSeq visible);
    void Seek(std::string_view start);
    void Next();
    bool Valid() const { return node_ != nullptr; }
    std::string_view key() const { return node_->key(); }
    const Found& found() const { return found_; }

   private:
    void Settle();
    KeyOrder::Runs runs_;
    std::vector<std::size_t> places_;  // in each run
    std::size_t run_ = 0;              // the one that node_ is of
    ViewSeq visible_;
    const Node* node_ = nullptr;
    Found found_;
  };

  std::uint64_t bytes() const { return arena_.bytes() + order_.bytes(); }
  // What rows take of it: without the empty hash table, of the last block only what was handed out.
  std::uint64_t used_bytes() const { return arena_.used_bytes() - empty_bytes_; }
  std::uint64_t versions() const { return versions_; }
  // Keys that the next walk would have to sort first: a third of a microsecond each.
  std::uint64_t unsorted() const;
  // Sorts what is there: a walk by another thread then has little left to do. Any thread.
  void Sort() const { (void)order_.Upto(newest_.load(std::memory_order_acquire)); }

 private:
  static std::optional<Found> FindVersion(const Node& node, ViewSeq visible);
  Node* FindNode(std::string_view row_key, std::uint64_t hash) const;

  Arena arena_;
  std::uint64_t bucket_mask_;
  std::atomic<Node*>* buckets_;
  std::atomic<const Node*> newest_{nullptr};
  mutable KeyOrder order_;
  std::uint64_t empty_bytes_;  // the hash table
  std::uint64_t versions_ = 0;
};

}  // namespace hawser
