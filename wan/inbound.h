#pragma once

// Inbound: one origin's log on its way in. Takes batches in any order, repeated and with holes,
// keeps a bounded number of bytes, puts fragments together, and gives the txns one by one in order.
// At the bound what is further away gives way to what is nearer; what is next in line is always
// taken (so the bound may be passed by one message), else a log could never fill its hole.
// It decides nothing about causality, clocks or disks: the replica takes the next txn when it may.
// Threads: a plain value, the engine's.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "conflict/types.h"
#include "wan/message.h"

namespace hawser {

class Inbound {
 public:
  // `applied`, `hash`: where the log stands here.
  Inbound(Seq applied, std::uint64_t hash, std::uint64_t bytes_max);

  enum class Intake {
    kQueued,
    kDuplicate,  // nothing new in it
    kOverflow,   // past the bound: dropped, to be fetched later
    kMalformed,  // count and body disagree
  };
  Intake Take(Batch batch);

  struct Next {
    Seq seq{};
    std::string_view bytes;         // valid until the next call of anything here
    std::uint64_t hash = 0;         // running hash after it
    std::uint64_t hash_before = 0;  // and before it
  };
  // The txn after the applied one, if it is here. Batches of another branch of this log than the
  // one applied are dropped on the way; TakeForked says so.
  std::optional<Next> Peek();
  // The txn that Peek gave was applied.
  void Pop();

  // True if something of another branch was dropped since the last call.
  bool TakeForked() { return std::exchange(forked_, false); }
  std::uint64_t hash() const { return hash_; }  // running hash at applied()
  Seq applied() const { return applied_; }
  // The last seq that is here without a hole after the applied one.
  Seq contiguous() const;
  // True if something later than the hole waits.
  bool HasGap() const { return !pending_.empty() && pending_.begin()->first > Next_(); }
  // First seq after the hole; REQUIRES HasGap().
  Seq AfterGap() const { return pending_.begin()->first; }
  std::uint64_t bytes() const { return bytes_; }
  // How many bytes may be asked for after contiguous(): what lies past a hole does not count, it
  // gives way. Never 0 while nothing that could be applied next is here.
  std::uint64_t Room() const;
  bool empty() const { return pending_.empty(); }

 private:
  Seq Next_() const { return hawser::Next(applied_); }
  Intake TakeFragment(Batch batch);
  Intake Enqueue(Batch batch);
  bool MakeRoom(Seq first, std::uint64_t size);
  void Forget(std::map<Seq, Batch>::iterator at);
  bool SkipTo(const Batch& batch);

  struct Fragments {
    std::uint32_t count = 0;
    std::uint64_t hash_before = 0, hash_after = 0;
    std::map<std::uint32_t, std::string> pieces;
    std::uint64_t bytes = 0;
  };

  Seq applied_;
  std::uint64_t hash_;
  std::uint64_t bytes_max_;
  std::uint64_t bytes_ = 0;
  std::map<Seq, Batch> pending_;        // by first seq; bodies of whole txns
  std::map<Seq, Fragments> fragments_;  // of large txns, incomplete
  bool forked_ = false;

  // The place in the front batch, once begun.
  bool open_ = false;
  std::size_t offset_ = 0;       // of the next txn's length
  std::size_t next_offset_ = 0;  // after the peeked txn
  std::uint64_t peeked_hash_ = 0;
  bool peeked_ = false;
};

}  // namespace hawser
