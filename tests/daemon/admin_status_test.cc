#include <map>
#include <set>
#include <sstream>
#include <string>

#include "daemon/admin/api.h"
#include "daemon/admin/readiness.h"
#include "daemon/latency.h"
#include "daemon/token.h"
#include "tests/daemon/admin_fixture.h"

using namespace hawser;
using namespace hawser::admin;

namespace {

ReplicaStatus TestStatus() {
  ReplicaStatus status;
  status.self = {RegionId{1}, Incarnation{77}};
  PeerStatus peer;
  peer.region = RegionId{2};
  peer.link = LinkState::kSlow;
  peer.incarnation = Incarnation{~0ULL};
  peer.outgoing = {.txns = 12, .bytes = 3400, .seconds = 1.5, .oldest_at_ms = 1709210096789};
  peer.rtt_ms = 80.25;
  peer.clock_offset_ms = -2.5;
  peer.last_heard_at_ms = 1709210097000;
  peer.received_txns = 99;
  peer.software = "0.1.0";
  status.peers = {peer};
  return status;
}

// Samples of a scrape, "name{labels}" to value.
std::map<std::string, double> Samples(const std::string& text) {
  std::map<std::string, double> samples;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    const std::size_t space = line.rfind(' ');
    samples[line.substr(0, space)] = std::stod(line.substr(space + 1));
  }
  return samples;
}

}  // namespace

