#pragma once

// Batcher: consecutive txns of one origin, cut into messages. Small txns share a batch up to
// kBatchBodyBytesAim; a txn too large for one message travels in fragments.
// Threads: a plain value.

#include <cstdint>
#include <string_view>
#include <vector>

#include "wan/message.h"

namespace hawser {

class Batcher {
 public:
  explicit Batcher(Origin origin) : origin_(origin) {}

  // Adds the next txn; `hash` is the running hash after it, `hash_before` the one before.
  // Batches that are full are moved to `out`.
  void Add(Seq seq, std::uint64_t hash_before, std::uint64_t hash, std::string_view bytes,
           std::vector<Batch>& out);
  // Moves what is left to `out`.
  void Flush(std::vector<Batch>& out);
  const Origin& origin() const { return origin_; }

 private:
  Origin origin_;
  Batch open_;
};

}  // namespace hawser
