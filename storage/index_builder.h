#pragma once

// IndexBuilder: makes the entries of records that were there before their index was declared, in
// bounded pieces, one index after the other. What is applied meanwhile makes its own entries
// (indexer.h). How far it came is a row (index_table.h), so a restart goes on there.
// Threads: the store's owner.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/index_set.h"
#include "storage/index_table.h"

namespace hawser {

class IndexBuilder {
 public:
  // True while some index is not known to be ready.
  bool Due(const IndexSet& indexes) const { return ready_ < indexes.size(); }

  struct Piece {
    std::vector<std::string> entries;  // row keys to put, not in order
    std::string state_key, state_row;  // to put after them; empty: nothing
  };
  // The next piece: looks at up to `records_max`, or about kPieceBytes, through `scan` over the
  // newest rows. REQUIRES: Due, nothing is staged, and the last piece was put.
  Piece Next(const IndexSet& indexes, const IndexSet::Scan& scan, std::uint32_t records_max);
  static constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

 private:
  // Finds an index that is not ready.
  bool Choose(const IndexSet& indexes, const IndexSet::Scan& scan);

  std::size_t ready_ = 0;
  bool chosen_ = false;
  std::string table_, field_;
  IndexState state_;
};

}  // namespace hawser
