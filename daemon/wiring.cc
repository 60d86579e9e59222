#include "daemon/wiring.h"

#include <algorithm>
#include <random>

#include "daemon/config/secret.h"

namespace hawser {
namespace {
constexpr std::uint64_t kInboxBytesMin = 8 * 1024 * 1024;  // the live log, while a commit runs
}  // namespace

std::map<RegionId, std::string> RegionNames(const Config& config) {
  std::map<RegionId, std::string> names;
  for (const RegionConfig& region : config.regions) names[region.id] = region.name;
  return names;
}

std::string BindHost(const ListenAddress& listen) {
  return listen.host == "localhost" ? "127.0.0.1" : listen.host;
}

ConflictLogOptions ConflictOptionsOf(const Config& config) {
  ConflictLogOptions options;
  options.age_ms_max = config.conflicts.age_ms_max;
  options.bytes_max = std::min(config.conflicts.log_bytes_max, config.storage.map_max / 4);
  for (const TableConfig& table : config.tables) {
    for (const FieldConfig& field : table.fields) {
      if (!field.conflict_log) options.quiet[table.name].insert(field.name);
    }
  }
  return options;
}

LmdbStoreOptions StoreOptionsOf(const Config& config) {
  LmdbStoreOptions options;
  options.path = config.storage.path;
  options.region = config.self;
  options.cluster_id = ClusterId(config.cluster, RegionNames(config));
  options.memtable_bytes_max = config.storage.memtable_max;
  options.journal_bytes_max = config.storage.journal_max;
  options.map_bytes_max = config.storage.map_max;
  options.conflicts = ConflictOptionsOf(config);
  options.journal_prealloc_bytes =
      std::min(options.journal_prealloc_bytes, config.storage.journal_max / 4);
  return options;
}

LinkOptions LinkOptionsOf(const Config& config, Incarnation incarnation) {
  LinkOptions options;
  options.cluster = config.cluster;
  options.self = config.self;
  options.incarnation = incarnation;
  for (const RegionConfig& region : config.regions) {
    options.regions.push_back({.name = region.name,
                               .id = region.id,
                               .nats_urls = region.nats,
                               .credentials_file = config::SecretPath(region.credentials)});
  }
  options.send_bytes_max = config.wan.send_max;
  options.write_deadline_ms = config.wan.write_deadline_ms;
  options.ping_interval_ms = config.wan.ping_interval_ms;
  return options;
}

EngineOptions EngineOptionsOf(const Config& config, std::string_view version) {
  EngineOptions options;
  options.schema = config.schema;
  options.inbox_bytes_max = std::max(kInboxBytesMin, 2 * config.wan.fetch_window);
  options.fetch_server.bytes_per_second = config.wan.catch_up_bandwidth;
  options.fetch_server.compress = config.wan.compression;
  ReplicaOptions& replica = options.replica;
  replica.self = config.self;
  for (const auto& [id, name] : RegionNames(config)) replica.members.push_back(id);
  for (const auto& [id, name] : RegionNames(config)) replica.region_ids.emplace(name, id);
  replica.cluster_id = ClusterId(config.cluster, RegionNames(config));
  replica.beat_interval_ms = config.wan.beat_interval_ms;
  replica.skew_ms_max = config.wan.clock_skew_ms_max;
  replica.pending_bytes_max = config.wan.pending_max;
  replica.txn_bytes_max = config.storage.txn_max;
  replica.record_bytes_max = config.storage.record_max;
  replica.compress = config.wan.compression;
  replica.fetcher.self = config.self;
  replica.fetcher.window_bytes = config.wan.fetch_window;
  replica.software = version;
  return options;
}

CallDeskOptions CallDeskOptionsOf(const Config& config) {
  CallDeskOptions options;
  options.book.self = config.self;
  for (const auto& [id, name] : RegionNames(config)) {
    if (id != config.self) options.book.peers.push_back(id);
  }
  std::random_device random;
  options.book.first_id = (std::uint64_t{random()} << 32 | random()) >> 1;
  options.door.self = config.self;
  options.door.skew_ms = config.wan.clock_skew_ms_max;
  return options;
}

ClaimTellerOptions ClaimTellerOptionsOf(const Config& config) {
  ClaimTellerOptions options;
  options.self = config.self;
  options.regions = RegionNames(config);
  options.position_path = config.storage.path + "/claims_told";
  options.webhook.url = config.webhook.url;
  return options;
}

admin::ExplainerOptions ExplainerOptionsOf(const Config& config) {
  admin::ExplainerOptions options{.self = config.self, .regions = {}};
  for (const auto& [id, name] : RegionNames(config)) options.regions.push_back({id, name});
  return options;
}

RedisOptions RedisOptionsOf(const Config& config, std::string_view version) {
  RedisOptions options;
  options.host = BindHost(config.redis.listen);
  options.port = config.redis.listen.port;
  options.allow_flush = config.redis.allow_flush;
  options.clients_max = config.redis.clients_max;
  // One argument may be as large as a txn; a command, or a bundle, twice that.
  options.bulk_bytes_max = config.storage.txn_max;
  options.command_bytes_max = std::max(options.command_bytes_max, 2 * config.storage.txn_max);
  options.multi_bytes_max = std::max(options.multi_bytes_max, 2 * config.storage.txn_max);
  options.output_bytes_max = std::max(options.output_bytes_max, 2 * config.storage.txn_max);
  options.self = config.self;
  options.region_name = config.region;
  options.region_names = RegionNames(config);
  options.version = version;
  return options;
}

}  // namespace hawser
