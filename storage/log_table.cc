#include "storage/log_table.h"

#include <algorithm>

#include "conflict/assert.h"

namespace hawser {

void LogTable::Restore(std::span<const LogEnd> ends) {
  ends_.assign(ends.begin(), ends.end());
  std::ranges::sort(ends_, {}, &LogEnd::origin);
  cut_.Clear();
  for (const LogEnd& end : ends_) cut_.Raise({end.origin, end.seq});
}

void LogTable::Append(const Origin& origin, Seq seq, std::uint64_t hash) {
  auto at = std::ranges::lower_bound(ends_, origin, {}, &LogEnd::origin);
  if (at == ends_.end() || at->origin != origin) {
    at = ends_.insert(at, LogEnd{.origin = origin});
  }
  HW_ASSERT(seq == Next(at->seq));
  at->seq = seq;
  at->hash = hash;
  cut_.Raise({origin, seq});
}

const LogEnd* LogTable::Find(const Origin& origin) const {
  const auto at = std::ranges::lower_bound(ends_, origin, {}, &LogEnd::origin);
  return at != ends_.end() && at->origin == origin ? &*at : nullptr;
}

}  // namespace hawser
