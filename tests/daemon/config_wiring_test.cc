#include <doctest/doctest.h>

#include <sys/stat.h>

#include <cstdlib>

#include "daemon/config/secret.h"
#include "daemon/status_line.h"
#include "daemon/token_book.h"
#include "daemon/watch.h"
#include "daemon/wiring.h"
#include "tests/daemon/config_fixture.h"

namespace hawser {
namespace {

using config::ConfigDir;
using config::kMinimal;

std::string Secret(ConfigDir& dir, const std::string& name, std::string_view text,
                   mode_t mode = 0600) {
  const std::string path = dir.Write(name, text);
  chmod(path.c_str(), mode);
  return path;
}

}  // namespace

TEST_CASE("a field that is noise is left out of the conflict log, and of no other part") {
  ConfigDir dir;
  const auto loaded = dir.LoadText(kMinimal +
                                   "[[tables]]\nname = \"orders\"\n"
                                   "[tables.fields.seen]\nconflict_log = false\n"
                                   "[tables.fields.status]\n");
  if (!loaded) FAIL(config::Joined(loaded.error()));
  const ConflictLogOptions options = ConflictOptionsOf(loaded->config);
  CHECK(options.IsQuiet("orders", "seen"));
  CHECK_FALSE(options.IsQuiet("orders", "status"));
  CHECK_FALSE(options.IsQuiet("users", "seen"));
  CHECK(loaded->config.schema.Rule("orders", "seen") == FieldRule{});
  // Never more than a quarter of the map.
  Config small = loaded->config;
  small.storage.map_max = 64 << 20;
  CHECK(ConflictOptionsOf(small).bytes_max == 16 << 20);
}

TEST_CASE("every number of the configuration reaches the part it is meant for") {
  ConfigDir dir;
  const auto loaded = dir.LoadText(
      kMinimal +
      "[[regions]]\nname = \"eu-west\"\nid = 7\nnats = [\"nats://h:1\"]\n"
      "[storage]\npath = \"/s\"\njournal_max = \"200MiB\"\nmemtable_max = \"65MiB\"\nmap_max = "
      "\"66MiB\"\n"
      "max_record = \"3KiB\"\nmax_txn = \"12MiB\"\n"
      "[wan]\nbeat_interval = \"111ms\"\nmax_clock_skew = \"222ms\"\ncatch_up_bandwidth = "
      "\"333KiB\"\n"
      "fetch_window = \"9MiB\"\npending_max = \"17MiB\"\nsend_max = \"5MiB\"\ncompression = false\n"
      "write_deadline = \"777ms\"\nping_interval = \"888ms\"\n"
      "[conflicts]\nmax_age = \"5d\"\nmax_size = \"12MiB\"\n"
      "[idempotency]\nmax_age = \"3h\"\nmax_size = \"2MiB\"\n"
      "[redis]\nlisten = \"localhost:1234\"\nallow_flush = true\nclients_max = 99\n");
  if (!loaded) FAIL(config::Joined(loaded.error()));
  const Config& c = loaded->config;

  const LmdbStoreOptions store = StoreOptionsOf(c);
  CHECK(store.path == "/s");
  CHECK(store.region == RegionId{1});
  CHECK(store.journal_bytes_max == 200ull << 20);
  CHECK(store.memtable_bytes_max == 65ull << 20);
  CHECK(store.map_bytes_max == 66ull << 20);
  CHECK(store.journal_prealloc_bytes <= store.journal_bytes_max / 4);
  CHECK(store.cluster_id != 0);

  CHECK(store.conflicts.age_ms_max == 5 * 86'400'000);
  CHECK(store.conflicts.bytes_max == 12ull << 20);
  CHECK_FALSE(store.conflicts.IsQuiet("orders", "seen"));
  CHECK(c.idempotency.age_ms_max == 3 * 3'600'000);
  CHECK(c.idempotency.bytes_max == 2ull << 20);

  const EngineOptions engine = EngineOptionsOf(c, "9.9");
  CHECK(engine.replica.self == RegionId{1});
  CHECK(engine.replica.members == std::vector<RegionId>{RegionId{1}, RegionId{7}});
  CHECK(engine.replica.cluster_id == store.cluster_id);
  CHECK(engine.replica.beat_interval_ms == 111);
  CHECK(engine.replica.skew_ms_max == 222);
  CHECK(engine.replica.pending_bytes_max == 17ull << 20);
  CHECK(engine.replica.txn_bytes_max == 12ull << 20);
  CHECK(engine.replica.record_bytes_max == 3ull << 10);
  CHECK(engine.replica.fetcher.window_bytes == 9ull << 20);
  CHECK(engine.replica.fetcher.self == RegionId{1});
  CHECK_FALSE(engine.replica.compress);
  CHECK_FALSE(engine.fetch_server.compress);
  CHECK(engine.fetch_server.bytes_per_second == 333ull << 10);

  const LinkOptions link = LinkOptionsOf(c, Incarnation{5});
  CHECK(link.cluster == "shop");
  CHECK(link.incarnation == Incarnation{5});
  REQUIRE(link.regions.size() == 2);
  CHECK(link.regions[1].id == RegionId{7});
  CHECK(link.send_bytes_max == 5ull << 20);
  CHECK(link.write_deadline_ms == 777);
  CHECK(link.ping_interval_ms == 888);

  const RedisOptions redis = RedisOptionsOf(c, "9.9");
  CHECK(redis.host == "127.0.0.1");
  CHECK(redis.port == 1234);
  CHECK(redis.allow_flush);
  CHECK(redis.clients_max == 99);
  CHECK(redis.Problem() == "");
}

TEST_CASE("the largest transaction a configuration allows passes the Redis protocol") {
  ConfigDir dir;
  const auto loaded = dir.LoadText(kMinimal +
                                   "[storage]\nmax_txn = \"256MiB\"\nmemtable_max = \"512MiB\"\n"
                                   "[wan]\npending_max = \"256MiB\"\n");
  if (!loaded) FAIL(config::Joined(loaded.error()));
  CHECK(RedisOptionsOf(loaded->config, "1").Problem() == "");
}

TEST_CASE("the cluster's id depends on names and ids, not on their order") {
  ConfigDir dir;
  const std::string eu = "[[regions]]\nname = \"eu\"\nid = 2\nnats = [\"nats://h:1\"]\n";
  const std::string ap = "[[regions]]\nname = \"ap\"\nid = 3\nnats = [\"nats://h:1\"]\n";
  const auto id = [&dir](const std::string& text) {
    return StoreOptionsOf(dir.LoadText(kMinimal + text)->config).cluster_id;
  };
  CHECK(id(eu + ap) == id(ap + eu));
  CHECK(id(eu) != id(eu + ap));
}

TEST_CASE("a token is known by its secret, and by its name where one is given") {
  ConfigDir dir;
  const auto book = TokenBook::Read(
      {{"ops", TokenRole::kOperator, Secret(dir, "ops", "operator-secret-0123456789\n")},
       {"shop", TokenRole::kApp, Secret(dir, "app", "application-secret-0123456789", 0400)}});
  REQUIRE(book);
  CHECK(book->Find("", "operator-secret-0123456789") == TokenRole::kOperator);
  CHECK(book->Find("shop", "application-secret-0123456789") == TokenRole::kApp);
  CHECK_FALSE(book->Find("shop", "operator-secret-0123456789"));
  CHECK_FALSE(book->Find("", ""));
  CHECK_FALSE(book->Find("", "operator-secret-012345678"));
  CHECK_FALSE(book->Find("", "operator-secret-0123456789x"));
  CHECK_FALSE(book->Find("", "operator-secret-0123456789operator-secret-0123456789"));
  CHECK_FALSE(book->Find("", std::string(100'000, 'x')));
}

TEST_CASE(
    "a secret's file that is missing, open to others, short or garbled is refused without its "
    "content") {
  ConfigDir dir;
  const auto read = [](const std::string& file) {
    const auto book = TokenBook::Read({{"ops", TokenRole::kOperator, file}});
    return book ? std::string("good") : book.error();
  };
  CHECK(read(dir.path("none")).find("cannot be read") != std::string::npos);
  CHECK(read(Secret(dir, "a", "canary-canary-canary", 0640)).find("chmod 600") !=
        std::string::npos);
  CHECK(read(Secret(dir, "b", "canary")).find("openssl rand") != std::string::npos);
  CHECK(read(Secret(dir, "c", "canary-canary-canary\nsecond line")).find("one line") !=
        std::string::npos);
  CHECK(read(Secret(dir, "d", "")).find("less than 16") != std::string::npos);
  CHECK(read(Secret(dir, "e", std::string(5000, 'x'))).find("larger") != std::string::npos);
  CHECK(read(dir.path("")).find("no regular file") != std::string::npos);
  for (const char* name : {"a", "b", "c"}) {
    CHECK(read(dir.path(name)).find("canary") == std::string::npos);
  }
}

TEST_CASE("the plain name of a credential is looked up where systemd puts it") {
  setenv("CREDENTIALS_DIRECTORY", "/run/credentials/hawserd.service", 1);
  CHECK(config::SecretPath("ops.token") == "/run/credentials/hawserd.service/ops.token");
  CHECK(config::SecretPath("/etc/hawser/ops.token") == "/etc/hawser/ops.token");
  unsetenv("CREDENTIALS_DIRECTORY");
  CHECK(config::SecretPath("ops.token") == "ops.token");
}

TEST_CASE("the status line says whether writes are taken and how each peer stands") {
  ReplicaStatus status;
  status.peers.push_back(
      {.region = RegionId{2}, .link = LinkState::kUp, .outgoing = {.txns = 3, .seconds = 0.2}});
  status.peers.push_back(
      {.region = RegionId{3}, .link = LinkState::kDown, .last_heard_at_ms = 1'700'000'000'000});
  status.peers.push_back({.region = RegionId{4}, .link = LinkState::kDown});
  CHECK(StatusLine(status, Refusal::kNone, {{RegionId{2}, "eu-west"}, {RegionId{3}, "ap-south"}}) ==
        "takes writes; eu-west up, 3 txns (0.2 s) behind; ap-south down, last heard 22:13:20Z; "
        "region 4 down, never heard");
  CHECK(StatusLine({}, Refusal::kFull, {}) == "refuses writes: full");
}

TEST_CASE("the watchdog is fed only while the engine's loop turns") {
  Watch watch;
  std::chrono::steady_clock::time_point now{std::chrono::hours(1)};
  CHECK(watch.Look(1, Refusal::kNone, now));
  CHECK(watch.Look(2, Refusal::kNone, now += std::chrono::seconds(1)));
  for (int i = 0; i < 10; ++i)
    CHECK_FALSE(watch.Look(2, Refusal::kNone, now += std::chrono::seconds(1)));
  CHECK(watch.Look(3, Refusal::kNone, now += std::chrono::seconds(1)));
}

}  // namespace hawser
