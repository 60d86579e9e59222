#pragma once

// LogTable: how far each origin's log is applied, with the running hash there.
// Invariant: ends() is sorted by origin; cut() says the same as ends().
// Threads:   a plain value.

#include <cstdint>
#include <span>
#include <vector>

#include "conflict/cut.h"
#include "storage/store.h"

namespace hawser {

class LogTable {
 public:
  void Restore(std::span<const LogEnd> ends);
  // REQUIRES: seq is the next of its origin.
  void Append(const Origin& origin, Seq seq, std::uint64_t hash);

  const LogEnd* Find(const Origin& origin) const;
  const std::vector<LogEnd>& ends() const { return ends_; }
  const Cut& cut() const { return cut_; }

 private:
  std::vector<LogEnd> ends_;
  Cut cut_;
};

}  // namespace hawser