TEST_CASE("live as long as the engine's loop turns, whatever the peers do") {
  AdminOptions options = TestOptions();
  options.engine_stall_ms = 150;
  Admin admin(options);
  admin.engine.status_says = ReplicaStatus{};
  admin.engine.gate_says = Refusal::kFull;
  CHECK(admin.Call("GET", "/livez").status == 200);
  admin.engine.usage_says = EngineUsage{};  // ticks stand still
  CHECK(admin.Call("GET", "/livez").status == 200);
  usleep(300'000);
  const Reply stalled = admin.Call("GET", "/livez");
  CHECK(stalled.status == 503);
  CHECK(At(stalled.body, "code") == "STALLED");
  admin.engine.usage_says->ticks = 5;
  CHECK(admin.Call("GET", "/livez").status == 200);
}

TEST_CASE("ready while writes are taken, and not too far behind if asked") {
  Admin admin;
  admin.engine.status_says = TestStatus();
  CHECK(admin.Call("GET", "/readyz").status == 200);
  CHECK(admin.Call("GET", "/readyz?max_lag_ms=100").status == 200);
  admin.engine.status_says->peers[0].incoming.seconds = 0.5;
  CHECK(admin.Call("GET", "/readyz").status == 200);
  CHECK(admin.Call("GET", "/readyz?max_lag_ms=500").status == 200);
  const Reply behind = admin.Call("GET", "/readyz?max_lag_ms=100");
  CHECK(behind.status == 503);
  CHECK(At(behind.body, "code") == "UNREADY");
  CHECK(behind.Has("500 ms behind"));
  const Reply verbose = admin.Call("GET", "/readyz?max_lag_ms=100&verbose");
  CHECK(verbose.status == 503);
  CHECK(At(verbose.body, "checks.0.name") == "writes");
  CHECK(At(verbose.body, "checks.0.ok") == "true");
  CHECK(At(verbose.body, "checks.2.ok") == "false");
  admin.engine.gate_says = Refusal::kReadOnly;
  CHECK(admin.Call("GET", "/readyz").status == 503);
  // Misspelt, it must not say "ready" without looking.
  CHECK(admin.Call("GET", "/readyz?max_lag=100").status == 400);
  CHECK(admin.Call("GET", "/readyz?max_lag_ms=abc").status == 400);
}

TEST_CASE("a silent peer among others does not make a region unready; hearing nobody does") {
  ReplicaStatus status;
  PeerStatus up;
  up.link = LinkState::kUp;
  up.last_heard_at_ms = 100'000;
  PeerStatus down;
  down.link = LinkState::kDown;
  down.last_heard_at_ms = 90'000;
  const auto ready = [&](std::uint64_t lag_ms_max) {
    const auto checks = CheckReady(Refusal::kNone, status, 100'000, lag_ms_max);
    return checks.back().ok;
  };
  status.peers = {up, down};
  CHECK(ready(100));
  status.peers = {down, down};
  CHECK_FALSE(ready(9'999));
  CHECK(ready(10'000));
  down.last_heard_at_ms = 0;
  status.peers = {down};
  CHECK_FALSE(ready(86'400'000));
  status.peers = {};
  CHECK(ready(0));
}

TEST_CASE("version says what runs where") {
  Admin admin;
  const Reply reply = admin.Call("GET", "/version");
  CHECK(At(reply.body, "version") == "0.1.0");
  CHECK(At(reply.body, "commit") == "abc123");
  CHECK(At(reply.body, "cluster") == "shop");
  CHECK(At(reply.body, "region") == "us-east");
}

TEST_CASE("regions and lag show both directions of every peer") {
  AdminOptions options = TestOptions();
  options.link_stats = [] {
    LinkPeerStats link;
    link.region = RegionId{2};
    link.connected = true;
    return std::vector{link};
  };
  Admin admin(options);
  admin.engine.status_says = TestStatus();
  const Reply regions = admin.Call("GET", "/v1/regions");
  CHECK(At(regions.body, "cluster") == "shop");
  CHECK(At(regions.body, "self") == "us-east");
  CHECK(At(regions.body, "regions.0.self") == "true");
  CHECK(At(regions.body, "regions.0.incarnation") == "77");
  CHECK(At(regions.body, "regions.0.writes") == "open");
  CHECK(At(regions.body, "regions.1.name") == "eu-west");
  CHECK(At(regions.body, "regions.1.id") == "2");
  CHECK(At(regions.body, "regions.1.incarnation") == "18446744073709551615");
  CHECK(At(regions.body, "regions.1.link") == "slow");
  CHECK(At(regions.body, "regions.1.lifecycle") == "active");
  CHECK(At(regions.body, "regions.1.nats_connected") == "true");
  CHECK(At(regions.body, "regions.1.outgoing.behind_txns") == "12");

  const Reply lag = admin.Call("GET", "/v1/lag");
  CHECK(At(lag.body, "region") == "us-east");
  CHECK(At(lag.body, "lag.0.peer") == "eu-west");
  CHECK(At(lag.body, "lag.0.direction") == "outgoing");
  CHECK(At(lag.body, "lag.0.behind_txns") == "12");
  CHECK(At(lag.body, "lag.0.behind_bytes") == "3400");
  CHECK(At(lag.body, "lag.0.behind_seconds") == "1.5");
  CHECK(At(lag.body, "lag.0.oldest_unacked_at") == "2024-02-29T12:34:56.789Z");
  CHECK(At(lag.body, "lag.0.rtt_ms") == "80.25");
  CHECK(At(lag.body, "lag.0.clock_offset_ms") == "-2.5");
  CHECK(At(lag.body, "lag.0.last_heard_at") == "2024-02-29T12:34:57.000Z");
  CHECK(At(lag.body, "lag.1.direction") == "incoming");
  CHECK(At(lag.body, "lag.1.behind_txns") == "0");
  CHECK(At(lag.body, "lag.1.oldest_unacked_at") == "null");
  CHECK(At(admin.Call("GET", "/v1/lag?peer=eu-west").body, "lag.1.peer") == "eu-west");
  CHECK(admin.Call("GET", "/v1/lag?peer=mars").status == 404);
}

TEST_CASE("the cut grows with each write and its token names it") {
  Admin admin;
  CHECK(At(admin.Call("GET", "/v1/cut").body, "applied.0.seq").empty());
  const Reply put = admin.Json("PUT", "/v1/tables/t/records/k", R"({"fields":{"":"x"}})");
  const Reply cut = admin.Call("GET", "/v1/cut");
  CHECK(At(cut.body, "applied.0.region") == "us-east");
  CHECK(At(cut.body, "applied.0.incarnation") == "77");
  CHECK(At(cut.body, "applied.0.seq") == "1");
  CHECK(At(cut.body, "token") == put.Header("hawser-token"));
  CHECK(DecodeToken(At(cut.body, "token")) == admin.engine.applied());
}

TEST_CASE("metrics have base units, bounded labels and the promised names") {
  AdminOptions options = TestOptions();
  options.link_stats = [] {
    LinkPeerStats link;
    link.region = RegionId{2};
    link.sent_bytes = 1234;
    return std::vector{link};
  };
  options.more_metrics = [] {
    MetricFamilyValues family{.name = "op_seconds", .help = "h", .kind = MetricKind::kHistogram};
    family.bounds = {0.1, 1};
    family.points.push_back({.labels = {{"op", "set"}}, .buckets = {3, 2, 1}, .sum = 4.5});
    return std::vector{family};
  };
  Admin admin(options);
  admin.engine.status_says = TestStatus();
  EngineUsage usage;
  usage.commits = 3;
  usage.committed_txns = 30;
  usage.commit_buckets.assign(kCommitBoundsSeconds.size() + 1, 0);
  usage.commit_buckets[2] = 2;
  usage.commit_buckets.back() = 1;
  usage.commit_seconds_sum = 6.5;
  admin.engine.usage_says = usage;
  StoreUsage storage;
  storage.journal_bytes = 5'000'000'000;
  storage.map_used_ratio = 0.25;
  admin.engine.storage_says = storage;

  const Reply reply = admin.Call("GET", "/metrics");
  CHECK(reply.status == 200);
  CHECK(reply.Header("content-type") == "text/plain; version=0.0.4; charset=utf-8");
  const auto samples = Samples(reply.body);
  const auto value = [&](const std::string& name) {
    REQUIRE_MESSAGE(samples.contains(name), name);
    return samples.at(name);
  };
  CHECK(value(R"(hawser_peer_up{peer="eu-west"})") == 1);
  CHECK(value(R"(hawser_peer_link{peer="eu-west",state="slow"})") == 1);
  CHECK(value(R"(hawser_peer_lag_seconds{peer="eu-west",direction="outgoing"})") == 1.5);
  CHECK(value(R"(hawser_peer_backlog_txns{peer="eu-west",direction="outgoing"})") == 12);
  CHECK(value(R"(hawser_peer_backlog_bytes{peer="eu-west",direction="incoming"})") == 0);
  CHECK(value(R"(hawser_peer_oldest_unacked_timestamp_seconds{peer="eu-west"})") ==
        doctest::Approx(1709210096.789));
  CHECK(value(R"(hawser_peer_received_txns_total{peer="eu-west"})") == 99);
  CHECK(value(R"(hawser_peer_sent_bytes_total{peer="eu-west"})") == 1234);
  CHECK(value(R"(hawser_clock_offset_seconds{peer="eu-west"})") == -0.0025);
  CHECK(value(R"(hawser_op_seconds_bucket{op="set",le="1"})") == 5);
  CHECK(value(R"(hawser_op_seconds_bucket{op="set",le="+Inf"})") == 6);
  CHECK(value("hawser_commit_seconds_count") == 3);
  CHECK(value("hawser_commit_seconds_sum") == 6.5);
  CHECK(value(R"(hawser_commit_seconds_bucket{le="5"})") == 2);
  CHECK(value("hawser_group_commit_txns_sum") == 30);
  CHECK(value("hawser_group_commit_txns_count") == 3);
  CHECK(value("hawser_journal_bytes") == 5e9);
  CHECK(value("hawser_map_used_ratio") == 0.25);
  CHECK(value("process_resident_memory_bytes") > 1'000'000);
  CHECK(value("process_start_time_seconds") > 1'600'000'000);
  CHECK(value("process_open_fds") > 3);
  CHECK(
      value(
          R"(hawser_build_info{version="0.1.0",commit="abc123",cluster="shop",region="us-east"})") ==
      1);
  for (const char* name :
       {"applied_txns_total", "journal_limit_bytes", "memtable_bytes", "oldest_reader_age_seconds",
        "config_last_reload_successful", "stable_lag_seconds", "tombstones"}) {
    CHECK(samples.contains("hawser_" + std::string(name)));
  }

  static const std::set<std::string> kLabels{"peer", "direction", "state",  "kind",    "op",
                                             "le",   "version",   "commit", "cluster", "region"};
  for (const auto& [name, number] : samples) {
    CAPTURE(name);
    for (const char* unit : {"_ms", "_milliseconds", "_us", "_kb", "_mb", "_percent"}) {
      const std::string bare = name.substr(0, name.find('{')) + '_';
      CHECK(bare.find(std::string(unit) + '_') == std::string::npos);
    }
    for (std::size_t at = name.find('{'); at != std::string::npos && at + 1 < name.size();) {
      const std::size_t equals = name.find('=', at);
      if (equals == std::string::npos) break;
      CHECK(kLabels.contains(name.substr(at + 1, equals - at - 1)));
      at = name.find("\",", equals);
      if (at != std::string::npos) ++at;
    }
  }
  // Counters, and only they, end in _total.
  std::istringstream lines(reply.body);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("# TYPE ")) continue;
    CAPTURE(line);
    CHECK((line.find("_total ") != std::string::npos) == line.ends_with(" counter"));
  }
}

TEST_CASE("the OpenAPI document lists every route, and every schema it names") {
  Admin admin;
  const Reply reply = admin.Call("GET", "/v1/openapi.json");
  CHECK(reply.status == 200);
  CHECK(At(reply.body, "openapi") == "3.1.0");
  Api api(TestOptions(), admin.engine, [](std::function<void()>) {});
  const auto parsed = ParseJson(reply.body);
  REQUIRE(parsed);
  const auto* paths = Find(*parsed->As<JsonObject>(), "paths")->As<JsonObject>();
  std::size_t operations = 0;
  for (const auto& [path, item] : *paths) operations += item.As<JsonObject>()->size();
  const auto routes = api.Routes();
  CHECK(operations == routes.size());
  for (const Route& route : routes) {
    CAPTURE(route.pattern);
    const Json* path = Find(*paths, route.pattern);
    REQUIRE(path);
    const char* method = route.method == Method::kGet     ? "get"
                         : route.method == Method::kPut   ? "put"
                         : route.method == Method::kPatch ? "patch"
                         : route.method == Method::kPost  ? "post"
                                                          : "delete";
    CHECK(Find(*path->As<JsonObject>(), method));
  }
  const std::string_view text = reply.body;
  for (std::size_t at = 0;
       (at = text.find("#/components/schemas/", at)) != std::string_view::npos;) {
    at += 21;
    const std::string name(text.substr(at, text.find('"', at) - at));
    CAPTURE(name);
    CHECK_FALSE(At(text, "components.schemas." + name).empty());
  }
}

TEST_CASE("calls of later versions are absent, and say where the list is") {
  Admin admin;
  for (const char* path : {"/", "/v1", "/v1/verify", "/v1/tables", "/v1/tables/t",
                           "/v1/tables/t/records/k/x", "/V1/cut", "/livez/"}) {
    CAPTURE(path);
    const Reply reply = admin.Call("GET", path);
    CHECK(reply.status == 404);
    CHECK(At(reply.body, "code") == "NOROUTE");
  }
  const Reply wrong = admin.Call("DELETE", "/v1/cut");
  CHECK(wrong.status == 405);
  CHECK(wrong.Header("allow") == "GET, HEAD");
  CHECK(admin.Call("OPTIONS", "/v1/txn").Header("allow") == "POST");
}

TEST_CASE("with tokens, each role may do what it may and no more") {
  AdminOptions options = TestOptions();
  options.check_token = [](std::string_view token) -> std::optional<Role> {
    if (token == "view") return Role::kViewer;
    if (token == "app") return Role::kApp;
    if (token == "ops") return Role::kOperator;
    return std::nullopt;
  };
  Admin admin(options);
  const std::pair<std::string, Role> callers[] = {{"", Role::kNobody},
                                                  {"wrong", Role::kNobody},
                                                  {"view", Role::kViewer},
                                                  {"app", Role::kApp},
                                                  {"ops", Role::kOperator}};
  Api api(options, admin.engine, [](std::function<void()>) {});
  for (const Route& route : api.Routes()) {
    std::string path = route.pattern;
    if (const auto at = path.find("{table}"); at != std::string::npos) path.replace(at, 7, "t");
    if (const auto at = path.find("{key}"); at != std::string::npos) path.replace(at, 5, "k");
    for (const auto& [token, role] : callers) {
      CAPTURE(path);
      CAPTURE(token);
      Client::Headers headers;
      if (!token.empty()) headers.emplace_back("Authorization", "Bearer " + token);
      Client client(admin.server->port());  // a refusal before the body closes the connection
      const Reply reply = client.Call(admin::Text(route.method), path, "", headers);
      const bool refused = reply.status == 401 || reply.status == 403;
      CHECK(refused == (role < route.role));
      if (reply.status == 401) CHECK(reply.Header("www-authenticate") == "Bearer realm=\"hawser\"");
    }
  }
  CHECK(admin.Call("GET", "/v1/cut", "", {{"Authorization", "Basic dmlldw=="}}).status == 401);
  CHECK(admin
            .Call("GET", "/v1/cut", "",
                  {{"Host", "hawser.example"}, {"Authorization", "Bearer view"}})
            .status == 400);
}

TEST_CASE("a web page can neither reach the loopback port by its own name nor call across sites") {
  Admin admin;
  const auto get = [&](const std::string& headers) {
    Client client(admin.server->port());
    client.Send("GET /v1/cut HTTP/1.1\r\n" + headers + "\r\n");
    return client.Read().status;
  };
  CHECK(get("Host: localhost:7070\r\n") == 200);
  CHECK(get("Host: [::1]:7070\r\n") == 200);
  CHECK(get("Host: 127.0.0.1\r\n") == 200);
  CHECK(get("Host: evil.example\r\n") == 421);
  CHECK(get("Host: 127.0.0.1.evil.example\r\n") == 421);
  CHECK(get("Host: \r\n") == 421);
  CHECK(get("Host: 127.0.0.1:7070\r\nOrigin: http://127.0.0.1:7070\r\n") == 200);
  CHECK(get("Host: 127.0.0.1:7070\r\nOrigin: http://evil.example\r\n") == 403);
  CHECK(get("Host: 127.0.0.1:7070\r\nOrigin: null\r\n") == 403);
}
