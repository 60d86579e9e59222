#include "daemon/doors.h"

#include "daemon/wiring.h"

namespace hawser {
namespace {

RedisRole RedisRoleOf(TokenRole role) {
  switch (role) {
    case TokenRole::kViewer:
      return RedisRole::kViewer;
    case TokenRole::kApp:
      return RedisRole::kApp;
    case TokenRole::kOperator:
      return RedisRole::kOperator;
  }
  return RedisRole::kNone;
}

Role AdminRoleOf(TokenRole role) {
  switch (role) {
    case TokenRole::kViewer:
      return Role::kViewer;
    case TokenRole::kApp:
      return Role::kApp;
    case TokenRole::kOperator:
      return Role::kOperator;
  }
  return Role::kNobody;
}

MetricFamilyValues Number(std::string name, std::string help, MetricKind kind,
                          std::uint64_t value) {
  MetricFamilyValues family{.name = std::move(name), .help = std::move(help), .kind = kind};
  family.points.push_back({.value = static_cast<double>(value)});
  return family;
}

}  // namespace

RedisOptions GuardedRedisOptions(const Config& config, std::string_view version,
                                 const TokenBook& tokens) {
  RedisOptions options = RedisOptionsOf(config, version);
  if (!tokens.empty()) {
    options.authenticate = [&tokens](std::string_view user, std::string_view token) {
      const std::string_view name = user == "default" ? std::string_view{} : user;
      const auto role = tokens.Find(name, token);
      return role ? RedisRoleOf(*role) : RedisRole::kNone;
    };
  }
  return options;
}

AdminOptions GuardedAdminOptions(const Config& config, std::string_view version,
                                 const TokenBook& tokens, const Link& link,
                                 const RedisServer& redis, const std::atomic<bool>& reload_ok) {
  AdminOptions options;
  options.host = BindHost(config.admin.listen);
  options.port = config.admin.listen.port;
  options.body_bytes_max = config.storage.txn_max;
  options.cluster = config.cluster;
  options.self = config.self;
  for (const auto& [id, name] : RegionNames(config)) options.regions.push_back({id, name});
  options.software = version;
  if (!tokens.empty()) {
    options.check_token = [&tokens](std::string_view token) -> std::optional<Role> {
      const auto role = tokens.Find({}, token);
      if (!role) return std::nullopt;
      return AdminRoleOf(*role);
    };
    options.token_name = [&tokens](std::string_view token) { return tokens.NameOf(token); };
  }
  options.resolution_ms = config.conflicts.age_ms_max;
  options.link_stats = [&link] { return link.Stats(); };
  options.more_metrics = [&redis] { return RedisMetrics(redis.stats()); };
  options.config_reload_ok = [&reload_ok] { return reload_ok.load(); };
  return options;
}

std::vector<MetricFamilyValues> RedisMetrics(const RedisStats& stats) {
  using enum MetricKind;
  std::vector<MetricFamilyValues> families;
  families.push_back(Number("redis_clients", "Connected Redis clients.", kGauge, stats.clients));
  families.push_back(
      Number("redis_accepted_total", "Redis connections taken.", kCounter, stats.accepted));
  families.push_back(Number("redis_rejected_total", "Redis connections refused at clients_max.",
                            kCounter, stats.rejected));
  families.push_back(Number("redis_closed_slow_total", "Clients closed because they did not read.",
                            kCounter, stats.closed_slow));
  families.push_back(Number("redis_protocol_errors_total",
                            "Connections closed for malformed input.", kCounter,
                            stats.protocol_errors));
  families.push_back(
      Number("redis_commands_total", "Redis commands served.", kCounter, stats.commands));
  families.push_back(Number("redis_received_bytes_total", "Bytes read from Redis clients.",
                            kCounter, stats.input_bytes));
  families.push_back(Number("redis_sent_bytes_total", "Bytes written to Redis clients.", kCounter,
                            stats.output_bytes));
  MetricFamilyValues ops{.name = "op_seconds",
                         .help = "From a command's arrival to its reply, by kind of operation.",
                         .kind = kHistogram};
  ops.bounds.assign(kLatencyBoundsSeconds.begin(), kLatencyBoundsSeconds.end());
  for (const RedisOpStats& op : stats.ops) {
    ops.points.push_back({.labels = {{"op", op.op}}, .buckets = op.buckets, .sum = op.seconds_sum});
  }
  families.push_back(std::move(ops));
  return families;
}

}  // namespace hawser
