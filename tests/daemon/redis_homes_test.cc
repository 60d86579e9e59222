// Reads of homed units at their home: what is asked there, what is kept of it, what is judged
// there.

#include <condition_variable>
#include <mutex>
#include <utility>

#include "daemon/calls/calls.h"
#include "daemon/redis/batch.h"
#include "daemon/redis/forward.h"
#include "daemon/redis/forward_body.h"
#include "homing/home.h"
#include "tests/daemon/redis_fixture.h"

namespace hawser::test {
namespace {

using namespace std::chrono_literals;
constexpr RegionId kHere{1}, kThere{2};
constexpr const char* kInvalidate = R"(>["invalidate", ["carts:1"]])";

// Another region, which answers when the test says so.
class SlowHome final : public Calls {
 public:
  void Call(RegionId, std::string, std::string, std::int64_t, Done done) override {
    const std::lock_guard lock(mutex_);
    asked_.push_back(std::move(done));
    changed_.notify_all();
  }
  std::vector<CallCounts> Counts() const override { return {}; }

  // False: it was not asked.
  bool Answer(const std::string& reply) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, 2s, [this] { return !asked_.empty(); })) return false;
    const Done done = std::move(asked_.front());
    asked_.erase(asked_.begin());
    lock.unlock();
    done(redis::EncodeForwardAnswer({.last_write = {}, .reply = reply}));
    return true;
  }
  bool asked() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 2s, [this] { return !asked_.empty(); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Done> asked_;
};

struct HomesFixture {
  explicit HomesFixture(RegionId default_home) : redis(Options(home)) {
    redis.engine.homed_tables =
        std::make_shared<const HomedTables>(HomedTables{{"carts", default_home}});
  }
  static RedisOptions Options(SlowHome& home) {
    RedisOptions options = TestOptions();
    options.self = kHere;
    options.calls = &home;
    return options;
  }
  void Write(const std::string& key) {
    redis.engine.WriteElsewhere([&](LocalTxn& txn) {
      REQUIRE(txn.Edit("carts", key).ReplaceWith(kStringField, std::to_string(++count)));
    });
  }
  void MoveTo(RegionId region, const std::string& unit) {
    redis.engine.WriteElsewhere([&](LocalTxn& txn) {
      const HomeMove move{
          .table = "carts", .unit = unit, .word = {.region = region}, .takeover = true};
      const auto made = MakeHomeMove(move, kHere, RegionId{}, txn);
      REQUIRE(made);
      REQUIRE(*made);
    });
  }

  int count = 0;
  SlowHome home;
  RedisFixture redis;
};

struct HomeReader : RawClient {
  explicit HomeReader(HomesFixture& homes) : RawClient(homes.redis.server->port()) {
    REQUIRE(Do("HELLO 3").starts_with("{"));
    REQUIRE(Do("HAWSER READ HOME") == "OK");
  }
};

TEST_CASE("what changes while a read is at the home is told behind its answer, and the next too") {
  HomesFixture homes(kThere);
  HomeReader client(homes);
  CHECK(client.Do("CLIENT TRACKING ON") == "OK");
  client.Send(Encode({"GET", "carts:1"}));
  REQUIRE(homes.home.asked());
  homes.Write("1");  // newer than what is on its way
  CHECK(client.Next(100ms) == "(nothing)");
  REQUIRE(homes.home.Answer("$3\r\nold\r\n"));
  CHECK(client.Next() == R"("old")");
  CHECK(client.Next() == kInvalidate);
  homes.Write("1");
  CHECK(client.Next() == kInvalidate);
  homes.Write("1");
  CHECK(client.Next(50ms) == "(nothing)");
}

TEST_CASE("what changes after a read was answered by the home is told") {
  HomesFixture homes(kThere);
  HomeReader client(homes);
  CHECK(client.Do("CLIENT TRACKING ON OPTIN") == "OK");
  CHECK(client.Do("CLIENT CACHING YES") == "OK");
  client.Send(Encode({"GET", "carts:1"}));
  REQUIRE(homes.home.Answer("$3\r\nold\r\n"));
  CHECK(client.Next() == R"("old")");
  homes.Write("1");
  CHECK(client.Next() == kInvalidate);
}

TEST_CASE("a read behind writes is asked of the home that is the home when it is read") {
  HomesFixture homes(kHere);
  HomeReader client(homes);
  CHECK(client.Do("CLIENT TRACKING ON OPTIN") == "OK");
  CHECK(client.Do("CLIENT CACHING YES") == "OK");
  homes.redis.engine.Hold();
  client.Send(Encode({"SET", "k", "1"}));
  while (homes.redis.engine.waiting() == 0) std::this_thread::sleep_for(1ms);
  client.Send(Encode({"CLIENT", "CACHING", "YES"}) + Encode({"GET", "carts:1"}) + Encode({"PING"}));
  std::this_thread::sleep_for(20ms);
  homes.MoveTo(kThere, "1");
  homes.redis.engine.LetGo();
  REQUIRE(homes.home.Answer("$3\r\nnew\r\n"));
  CHECK(client.Next() == "OK");
  CHECK(client.Next() == "OK");
  CHECK(client.Next() == R"("new")");
  CHECK(client.Next() == "PONG");
  homes.Write("1");  // CACHING was said for it, however long it waited
  CHECK(client.Next() == kInvalidate);
}

// What a home answers that was asked so.
std::string AskedHere(FakeEngine& engine, bool reads_at_home) {
  std::string body;
  const redis::ForwardedCommands head{.protocol = 2,
                                      .bundle = true,
                                      .reads_at_home = reads_at_home,
                                      .known_by = {},
                                      .after = {},
                                      .commands = {}};
  redis::BeginForward(head, 2, body);
  const std::string_view get[] = {"GET", "carts:1"}, set[] = {"SET", "carts:2", "x"};
  redis::AppendForwarded(get, body);
  redis::AppendForwarded(set, body);
  std::mutex mutex;
  std::condition_variable changed;
  std::string answer;
  redis::ForwardHandler(engine)({.from = kThere,
                                 .body = std::move(body),
                                 .deadline_mono_ms = std::numeric_limits<std::int64_t>::max()},
                                [&](std::string bytes) {
                                  const std::lock_guard lock(mutex);
                                  answer = std::move(bytes);
                                  changed.notify_all();
                                });
  std::unique_lock lock(mutex);
  REQUIRE(changed.wait_for(lock, 5s, [&] { return !answer.empty(); }));
  const auto came = redis::DecodeForwardAnswer(answer);
  REQUIRE(came);
  return std::string(came->reply);
}

TEST_CASE("a txn that writes at home is refused there if what it reads has moved, asked so") {
  HomesFixture homes(kHere);
  FakeEngine& engine = homes.redis.engine;
  CHECK(AskedHere(engine, true) == "*2\r\n$-1\r\n+OK\r\n");
  homes.MoveTo(kThere, "1");
  CHECK(AskedHere(engine, true)
            .starts_with("-" + std::string(redis::RefusalText(Refusal::kNotHome)).substr(0, 8)));
  CHECK(AskedHere(engine, false) == "*2\r\n$-1\r\n+OK\r\n");
}

}  // namespace
}  // namespace hawser::test
