#include "daemon/admin/redis_metrics.h"

namespace hawser {
namespace {

MetricFamilyValues Single(MetricKind kind, const char* name, const char* help,
                          std::uint64_t value) {
  MetricFamilyValues family{.name = name, .help = help, .kind = kind};
  family.points.push_back({.labels = {}, .value = static_cast<double>(value)});
  return family;
}

}  // namespace

std::vector<MetricFamilyValues> RedisMetrics(const RedisStats& stats) {
  constexpr auto kCounter = MetricKind::kCounter;
  MetricFamilyValues ops{.name = "op_seconds",
                         .help = "time from reading a Redis command to its reply",
                         .kind = MetricKind::kHistogram};
  ops.bounds.assign(kLatencyBoundsSeconds.begin(), kLatencyBoundsSeconds.end());
  for (const RedisOpStats& op : stats.ops) {
    ops.points.push_back({.labels = {{"op", op.op}}, .buckets = op.buckets, .sum = op.seconds_sum});
  }
  return {
      ops,
      Single(MetricKind::kGauge, "redis_clients", "connected Redis clients", stats.clients),
      Single(kCounter, "redis_connections_total", "Redis clients accepted", stats.accepted),
      Single(kCounter, "redis_rejected_connections_total", "Redis clients turned away at the bound",
             stats.rejected),
      Single(kCounter, "redis_slow_connections_closed_total",
             "Redis clients closed because they did not read their replies", stats.closed_slow),
      Single(kCounter, "redis_protocol_errors_total", "malformed Redis input",
             stats.protocol_errors),
      Single(kCounter, "redis_commands_total", "Redis commands answered", stats.commands),
      Single(kCounter, "redis_unknown_replies_total", "replies that an outcome is UNKNOWN",
             stats.error_replies_unknown),
      Single(kCounter, "redis_received_bytes_total", "bytes from Redis clients", stats.input_bytes),
      Single(kCounter, "redis_sent_bytes_total", "bytes to Redis clients", stats.output_bytes),
  };
}

}  // namespace hawser
