#pragma once

// AdminServer: REST and metrics of one region, on a thread of its own (docs/rest.md).
//
// Threads:  Start, Stop and the destructor by one owner. The functions in the options are
//           called on the server's thread and must be quick; check_token may be called for every
//           request.
// Order:    stop it before the engine, so that requests in flight still get their answers. What the
//           options refer to must outlive it.

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/admin/metric.h"
#include "daemon/engine.h"
#include "daemon/explain.h"
#include "wan/link.h"

namespace hawser {

// Each may do what the ones before it may.
class Calls;
struct HomeMover;
enum class Role { kNobody, kViewer, kApp, kOperator };

struct AdminRegion {
  RegionId id{};
  std::string name;
};

struct AdminOptions {
  std::string host = "127.0.0.1";                  // an address
  std::uint16_t port = 7070;                       // 0: any free one
  std::uint64_t body_bytes_max = 8 * 1024 * 1024;  // [storage] max_txn
  std::size_t txn_changes_max = 4096;
  std::size_t connections_max = 512;
  std::size_t streams_max = 64;           // event streams; each holds a connection
  std::int64_t header_ms = 10'000;        // to send a whole header in
  std::int64_t heartbeat_ms = 15'000;     // a stream says at least that it is there
  std::int64_t engine_stall_ms = 30'000;  // an engine loop that stands this long is not alive

  std::string cluster;
  RegionId self{};
  std::vector<AdminRegion> regions;  // self included
  std::string software;              // "0.1.0"
  std::string commit;                // of the source tree; may be empty

  // Who a bearer token is; nullopt: nobody. Without it everyone may everything: the config allows
  // that on loopback only, and requests whose Host is no address or localhost are refused (a web
  // page could else reach us under a name of its own).
  std::function<std::optional<Role>(std::string_view token)> check_token;
  std::function<std::string(std::string_view token)> token_name;  // of one that check_token knows
  // How long a resolution is kept beside the conflicts it is about ([conflicts] max_age).
  std::int64_t resolution_ms = std::int64_t{30} * 24 * 3600 * 1000;
  // How long the first answer to an Idempotency-Key is kept, and how much room those have that
  // clients of this region gave ([idempotency] max_age, max_size).
  std::int64_t key_kept_ms = std::int64_t{24} * 3600 * 1000;
  std::uint64_t key_bytes_max = 256 * 1024 * 1024;
  // For units whose home is another region; null: they cannot be written here. Both must outlive
  // the server.
  Calls* calls = nullptr;
  const HomeMover* home_mover = nullptr;
  ExplainRecord explain;                                          // of explainer.h
  std::function<std::vector<LinkPeerStats>()> link_stats;         // may be empty
  std::function<std::vector<MetricFamilyValues>()> more_metrics;  // may be empty
  std::function<bool()> config_reload_ok;                         // may be empty: true
};

class AdminServer {
 public:
  // The error names the address and the reason.
  static std::expected<std::unique_ptr<AdminServer>, std::string> Start(AdminOptions options,
                                                                        Engine& engine);
  virtual ~AdminServer() = default;
  virtual std::uint16_t port() const = 0;
  virtual void Stop() = 0;
  // A write that another region's client asked for, answered as one of this region's: any thread.
  // `bytes` and the answer are those of forward_http.h; when the server stops no answer may come.
  virtual void Answer(std::string bytes, std::function<void(std::string)> answer) = 0;
};

}  // namespace hawser
