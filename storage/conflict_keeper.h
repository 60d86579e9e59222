#pragma once

// ConflictKeeper: how long the conflict log is kept. Walks the log's order from the newest to the
// oldest in bounded pieces, adding up sizes; what is past the age or behind the size may go. It
// keeps nothing durable: after a crash the walk begins anew and finds the same.
// Threads: the store's owner.

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace hawser {

struct ConflictLogOptions {
  std::int64_t age_ms_max = std::int64_t{30} * 24 * 3600 * 1000;
  std::uint64_t bytes_max = std::uint64_t{1} << 30;  // of rows and keys, about
  // Fields whose conflicts are not logged here, by table: a local matter.
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>> quiet;

  bool IsQuiet(std::string_view table, std::string_view field) const;
};

class ConflictKeeper {
 public:
  // `options` must outlive the keeper.
  explicit ConflictKeeper(const ConflictLogOptions& options) : options_(options) {}

  void NoteLogged(std::size_t rows) { logged_ += rows; }
  // True while a walk is under way, or one would find something to drop.
  bool Due(std::int64_t now_ms) const;

  using Visit = std::function<bool(std::string_view row_key, std::string_view record)>;
  using Scan = std::function<void(std::string_view start, const Visit& visit)>;
  struct Piece {
    std::vector<std::string> drop;  // keys of rows to drop, of the log and of its order
    // Key and bytes of the row that must become visible and durable with the drops, not later: the
    // log's floor (conflict_log.h). Empty: it stays where it is.
    std::string floor_key, floor_row;
  };
  // One piece of a walk: looks at up to `rows_max` of the log's order, through `scan` over the
  // newest rows.
  Piece Walk(const Scan& scan, std::int64_t now_ms, std::uint32_t rows_max);

 private:
  void Begin(const Scan& scan);

  const ConflictLogOptions& options_;
  std::uint64_t logged_ = 0;  // since the walk under way, or the last one, began
  bool walked_ = false;       // since the start
  bool walking_ = false;
  std::string resume_;
  std::string floor_;            // order key; empty: nothing was ever dropped
  std::uint64_t bytes_ = 0;      // of what this walk has met
  std::uint64_t kept_ = 0;       // rows, of the last walk
  std::uint64_t keeping_ = 0;    // rows, of this one
  std::int64_t oldest_ms_ = 0;   // kept by the last walk; 0: nothing kept
  std::int64_t keeping_ms_ = 0;  // likewise, of this one
};

}  // namespace hawser
