#pragma once

// ConflictCounts: how many values were discarded, by table and kind, for metrics. Labels are
// bounded: tables past the first kTablesMax are counted together as "other".
// Threads: one; what Share gave out is safe to keep and read anywhere.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "conflict/merge.h"
#include "wan/status.h"

namespace hawser {

class ConflictCounts {
 public:
  static constexpr std::size_t kTablesMax = 200;
  void Add(const Discarded& discarded);
  // The counts now; the same object until something was added.
  std::shared_ptr<const std::vector<ConflictCount>> Share() const;

 private:
  std::map<std::string, std::map<std::string_view, std::uint64_t>, std::less<>> counts_;
  mutable std::shared_ptr<const std::vector<ConflictCount>> shared_;
};

}  // namespace hawser
