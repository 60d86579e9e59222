#pragma once

// RecentHashes: the running hashes of each origin's last entries, so that comparing logs with a
// peer (every beat does) reads no journal. Threads: one owner. Memory: kKept hashes per origin, 256
// KiB.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "conflict/types.h"

namespace hawser {

class RecentHashes {
 public:
  // REQUIRES: seq is the next of its origin, or its first here.
  void Add(const Origin& origin, Seq seq, std::uint64_t hash) {
    auto log = std::ranges::find(logs_, origin, &Log::origin);
    if (log == logs_.end()) log = logs_.insert(log, Log{origin, seq, seq, {}});
    if (log->hashes.size() < kKept) {
      log->hashes.push_back(hash);
    } else {
      log->hashes[(Raw(seq) - Raw(log->first)) % kKept] = hash;
    }
    log->last = seq;
  }
  std::optional<std::uint64_t> Find(const Origin& origin, Seq seq) const {
    const auto log = std::ranges::find(logs_, origin, &Log::origin);
    if (log == logs_.end() || seq < log->first || seq > log->last) return std::nullopt;
    if (Raw(log->last) - Raw(seq) >= log->hashes.size()) return std::nullopt;
    return log->hashes[(Raw(seq) - Raw(log->first)) % kKept];
  }

 private:
  static constexpr std::size_t kKept = 32768;
  struct Log {
    Origin origin;
    Seq first{};  // the first ever added: says where each one stands in the ring
    Seq last{};
    std::vector<std::uint64_t> hashes;
  };
  std::vector<Log> logs_;
};

}  // namespace hawser
