#include "daemon/redis/stats.h"

#include <algorithm>

namespace hawser::redis {

void Counters::Book(Family family, std::uint64_t count, std::int64_t ns) {
  Op& op = ops[static_cast<std::size_t>(family)];
  const double seconds = static_cast<double>(ns) * 1e-9;
  const auto at = std::ranges::lower_bound(kLatencyBoundsSeconds, seconds);
  op.buckets[static_cast<std::size_t>(at - kLatencyBoundsSeconds.begin())].Add(count);
  op.count.Add(count);
  op.nanoseconds.Add(count * static_cast<std::uint64_t>(std::max<std::int64_t>(ns, 0)));
  commands.Add(count);
}

RedisStats Counters::Read() const {
  RedisStats stats;
  stats.clients = clients.get();
  stats.accepted = accepted.get();
  stats.rejected = rejected.get();
  stats.closed_slow = closed_slow.get();
  stats.protocol_errors = protocol_errors.get();
  stats.commands = commands.get();
  stats.error_replies_unknown = unknown.get();
  stats.input_bytes = input_bytes.get();
  stats.output_bytes = output_bytes.get();
  stats.accept_paused = accept_paused.get() != 0;
  for (std::size_t i = 0; i < kFamilies; ++i) {
    RedisOpStats op;
    op.op = Name(static_cast<Family>(i));
    op.count = ops[i].count.get();
    op.seconds_sum = static_cast<double>(ops[i].nanoseconds.get()) * 1e-9;
    for (const Counter& bucket : ops[i].buckets) op.buckets.push_back(bucket.get());
    stats.ops.push_back(std::move(op));
  }
  return stats;
}

}  // namespace hawser::redis
