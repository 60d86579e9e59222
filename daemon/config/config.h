#pragma once

// Config: what an operator says to one daemon, checked and in base units. Plain values: the
// defaults are those of the key table (keys.h), which also drives parsing, printing and the sample
// file. Units:     sizes are bytes, times milliseconds; 0 means "no limit" only where the name says
// so. Invariant: a Config that Load (load.h) handed out is usable as a whole; nobody checks it
// again.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conflict/schema.h"
#include "conflict/types.h"

namespace hawser {

struct RegionConfig {
  std::string name;               // [a-z0-9-]+
  RegionId id{};                  // 1..63
  std::vector<std::string> nats;  // nats://host:port, at least one, no secrets inside
  std::string credentials;        // path of a NATS credentials file; empty: none
};

struct StorageConfig {
  std::string path;
  std::uint64_t journal_max = 0;
  std::uint64_t memtable_max = 0;
  std::uint64_t map_max = 0;
  std::uint64_t record_max = 0;  // max_record
  std::uint64_t txn_max = 0;     // max_txn
};

struct WanConfig {
  std::int64_t beat_interval_ms = 0;
  std::int64_t clock_skew_ms_max = 0;    // max_clock_skew
  std::uint64_t catch_up_bandwidth = 0;  // bytes per second and peer; 0: no limit
  std::uint64_t fetch_window = 0;
  std::uint64_t pending_max = 0;  // per origin
  std::uint64_t send_max = 0;
  bool compression = true;
  std::int64_t write_deadline_ms = 0;
  std::int64_t ping_interval_ms = 0;
};

// host:port; an IPv6 host stands without its brackets here.
struct ListenAddress {
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const ListenAddress&) const = default;
};

struct AdminConfig {
  ListenAddress listen;
};

struct RedisConfig {
  ListenAddress listen;
  bool allow_flush = false;
  std::uint32_t clients_max = 0;
};

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };
enum class LogFormat : std::uint8_t { kJson, kText };

struct LogConfig {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kJson;
  bool mask_values = true;
};

struct ConflictsConfig {
  std::int64_t age_ms_max = 0;      // max_age
  std::uint64_t log_bytes_max = 0;  // max_size
};

// First answers, kept for Idempotency-Key.
struct IdempotencyConfig {
  std::int64_t age_ms_max = 0;  // max_age
  std::uint64_t bytes_max = 0;  // max_size
};

// Of each key, where it was said, as messages show it: "/etc/hawser/hawser.toml:12".
using Whereabouts = std::map<std::string, std::string, std::less<>>;

struct FieldConfig {
  std::string name;                 // the empty name is the field of a plain string
  std::string resolve;              // lww states first max min counter
  std::vector<std::string> order;   // states only
  std::optional<std::int64_t> min;  // counter only
  bool conflict_log = true;         // a local matter
  Whereabouts where;
};

struct TableConfig {
  std::string name;
  std::string placement;     // global | homed
  std::string default_home;  // a region's name; empty: none
  std::vector<std::string> index;
  std::vector<FieldConfig> fields;
  Whereabouts where;
};

struct UniqueConfig {
  std::string name;
};

struct FeedsConfig {
  bool changes = false;  // published on NATS
};

struct WebhookConfig {
  std::string url;          // empty: none
  std::string secret_file;  // empty: not signed
};

enum class TokenRole : std::uint8_t { kViewer, kOperator, kApp };

struct TokenConfig {
  std::string name;
  TokenRole role = TokenRole::kViewer;
  std::string file;  // absolute, or a name within $CREDENTIALS_DIRECTORY
};

struct Config {
  std::string cluster;  // [cluster] name
  std::string region;   // [region] name
  RegionId self{};      // the id of `region`
  std::vector<RegionConfig> regions;
  StorageConfig storage;
  WanConfig wan;
  AdminConfig admin;
  RedisConfig redis;
  LogConfig log;
  ConflictsConfig conflicts;
  IdempotencyConfig idempotency;
  std::vector<TableConfig> tables;
  std::vector<UniqueConfig> unique;
  FeedsConfig feeds;
  WebhookConfig webhook;
  std::vector<TokenConfig> tokens;
  Schema schema;  // of `tables` and `unique`
};

}  // namespace hawser
