#include "daemon/doors.h"

#include <algorithm>

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
                                 const RedisServer& redis, const Calls& calls,
                                 const ConfigState& state) {
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
  options.key_kept_ms = config.idempotency.age_ms_max;
  options.key_bytes_max = std::min(config.idempotency.bytes_max, config.storage.map_max / 16);
  options.link_stats = [&link] { return link.Stats(); };
  options.more_metrics = [&redis, &calls, &state, names = RegionNames(config)] {
    std::vector<MetricFamilyValues> families = RedisMetrics(redis.stats());
    for (MetricFamilyValues& family : CallMetrics(calls.Counts(), names)) {
      families.push_back(std::move(family));
    }
    families.push_back(
        Number("config_contradictions",
               "Things of [[tables]] that another region declared otherwise; the next start fails.",
               MetricKind::kGauge, state.contradictions.load()));
    return families;
  };
  options.config_reload_ok = [&state] { return state.reload_ok.load(); };
  return options;
}

std::vector<MetricFamilyValues> CallMetrics(const std::vector<CallCounts>& peers,
                                            const std::map<RegionId, std::string>& names) {
  MetricFamilyValues calls{.name = "wan_calls_total",
                           .help = "Calls to other regions, by how they ended.",
                           .kind = MetricKind::kCounter};
  MetricFamilyValues limit{.name = "wan_call_limit",
                           .help = "How many calls to a peer may be under way at once.",
                           .kind = MetricKind::kGauge};
  MetricFamilyValues under_way{.name = "wan_calls_under_way",
                               .help = "Calls to a peer that wait for its answer.",
                               .kind = MetricKind::kGauge};
  for (const CallCounts& peer : peers) {
    const auto name = names.find(peer.region);
    const std::string text = name == names.end() ? std::to_string(Raw(peer.region)) : name->second;
    const auto point = [&text](std::uint64_t value) {
      return MetricPoint{.labels = {{"peer", text}}, .value = static_cast<double>(value)};
    };
    for (const auto& [outcome, count] : {std::pair{"answered", peer.answered},
                                         {"limited", peer.limited},
                                         {"refused", peer.refused},
                                         {"no_answer", peer.silent},
                                         {"retried", peer.retried}}) {
      calls.points.push_back(point(count));
      calls.points.back().labels.emplace_back("outcome", outcome);
    }
    limit.points.push_back(point(peer.limit));
    under_way.points.push_back(point(peer.under_way));
  }
  return {std::move(calls), std::move(limit), std::move(under_way)};
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
