#pragma once

// ConflictFollower: reads a region's conflict log from a position on, oldest first, in pieces,
// across any number of views. The log's rows stand newest first and a view scans forward only: what
// comes next after a position far back is found by a window over (stamp, LSN) that widens and
// narrows with how dense the log is there, so that a long way costs about as much as its rows.
// Promise: every row that was in the log while it was at or before a view is given once, or a gap
//          is told (conflict_log.h says why order keys come only newer). Nothing is held but the
//          position.
// Threads: one.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "storage/store.h"

namespace hawser {

class ConflictFollower {
 public:
  // What `position` is: the order key of the last conflict that was read.
  explicit ConflictFollower(std::string position) : position_(std::move(position)) {}
  const std::string& position() const { return position_; }

  struct Piece {
    // Conflicts between the position and the oldest one kept may be gone: the position was moved to
    // the floor of the log.
    bool gap = false;
    std::vector<std::string> order_keys;  // the next ones, oldest first
    bool more = false;                    // there are more in this view already, call again
  };
  // The next ones, at most about `rows_max` (all of one txn at once may be more). The position
  // stays: MoveTo says how far the caller has come.
  Piece Next(View& view, std::size_t rows_max);
  void MoveTo(std::string order_key) { position_ = std::move(order_key); }

  static constexpr std::size_t kPositionBytes = 32;  // kOrderKeyBytes
  static std::string Newest(View& view);  // the last conflict logged, or the place of the next
  static std::string Oldest(View& view);  // before everything that is kept, without a gap

 private:
  __extension__ typedef unsigned __int128 Wide;  // stamp and LSN as one number
  std::deque<std::string> Narrowed(View& view, std::size_t rows_max);

  std::string position_;
  Wide window_ = Wide{1} << 80;  // a stamp counts 65,536 a millisecond: one second
};

}  // namespace hawser
