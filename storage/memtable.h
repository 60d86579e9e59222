#pragma once

// Memtable: the rows changed since the last checkpoint, each with all its versions since then,
// newest first. A hash table finds a key, an ordered index (a skip list) walks them. Versions carry
// the number of the commit that made them (`seq`, not an LSN: dropping a row makes a version too).
// A reader names the seq up to which it sees; the writer sees everything. Units:     bytes() is all
// memory taken, exactly. Threads:   one writer (Put); any number of readers at the same time,
// without locks. Invariant: nothing is changed once it is linked, and nothing freed before the
// memtable is.

#include <atomic>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "storage/arena.h"
#include "storage/store.h"

namespace hawser {

using ViewSeq = std::uint64_t;
inline constexpr ViewSeq kNewest = std::numeric_limits<ViewSeq>::max();

std::uint64_t HashRowKey(std::string_view row_key);

class Memtable {
  struct Version;
  struct Node;

 public:
  struct Found {
    bool gone = false;  // the row was dropped: whatever lies below is hidden
    Lsn lsn{};
    std::string_view record;
  };

  // `bytes_max` is how large it is meant to become: it sizes the hash table.
  explicit Memtable(std::uint64_t bytes_max);
  Memtable(const Memtable&) = delete;
  Memtable& operator=(const Memtable&) = delete;

  // REQUIRES: seq is not smaller than that of any version before; hash is HashRowKey(row_key).
  void Put(std::string_view row_key, std::uint64_t hash, ViewSeq seq, Lsn lsn,
           std::string_view record, bool gone = false);

  std::optional<Found> Get(std::string_view row_key, std::uint64_t hash, ViewSeq visible) const;

  // Walks keys in byte order; keys without a visible version are passed over.
  class Iterator {
   public:
    Iterator(const Memtable& table, ViewSeq visible) : table_(&table), visible_(visible) {}
    void Seek(std::string_view start);
    void Next();
    bool Valid() const { return node_ != nullptr; }
    std::string_view key() const;
    const Found& found() const { return found_; }

   private:
    void Settle();
    const Memtable* table_;
    ViewSeq visible_;
    const Node* node_ = nullptr;
    Found found_;
  };

  std::uint64_t bytes() const { return arena_.bytes(); }
  // What rows take of it: without the empty hash table, of the last block only what was handed out.
  std::uint64_t used_bytes() const { return arena_.used_bytes() - empty_bytes_; }
  std::uint64_t versions() const { return versions_; }

 private:
  static constexpr int kHeightMax = 12;
  static std::optional<Found> FindVersion(const Node& node, ViewSeq visible);
  Node* FindNode(std::string_view row_key, std::uint64_t hash) const;
  Node* Insert(std::string_view row_key, std::uint64_t hash, Version* version);
  int RandomHeight();

  Arena arena_;
  std::uint64_t bucket_mask_;
  std::atomic<Node*>* buckets_;
  Node* head_;
  std::uint64_t empty_bytes_;  // the hash table and the list's head
  std::uint64_t versions_ = 0;
  std::uint64_t random_ = 0x9e3779b97f4a7c15;
};

}  // namespace hawser
