#pragma once

// MemtableNode: one row key of a memtable and its versions, newest first. Lives in the memtable's
// arena; the key's bytes follow it. Nothing but `newest` changes once it is linked.

#include <atomic>
#include <cstdint>
#include <string_view>

#include "storage/store.h"

namespace hawser {

struct MemtableVersion {
  const MemtableVersion* older;
  std::uint64_t seq;
  Lsn lsn;
  std::uint32_t bytes;
  bool gone;
  std::string_view record() const { return {reinterpret_cast<const char*>(this + 1), bytes}; }
};

struct MemtableNode {
  std::atomic<const MemtableVersion*> newest;
  MemtableNode* chain;         // the next in the hash bucket
  const MemtableNode* before;  // the one that came before it
  std::uint64_t hash;
  std::uint32_t number;  // counts from 1, in the order of coming
  std::uint32_t key_bytes;
  std::string_view key() const { return {reinterpret_cast<const char*>(this + 1), key_bytes}; }
};

}  // namespace hawser
